//! Recomputing the chain: the whole of it, the end of it at a start, the rest of it beside the work (I5).

use crate::anchor;
use crate::error::JournalError;
use crate::finding::Finding;
use crate::opening::Last;
use crate::read::{self, Stored};
use crate::writer::database;
use ed25519_dalek::VerifyingKey;
use gate_types::chain::GENESIS;
use gate_types::head::{JournalHead, SignedHead, read_head};
use gate_types::jws;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::Path;

/// Entries looked at in one go.
const PAGE: u64 = 512;
/// Numbers tried one by one behind a place that cannot be read.
const PROBES: u64 = 8192;
/// Most findings that are kept.
const FINDINGS: usize = 1_000;

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

/// Signed heads by the entry that they cover.
struct HeadCheck {
    key: Option<String>,
    anchors: BTreeMap<u64, String>,
    receipted: Option<u64>,
}

impl HeadCheck {
    fn add(&mut self, signed: &str, filed_at: Option<u64>, findings: &mut Vec<Finding>) {
        let mut bad = |seq, why| findings.push(Finding::HeadNotGenuine { seq, why });
        let SignedHead { head, .. } = match read_head(signed) {
            Ok(signed) => signed,
            Err(e) => return bad(filed_at.unwrap_or(0), e.to_string()),
        };
        if filed_at.is_some_and(|seq| seq != head.seq.0) {
            return bad(filed_at.unwrap_or(0), format!("it was signed for entry {}", head.seq.0));
        }
        let key = self.key.get_or_insert_with(|| head.key.clone());
        if *key != head.key {
            return bad(head.seq.0, format!("it is by key {} and not by {key}", head.key));
        }
        self.anchors.insert(head.seq.0, head.hash);
    }
    fn add_all(
        &mut self,
        path: &Path,
        db: &Connection,
        findings: &mut Vec<Finding>,
    ) -> Result<(), JournalError> {
        let fail = |what| database(path, what);
        let known: i64 = db
            .query_row("SELECT COUNT(*) FROM sqlite_schema WHERE name = 'head'", [], |r| r.get(0))
            .map_err(fail("read the tables"))?;
        if known == 0 {
            return Ok(());
        }
        let mut statement = db
            .prepare("SELECT seq, jws, receipt IS NOT NULL FROM head ORDER BY seq")
            .map_err(fail("prepare"))?;
        let mut rows = statement.query([]).map_err(fail("read the signed heads"))?;
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(()),
                Err(e) => {
                    findings.push(Finding::Database { why: format!("the signed heads: {e}") });
                    return Ok(());
                }
            };
            let read: rusqlite::Result<(u64, String, bool)> =
                (|| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))();
            match read {
                Ok((seq, jws, receipt)) => {
                    self.add(&jws, Some(seq), findings);
                    if receipt {
                        self.receipted = self.receipted.max(Some(seq));
                    }
                }
                Err(e) => findings.push(Finding::Database { why: format!("a signed head: {e}") }),
            }
        }
    }
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

/// One way through the chain.
struct Walk<'a> {
    db: &'a Connection,
    anchors: &'a BTreeMap<u64, String>,
    /// Check lane, pass and kind against the body.
    labels: bool,
    last: u64,
    /// The number that should come next.
    expected: u64,
    /// The hash before it; none behind a place that could not be read.
    previous: Option<String>,
    entries: u64,
    erased: u64,
    /// Anchors that fit: how many, and the newest.
    fitting: (u64, Option<u64>),
    findings: Vec<Finding>,
}

impl<'a> Walk<'a> {
    fn new(
        db: &'a Connection,
        after: u64,
        previous: Option<String>,
        anchors: &'a BTreeMap<u64, String>,
    ) -> Self {
        Self {
            db,
            anchors,
            labels: false,
            last: after,
            expected: after + 1,
            previous,
            entries: 0,
            erased: 0,
            fitting: (0, None),
            findings: Vec::new(),
        }
    }

    fn run(&mut self, upto: u64, alive: impl Fn() -> bool) {
        while alive() && self.findings.len() < FINDINGS {
            match read::page(self.db, self.expected - 1, PAGE) {
                Ok(rows) if rows.is_empty() => return,
                Ok(rows) => {
                    for row in rows {
                        if row.seq.0 > upto {
                            return;
                        }
                        self.step(&row);
                    }
                }
                Err(error) => {
                    if !self.probe(upto, &error.to_string()) {
                        return;
                    }
                }
            }
        }
    }

    /// Goes number by number through a place where a page cannot be read. False where nothing follows.
    fn probe(&mut self, upto: u64, why: &str) -> bool {
        let from = self.expected;
        let mut bad: Option<(u64, u64)> = None;
        let mut good = 0_u64;
        for seq in from..from.saturating_add(PROBES).min(upto) {
            match read::one(self.db, seq) {
                Ok(Some(row)) => {
                    self.unreadable(bad.take(), why);
                    self.step(&row);
                    good += 1;
                    if good >= PAGE {
                        return true;
                    }
                }
                Ok(None) => {}
                Err(_) => bad = Some((bad.map_or(seq, |b| b.0), seq)),
            }
        }
        let more = good > 0;
        if !more {
            // Nothing readable follows within reach; the anchors know how far the journal went.
            let end = self.anchors.keys().next_back().copied().unwrap_or(0);
            let to = bad.map_or(from, |b| b.1.min(end.max(from)));
            self.unreadable(Some((from, to.max(from))), why);
        }
        more
    }

    fn unreadable(&mut self, range: Option<(u64, u64)>, why: &str) {
        if let Some((from, to)) = range {
            self.findings.push(Finding::Unreadable { from, to, why: why.to_owned() });
            self.previous = None;
            self.expected = to + 1;
        }
    }

    fn step(&mut self, row: &Stored) {
        let seq = row.seq.0;
        let gap = seq > self.expected;
        // The first entry of a file that was begun in the place of a damaged one.
        let anew = gap && self.entries == 0 && self.expected == 1 && row.hash_after(GENESIS) == row.hash;
        if anew {
            self.findings.push(Finding::BeginsAnew { at: seq });
        } else if gap {
            self.findings.push(Finding::Missing { from: self.expected, to: seq - 1 });
        }
        let fits = self.previous.as_deref().is_none_or(|previous| row.hash_after(previous) == row.hash);
        let anchored = self.anchors.get(&seq);
        // Behind a gap the link is broken by the removal itself, unless the tail was cut and reported.
        if !fits && !gap {
            self.findings.push(Finding::Changed { seq });
        } else if anchored.is_some_and(|hash| *hash != row.hash) {
            self.findings.push(Finding::Rewritten { seq });
        } else if anchored.is_some() {
            self.fitting = (self.fitting.0 + 1, Some(seq));
        }
        if self.labels && !row.is_erased() && !labelled(row) {
            self.findings.push(Finding::Mislabelled { seq });
        }
        self.entries += 1;
        self.erased += u64::from(row.is_erased());
        self.previous = Some(row.hash.clone());
        self.last = seq;
        self.expected = seq + 1;
    }
}

/// Lane, pass and kind are filed as the body tells them.
fn labelled(row: &Stored) -> bool {
    #[derive(serde::Deserialize)]
    struct Pass {
        lane: String,
        number: u64,
    }
    #[derive(serde::Deserialize)]
    struct Label {
        lane: Option<String>,
        pass: Option<Pass>,
        kind: String,
    }
    let Ok(label) = serde_json::from_str::<Label>(&row.body) else { return false };
    let number = label.pass.as_ref().map(|p| p.number);
    let lane = label.pass.map(|p| p.lane).or(label.lane);
    (lane, number, label.kind) == row.filed
}
