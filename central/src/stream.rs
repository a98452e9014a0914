//! News as server-sent events. A reader that falls too far behind is dropped and comes again; nobody waits
//! for it.

use crate::people_api::Shared;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};

pub(crate) async fn stream(State(app): Shared) -> impl IntoResponse {
    let news = follow(app.feed.subscribe(), app.stopping.clone());
    Sse::new(news).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

fn follow(
    feed: broadcast::Receiver<Arc<str>>,
    stopping: watch::Receiver<bool>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    futures::stream::unfold((feed, stopping), |(mut feed, mut stopping)| async move {
        let received = tokio::select! {
            received = feed.recv() => received,
            _stopped = stopping.wait_for(|stopped| *stopped) => return None,
        };
        match received {
            Ok(json) => Some((Ok(Event::default().data(json.as_ref())), (feed, stopping))),
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                tracing::info!(
                    missed,
                    "a reader of the stream was too slow and is dropped; it may connect again"
                );
                None
            }
            Err(broadcast::error::RecvError::Closed) => None,
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use futures::StreamExt as _;

    #[tokio::test]
    async fn a_slow_reader_is_dropped_and_a_stop_ends_the_stream() {
        let (stop, stopping) = watch::channel(false);
        let (feed, reader) = broadcast::channel::<Arc<str>>(2);
        let mut slow = std::pin::pin!(follow(reader, stopping.clone()));
        let mut live = std::pin::pin!(follow(feed.subscribe(), stopping));
        feed.send(Arc::from("1")).unwrap();
        assert!(live.next().await.is_some());
        for news in ["2", "3"] {
            feed.send(Arc::from(news)).unwrap();
        }
        assert!(slow.next().await.is_none(), "three behind, two are kept");
        assert!(live.next().await.is_some() && live.next().await.is_some());
        stop.send_replace(true);
        assert!(live.next().await.is_none());
    }
}
