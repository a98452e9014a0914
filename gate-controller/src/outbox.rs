//! Events on their way to central: in order, in batches, acknowledged only on central's receipt.

use crate::board::NodeFault;
use crate::central::Central;
use crate::ledger::Ledger;
use gate_types::api::{EventBatch, EventReceipt, GateEvent};
use gate_types::{BootEpoch, EntrySeq, NodeId, PortId};
use journal::{JournalError, Sink};
use std::time::Duration;
use tokio::time::sleep;

/// Most events in one request; below [`gate_types::api::MAX_BATCH`], so that a body stays small.
const BATCH: usize = 64;
/// First wait after a failed delivery, milliseconds.
const FIRST_WAIT_MS: u64 = 250;
/// Longest wait between deliveries, milliseconds.
const LONGEST_WAIT_MS: u64 = 10_000;

/// Delivers until the journal fails; never drops an event.
pub async fn deliver(
    ledger: Ledger,
    central: Central,
    port: PortId,
    node: NodeId,
    down: NodeFault,
) -> Result<(), JournalError> {
    let mut wait_ms = FIRST_WAIT_MS;
    loop {
        let events = ledger.unsent(Sink::Central, BATCH).await?;
        if events.is_empty() {
            ledger.appended(Sink::Central).await;
            continue;
        }
        let batch = EventBatch { port: port.clone(), node: node.clone(), events };
        let why = match central.deliver(&batch).await {
            Ok(receipt) => {
                let stored = acknowledged(&batch.events, &receipt);
                ledger.acknowledge(Sink::Central, &stored).await?;
                down.clear().await?;
                if stored.len() == batch.events.len() {
                    wait_ms = FIRST_WAIT_MS;
                    continue;
                }
                format!(
                    "central stored {} of {} events; the rest is sent again",
                    stored.len(),
                    batch.events.len()
                )
            }
            Err(error) => {
                let text = format!("events wait in the journal: {error}; check the line and central");
                down.raise(text).await?;
                error.to_string()
            }
        };
        tracing::debug!(why, wait_ms, "delivery to central failed");
        sleep(Duration::from_millis(wait_ms)).await;
        wait_ms = (wait_ms * 2).min(LONGEST_WAIT_MS);
    }
}

/// The keys of those sent events that the receipt names.
fn acknowledged(sent: &[GateEvent], receipt: &EventReceipt) -> Vec<(BootEpoch, EntrySeq)> {
    sent.iter().filter(|e| receipt.stored.contains(&e.seq)).map(|e| (e.epoch, e.seq)).collect()
}
