//! The daemon's end: by itself where a task failed, in order where it was asked for.

use super::tasks::{Failure, Tasks};
use crate::board::Board;
use crate::ledger::Ledger;
use crate::mqtt;
use gate_types::entry::EntryBody;
use gate_types::fault::{Fault, FaultKind};
use journal::Sink;
use std::time::Duration;
use tokio::time::timeout;

/// How long lanes may take to end, milliseconds.
const LANES_END_MS: u64 = 5_000;
/// How long the last events may take to central at a stop, milliseconds.
const LAST_EVENTS_MS: u64 = 2_000;

/// The first task that failed; a lane or service that ends without being told has failed too.
pub(super) async fn first_failure(lanes: &mut Tasks, tasks: &mut Tasks) -> Failure {
    loop {
        let ((name, result), is_driver) = tokio::select! {
            Some(ended) = lanes.next() => (ended, false),
            Some(ended) = tasks.next() => {
                let is_driver = ended.0.starts_with("device ");
                (ended, is_driver)
            }
            else => return Failure::Task { name: "all tasks".into(), why: "nothing is left to run".into() },
        };
        match result {
            Err(failure) => return failure,
            // A driver ends when its lane is gone; the lane's own end tells why.
            Ok(()) if is_driver => {}
            Ok(()) => return Failure::Task { name, why: "it ended without being told".into() },
        }
    }
}

/// The end in order: lanes finish what they are at, the stop goes on record, the last events go out.
pub(super) async fn finish(
    lanes: &mut Tasks,
    ledger: &Ledger,
    broker: Option<&mqtt::BrokerClient>,
    board: &Board,
) -> Result<(), Failure> {
    let all = async {
        let mut first = Ok(());
        while let Some((_, result)) = lanes.next().await {
            if first.is_ok() {
                first = result;
            }
        }
        first
    };
    match timeout(Duration::from_millis(LANES_END_MS), all).await {
        Ok(result) => result?,
        Err(_) => tracing::warn!("lanes did not end within {LANES_END_MS} ms"),
    }
    ledger.append_node(EntryBody::DaemonStopped {}).await?;
    if board.faults().iter().all(|f| f.kind != FaultKind::CentralDown) {
        let drained = async {
            while matches!(ledger.unsent(Sink::Central, 1).await, Ok(events) if !events.is_empty()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if timeout(Duration::from_millis(LAST_EVENTS_MS), drained).await.is_err() {
            tracing::info!("the last events go to central at the next start");
        }
    }
    if let Some(broker) = broker {
        broker.farewell().await;
    }
    Ok(())
}

/// A failure goes on record where there still is a record.
pub(super) async fn on_record(failure: &Failure, ledger: &Ledger, board: &Board) {
    match failure {
        Failure::Journal(error) => {
            let text = error.to_string();
            board.raise(Fault { kind: FaultKind::JournalDown, device: "journal".into(), text });
        }
        Failure::Task { name, why } => {
            let fault = Fault {
                kind: FaultKind::DeviceDown,
                device: name.clone(),
                text: format!("the task ended unexpectedly and the daemon stops: {why}"),
            };
            if let Err(error) = ledger.append_node(EntryBody::FaultRaised { fault }).await {
                tracing::error!(%error, "the failure is not on record");
            }
        }
    }
}
