//! One commit for whatever waits: numbered, chained, stored and durable together.

use super::{Group, Writer, database};
use crate::append::{Appended, QUEUE};
use crate::error::JournalError;
use crate::prepared::Prepared;
use gate_types::EntrySeq;
use gate_types::chain::entry_hash;
use rusqlite::{ErrorCode, params};
use std::path::Path;
use std::time::Instant;

/// Commit times kept.
const SAMPLES: usize = 4096;

/// Why a commit did not happen.
pub(super) enum Written {
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
    /// Commits the group and answers everybody in it.
    pub(super) fn commit(&mut self, group: &mut Group) {
        if group.is_empty() {
            return;
        }
        let started = Instant::now();
        let result = self.guard(|w| match w.write(group) {
            // SQLite has rolled back cleanly; with the reserve's room the same entries may fit.
            Err(Written::Full(_)) if w.reserve.spend() => w.write(group).map_err(Written::into_error),
            other => other.map_err(Written::into_error),
        });
        let waiting = self.room.upgrade().map_or(0, |room| QUEUE.saturating_sub(room.available_permits()));
        self.crowd.committed(group.len(), started.elapsed(), waiting);
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

    fn write(&mut self, group: &Group) -> Result<Vec<Vec<Appended>>, Written> {
        let fail = |what| {
            let path = &self.path;
            move |e| Written::of(path, what, e)
        };
        let (mut seq, mut head, mut events) = (self.seq, self.head.clone(), self.events);
        let started = Instant::now();
        let transaction = self.db.transaction().map_err(fail("begin"))?;
        let mut all = Vec::with_capacity(group.len());
        {
            let mut insert = transaction
                .prepare_cached(
                    "INSERT INTO entry (seq, epoch, lane, pass, kind, body, hash, salt) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )
                .map_err(fail("prepare"))?;
            let mut send = transaction
                .prepare_cached("INSERT INTO outbox (seq, central, broker) VALUES (?1, ?2, ?3)")
                .map_err(fail("prepare"))?;
            for (entries, _) in group {
                let mut appended = Vec::with_capacity(entries.len());
                for entry in entries {
                    let Prepared { lane, pass, kind, travels, body, salt, commitment } = entry;
                    seq += 1;
                    let hash = entry_hash(&head, self.epoch, EntrySeq(seq), commitment);
                    insert
                        .execute(params![seq, self.epoch.0, lane, pass, kind, body, hash, salt.as_slice()])
                        .map_err(fail("insert an entry"))?;
                    if *travels {
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
        self.ask_head_at_last(started);
        Ok(all)
    }
}
