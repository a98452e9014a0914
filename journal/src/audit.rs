//! Recomputing the chain: the whole of it, the end of it at a start, the rest of it beside the work (I5).

mod heads;
mod walk;

use crate::anchor;
use crate::error::JournalError;
use crate::finding::Finding;
use crate::opening::Last;
use crate::read;
use crate::writer::database;
use ed25519_dalek::VerifyingKey;
use gate_types::chain::GENESIS;
use gate_types::head::{JournalHead, SignedHead};
use gate_types::jws;
use heads::HeadCheck;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::Path;
use walk::Walk;

/// The newest signed head that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchored {
    /// The entry that it covers, and by it all before.
    pub seq: u64,
    /// The key that signed, base64url.
    pub key: String,
    /// The newest entry that a receipt of central covers, as far as the journal keeps receipts; the receipt's
    /// signature is for whoever knows central's key.
    pub receipted: Option<u64>,
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audit {
    /// Entries that stand.
    pub entries: u64,
    /// Of them, bodies erased at the end of their purpose's time.
    pub erased: u64,
    /// The last entry's number.
    pub last: u64,
    /// The last entry's hash.
    pub head: String,
    /// Signed heads that are genuine and fit.
    pub heads: u64,
    /// The newest of them.
    pub anchored: Option<Anchored>,
    /// What is wrong, in order of position.
    pub findings: Vec<Finding>,
}

impl Audit {
    /// Nothing is wrong.
    pub fn holds(&self) -> bool {
        self.findings.is_empty()
    }
    /// Entries after the newest signed head: whoever owns the disk could still cut them unseen.
    pub fn window(&self) -> u64 {
        self.last.saturating_sub(self.anchored.as_ref().map_or(0, |a| a.seq))
    }
}

/// A journal that does not hold.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChainBroken {
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] JournalError),
    /// At least one finding.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Found(Vec<Finding>),
}

/// Audits a journal and is content with nothing but a chain without findings.
pub fn verify(path: &Path) -> Result<Audit, ChainBroken> {
    let audit = audit(path, None)?;
    if audit.holds() { Ok(audit) } else { Err(ChainBroken::Found(audit.findings)) }
}

/// Recomputes the whole chain and checks every signed head, beside a running writer. `key`: the gate's
/// key where it is known from elsewhere; without it all heads must be by one key.
pub fn audit(path: &Path, key: Option<&VerifyingKey>) -> Result<Audit, JournalError> {
    let mut audit = Audit::default();
    let mut heads = HeadCheck { key: key.map(jws::key_to_text), anchors: BTreeMap::new(), receipted: None };
    let (slots, damaged) = anchor::read(path)
        .map_err(|e| JournalError::Stopped(format!("{}: {e}", anchor::path_of(path).display())))?;
    audit.findings.extend(damaged);
    for slot in slots {
        heads.add(&slot.head, None, &mut audit.findings);
    }
    let known_end = heads.anchors.keys().next_back().copied().unwrap_or(0);
    let db = match read::reading(path).and_then(|db| {
        heads.add_all(path, &db, &mut audit.findings)?;
        Ok(db)
    }) {
        Ok(db) => db,
        Err(error) if known_end == 0 => return Err(error),
        Err(error) => {
            let why = error.to_string();
            audit.findings.push(Finding::Unreadable { from: 1, to: known_end, why });
            return Ok(audit);
        }
    };
    let mut walk = Walk::new(&db, 0, Some(GENESIS.to_owned()), &heads.anchors);
    walk.labels = true;
    walk.run(u64::MAX, || true);
    let Walk { entries, erased, last, previous, mut findings, fitting, .. } = walk;
    (audit.entries, audit.erased, audit.last) = (entries, erased, last);
    audit.head = previous.unwrap_or_default();
    audit.heads = fitting.0;
    if let Some((to, _)) = heads.anchors.last_key_value()
        && *to > last
        && !findings.iter().any(|f| matches!(f, Finding::Unreadable { to: end, .. } if end >= to))
    {
        findings.push(Finding::TailLost { from: last + 1, to: *to });
    }
    audit.anchored = fitting.1.map(|seq| Anchored {
        seq,
        key: heads.key.clone().unwrap_or_default(),
        receipted: heads.receipted,
    });
    audit.findings.extend(findings);
    audit.findings.extend(structure(&db));
    Ok(audit)
}

/// What SQLite itself finds wrong with the file.
fn structure(db: &Connection) -> Vec<Finding> {
    let told = db.prepare("PRAGMA integrity_check(8)").and_then(|mut statement| {
        statement.query_map([], |r| r.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()
    });
    let lines = match told {
        Ok(lines) => lines,
        Err(error) => vec![error.to_string()],
    };
    lines.into_iter().filter(|line| line != "ok").map(|why| Finding::Database { why }).collect()
}

/// At a start: from the newest head that stands to the end. Gives the entry from which on all is checked.
pub(crate) fn tail(
    path: &Path,
    db: &Connection,
    heads: &[SignedHead],
    last: &Last,
) -> Result<(u64, Vec<Finding>), JournalError> {
    let mut findings = Vec::new();
    let begins = begins_anew(db).map_err(database(path, "read an entry"))?.unwrap_or(0);
    let stands_here = |h: &&JournalHead| (begins..=last.seq).contains(&h.seq.0);
    let mut within: Vec<_> = heads.iter().map(|h| &h.head).filter(stands_here).collect();
    within.sort_by_key(|h| std::cmp::Reverse(h.seq));
    within.dedup();
    for head in within {
        match read::one(db, head.seq.0).map_err(database(path, "read an entry"))? {
            Some(row) if row.hash == head.hash => {
                let none = BTreeMap::new();
                let mut walk = Walk::new(db, head.seq.0, Some(row.hash), &none);
                walk.run(u64::MAX, || true);
                findings.extend(walk.findings);
                return Ok((head.seq.0, findings));
            }
            Some(_) => findings.push(Finding::Rewritten { seq: head.seq.0 }),
            None => findings.push(Finding::Missing { from: head.seq.0, to: head.seq.0 }),
        }
    }
    Ok((last.seq, findings))
}

/// The first entry of a file that was begun in the place of a damaged one; none of any other.
fn begins_anew(db: &Connection) -> rusqlite::Result<Option<u64>> {
    let first = read::page(db, 0, 1)?.into_iter().next();
    Ok(first.filter(|row| row.seq.0 > 1 && row.hash_after(GENESIS) == row.hash).map(|row| row.seq.0))
}

/// Beside the work: from the beginning up to `upto`, as long as somebody holds the journal.
pub(crate) fn history(path: &Path, upto: u64, alive: impl Fn() -> bool) -> Option<Audit> {
    let mut audit = Audit::default();
    let none = BTreeMap::new();
    match read::reading(path) {
        Ok(db) => {
            let mut walk = Walk::new(&db, 0, Some(GENESIS.to_owned()), &none);
            walk.run(upto, &alive);
            (audit.entries, audit.erased, audit.last) = (walk.entries, walk.erased, walk.last);
            audit.head = walk.previous.unwrap_or_default();
            audit.findings = walk.findings;
        }
        Err(error) => audit.findings.push(Finding::Unreadable { from: 1, to: upto, why: error.to_string() }),
    }
    alive().then_some(audit)
}
