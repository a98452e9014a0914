//! The live page of the demo: one address, server-sent events, nothing from elsewhere.

mod news;
mod scene;

use crate::demo::hub::Hub;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures::Stream;
use std::convert::Infallible;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::BroadcastStream;

/// Tried first, so that the address is the same each time; a free port otherwise.
const USUAL_PORT: u16 = 8080;

#[derive(Clone)]
struct Site {
    hub: Hub,
    news: broadcast::Sender<news::News>,
}

/// Starts the page; gives its address.
pub async fn start(hub: Hub) -> anyhow::Result<SocketAddr> {
    let listener = match TcpListener::bind(("127.0.0.1", USUAL_PORT)).await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind("127.0.0.1:0").await?,
    };
    let address = listener.local_addr()?;
    let (news, _) = broadcast::channel(256);
    tokio::spawn(news::tell(hub.clone(), news.clone()));
    let app = Router::new()
        .route("/", get(index))
        .route("/site", get(site))
        .route("/stream", get(stream))
        .route("/truck/{id}", get(truck))
        .route("/frames/{camera}", get(frame))
        .with_state(Site { hub, news });
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, app).await {
            tracing::error!(%error, "the page ended");
        }
    });
    Ok(address)
}

async fn index() -> impl IntoResponse {
    let html = include_str!("../../page/index.html")
        .replace("/*STYLE*/", include_str!("../../page/page.css"))
        .replace("/*MAP*/", include_str!("../../page/map.js"))
        .replace("/*LANES*/", include_str!("../../page/lanes.js"))
        .replace("/*PAGE*/", include_str!("../../page/page.js"));
    let policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data:; \
                  connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(html))
}

async fn site(State(state): State<Site>) -> impl IntoResponse {
    Json(scene::site(&state.hub))
}

async fn stream(State(state): State<Site>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let news = BroadcastStream::new(state.news.subscribe());
    // A reader that fell behind misses some news and goes on with the newest.
    let events =
        news.filter_map(|n| n.ok().map(|n| Ok(Event::default().event(n.kind).data(n.json.as_ref()))));
    Sse::new(events).keep_alive(KeepAlive::default())
}

async fn truck(State(state): State<Site>, Path(id): Path<u32>) -> Response {
    match scene::truck(&state.hub, id) {
        Some(view) => Json(view).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn frame(State(state): State<Site>, Path(camera): Path<String>) -> Response {
    match state.hub.frame(&camera).await {
        Ok(jpeg) => {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            (headers, jpeg).into_response()
        }
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
