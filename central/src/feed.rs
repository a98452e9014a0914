//! From the store's news to the readers of this process: what any process that serves the database has
//! done, each once and in the order in which it became true.

use crate::store::{News, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};

/// How often a database that others write to is asked.
const SHARED: Duration = Duration::from_millis(250);
/// And one that should be ours alone.
const ALONE: Duration = Duration::from_secs(2);
/// News of one question.
const PAGE: i64 = 500;

/// Follows the news until the server stops.
pub(crate) async fn follow(
    store: Store,
    mut last: i64,
    feed: broadcast::Sender<Arc<str>>,
    mut stopping: watch::Receiver<bool>,
) {
    let pause = if store.is_shared() { SHARED } else { ALONE };
    let mut reached = true;
    loop {
        tokio::select! {
            () = store.told() => {}
            () = tokio::time::sleep(pause) => {}
            _stopped = stopping.wait_for(|stopped| *stopped) => return,
        }
        loop {
            let after = last;
            let page: Result<Vec<News>, StoreError> = store.read(move |tx| tx.news_after(after, PAGE)).await;
            let page = match page {
                Ok(page) => page,
                Err(e) => {
                    if std::mem::take(&mut reached) {
                        tracing::warn!(error = %e, "news cannot be read; readers of the stream wait");
                    }
                    break;
                }
            };
            reached = true;
            let Some(newest) = page.last() else { break };
            last = newest.n;
            let more = i64::try_from(page.len()).is_ok_and(|n| n == PAGE);
            for news in page {
                // An error means that nobody listens.
                drop(feed.send(Arc::from(news.body)));
            }
            if !more {
                break;
            }
        }
    }
}
