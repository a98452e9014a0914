//! The part of the chain that proves one pass: from its first entry to a signed head at or behind its last.

use crate::error::JournalError;
use crate::read::{self, Stored};
use crate::writer::database;
use gate_types::PassId;
use rusqlite::{OptionalExtension as _, params};
use std::path::Path;

/// Longest section that is proven, entries.
const LONGEST: u64 = 200_000;

/// A section of the chain with the signature over its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Proof {
    /// The hash before the section.
    pub previous: String,
    /// The section, without gaps; entries of other passes are among them.
    pub entries: Vec<Stored>,
    /// The signed head of its last entry, compact JWS.
    pub head: String,
    /// Central's receipt for that head, compact JWS, where there is one.
    pub receipt: Option<String>,
}

/// Gathers the section of one pass, beside a running writer. A head that central has acknowledged is
/// preferred to a nearer one that it has not.
pub fn prove(path: &Path, pass: &PassId) -> Result<Proof, JournalError> {
    let db = read::reading(path)?;
    let fail = |what| database(path, what);
    let refuse = |what: String| JournalError::NoProof { path: path.to_path_buf(), what };
    let Some((first, _)) = read::ends_of(path, &db, pass.lane.as_str(), pass.number)? else {
        return Err(refuse(format!("it has no pass {pass}; passes are named LANE:NUMBER")));
    };
    // What was recorded of it after its end belongs to it as well, until the lane's next pass.
    let next = read::begin_of_next(path, &db, pass.lane.as_str(), pass.number)?.unwrap_or(u64::MAX >> 1);
    let last: u64 = db
        .query_row(
            "SELECT MAX(seq) FROM entry WHERE seq >= ?1 AND seq < ?2 AND lane = ?3 AND pass = ?4",
            params![first, next, pass.lane.as_str(), pass.number],
            |r| r.get(0),
        )
        .map_err(fail("look for the end of the pass"))?;
    let head = |receipted: &str| {
        let sql =
            format!("SELECT seq, jws, receipt FROM head WHERE seq >= ?1 {receipted} ORDER BY seq LIMIT 1");
        db.query_row(&sql, [last], |r| Ok((r.get::<_, u64>(0)?, r.get(1)?, r.get(2)?)))
            .optional()
            .map_err(fail("look for a signed head"))
    };
    let found: Option<(u64, String, Option<String>)> =
        match head("AND receipt IS NOT NULL")?.filter(|h: &(u64, _, _)| h.0 - first < LONGEST) {
            Some(found) => Some(found),
            None => head("")?,
        };
    let Some((end, jws, receipt)) = found else {
        return Err(refuse(format!(
            "no signed head covers pass {pass} yet; the daemon signs within seconds while it runs"
        )));
    };
    if end - first >= LONGEST {
        return Err(refuse(format!(
            "the next signed head stands at entry {end}, further than {LONGEST} behind"
        )));
    }
    let previous = if first == 1 {
        gate_types::chain::GENESIS.to_owned()
    } else {
        let before = read::one(&db, first.saturating_sub(1)).map_err(fail("read entries"))?;
        before
            .map(|e| e.hash)
            .ok_or_else(|| refuse(format!("the entry before {first} is missing; run `journal verify`")))?
    };
    let mut entries: Vec<Stored> = Vec::new();
    let mut after = first - 1;
    while after < end {
        let page = read::page(&db, after, (end - after).min(512)).map_err(fail("read entries"))?;
        for (n, stored) in (after + 1..).zip(page) {
            if stored.seq.0 != n {
                return Err(refuse(format!("entry {n} is missing; run `journal verify`")));
            }
            if stored.commitment().is_none() {
                return Err(refuse(format!("entry {n} is of an earlier format that cannot be proven apart")));
            }
            after = n;
            entries.push(stored);
        }
    }
    Ok(Proof { previous, entries, head: jws, receipt })
}
