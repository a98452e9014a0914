//! Reading a journal: what a restart needs, what an auditor needs.

use crate::chain::{GENESIS, entry_hash};
use crate::error::JournalError;
use crate::writer::database;
use gate_types::entry::Entry;
use gate_types::{BootEpoch, EntrySeq, LaneId, PassId};
use rusqlite::{Connection, OpenFlags, params};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Rows fetched at once while a journal is walked.
const PAGE: u64 = 512;

pub(crate) fn last_passes(path: &Path, db: &Connection) -> Result<BTreeMap<LaneId, u64>, JournalError> {
    let fail = |what| database(path, what);
    let mut statement = db
        .prepare("SELECT lane, MAX(pass) FROM entry WHERE pass IS NOT NULL GROUP BY lane")
        .map_err(fail("prepare"))?;
    let rows = statement
        .query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, u64>(1)?)))
        .map_err(fail("read the last passes"))?;
    let mut last = BTreeMap::new();
    for row in rows {
        let (lane, pass) = row.map_err(fail("read the last passes"))?;
        if let Ok(lane) = LaneId::new(lane) {
            last.insert(lane, pass);
        }
    }
    Ok(last)
}

pub(crate) fn open_passes(path: &Path, db: &Connection) -> Result<Vec<(PassId, Vec<Entry>)>, JournalError> {
    let fail = |what| database(path, what);
    let mut open = Vec::new();
    for (lane, number) in last_passes(path, db)? {
        let mut statement = db
            .prepare_cached("SELECT seq, kind, body FROM entry WHERE lane = ?1 AND pass = ?2 ORDER BY seq")
            .map_err(fail("prepare"))?;
        let rows = statement
            .query_map(params![lane.as_str(), number], |r| {
                Ok((r.get::<_, u64>(0)?, r.get::<_, String>(1)?, r.get::<_, String>(2)?))
            })
            .map_err(fail("read a pass"))?;
        let mut entries = Vec::new();
        let mut closed = false;
        for row in rows {
            let (seq, kind, body) = row.map_err(fail("read a pass"))?;
            closed |= kind == "pass_closed";
            entries.push(parse(path, seq, &body)?);
        }
        if !closed {
            open.push((PassId { lane, number }, entries));
        }
    }
    Ok(open)
}

fn parse(path: &Path, seq: u64, body: &str) -> Result<Entry, JournalError> {
    serde_json::from_str(body).map_err(|e| JournalError::Body {
        path: path.to_path_buf(),
        seq,
        what: e.to_string(),
    })
}

/// One stored entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The start that wrote it.
    pub epoch: BootEpoch,
    /// Its number.
    pub seq: EntrySeq,
    /// Its hash as stored.
    pub hash: String,
    /// Its body as stored.
    pub body: String,
}

impl Stored {
    /// The body as an entry; fails where it was written by a newer version or changed by hand.
    pub fn entry(&self, path: &Path) -> Result<Entry, JournalError> {
        parse(path, self.seq.0, &self.body)
    }
}

/// Walks a journal in order, page by page, beside a running writer.
#[derive(Debug)]
pub struct Rows {
    path: PathBuf,
    db: Connection,
    after: u64,
    page: std::vec::IntoIter<(u32, u64, String, String)>,
    failed: bool,
}

/// Opens a journal for reading only.
pub fn read_all(path: &Path) -> Result<Rows, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(database(path, "open for reading"))?;
    Ok(Rows { path: path.to_path_buf(), db, after: 0, page: Vec::new().into_iter(), failed: false })
}

impl Rows {
    fn fill(&mut self) -> Result<(), JournalError> {
        let fail = |what| database(&self.path, what);
        let mut statement = self
            .db
            .prepare_cached("SELECT epoch, seq, hash, body FROM entry WHERE seq > ?1 ORDER BY seq LIMIT ?2")
            .map_err(fail("prepare"))?;
        let rows = statement
            .query_map(params![self.after, PAGE], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))
            .map_err(fail("read entries"))?;
        let page: Vec<_> = rows.collect::<Result<_, _>>().map_err(fail("read entries"))?;
        self.page = page.into_iter();
        Ok(())
    }
}

impl Iterator for Rows {
    type Item = Result<Stored, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        if self.page.as_slice().is_empty()
            && let Err(error) = self.fill()
        {
            self.failed = true;
            return Some(Err(error));
        }
        let (epoch, seq, hash, body) = self.page.next()?;
        self.after = seq;
        Some(Ok(Stored { epoch: BootEpoch(epoch), seq: EntrySeq(seq), hash, body }))
    }
}

/// A chain that holds from the first entry to the head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Entries.
    pub entries: u64,
    /// The hash of the last one.
    pub head: String,
}

/// Where a chain breaks.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChainBroken {
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] JournalError),
    /// A number is missing.
    #[error("entry {expected} is missing: entry {found} stands in its place")]
    Missing {
        /// The number that should come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// An entry's hash is not the one of its content and predecessor.
    #[error("entry {seq} does not fit the chain: it or its predecessor was changed")]
    Changed {
        /// The entry.
        seq: u64,
    },
}

/// Recomputes the whole chain (I5).
pub fn verify(path: &Path) -> Result<Verified, ChainBroken> {
    let mut head = GENESIS.to_owned();
    let mut entries = 0;
    for row in read_all(path)? {
        let row = row?;
        entries += 1;
        if row.seq.0 != entries {
            return Err(ChainBroken::Missing { expected: entries, found: row.seq.0 });
        }
        if entry_hash(&head, row.epoch, row.seq, &row.body) != row.hash {
            return Err(ChainBroken::Changed { seq: row.seq.0 });
        }
        head = row.hash;
    }
    Ok(Verified { entries, head })
}
