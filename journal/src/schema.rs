//! Tables, settings and the version of both.

use crate::JournalError;
use crate::writer::database;
use rusqlite::Connection;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Raised with each change of the tables; an older daemon refuses a newer file.
const VERSION: i64 = 2;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS entry (
    seq   INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    lane  TEXT,
    pass  INTEGER,
    kind  TEXT NOT NULL,
    body  TEXT NOT NULL,
    hash  TEXT NOT NULL,
    -- NULL: the first format of the chain; empty: the body was erased.
    salt       BLOB,
    -- Only of an erased body.
    commitment BLOB
) STRICT;
-- Where passes begin and end; what lies between is found along the numbers. An index of every entry would
-- have each commit write a page for each lane in it.
DROP INDEX IF EXISTS entry_pass;
CREATE INDEX IF NOT EXISTS entry_ends ON entry (lane, pass) WHERE kind IN ('pass_opened', 'pass_closed');
CREATE TABLE IF NOT EXISTS outbox (
    seq     INTEGER PRIMARY KEY REFERENCES entry (seq),
    central INTEGER NOT NULL DEFAULT 0,
    broker  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS head (
    seq     INTEGER PRIMARY KEY,
    jws     TEXT NOT NULL,
    receipt TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS mark (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;
DROP INDEX IF EXISTS outbox_central;
DROP INDEX IF EXISTS outbox_broker;
";

/// From version 1.
const SALTED: &str = "ALTER TABLE entry ADD COLUMN salt BLOB; ALTER TABLE entry ADD COLUMN commitment BLOB;";

/// The write-ahead log is given this size once, bytes: a commit then overwrites blocks that the file has
/// already, and its fdatasync does not wait for the file system to note a longer file.
pub(crate) const WAL_BYTES: u64 = 8 << 20;

/// Opens the writing connection and proves that its settings took.
pub(crate) fn open(path: &Path) -> Result<Connection, JournalError> {
    let fail = |what| database(path, what);
    let refuse = |what: String| JournalError::NotDurable { path: path.to_path_buf(), what };
    // Versions before 3.51.3 can corrupt a WAL that is written and checkpointed at the same instant.
    if rusqlite::version_number() < 3_051_003 {
        return Err(refuse(format!("SQLite {} is older than 3.51.3", rusqlite::version())));
    }
    let db = Connection::open(path).map_err(fail("open"))?;
    let mode: String = db.query_row("PRAGMA journal_mode=WAL", [], |r| r.get(0)).map_err(fail("set WAL"))?;
    if mode != "wal" {
        return Err(refuse(format!("journal mode is `{mode}`, not WAL: is this a network file system?")));
    }
    db.execute_batch(
        "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-512; \
         PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; PRAGMA foreign_keys=OFF;",
    )
    .map_err(fail("set pragmas"))?;
    let level: i64 =
        db.query_row("PRAGMA synchronous", [], |r| r.get(0)).map_err(fail("read synchronous"))?;
    if level != 2 {
        return Err(refuse(format!("synchronous is {level}, not FULL")));
    }
    let version: i64 = db.query_row("PRAGMA user_version", [], |r| r.get(0)).map_err(fail("read version"))?;
    if version > VERSION {
        return Err(refuse(format!(
            "the file has version {version}, this program knows {VERSION}: install the newer one"
        )));
    }
    if version == 1 {
        db.execute_batch(&format!("BEGIN; {SALTED} PRAGMA user_version={VERSION}; COMMIT;"))
            .map_err(fail("give the entries salts"))?;
    }
    db.execute_batch(TABLES).map_err(fail("create tables"))?;
    mark(&db).map_err(fail("write version"))?;
    if let Err(error) = reserve(&wal_of(path)) {
        // Slower commits, as durable as ever.
        tracing::warn!(journal = %path.display(), %error, "no room set aside for the write-ahead log");
    }
    Ok(db)
}

/// A commit that changes nothing but the log: the version is written again.
pub(crate) fn mark(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update(None, "user_version", VERSION)
}

fn wal_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// Lengthens the log with zeros, which are no frames: a log ends for SQLite at the first frame whose salts
/// and checksum do not fit, whatever stands behind it.
fn reserve(wal: &Path) -> io::Result<()> {
    let zeros = [0_u8; 64 << 10];
    let mut file = File::options().append(true).open(wal)?;
    let mut length = file.metadata()?.len();
    while length < WAL_BYTES {
        let part = zeros.len().min(usize::try_from(WAL_BYTES - length).unwrap_or(zeros.len()));
        file.write_all(zeros.get(..part).unwrap_or(&zeros))?;
        length += part as u64;
    }
    file.sync_all()
}
