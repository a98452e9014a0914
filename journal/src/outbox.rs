//! Events on their way out: a row is open until its receiver has acknowledged it.

use crate::append::Sink;
use crate::error::JournalError;
use crate::writer::database;
use gate_types::api::GateEvent;
use gate_types::{BootEpoch, EntrySeq};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::path::Path;

/// What a row says of one receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Row {
    /// It waits to be delivered.
    Open,
    /// The receiver acknowledged it.
    Closed,
    /// There was no such receiver when it was recorded.
    NotMeant,
}

impl Row {
    /// The number in the column.
    pub(crate) fn mark(self) -> u8 {
        match self {
            Row::Open => 0,
            Row::Closed => 1,
            Row::NotMeant => 2,
        }
    }
}

fn column(sink: Sink) -> &'static str {
    match sink {
        Sink::Central => "central",
        Sink::Broker => "broker",
    }
}

/// The oldest open rows behind `after`, below which the caller knows of none.
pub(crate) fn unsent(
    path: &Path,
    db: &Connection,
    sink: Sink,
    after: u64,
    limit: usize,
) -> Result<Vec<GateEvent>, JournalError> {
    let fail = |what| database(path, what);
    let sql = format!(
        "SELECT e.epoch, e.seq, e.hash, e.body FROM outbox o JOIN entry e ON e.seq = o.seq \
         WHERE o.seq > ?1 AND o.{} = {} ORDER BY o.seq LIMIT ?2",
        column(sink),
        Row::Open.mark()
    );
    let mut statement = db.prepare_cached(&sql).map_err(fail("prepare the outbox"))?;
    let rows = statement
        .query_map(params![after, i64::try_from(limit).unwrap_or(i64::MAX)], |r| {
            Ok((r.get::<_, u32>(0)?, r.get::<_, u64>(1)?, r.get::<_, String>(2)?, r.get::<_, String>(3)?))
        })
        .map_err(fail("read the outbox"))?;
    rows.map(|row| {
        let (epoch, seq, hash, body) = row.map_err(fail("read the outbox"))?;
        let entry = serde_json::from_str(&body).map_err(|e| JournalError::Body {
            path: path.to_path_buf(),
            seq,
            what: e.to_string(),
        })?;
        Ok(GateEvent { epoch: BootEpoch(epoch), seq: EntrySeq(seq), hash, entry })
    })
    .collect()
}

/// Closes rows; the number of those that were open.
pub(crate) fn acknowledge(
    path: &Path,
    db: &mut Connection,
    sink: Sink,
    seqs: &[EntrySeq],
) -> Result<u64, JournalError> {
    let fail = |what| database(path, what);
    let mut closed = 0;
    // Acknowledgements may be lost with the power: no fsync of their own.
    db.execute_batch("PRAGMA synchronous=NORMAL").map_err(fail("relax"))?;
    let result = (|| {
        let transaction = db.transaction().map_err(fail("begin"))?;
        {
            let (column, open, closed_mark) = (column(sink), Row::Open.mark(), Row::Closed.mark());
            let sql =
                format!("UPDATE outbox SET {column} = {closed_mark} WHERE seq = ?1 AND {column} = {open}");
            let mut update = transaction.prepare_cached(&sql).map_err(fail("prepare"))?;
            for seq in seqs {
                closed += update.execute(params![seq.0]).map_err(fail("acknowledge"))? as u64;
            }
        }
        transaction.commit().map_err(fail("commit"))
    })();
    db.execute_batch("PRAGMA synchronous=FULL").map_err(fail("restore"))?;
    result.map(|()| closed)
}

/// The oldest event that some receiver still waits for.
pub(crate) fn first_open(path: &Path, db: &Connection) -> Result<Option<u64>, JournalError> {
    let open = Row::Open.mark();
    let sql =
        format!("SELECT seq FROM outbox WHERE central = {open} OR broker = {open} ORDER BY seq LIMIT 1");
    db.query_row(&sql, [], |r| r.get(0)).optional().map_err(database(path, "read the outbox"))
}

/// Rows that are closed, and the number below which none is open.
pub(crate) fn past(path: &Path, db: &Connection, sink: Sink) -> Result<(u64, u64), JournalError> {
    let fail = |what| database(path, what);
    let (column, open, closed) = (column(sink), Row::Open.mark(), Row::Closed.mark());
    let closed = db
        .query_row(&format!("SELECT COUNT(*) FROM outbox WHERE {column} = {closed}"), [], |r| r.get(0))
        .map_err(fail("count the outbox"))?;
    let first: Option<u64> = db
        .query_row(&format!("SELECT seq FROM outbox WHERE {column} = {open} ORDER BY seq LIMIT 1"), [], |r| {
            r.get(0)
        })
        .optional()
        .map_err(fail("read the outbox"))?;
    let none_below = match first {
        Some(seq) => seq.saturating_sub(1),
        None => db
            .query_row("SELECT COALESCE(MAX(seq), 0) FROM outbox", [], |r| r.get(0))
            .map_err(fail("read the outbox"))?,
    };
    Ok((closed, none_below))
}
