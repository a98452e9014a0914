//! The one thread that writes.

use crate::append::{Appended, Sink, Stats};
use crate::erase::{self, Erasure, Purpose};
use crate::error::JournalError;
use crate::finding::Finding;
use crate::reserve::Reserve;
use crate::signing::Signing;
use crate::{outbox, schema};
use gate_types::api::{GateEvent, JournalPosition};
use gate_types::chain::{SALT, commitment, entry_hash};
use gate_types::entry::Entry;
use gate_types::{BootEpoch, EntrySeq};
use rusqlite::{Connection, ErrorCode, params};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// Most entries in one commit.
const GROUP: usize = 512;
/// Commit times kept.
const SAMPLES: usize = 4096;
/// The log is folded into the file when the writer has rested and this many commits have passed.
const CHECKPOINT_EVERY: u32 = 64;
/// When the queue is empty, rested or not, after this many.
const CHECKPOINT_AT_LEAST: u32 = 256;
/// And without regard to the queue after this many.
const CHECKPOINT_AT_LAST: u32 = 4096;
/// Rest after which nobody is likely to wait for the writer: no truck is being decided about.
const REST: Duration = Duration::from_millis(500);
/// Time without an append after which a head is signed: the head file's fsync then meets no commit that a lane waits for.
const HEAD_REST: Duration = Duration::from_millis(250);
/// Without rest, a head is signed this long after the first commit that none covers.
const HEAD_AT_LAST: Duration = Duration::from_secs(2);
/// How often a rested writer looks whether a head is signed.
const HEAD_POLL: Duration = Duration::from_millis(20);

type Reply<T> = oneshot::Sender<Result<T, JournalError>>;

pub(crate) enum Work {
    Append { entries: Vec<Entry>, reply: Reply<Vec<Appended>> },
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
    move |e| JournalError::Database { path: path.clone(), what, source_text: e.to_string() }
}

/// Why a commit did not happen.
enum Written {
    /// The disk is full; the transaction was rolled back.
    Full(JournalError),
    /// Anything else: what the disk holds is not known.
    Failed(JournalError),
}

impl Written {
    fn of(path: &Path, what: &'static str, error: rusqlite::Error) -> Self {
        let full = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
        let error = database(path, what)(error);
        if full { Written::Full(error) } else { Written::Failed(error) }
    }
    fn into_error(self) -> JournalError {
        match self {
            Written::Full(error) | Written::Failed(error) => error,
        }
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

    pub(crate) fn serve(mut self, queue: Receiver<Queued>) {
        while let Some(work) = self.wait(&queue) {
            let mut group: Vec<(Vec<Entry>, Reply<Vec<Appended>>)> = Vec::new();
            let mut entries = 0;
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
                    next = queue.try_recv().ok().map(|queued| queued.work);
                }
            }
            self.commit(&mut group);
            if self.commits_since_checkpoint >= CHECKPOINT_AT_LAST {
                self.checkpoint();
            }
        }
        self.last_head();
        let _ = self.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }

    /// The next request; none when the last handle is gone. Heads are signed and the log is folded while
    /// nobody waits.
    fn wait(&mut self, queue: &Receiver<Queued>) -> Option<Work> {
        let rested_since = Instant::now();
        loop {
            self.keep_head();
            match queue.try_recv() {
                Ok(queued) => return Some(queued.work),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => {}
            }
            let rested = rested_since.elapsed();
            if self.unsigned_since.is_some() && self.last_append.elapsed() >= HEAD_REST {
                self.ask_head();
            }
            let resting = rested >= REST && self.commits_since_checkpoint >= CHECKPOINT_EVERY;
            if resting || self.commits_since_checkpoint >= CHECKPOINT_AT_LEAST {
                self.checkpoint();
            }
            let Some(pause) = self.pause(rested) else {
                return queue.recv().ok().map(|queued| queued.work);
            };
            match queue.recv_timeout(pause) {
                Ok(queued) => return Some(queued.work),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// How long a writer at rest waits at most, because there is something to do then.
    fn pause(&self, rested: Duration) -> Option<Duration> {
        let head = match &self.signing {
            Some(signing) if signing.pending => Some(HEAD_POLL),
            Some(_) if self.unsigned_since.is_some() => {
                Some(HEAD_REST.saturating_sub(self.last_append.elapsed()).max(HEAD_POLL))
            }
            Some(_) | None => None,
        };
        let fold = (self.commits_since_checkpoint >= CHECKPOINT_EVERY)
            .then(|| REST.saturating_sub(rested).max(HEAD_POLL));
        match (head, fold) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (one, None) | (None, one) => one,
        }
    }

    /// Asks for the head of what is durable now, unless one is under way.
    fn ask_head(&mut self) {
        if self.failed.is_some() {
            return;
        }
        if let Some(signing) = &mut self.signing
            && !signing.pending
        {
            signing.ask(self.epoch, EntrySeq(self.seq), self.head.clone());
        }
    }

    /// Files a head that is signed. It may be lost with the power: the head file has it.
    fn keep_head(&mut self) {
        let Some(signed) = self.signing.as_mut().and_then(Signing::take) else { return };
        self.file_head(&signed);
    }

    fn file_head(&mut self, signed: &gate_types::head::SignedHead) {
        let seq = signed.head.seq.0;
        self.signed = self.signed.max(seq);
        self.unsigned_since = (self.seq > seq).then(Instant::now);
        if self.failed.is_some() {
            return;
        }
        let sql = "INSERT INTO head (seq, jws) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        if let Err(error) = self.relaxed(|db| db.execute(sql, params![seq, signed.jws]).map(drop)) {
            tracing::warn!(%error, "a signed head could not be filed in the journal");
        }
    }

    /// At the end: everything is signed.
    fn last_head(&mut self) {
        self.keep_head();
        if self.seq > self.signed {
            self.ask_head();
        }
        if let Some(signed) = self.signing.as_mut().and_then(Signing::last) {
            self.file_head(&signed);
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

    fn commit(&mut self, group: &mut Vec<(Vec<Entry>, Reply<Vec<Appended>>)>) {
        if group.is_empty() {
            return;
        }
        let result = self.guard(|w| match w.write(group) {
            // SQLite has rolled back cleanly; with the reserve's room the same entries may fit.
            Err(Written::Full(_)) if w.reserve.spend() => w.write(group).map_err(Written::into_error),
            other => other.map_err(Written::into_error),
        });
        match result {
            Ok(done) => {
                for ((_, reply), appended) in group.drain(..).zip(done) {
                    let _ = reply.send(Ok(appended));
                }
            }
            Err(error) => {
                for (_, reply) in group.drain(..) {
                    let _ = reply.send(Err(error.clone()));
                }
                // A failed commit or fsync is never retried: what the disk holds is not known.
                self.failed.get_or_insert(error);
            }
        }
    }

    fn write(&mut self, group: &[(Vec<Entry>, Reply<Vec<Appended>>)]) -> Result<Vec<Vec<Appended>>, Written> {
        let fail = |what| {
            let path = self.path.clone();
            move |e| Written::of(&path, what, e)
        };
        let (mut seq, mut head, mut events) = (self.seq, self.head.clone(), self.events);
        let started = Instant::now();
        let transaction = self.db.transaction().map_err(fail("begin"))?;
        let mut all = Vec::with_capacity(group.len());
        {
            let mut insert = transaction
                .prepare_cached("INSERT INTO entry (seq, epoch, lane, pass, kind, body, hash, salt) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
                .map_err(fail("prepare"))?;
            let mut send = transaction
                .prepare_cached("INSERT INTO outbox (seq, central, broker) VALUES (?1, ?2, ?3)")
                .map_err(fail("prepare"))?;
            for (entries, _) in group {
                let mut appended = Vec::with_capacity(entries.len());
                for entry in entries {
                    seq += 1;
                    let body = serde_json::to_string(entry).map_err(|e| {
                        Written::Failed(JournalError::Body {
                            path: self.path.clone(),
                            seq,
                            what: e.to_string(),
                        })
                    })?;
                    let mut salt = [0; SALT];
                    getrandom::fill(&mut salt).map_err(|e| {
                        Written::Failed(JournalError::Stopped(format!(
                            "the system gives no random bytes: {e}"
                        )))
                    })?;
                    let hash = entry_hash(&head, self.epoch, EntrySeq(seq), &commitment(&salt, &body));
                    let lane = entry.pass.as_ref().map(|p| &p.lane).or(entry.lane.as_ref());
                    insert
                        .execute(params![
                            seq,
                            self.epoch.0,
                            lane.map(|l| l.as_str()),
                            entry.pass.as_ref().map(|p| p.number),
                            entry.body.kind(),
                            body,
                            hash,
                            salt.as_slice()
                        ])
                        .map_err(fail("insert an entry"))?;
                    if entry.body.is_event() {
                        send.execute(params![seq, self.central.begins.mark(), self.broker.begins.mark()])
                            .map_err(fail("insert into the outbox"))?;
                        events += 1;
                    }
                    head.clone_from(&hash);
                    appended.push(Appended { seq: EntrySeq(seq), hash });
                }
                all.push(appended);
            }
        }
        transaction.commit().map_err(fail("commit"))?;
        (self.seq, self.head, self.events) = (seq, head, events);
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(started.elapsed().as_secs_f64() * 1e3);
        self.commits_since_checkpoint += 1;
        self.last_append = Instant::now();
        if self.signing.is_some() && self.unsigned_since.get_or_insert(started).elapsed() >= HEAD_AT_LAST {
            self.ask_head();
        }
        Ok(all)
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

    fn checkpoint(&mut self) {
        self.commits_since_checkpoint = 0;
        // After a failed commit nothing is written any more.
        if self.failed.is_some() {
            return;
        }
        // A reader may hold it up; the log grows then, and a later round tries again.
        if let Err(error) = self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |r| r.get::<_, i64>(0)) {
            tracing::warn!(%error, "journal checkpoint failed");
            return;
        }
        // Begins the log anew, with the extra sync of its header, so that no decision's commit has to.
        if let Err(error) = schema::mark(&self.db) {
            self.failed = Some(database(&self.path, "begin the log anew")(error));
        }
    }
}
