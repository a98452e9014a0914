//! The node's own console: a page, its interface, and operators' acts. Pictures and plates are personal
//! data, so it listens on loopback only; acts need the token of `state_dir/console-token` as well.

mod act;
mod api;
mod page;
mod token;

pub use token::{ConsoleToken, token};

use crate::board::Board;
use crate::lane_loop::OperatorRequest;
use crate::ledger::Ledger;
use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use config::NodeSpec;
use gate_types::{LaneId, NodeId, PortId};
use lpr_ocr::FrameStore;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};

/// Longest request body, bytes.
const MAX_BODY: usize = 4 * 1024;
/// Pages that may listen to the stream at once.
const STREAMS: usize = 32;

/// What the console shows and reaches.
#[derive(Clone)]
pub struct Console {
    /// The port.
    pub port: PortId,
    /// The node as the site file describes it.
    pub node: Option<NodeSpec>,
    /// The node's name.
    pub node_id: NodeId,
    /// Lanes and the node's faults.
    pub board: Board,
    /// The last frames.
    pub frames: FrameStore,
    /// Figures.
    pub ledger: Ledger,
    /// The way to each lane.
    pub operators: Arc<HashMap<LaneId, mpsc::Sender<OperatorRequest>>>,
    /// Guards acts.
    pub token: Arc<ConsoleToken>,
}

/// Binds the console's address; anything but loopback is refused, because there is no TLS on it.
pub async fn bind(listen: &str) -> Result<TcpListener> {
    let what = || format!("console.listen `{listen}`");
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host(listen)
        .await
        .with_context(|| format!("{}: expected ADDRESS:PORT such as 127.0.0.1:8080", what()))?
        .collect();
    if let Some(open) = addresses.iter().find(|a| !a.ip().is_loopback()) {
        bail!(
            "{}: {} is not a loopback address and the console has no TLS; it shows pictures of vehicles and \
             plates, which are personal data. Listen on 127.0.0.1 or [::1] and put a TLS proxy before it",
            what(),
            open.ip()
        );
    }
    let address = addresses.first().with_context(what)?;
    TcpListener::bind(address).await.with_context(|| format!("{}: cannot be bound", what()))
}

/// Serves until it is dropped.
pub async fn serve(listener: TcpListener, console: Console) {
    if let Err(error) = axum::serve(listener, router(console)).await {
        tracing::error!(%error, "the console ended");
    }
}

fn router(console: Console) -> Router {
    let streams = Arc::new(Semaphore::new(STREAMS));
    Router::new()
        .route("/", get(page::page))
        .route("/console.css", get(page::style))
        .route("/console.js", get(page::script))
        .route("/api/v1/lanes", get(api::lanes))
        .route("/api/v1/stream", get(move |state| api::stream(state, streams)))
        .route("/api/v1/frames/{camera}", get(api::frame))
        .route("/api/v1/metrics", get(api::metrics))
        .route("/api/v1/health", get(api::health))
        .route("/api/v1/lanes/{lane}/operator", post(act::operator))
        .route("/api/v1/lanes/{lane}/correct", post(act::correct))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn(guard))
        .with_state(console)
}

/// Answers only to loopback names (a foreign page must not reach the console through a name of its own
/// that points here) and tells browsers to keep nothing and to load nothing from elsewhere.
async fn guard(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    if !is_loopback_name(host) {
        return problem(StatusCode::FORBIDDEN, "the console answers to localhost, 127.0.0.1 and [::1] only");
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    );
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn is_loopback_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A problem body (RFC 9457).
fn problem(status: StatusCode, detail: &str) -> Response {
    let body = gate_types::api::Problem {
        title: status.canonical_reason().unwrap_or("error").to_owned(),
        status: status.as_u16(),
        detail: detail.to_owned(),
    };
    (status, [(header::CONTENT_TYPE, "application/problem+json")], axum::Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_loopback_is_bound() {
        assert!(bind("127.0.0.1:0").await.is_ok());
        let error = bind("0.0.0.0:0").await.unwrap_err().to_string();
        assert!(error.contains("TLS") && error.contains("personal data"), "{error}");
        assert!(bind("nonsense").await.is_err());
    }

    #[test]
    fn foreign_names_for_this_machine_are_refused() {
        for good in ["localhost", "localhost:80", "127.0.0.1:8080", "[::1]:8080", "[::1]", "127.0.0.1"] {
            assert!(is_loopback_name(good), "{good}");
        }
        for bad in ["", "evil.example", "evil.example:80", "10.0.0.1:80", "localhost.evil.example"] {
            assert!(!is_loopback_name(bad), "{bad}");
        }
    }
}
