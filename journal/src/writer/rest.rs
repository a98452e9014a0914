//! What the writer does while nobody waits for it: heads are asked for and filed, the log is folded.

use super::{Queued, Work, Writer, database};
use crate::schema;
use crate::signing::Signing;
use gate_types::EntrySeq;
use rusqlite::params;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

/// The log is folded into the file when the writer has rested and this many commits have passed.
const CHECKPOINT_EVERY: u32 = 64;
/// When the queue is empty, rested or not, after this many.
const CHECKPOINT_AT_LEAST: u32 = 256;
/// Without rest, the log's length is looked at after this many, and again after as many.
const LOOK_AT_LOG_EVERY: u32 = 32;
/// Bytes of one frame of the log: a page and its header.
const FRAME: u64 = 4096 + 24;
/// Rest after which nobody is likely to wait for the writer: no truck is being decided about.
const REST: Duration = Duration::from_millis(500);
/// Time without an append after which a head is signed: the head file's fsync then meets no commit that a lane waits for.
const HEAD_REST: Duration = Duration::from_millis(250);
/// Without rest, a head is signed this long after the first commit that none covers.
const HEAD_AT_LAST: Duration = Duration::from_secs(2);
/// How often a rested writer looks whether a head is signed.
const HEAD_POLL: Duration = Duration::from_millis(20);

impl Writer {
    /// The next request; none when the last handle is gone. Heads are signed and the log is folded while
    /// nobody waits.
    pub(super) fn wait(&mut self, queue: &Receiver<Queued>) -> Option<Work> {
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

    /// Under load: asks for a head although the writer does not rest.
    pub(super) fn ask_head_at_last(&mut self, commit_began: Instant) {
        let since = *self.unsigned_since.get_or_insert(commit_began);
        if self.signing.is_some() && since.elapsed() >= HEAD_AT_LAST {
            self.ask_head();
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
    pub(super) fn last_head(&mut self) {
        self.keep_head();
        if self.seq > self.signed {
            self.ask_head();
        }
        if let Some(signed) = self.signing.as_mut().and_then(Signing::last) {
            self.file_head(&signed);
        }
    }

    /// Under load: folds the log before it outgrows the room that was set aside for it, behind which every
    /// commit would wait for the file system to note a longer file.
    pub(super) fn fold_at_last(&mut self) {
        if self.failed.is_some() || self.commits_since_checkpoint < self.look_at_log_after {
            return;
        }
        self.look_at_log_after = self.commits_since_checkpoint + LOOK_AT_LOG_EVERY;
        // NOOP folds nothing, it only tells how many frames the log has.
        let told = self.db.prepare_cached("PRAGMA wal_checkpoint(NOOP)");
        let frames = told.and_then(|mut told| told.query_row([], |r| r.get::<_, i64>(1)));
        match frames {
            Ok(frames) if u64::try_from(frames).unwrap_or(0) * FRAME >= schema::WAL_BYTES / 4 * 3 => {
                self.checkpoint();
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the length of the journal's log is not known"),
        }
    }

    fn checkpoint(&mut self) {
        self.commits_since_checkpoint = 0;
        self.look_at_log_after = LOOK_AT_LOG_EVERY;
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
