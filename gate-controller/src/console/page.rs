//! The page: a shell made here, filled by its script from the interface.

use super::Console;
use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};

const PAGE: &str = include_str!("page.html");

/// The shell with the node's names.
pub(super) async fn page(State(console): State<Console>) -> Html<String> {
    let name = console.node.as_ref().map_or_else(String::new, |n| n.name.clone());
    Html(
        PAGE.replace("{{port}}", &escape(console.port.as_str()))
            .replace("{{node}}", &escape(console.node_id.as_str()))
            .replace("{{name}}", &escape(&name)),
    )
}

pub(super) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("page.css")).into_response()
}

pub(super) async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("page.js")).into_response()
}

/// Text as HTML text.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
