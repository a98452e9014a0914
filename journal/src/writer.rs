//! The one thread that writes. [`commit`]: what stands on a decision's way; [`rest`]: what waits until nobody does.

mod commit;
mod crowd;
mod rest;

use crate::append::{Appended, Sink, Stats};
use crate::erase::{self, Erasure, Purpose};
use crate::error::{JournalError, tells_of_damage};
use crate::finding::Finding;
use crate::outbox;
use crate::prepared::Prepared;
use crate::reserve::Reserve;
use crate::signing::Signing;
use crowd::Crowd;
use gate_types::api::{GateEvent, JournalPosition};
use gate_types::{BootEpoch, EntrySeq};
use rusqlite::{Connection, params};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Most entries in one commit.
const GROUP: usize = 512;
/// How often a commit that waits for a crowd looks who has come.
const CROWD_POLL: Duration = Duration::from_micros(50);

type Reply<T> = oneshot::Sender<Result<T, JournalError>>;
/// Appends that are committed together, each with the one who waits for it.
type Group = Vec<(Vec<Prepared>, Reply<Vec<Appended>>)>;

pub(crate) enum Work {
    Append { entries: Vec<Prepared>, reply: Reply<Vec<Appended>> },
    Unsent { sink: Sink, limit: usize, reply: Reply<Vec<GateEvent>> },
    Acknowledge { sink: Sink, seqs: Vec<EntrySeq>, reply: Reply<()> },
    Stats { reply: Reply<Stats> },
    Anchored { seq: EntrySeq, jws: String, reply: Reply<()> },
    ResumeAbove { seen: JournalPosition, reply: Reply<Option<Finding>> },
    Erase { purpose: Purpose, before_ms: i64, limit: usize, reply: Reply<Erasure> },
}

/// A request with its place in the queue, which is free again once the writer has taken it.
pub(crate) struct Queued {
    pub(crate) work: Work,
    pub(crate) _room: OwnedSemaphorePermit,
}

/// One receiver's rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    /// Rows that it has acknowledged.
    pub(crate) closed: u64,
    /// No row up to this number is open.
    pub(crate) none_below: u64,
    /// How a new event begins.
    pub(crate) begins: outbox::Row,
}

pub(crate) struct Writer {
    path: PathBuf,
    db: Connection,
    epoch: BootEpoch,
    seq: u64,
    head: String,
    events: u64,
    central: Sent,
    broker: Sent,
    samples: VecDeque<f64>,
    commits_since_checkpoint: u32,
    look_at_log_after: u32,
    crowd: Crowd,
    /// What bounds the queue, and so knows how many wait in it.
    room: Weak<Semaphore>,
    failed: Option<JournalError>,
    signing: Option<Signing>,
    /// Since when there are entries that no head covers.
    unsigned_since: Option<Instant>,
    last_append: Instant,
    signed: u64,
    anchored: u64,
    erased: u64,
    reserve: Reserve,
}

pub(crate) fn database(path: &Path, what: &'static str) -> impl Fn(rusqlite::Error) -> JournalError {
    let path = path.to_path_buf();
    move |e| {
        let (damaged, source_text) = (tells_of_damage(&e), e.to_string());
        JournalError::Database { path: path.clone(), what, source_text, damaged }
    }
}

impl Writer {
    #[allow(clippy::too_many_arguments, reason = "called once, by the opening")]
    pub(crate) fn new(
        path: &Path,
        db: Connection,
        epoch: BootEpoch,
        seq: u64,
        head: String,
        events: u64,
        central: Sent,
        broker: Sent,
        signing: Option<Signing>,
        reserve: Reserve,
    ) -> Self {
        Self {
            path: path.to_path_buf(),
            db,
            epoch,
            seq,
            head,
            events,
            central,
            broker,
            samples: VecDeque::with_capacity(64),
            commits_since_checkpoint: 0,
            look_at_log_after: 0,
            crowd: Crowd::default(),
            room: Weak::new(),
            failed: None,
            signing,
            unsigned_since: None,
            last_append: Instant::now(),
            signed: 0,
            anchored: 0,
            erased: 0,
            reserve,
        }
    }
    /// The last entry that a head of an earlier run covers.
    pub(crate) fn signed_before(self, signed: u64) -> Self {
        Self { signed, ..self }
    }

    pub(crate) fn serve(mut self, queue: Receiver<Queued>, room: Weak<Semaphore>) {
        self.room = room;
        while let Some(work) = self.wait(&queue) {
            let mut group = Group::new();
            let (mut entries, begun) = (0, Instant::now());
            let mut next = Some(work);
            while let Some(work) = next.take() {
                match work {
                    Work::Append { entries: batch, reply } => {
                        entries += batch.len();
                        group.push((batch, reply));
                    }
                    // Anything else is answered after what came before it is durable.
                    Work::Unsent { sink, limit, reply } => {
                        self.commit(&mut group);
                        let _ = reply.send(self.guard(|w| w.unsent(sink, limit)));
                    }
                    Work::Acknowledge { sink, seqs, reply } => {
                        self.commit(&mut group);
                        let _ = reply.send(self.guard(|w| w.acknowledge(sink, &seqs)));
                    }
                    Work::Stats { reply } => {
                        self.commit(&mut group);
                        let _ = reply.send(self.guard(|w| Ok(w.stats())));
                    }
                    Work::Anchored { seq, jws, reply } => {
                        self.commit(&mut group);
                        let _ = reply.send(self.guard(|w| w.keep_receipt(seq, jws)));
                    }
                    Work::ResumeAbove { seen, reply } => {
                        self.commit(&mut group);
                        let _ = reply.send(self.guard(|w| Ok(w.resume_above(seen))));
                    }
                    Work::Erase { purpose, before_ms, limit, reply } => {
                        self.commit(&mut group);
                        let _ = reply.send(self.guard(|w| w.erase(purpose, before_ms, limit)));
                    }
                }
                if entries < GROUP {
                    next = self.company(&queue, group.len(), begun);
                }
            }
            self.commit(&mut group);
            self.fold_at_last();
        }
        self.last_head();
        let _ = self.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }

    /// What else goes into this commit: what waits already, and in a crowd what is on its way.
    fn company(&self, queue: &Receiver<Queued>, appends: usize, begun: Instant) -> Option<Work> {
        loop {
            match queue.try_recv() {
                Ok(queued) => return Some(queued.work),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => {
                    let patience = self.crowd.patience(appends)?.checked_sub(begun.elapsed())?;
                    // Not parked on the queue: every single one of the crowd would have to wake this thread.
                    std::thread::sleep(patience.min(CROWD_POLL));
                }
            }
        }
    }

    /// A small transaction without an fsync of its own: the next commit's covers it.
    fn relaxed<T>(&mut self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        self.db.execute_batch("PRAGMA synchronous=NORMAL")?;
        let result = work(&self.db);
        self.db.execute_batch("PRAGMA synchronous=FULL")?;
        result
    }

    fn keep_receipt(&mut self, seq: EntrySeq, jws: String) -> Result<(), JournalError> {
        let sql = "UPDATE head SET receipt = ?2 WHERE seq = ?1";
        let done = self.relaxed(|db| db.execute(sql, params![seq.0, jws]));
        done.map_err(database(&self.path, "file a receipt"))?;
        self.anchored = self.anchored.max(seq.0);
        if let Some(signing) = &self.signing {
            signing.receipt(jws);
        }
        Ok(())
    }

    fn resume_above(&mut self, seen: JournalPosition) -> Option<Finding> {
        let lost = (seen.seq > self.seq).then(|| Finding::TailLost { from: self.seq + 1, to: seen.seq });
        if lost.is_some() || seen.epoch > self.epoch.0 {
            self.seq = self.seq.max(seen.seq);
            self.epoch = BootEpoch(self.epoch.0.max(seen.epoch) + 1);
        }
        lost
    }

    fn erase(&mut self, purpose: Purpose, before_ms: i64, limit: usize) -> Result<Erasure, JournalError> {
        let done = erase::erase(&self.path, &mut self.db, purpose, before_ms, limit)?;
        self.erased += done.entries;
        self.commits_since_checkpoint += 1;
        Ok(done)
    }

    fn guard<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        match &self.failed {
            Some(error) => Err(JournalError::Stopped(error.to_string())),
            None => work(self),
        }
    }

    fn sent(&mut self, sink: Sink) -> &mut Sent {
        match sink {
            Sink::Central => &mut self.central,
            Sink::Broker => &mut self.broker,
        }
    }

    fn unsent(&mut self, sink: Sink, limit: usize) -> Result<Vec<GateEvent>, JournalError> {
        let after = self.sent(sink).none_below;
        let events = outbox::unsent(&self.path, &self.db, sink, after, limit)?;
        let none_below = events.first().map_or(self.seq, |e| e.seq.0.saturating_sub(1));
        if limit > 0 {
            self.sent(sink).none_below = none_below;
        }
        Ok(events)
    }

    fn acknowledge(&mut self, sink: Sink, seqs: &[EntrySeq]) -> Result<(), JournalError> {
        let closed = outbox::acknowledge(&self.path, &mut self.db, sink, seqs)?;
        self.sent(sink).closed += closed;
        Ok(())
    }

    fn stats(&self) -> Stats {
        Stats {
            entries: self.seq,
            events: self.events,
            acknowledged: self.central.closed,
            published: self.broker.closed,
            signed: self.signed,
            anchored: self.anchored,
            erased: self.erased,
            reserve_spent: self.reserve.is_spent(),
            fsync_samples_ms: self.samples.iter().copied().collect(),
        }
    }
}
