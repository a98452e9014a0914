//! The handle that the daemon holds.

use crate::error::JournalError;
use crate::writer::{self, Queued, Work};
use gate_types::api::GateEvent;
use gate_types::entry::Entry;
use gate_types::{BootEpoch, EntrySeq, LaneId, PassId};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, mpsc};
use tokio::sync::{Semaphore, oneshot};

/// Requests that may wait for the writer.
const QUEUE: usize = 1024;

/// Where events go; each receiver acknowledges for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sink {
    /// Central.
    Central,
    /// The MQTT broker.
    Broker,
}

/// A durable entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Its number.
    pub seq: EntrySeq,
    /// Its hash.
    pub hash: String,
}

/// What an opened journal tells about its past.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// The epoch of this start.
    pub epoch: BootEpoch,
    /// The last number in use; 0 where the journal is new.
    pub last_seq: u64,
    /// Highest pass number by lane.
    pub last_pass: BTreeMap<LaneId, u64>,
    /// Passes without an end, with their entries in order.
    pub open_passes: Vec<(PassId, Vec<Entry>)>,
}

/// Figures of the journal.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stats {
    /// Entries.
    pub entries: u64,
    /// Entries that travel.
    pub events: u64,
    /// Of them, acknowledged by central.
    pub acknowledged: u64,
    /// Of them, acknowledged by the broker.
    pub published: u64,
    /// Times of the newest commits, milliseconds, at most 4096.
    pub fsync_samples_ms: Vec<f64>,
}

/// A handle on the writer thread; cheap to clone. The thread ends with the last handle.
#[derive(Debug, Clone)]
pub struct Journal {
    /// Bounded by `room`: every request holds one permit until the writer takes it.
    work: mpsc::Sender<Queued>,
    room: Arc<Semaphore>,
}

impl Journal {
    /// Opens or creates a journal, starts a new epoch and its writer thread. Events wait for every receiver.
    pub fn open(path: &Path) -> Result<(Self, Opened), JournalError> {
        Self::open_for(path, &[Sink::Central, Sink::Broker])
    }
    /// As [`Journal::open`], but the events of this run wait for `receivers` alone. What waits from earlier
    /// runs goes on waiting.
    pub fn open_for(path: &Path, receivers: &[Sink]) -> Result<(Self, Opened), JournalError> {
        let (work, queue) = mpsc::channel();
        let opened = writer::start(path, receivers, queue)?;
        Ok((Self { work, room: Arc::new(Semaphore::new(QUEUE)) }, opened))
    }

    async fn ask<T>(
        &self,
        make: impl FnOnce(oneshot::Sender<Result<T, JournalError>>) -> Work,
    ) -> Result<T, JournalError> {
        let gone = || JournalError::Stopped("the writer thread has ended".into());
        let (reply, answer) = oneshot::channel();
        let room = self.room.clone().acquire_owned().await.map_err(|_| gone())?;
        self.work.send(Queued { work: make(reply), _room: room }).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Appends entries in order and returns when they are durable.
    pub async fn append(&self, entries: Vec<Entry>) -> Result<Vec<Appended>, JournalError> {
        self.ask(|reply| Work::Append { entries, reply }).await
    }
    /// The oldest events that a receiver has not acknowledged.
    pub async fn unsent(&self, sink: Sink, limit: usize) -> Result<Vec<GateEvent>, JournalError> {
        self.ask(|reply| Work::Unsent { sink, limit, reply }).await
    }
    /// A receiver holds these. Losing an acknowledgement only means that an event is sent again.
    pub async fn acknowledge(&self, sink: Sink, done: &[(BootEpoch, EntrySeq)]) -> Result<(), JournalError> {
        let seqs = done.iter().map(|(_, seq)| *seq).collect();
        self.ask(|reply| Work::Acknowledge { sink, seqs, reply }).await
    }
    /// Figures.
    pub async fn stats(&self) -> Result<Stats, JournalError> {
        self.ask(|reply| Work::Stats { reply }).await
    }
}
