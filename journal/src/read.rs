//! Reading a journal: what a restart needs, what an auditor needs.

use crate::error::JournalError;
use crate::finding::Finding;
use crate::writer::database;
use gate_types::chain::{Commitment, commitment, entry_hash, entry_hash_v1};
use gate_types::entry::Entry;
use gate_types::head::{SignedHead, read_head};
use gate_types::{BootEpoch, EntrySeq, LaneId, PassId};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, params};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Rows fetched at once while a journal is walked.
const PAGE: u64 = 512;

/// The entries that the index `entry_ends` covers, in its own words: only then is it used.
const ENDS: &str = "FROM entry WHERE kind IN ('pass_opened', 'pass_closed')";

pub(crate) fn last_passes(path: &Path, db: &Connection) -> Result<BTreeMap<LaneId, u64>, JournalError> {
    let fail = |what| database(path, what);
    // From lane to lane along the index, whatever number of entries lies between.
    let sql = format!("SELECT lane {ENDS} AND lane > ?1 ORDER BY lane, pass LIMIT 1");
    let mut next = db.prepare(&sql).map_err(fail("prepare"))?;
    let mut highest =
        db.prepare(&format!("SELECT MAX(pass) {ENDS} AND lane = ?1")).map_err(fail("prepare"))?;
    let mut last = BTreeMap::new();
    let mut after = String::new();
    while let Some(lane) = next
        .query_row([&after], |r| r.get::<_, String>(0))
        .optional()
        .map_err(fail("read the last passes"))?
    {
        let pass = highest.query_row([&lane], |r| r.get(0)).map_err(fail("read the last passes"))?;
        after.clone_from(&lane);
        if let Ok(lane) = LaneId::new(lane) {
            last.insert(lane, pass);
        }
    }
    Ok(last)
}

/// Where a pass begins, and where it ends if it has ended.
pub(crate) fn ends_of(
    path: &Path,
    db: &Connection,
    lane: &str,
    number: u64,
) -> Result<Option<(u64, Option<u64>)>, JournalError> {
    let sql = format!(
        "SELECT MIN(seq), MAX(CASE kind WHEN 'pass_closed' THEN seq END) {ENDS} AND lane = ?1 AND pass = ?2"
    );
    let mut statement = db.prepare_cached(&sql).map_err(database(path, "prepare"))?;
    let ends: (Option<u64>, Option<u64>) = statement
        .query_row(params![lane, number], |r| Ok((r.get(0)?, r.get(1)?)))
        .map_err(database(path, "look for a pass"))?;
    Ok(ends.0.map(|first| (first, ends.1)))
}

/// Where the lane's pass after this one begins.
pub(crate) fn begin_of_next(
    path: &Path,
    db: &Connection,
    lane: &str,
    number: u64,
) -> Result<Option<u64>, JournalError> {
    let sql = format!("SELECT seq {ENDS} AND lane = ?1 AND pass > ?2 ORDER BY pass, seq LIMIT 1");
    db.query_row(&sql, params![lane, number], |r| r.get(0))
        .optional()
        .map_err(database(path, "look for the next pass"))
}

/// Passes without an end, by lane, each with the number of its first entry.
fn unended(path: &Path, db: &Connection) -> Result<BTreeMap<LaneId, (u64, u64)>, JournalError> {
    let mut open = BTreeMap::new();
    for (lane, number) in last_passes(path, db)? {
        if let Some((first, None)) = ends_of(path, db, lane.as_str(), number)? {
            open.insert(lane, (number, first));
        }
    }
    Ok(open)
}

/// A pass without an end, with its entries in order.
pub(crate) type OpenPass = (PassId, Vec<Entry>);

/// Passes without an end, and those of their entries that cannot be read.
pub(crate) fn open_passes(
    path: &Path,
    db: &Connection,
) -> Result<(Vec<OpenPass>, Vec<Finding>), JournalError> {
    let fail = |what| database(path, what);
    let open = unended(path, db)?;
    let mut unreadable = Vec::new();
    let Some(first) = open.values().map(|(_, first)| *first).min() else {
        return Ok((Vec::new(), unreadable));
    };
    let mut passes: BTreeMap<&str, (u64, Vec<Entry>)> =
        open.iter().map(|(lane, (number, _))| (lane.as_str(), (*number, Vec::new()))).collect();
    // One way over everything since the oldest of them began.
    let mut statement = db
        .prepare("SELECT seq, lane, pass, body FROM entry WHERE seq >= ?1 AND pass IS NOT NULL ORDER BY seq")
        .map_err(fail("prepare"))?;
    let mut rows = statement.query([first]).map_err(fail("read the open passes"))?;
    while let Some(row) = rows.next().map_err(fail("read the open passes"))? {
        let lane = row.get_ref(1).map_err(fail("read the open passes"))?;
        let Some((number, entries)) = lane.as_str().ok().and_then(|lane| passes.get_mut(lane)) else {
            continue;
        };
        if row.get::<_, u64>(2).map_err(fail("read the open passes"))? == *number {
            let seq: u64 = row.get(0).map_err(fail("read the open passes"))?;
            let body = row.get_ref(3).map_err(fail("read the open passes"))?;
            // The lane reads its sensors anew; an entry that is damaged costs it what that entry told.
            match body.as_str().map_err(|e| e.to_string()).and_then(told) {
                Ok(entry) => entries.push(entry),
                Err(why) => unreadable.push(Finding::Unreadable { from: seq, to: seq, why }),
            }
        }
    }
    let mut found = Vec::new();
    for (lane, (number, entries)) in passes {
        if let Ok(lane) = LaneId::new(lane) {
            found.push((PassId { lane, number }, entries));
        }
    }
    Ok((found, unreadable))
}

fn told(body: &str) -> Result<Entry, String> {
    serde_json::from_str(body).map_err(|e| e.to_string())
}

fn parse(path: &Path, seq: u64, body: &str) -> Result<Entry, JournalError> {
    told(body).map_err(|what| JournalError::Body { path: path.to_path_buf(), seq, what })
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
    /// Its body as stored; empty where it was erased.
    pub body: String,
    /// Lane, pass and kind as they are filed.
    pub filed: (Option<String>, Option<u64>, String),
    salt: Option<Vec<u8>>,
    commitment: Option<Commitment>,
}

impl Stored {
    /// The body as an entry; fails where it was erased, written by a newer version or changed by hand.
    pub fn entry(&self, path: &Path) -> Result<Entry, JournalError> {
        parse(path, self.seq.0, &self.body)
    }
    /// True where the body was erased and only its commitment is left.
    pub fn is_erased(&self) -> bool {
        self.commitment.is_some()
    }
    /// The salt of a body that is there; none of the chain's first format.
    pub fn salt(&self) -> Option<&[u8]> {
        self.salt.as_deref().filter(|salt| !salt.is_empty())
    }
    /// What stands for the body in the chain; none of the chain's first format.
    pub fn commitment(&self) -> Option<Commitment> {
        self.commitment.or_else(|| self.salt().map(|salt| commitment(salt, &self.body)))
    }
    /// The hash that it should have after `previous`.
    pub fn hash_after(&self, previous: &str) -> String {
        match self.commitment() {
            Some(commitment) => entry_hash(previous, self.epoch, self.seq, &commitment),
            None => entry_hash_v1(previous, self.epoch, self.seq, &self.body),
        }
    }
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let commitment: Option<Vec<u8>> = row.get(8)?;
        Ok(Self {
            seq: EntrySeq(row.get(0)?),
            epoch: BootEpoch(row.get(1)?),
            hash: row.get(2)?,
            body: row.get(3)?,
            filed: (row.get(4)?, row.get(5)?, row.get(6)?),
            salt: row.get(7)?,
            // One of another length was tampered with; as none it breaks the chain.
            commitment: commitment.and_then(|c| c.try_into().ok()),
        })
    }
}

const COLUMNS: &str = "seq, epoch, hash, body, lane, pass, kind, salt, commitment";

/// A connection that only reads, beside a running writer.
pub(crate) fn reading(path: &Path) -> Result<Connection, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(database(path, "open for reading"))?;
    db.busy_timeout(std::time::Duration::from_secs(5)).map_err(database(path, "open for reading"))?;
    let version: i64 =
        db.query_row("PRAGMA user_version", [], |r| r.get(0)).map_err(database(path, "read the version"))?;
    if version == 1 {
        db.execute_batch(FIRST_FORMAT).map_err(database(path, "read the first format"))?;
    }
    Ok(db)
}

/// Entries of the first format, which knew no salts, as those of the second; the file stays as it is.
const FIRST_FORMAT: &str = "PRAGMA temp_store=MEMORY; \
    CREATE TEMP VIEW entry AS SELECT *, NULL AS salt, NULL AS commitment FROM main.entry";

/// Entries behind `after`, at most `limit`.
pub(crate) fn page(db: &Connection, after: u64, limit: u64) -> rusqlite::Result<Vec<Stored>> {
    let sql = format!("SELECT {COLUMNS} FROM entry WHERE seq > ?1 ORDER BY seq LIMIT ?2");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params![after, limit], Stored::of)?;
    rows.collect()
}

/// One entry.
pub(crate) fn one(db: &Connection, seq: u64) -> rusqlite::Result<Option<Stored>> {
    let sql = format!("SELECT {COLUMNS} FROM entry WHERE seq = ?1");
    db.prepare_cached(&sql)?.query_row([seq], Stored::of).optional()
}

/// The newest signed heads that the journal itself keeps, and those that are not genuine.
pub(crate) fn newest_heads(
    path: &Path,
    db: &Connection,
    limit: u64,
) -> Result<(Vec<SignedHead>, Vec<Finding>), JournalError> {
    let fail = |what| database(path, what);
    let mut statement =
        db.prepare("SELECT seq, jws FROM head ORDER BY seq DESC LIMIT ?1").map_err(fail("prepare"))?;
    let rows = statement
        .query_map([limit], |r| Ok((r.get::<_, u64>(0)?, r.get::<_, String>(1)?)))
        .map_err(fail("read the signed heads"))?;
    let (mut heads, mut forged) = (Vec::new(), Vec::new());
    for row in rows {
        let (seq, jws) = row.map_err(fail("read the signed heads"))?;
        match read_head(&jws) {
            Ok(head) if head.head.seq.0 == seq => heads.push(head),
            Ok(head) => {
                let why = format!("it was signed for entry {}", head.head.seq.0);
                forged.push(Finding::HeadNotGenuine { seq, why });
            }
            Err(e) => forged.push(Finding::HeadNotGenuine { seq, why: e.to_string() }),
        }
    }
    Ok((heads, forged))
}

/// The first entry of the oldest pass that has no end.
pub(crate) fn first_of_open_passes(path: &Path, db: &Connection) -> Result<Option<u64>, JournalError> {
    Ok(unended(path, db)?.into_values().map(|(_, first)| first).min())
}

/// Walks a journal in order, page by page, beside a running writer.
#[derive(Debug)]
pub struct Rows {
    path: PathBuf,
    db: Connection,
    after: u64,
    page: std::vec::IntoIter<Stored>,
    failed: bool,
}

/// Opens a journal for reading only.
pub fn read_all(path: &Path) -> Result<Rows, JournalError> {
    let db = reading(path)?;
    Ok(Rows { path: path.to_path_buf(), db, after: 0, page: Vec::new().into_iter(), failed: false })
}

impl Rows {
    /// Goes on behind this number.
    pub fn after(mut self, seq: u64) -> Self {
        self.after = seq;
        self.page = Vec::new().into_iter();
        self
    }
}

impl Iterator for Rows {
    type Item = Result<Stored, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        if self.page.as_slice().is_empty() {
            match page(&self.db, self.after, PAGE) {
                Ok(page) => self.page = page.into_iter(),
                Err(error) => {
                    self.failed = true;
                    return Some(Err(database(&self.path, "read entries")(error)));
                }
            }
        }
        let stored = self.page.next()?;
        self.after = stored.seq.0;
        Some(Ok(stored))
    }
}
