//! The clock's part: missions that are late, lost or too long in the parking, and alarms that nobody acknowledged
//! in time. Several processes on one database may all look; the database decides who was first.

use crate::app::now_ms;
use crate::mission::{Clock, refresh};
use crate::store::{MissionRecord, Store, StoreError};
use config::Site;
use gate_types::api::CentralEvent;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often the clock is looked at.
const EVERY: Duration = Duration::from_secs(5);
/// Missions and alarms of one look; more are looked at in the next transaction.
const AT_ONCE: i64 = 200;

/// Looks at the clock until the server stops.
pub(crate) async fn look(store: Store, site: Arc<Site>, mut stopping: watch::Receiver<bool>) {
    let mut reached = true;
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _stopped = stopping.wait_for(|stopped| *stopped) => return,
        }
        loop {
            match look_once(&store, &site, now_ms()).await {
                Ok(looked) => {
                    reached = true;
                    if looked < AT_ONCE {
                        break;
                    }
                }
                Err(error) => {
                    if std::mem::take(&mut reached) {
                        tracing::warn!(%error, "missions cannot be looked at; late and lost ones wait");
                    }
                    break;
                }
            }
        }
    }
}

/// One look. Gives back how much there was to look at.
async fn look_once(store: &Store, site: &Arc<Site>, now_ms: i64) -> Result<i64, StoreError> {
    let due = store.read(move |tx| tx.anything_due(now_ms)).await?;
    if !due {
        return Ok(0);
    }
    let site = Arc::clone(site);
    store
        .write(move |tx| {
            let records = tx.missions_to_look_at(now_ms, AT_ONCE)?;
            let looked = records.len();
            let (changed, mut alarms) = refresh(tx, &site, records, now_ms, Clock::Looked)?;
            alarms.extend(tx.escalate(now_ms, AT_ONCE)?);
            let mission =
                |record: &MissionRecord| CentralEvent::Mission { mission: Box::new(record.view(&site)) };
            let mut news: Vec<CentralEvent> = changed.iter().map(mission).collect();
            news.extend(alarms.into_iter().map(|alarm| CentralEvent::Alarm { alarm: Box::new(alarm) }));
            tx.tell(&news)?;
            Ok(i64::try_from(looked).unwrap_or(i64::MAX))
        })
        .await
}
