//! The handle that the daemon holds.

use crate::audit::Audit;
use crate::erase::{Erasure, Purpose};
use crate::error::JournalError;
use crate::finding::Finding;
use crate::opening;
use crate::prepared::prepare;
use crate::signing::HeadWatch;
use crate::writer::{Queued, Work};
use gate_types::api::{GateEvent, JournalPosition};
use gate_types::entry::Entry;
use gate_types::head::{HeadReceipt, HeadSigner};
use gate_types::{BootEpoch, EntrySeq, LaneId, PassId};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, mpsc};
use tokio::sync::{Semaphore, oneshot, watch};

/// Requests that may wait for the writer.
pub(crate) const QUEUE: usize = 1024;

/// Where events go; each receiver acknowledges for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sink {
    /// Central.
    Central,
    /// The MQTT broker.
    Broker,
}

/// How a journal is opened.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// For whom the events of this run wait. What waits from earlier runs goes on waiting.
    pub receivers: Vec<Sink>,
    /// Signs heads; none: the journal is chained and not signed.
    pub signer: Option<HeadSigner>,
    /// What central has seen of this journal: numbers at or below are never used again.
    pub seen: JournalPosition,
    /// A file of this many bytes is held back for the last entries on a full disk; 0: none.
    pub reserve_bytes: u64,
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
    /// Numbers were lost: no pass at or below this one may be opened again, on any lane; 0 where none were.
    pub pass_floor: u64,
    /// Highest pass number by lane.
    pub last_pass: BTreeMap<LaneId, u64>,
    /// Passes without an end, with their entries in order.
    pub open_passes: Vec<(PassId, Vec<Entry>)>,
    /// What was found wrong between the newest signed head and the end, and against what is anchored.
    pub findings: Vec<Finding>,
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
    /// The last entry that a signed head covers; 0: none.
    pub signed: u64,
    /// The last entry that a receipt of central covers; 0: none.
    pub anchored: u64,
    /// Bodies erased since the start.
    pub erased: u64,
    /// The reserve for a full disk is used up.
    pub reserve_spent: bool,
    /// Times of the newest commits, milliseconds, at most 4096.
    pub fsync_samples_ms: Vec<f64>,
}

/// A handle on the writer thread; cheap to clone. The thread ends with the last handle.
#[derive(Debug, Clone)]
pub struct Journal {
    /// Bounded by `room`: every request holds one permit until the writer takes it.
    work: mpsc::Sender<Queued>,
    room: Arc<Semaphore>,
    heads: Option<HeadWatch>,
    history: watch::Receiver<Option<Arc<Audit>>>,
}

impl Journal {
    /// Opens or creates a journal, starts a new epoch and its writer thread. Events wait for every receiver.
    pub fn open(path: &Path) -> Result<(Self, Opened), JournalError> {
        Self::open_for(path, &[Sink::Central, Sink::Broker])
    }
    /// As [`Journal::open`], but the events of this run wait for `receivers` alone. What waits from earlier
    /// runs goes on waiting.
    pub fn open_for(path: &Path, receivers: &[Sink]) -> Result<(Self, Opened), JournalError> {
        Self::open_with(path, Options { receivers: receivers.to_vec(), ..Options::default() })
    }
    /// Opens or creates a journal, checks it from its newest signed head on and against what is anchored
    /// outside it, starts a new epoch and its threads. The rest is checked beside ([`Journal::history`]).
    pub fn open_with(path: &Path, options: Options) -> Result<(Self, Opened), JournalError> {
        let (work, queue) = mpsc::channel();
        let room = Arc::new(Semaphore::new(QUEUE));
        let opening::Started { opened, heads, history } =
            opening::start(path, options, queue, Arc::downgrade(&room))?;
        Ok((Self { work, room, heads, history }, opened))
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
    pub async fn append(&self, entries: &[Entry]) -> Result<Vec<Appended>, JournalError> {
        let entries = prepare(entries)?;
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
    /// The newest signed head, for whoever sends it on; none where the journal has no signer.
    pub fn heads(&self) -> Option<HeadWatch> {
        self.heads.clone()
    }
    /// What was found in the part before the newest signed head of the last run, once it is checked.
    pub fn history(&self) -> watch::Receiver<Option<Arc<Audit>>> {
        self.history.clone()
    }
    /// Central holds a head: its verified receipt is kept with the head, and in the head file.
    pub async fn anchored(&self, receipt: &HeadReceipt, jws: String) -> Result<(), JournalError> {
        let seq = receipt.head.seq;
        self.ask(|reply| Work::Anchored { seq, jws, reply }).await
    }
    /// Goes on above what central has seen. Where the journal stood below, its tail was lost: that range.
    pub async fn resume_above(&self, seen: JournalPosition) -> Result<Option<Finding>, JournalError> {
        self.ask(|reply| Work::ResumeAbove { seen, reply }).await
    }
    /// Erases bodies of one purpose that are older than `before_ms` (wall clock), at most `limit` of them;
    /// the chain keeps their commitments. Nothing of an open pass or of an undelivered event is erased.
    pub async fn erase(
        &self,
        purpose: Purpose,
        before_ms: i64,
        limit: usize,
    ) -> Result<Erasure, JournalError> {
        self.ask(|reply| Work::Erase { purpose, before_ms, limit, reply }).await
    }
    /// Figures.
    pub async fn stats(&self) -> Result<Stats, JournalError> {
        self.ask(|reply| Work::Stats { reply }).await
    }
}
