//! The one thread that writes.

use crate::append::{Appended, Opened, Sink, Stats};
use crate::chain::{GENESIS, entry_hash};
use crate::error::JournalError;
use crate::{outbox, read, schema};
use gate_types::api::GateEvent;
use gate_types::entry::Entry;
use gate_types::{BootEpoch, EntrySeq};
use rusqlite::{Connection, OptionalExtension as _, params};
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

type Reply<T> = oneshot::Sender<Result<T, JournalError>>;

pub(crate) enum Work {
    Append { entries: Vec<Entry>, reply: Reply<Vec<Appended>> },
    Unsent { sink: Sink, limit: usize, reply: Reply<Vec<GateEvent>> },
    Acknowledge { sink: Sink, seqs: Vec<EntrySeq>, reply: Reply<()> },
    Stats { reply: Reply<Stats> },
}

/// A request with its place in the queue, which is free again once the writer has taken it.
pub(crate) struct Queued {
    pub(crate) work: Work,
    pub(crate) _room: OwnedSemaphorePermit,
}

/// One receiver's rows.
#[derive(Debug, Clone, Copy)]
struct Sent {
    /// Rows that it has acknowledged.
    closed: u64,
    /// No row up to this number is open.
    none_below: u64,
    /// How a new event begins.
    begins: outbox::Row,
}

struct Writer {
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
}

/// Opens the file, reads its past, and starts the thread.
pub(crate) fn start(
    path: &Path,
    receivers: &[Sink],
    queue: Receiver<Queued>,
) -> Result<Opened, JournalError> {
    let db = schema::open(path)?;
    let fail = |what| database(path, what);
    let last: Option<(u64, u32, String)> = db
        .query_row("SELECT seq, epoch, hash FROM entry ORDER BY seq DESC LIMIT 1", [], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?))
        })
        .optional()
        .map_err(fail("read the head"))?;
    let events: u64 =
        db.query_row("SELECT COUNT(*) FROM outbox", [], |r| r.get(0)).map_err(fail("count the outbox"))?;
    let (seq, epoch, head) = last.map_or((0, 0, GENESIS.to_owned()), |l| l);
    let opened = Opened {
        epoch: BootEpoch(epoch + 1),
        last_seq: seq,
        last_pass: read::last_passes(path, &db)?,
        open_passes: read::open_passes(path, &db)?,
    };
    let sent = |sink| {
        let begins = if receivers.contains(&sink) { outbox::Row::Open } else { outbox::Row::NotMeant };
        outbox::past(path, &db, sink).map(|(closed, none_below)| Sent { closed, none_below, begins })
    };
    let (central, broker) = (sent(Sink::Central)?, sent(Sink::Broker)?);
    let writer = Writer {
        path: path.to_path_buf(),
        db,
        epoch: opened.epoch,
        seq,
        head,
        events,
        central,
        broker,
        samples: VecDeque::with_capacity(64),
        commits_since_checkpoint: 0,
        failed: None,
    };
    std::thread::Builder::new()
        .name("journal".into())
        .spawn(move || writer.serve(queue))
        .map_err(|e| JournalError::Stopped(format!("no thread: {e}")))?;
    Ok(opened)
}

pub(crate) fn database(path: &Path, what: &'static str) -> impl Fn(rusqlite::Error) -> JournalError {
    let path = path.to_path_buf();
    move |e| JournalError::Database { path: path.clone(), what, source_text: e.to_string() }
}

impl Writer {
    fn serve(mut self, queue: Receiver<Queued>) {
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
        let _ = self.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }

    /// The next request; none when the last handle is gone. The log is folded while nobody waits.
    fn wait(&mut self, queue: &Receiver<Queued>) -> Option<Work> {
        match queue.try_recv() {
            Ok(queued) => return Some(queued.work),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {}
        }
        if self.commits_since_checkpoint >= CHECKPOINT_AT_LEAST {
            self.checkpoint();
        } else if self.commits_since_checkpoint >= CHECKPOINT_EVERY {
            match queue.recv_timeout(REST) {
                Ok(queued) => return Some(queued.work),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.checkpoint(),
            }
        }
        queue.recv().ok().map(|queued| queued.work)
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
        let result = self.guard(|w| w.write(group));
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

    fn write(
        &mut self,
        group: &[(Vec<Entry>, Reply<Vec<Appended>>)],
    ) -> Result<Vec<Vec<Appended>>, JournalError> {
        let fail = |what| database(&self.path, what);
        let (mut seq, mut head, mut events) = (self.seq, self.head.clone(), self.events);
        let started = Instant::now();
        let transaction = self.db.transaction().map_err(fail("begin"))?;
        let mut all = Vec::with_capacity(group.len());
        {
            let mut insert = transaction
                .prepare_cached("INSERT INTO entry (seq, epoch, lane, pass, kind, body, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
                .map_err(fail("prepare"))?;
            let mut send = transaction
                .prepare_cached("INSERT INTO outbox (seq, central, broker) VALUES (?1, ?2, ?3)")
                .map_err(fail("prepare"))?;
            for (entries, _) in group {
                let mut appended = Vec::with_capacity(entries.len());
                for entry in entries {
                    seq += 1;
                    let body = serde_json::to_string(entry).map_err(|e| JournalError::Body {
                        path: self.path.clone(),
                        seq,
                        what: e.to_string(),
                    })?;
                    let hash = entry_hash(&head, self.epoch, EntrySeq(seq), &body);
                    let lane = entry.pass.as_ref().map(|p| &p.lane).or(entry.lane.as_ref());
                    insert
                        .execute(params![
                            seq,
                            self.epoch.0,
                            lane.map(|l| l.as_str()),
                            entry.pass.as_ref().map(|p| p.number),
                            entry.body.kind(),
                            body,
                            hash
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
