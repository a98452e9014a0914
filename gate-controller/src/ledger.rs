//! The journal as the daemon's tasks use it: every append counts in the figures and wakes the senders.

use crate::metrics::Meter;
use device::Clock;
use gate_types::api::GateEvent;
use gate_types::entry::{Entry, EntryBody};
use gate_types::{BootEpoch, EntrySeq};
use journal::{Journal, JournalError, Sink, Stats};
use std::sync::Arc;
use tokio::sync::Notify;

/// Cheap to clone; all clones write the same journal.
#[derive(Debug, Clone)]
pub struct Ledger {
    journal: Journal,
    clock: Clock,
    meter: Arc<Meter>,
    /// One for each sink, so that each keeps its own wake-up.
    wake: Arc<[Notify; 2]>,
}

impl Ledger {
    /// Wraps an open journal.
    pub fn new(journal: Journal, clock: Clock, meter: Arc<Meter>) -> Self {
        Self { journal, clock, meter, wake: Arc::new([Notify::new(), Notify::new()]) }
    }
    /// Appends in order; returns when durable.
    pub async fn append(&self, entries: Vec<Entry>) -> Result<(), JournalError> {
        let events = entries.iter().any(|e| e.body.is_event());
        self.journal.append(entries.clone()).await?;
        self.meter.recorded(&entries);
        if events {
            for wake in self.wake.iter() {
                wake.notify_one();
            }
        }
        Ok(())
    }
    /// Appends one entry of the node itself, outside any lane.
    pub async fn append_node(&self, body: EntryBody) -> Result<(), JournalError> {
        self.append(vec![Entry { lane: None, pass: None, at: self.clock.now(), body }]).await
    }
    /// The oldest events that a sink has not acknowledged.
    pub async fn unsent(&self, sink: Sink, limit: usize) -> Result<Vec<GateEvent>, JournalError> {
        self.journal.unsent(sink, limit).await
    }
    /// A sink holds these.
    pub async fn acknowledge(&self, sink: Sink, done: &[(BootEpoch, EntrySeq)]) -> Result<(), JournalError> {
        self.journal.acknowledge(sink, done).await
    }
    /// Returns after the next append of an event, or at once where one came since the last call.
    pub async fn appended(&self, sink: Sink) {
        let wake = match sink {
            Sink::Central => &self.wake[0],
            Sink::Broker => &self.wake[1],
        };
        wake.notified().await;
    }
    /// Figures of the journal.
    pub async fn stats(&self) -> Result<Stats, JournalError> {
        self.journal.stats().await
    }
    /// The figures of the daemon.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }
}
