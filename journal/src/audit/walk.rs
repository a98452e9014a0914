//! One way through the chain, past what cannot be read.

use crate::finding::Finding;
use crate::read::{self, Stored};
use gate_types::chain::GENESIS;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// Entries looked at in one go.
const PAGE: u64 = 512;
/// Numbers tried one by one behind a place that cannot be read.
const PROBES: u64 = 8192;
/// Most findings that are kept.
const FINDINGS: usize = 1_000;

/// One way through the chain.
pub(super) struct Walk<'a> {
    db: &'a Connection,
    anchors: &'a BTreeMap<u64, String>,
    /// Check lane, pass and kind against the body.
    pub(super) labels: bool,
    pub(super) last: u64,
    /// The number that should come next.
    expected: u64,
    /// The hash before it; none behind a place that could not be read.
    pub(super) previous: Option<String>,
    pub(super) entries: u64,
    pub(super) erased: u64,
    /// Anchors that fit: how many, and the newest.
    pub(super) fitting: (u64, Option<u64>),
    pub(super) findings: Vec<Finding>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
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

    pub(super) fn run(&mut self, upto: u64, alive: impl Fn() -> bool) {
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
