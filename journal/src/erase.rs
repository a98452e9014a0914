//! Erasure at the end of a purpose's time: a body goes, its commitment stays, the chain holds (D49).

use crate::error::JournalError;
use crate::writer::database;
use crate::{outbox, read};
use gate_types::chain::commitment;
use rusqlite::{Connection, OptionalExtension as _, params};
use std::path::Path;

/// Why personal data is kept, and for how long a site says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// What cameras, readers and scales said.
    Reads,
    /// What was decided about whom, and what central answered.
    Decisions,
}

impl Purpose {
    /// The stable name as it stands in the record.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Reads => "reads",
            Purpose::Decisions => "decisions",
        }
    }
    /// The kinds of entry that serve it. What arms did, faults and acts of people are no one's plate and stay.
    fn kinds(self) -> &'static [&'static str] {
        match self {
            Purpose::Reads => &["optical_read", "tag_read", "weight_read", "gate_pass_shown"],
            Purpose::Decisions => {
                &["release_asked", "release_answered", "release_refused", "decided", "pass_closed"]
            }
        }
    }
}

/// What an erasure did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erasure {
    /// Bodies erased.
    pub entries: u64,
    /// The lowest of their numbers.
    pub first_seq: u64,
    /// The highest of their numbers.
    pub last_seq: u64,
    /// There may be more of the same age.
    pub more: bool,
}

/// Erases in one transaction; the caller decides how durable it has to be.
pub(crate) fn erase(
    path: &Path,
    db: &mut Connection,
    purpose: Purpose,
    before_ms: i64,
    limit: usize,
) -> Result<Erasure, JournalError> {
    let fail = |what| database(path, what);
    let mark = format!("erased/{}", purpose.name());
    let after: u64 = db
        .query_row("SELECT value FROM mark WHERE name = ?1", [&mark], |r| r.get(0))
        .optional()
        .map_err(fail("read how far was erased"))?
        .unwrap_or(0);
    let open_pass = read::first_of_open_passes(path, db)?.unwrap_or(u64::MAX);
    let bound = open_pass.min(outbox::first_open(path, db)?.unwrap_or(u64::MAX));
    let kinds = purpose.kinds().iter().map(|k| format!("'{k}'")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT seq, body, salt FROM entry \
         WHERE seq > ?1 AND seq < ?2 AND kind IN ({kinds}) AND length(salt) > 0 ORDER BY seq LIMIT ?3"
    );
    let rows: Vec<(u64, String, Vec<u8>)> = {
        let mut statement = db.prepare_cached(&sql).map_err(fail("prepare an erasure"))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let bound = i64::try_from(bound).unwrap_or(i64::MAX);
        let rows = statement
            .query_map(params![after, bound, limit], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
            .map_err(fail("read what is to be erased"))?;
        rows.collect::<Result<_, _>>().map_err(fail("read what is to be erased"))?
    };
    let full = rows.len() >= limit;
    let old: Vec<_> = rows.into_iter().take_while(|(_, body, _)| told_before(body, before_ms)).collect();
    let mut done = Erasure { more: full && old.len() >= limit, ..Erasure::default() };
    let (Some(first), Some(last)) = (old.first().map(|r| r.0), old.last().map(|r| r.0)) else {
        return Ok(Erasure::default());
    };
    (done.first_seq, done.last_seq, done.entries) = (first, last, old.len() as u64);
    // What is erased is overwritten in its page as well.
    db.execute_batch("PRAGMA secure_delete=ON").map_err(fail("overwrite what is erased"))?;
    let result = (|| {
        let transaction = db.transaction().map_err(fail("begin"))?;
        {
            let mut update = transaction
                .prepare_cached("UPDATE entry SET body = '', salt = x'', commitment = ?2 WHERE seq = ?1")
                .map_err(fail("prepare an erasure"))?;
            for (seq, body, salt) in &old {
                update
                    .execute(params![seq, commitment(salt, body).as_slice()])
                    .map_err(fail("erase a body"))?;
            }
            transaction
                .execute(
                    "INSERT INTO mark VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
                    params![mark, last],
                )
                .map_err(fail("note how far was erased"))?;
        }
        transaction.commit().map_err(fail("commit"))
    })();
    db.execute_batch("PRAGMA secure_delete=OFF").map_err(fail("overwrite what is erased"))?;
    result.map(|()| done)
}

/// The body's own wall clock. What cannot be read is left alone.
fn told_before(body: &str, before_ms: i64) -> bool {
    #[derive(serde::Deserialize)]
    struct Dated {
        at: gate_types::Stamp,
    }
    serde_json::from_str::<Dated>(body).is_ok_and(|dated| dated.at.wall_ms.0 < before_ms)
}
