//! The signed heads that lie with a journal: genuine, by one key, for the entry that they name.

use crate::error::JournalError;
use crate::finding::Finding;
use crate::writer::database;
use gate_types::head::{SignedHead, read_head};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::Path;

/// Signed heads by the entry that they cover.
pub(super) struct HeadCheck {
    pub(super) key: Option<String>,
    pub(super) anchors: BTreeMap<u64, String>,
    pub(super) receipted: Option<u64>,
}

impl HeadCheck {
    pub(super) fn add(&mut self, signed: &str, filed_at: Option<u64>, findings: &mut Vec<Finding>) {
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
    pub(super) fn add_all(
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
