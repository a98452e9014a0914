//! The reading half of the interface.

use super::{Console, problem};
use crate::board::ViewReceiver;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::stream::{StreamExt as _, select_all};
use gate_types::DeviceId;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_stream::wrappers::WatchStream;

/// All lanes as they are now.
pub(super) async fn lanes(State(console): State<Console>) -> Response {
    let views = console.board.views();
    let views: Vec<_> = views.iter().map(AsRef::as_ref).collect();
    Json(views).into_response()
}

/// Each lane's view at once and on every change; a slow reader skips to the newest.
pub(super) async fn stream(State(console): State<Console>, streams: Arc<Semaphore>) -> Response {
    let Ok(permit) = streams.try_acquire_owned() else {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "too many pages listen already; close some");
    };
    let lanes: Vec<ViewReceiver> = console.board.lanes().iter().map(|(_, view)| view.clone()).collect();
    let events = select_all(lanes.into_iter().map(WatchStream::new)).filter_map(move |view| {
        // The permit lives as long as the stream.
        let _held = &permit;
        let event = view.and_then(|view| Event::default().json_data(view.as_ref()).ok());
        std::future::ready(event.map(Ok::<_, Infallible>))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

/// The last evidence frame of a camera.
pub(super) async fn frame(
    State(console): State<Console>,
    Path(camera): Path<String>,
    headers: HeaderMap,
) -> Response {
    let frame = DeviceId::new(camera).ok().and_then(|camera| console.frames.get(&camera));
    let Some(frame) = frame else {
        return problem(StatusCode::NOT_FOUND, "no frame of this camera yet");
    };
    let tag = format!("\"{}\"", frame.sha256);
    let Ok(tag) = HeaderValue::from_str(&tag) else {
        return problem(StatusCode::INTERNAL_SERVER_ERROR, "the frame has no usable hash");
    };
    let mut response = if headers.get(header::IF_NONE_MATCH) == Some(&tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "image/jpeg")], frame.jpeg.to_vec()).into_response()
    };
    response.headers_mut().insert(header::ETAG, tag);
    response
}

/// The daemon's figures.
pub(super) async fn metrics(State(console): State<Console>) -> Response {
    match console.ledger.stats().await {
        Ok(stats) => Json(console.ledger.meter().read(stats)).into_response(),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

/// `ok`, or `degraded` with the node's own standing faults.
pub(super) async fn health(State(console): State<Console>) -> Response {
    let faults = console.board.faults();
    let status = if faults.is_empty() { "ok" } else { "degraded" };
    Json(serde_json::json!({ "status": status, "node": console.node_id, "faults": faults })).into_response()
}
