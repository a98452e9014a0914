//! The journal as the daemon's tasks use it: every append counts in the figures and wakes the senders.

use crate::metrics::Meter;
use crate::pictures::Pictures;
use device::Clock;
use gate_types::api::GateEvent;
use gate_types::entry::{Entry, EntryBody};
use gate_types::{BootEpoch, EntrySeq, Stamp};
use journal::{Journal, JournalError, Sink, Stats};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// Cheap to clone; all clones write the same journal.
#[derive(Debug, Clone)]
pub struct Ledger {
    journal: Journal,
    clock: Clock,
    meter: Arc<Meter>,
    /// One for each sink, so that each keeps its own wake-up.
    wake: Arc<[Notify; 2]>,
    pictures: Option<Pictures>,
    /// The disk is nearly full: raw parts of reads are left out.
    shed_raw: Arc<AtomicBool>,
}

impl Ledger {
    /// Wraps an open journal.
    pub fn new(journal: Journal, clock: Clock, meter: Arc<Meter>) -> Self {
        let wake = Arc::new([Notify::new(), Notify::new()]);
        Self { journal, clock, meter, wake, pictures: None, shed_raw: Arc::default() }
    }
    /// With a place for the pictures that entries name.
    pub fn with_pictures(self, pictures: Pictures) -> Self {
        Self { pictures: Some(pictures), ..self }
    }
    /// Leaves the raw parts of reads out, or no longer.
    pub fn shed_raw(&self, shed: bool) {
        self.shed_raw.store(shed, Ordering::Relaxed);
    }
    /// The journal itself.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }
    /// Now, on both clocks.
    pub fn now(&self) -> Stamp {
        self.clock.now()
    }
    /// Appends in order; returns when durable.
    pub async fn append(&self, mut entries: Vec<Entry>) -> Result<(), JournalError> {
        if self.shed_raw.load(Ordering::Relaxed) {
            entries.iter_mut().for_each(without_raw);
        }
        let events = entries.iter().any(|e| e.body.is_event());
        self.journal.append(&entries).await?;
        self.meter.recorded(&entries);
        if let Some(pictures) = &self.pictures {
            pictures.of(&entries);
        }
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

/// What neither a decision nor its repetition needs of a read: the entry stays, so that what rests on it still
/// counts right.
fn without_raw(entry: &mut Entry) {
    if !entry.body.is_evidence() {
        return;
    }
    if let EntryBody::OpticalRead { read, .. } = &mut entry.body {
        read.alternatives.clear();
        read.raw_text.clear();
    } else if let EntryBody::WeightRead { weight, .. } = &mut entry.body {
        weight.raw.clear();
    }
}
