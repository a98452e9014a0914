//! Signed heads of the gates' journals, kept so that a cut tail or a rewritten history is found out.

use super::{StoreError, Tx, count};
use gate_types::NodeId;
use gate_types::api::JournalPosition;
use gate_types::head::SignedHead;
use rusqlite::{OptionalExtension as _, params};

/// What was known of a gate's journal when a head came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct KnownHeads {
    /// The newest head's entry.
    pub(crate) newest: u64,
    /// The key of the first head ever.
    pub(crate) key: Option<String>,
    /// Another hash that is held for the very entry, by a head or by an event.
    pub(crate) contradiction: Option<String>,
}

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl Tx<'_> {
    /// What is known of a gate's journal beside this head.
    pub(crate) fn known_heads(&self, node: &NodeId, signed: &SignedHead) -> Result<KnownHeads, StoreError> {
        let node = node.as_str();
        let newest: Option<i64> = self
            .sql
            .prepare_cached("SELECT max(seq) FROM journal_heads WHERE port_id = ?1 AND node = ?2")?
            .query_row(params![self.port, node], |row| row.get(0))?;
        let key = self
            .sql
            .prepare_cached(
                "SELECT head_key FROM journal_heads WHERE port_id = ?1 AND node = ?2 ORDER BY seq LIMIT 1",
            )?
            .query_row(params![self.port, node], |row| row.get(0))
            .optional()?;
        let head = &signed.head;
        let contradiction = self
            .sql
            .prepare_cached(
                "SELECT hash FROM journal_heads WHERE port_id = ?1 AND node = ?2 AND seq = ?3 AND hash <> ?4
                 UNION ALL SELECT hash FROM events
                 WHERE port_id = ?1 AND node = ?2 AND epoch = ?5 AND seq = ?3 AND hash <> ?4 LIMIT 1",
            )?
            .query_row(params![self.port, node, number(head.seq.0), head.hash, head.epoch.0], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(KnownHeads { newest: newest.map_or(0, count), key, contradiction })
    }

    /// Keeps a head, once.
    pub(crate) fn insert_head(
        &self,
        node: &NodeId,
        signed: &SignedHead,
        at_ms: i64,
    ) -> Result<(), StoreError> {
        let head = &signed.head;
        self.sql
            .prepare_cached(
                "INSERT INTO journal_heads VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                self.port,
                node.as_str(),
                number(head.seq.0),
                head.hash,
                head.epoch.0,
                head.key,
                signed.jws,
                at_ms
            ])?;
        Ok(())
    }

    /// The newest position of a gate's journal, by its events and heads.
    pub(crate) fn journal_seen(&self, node: &NodeId) -> Result<JournalPosition, StoreError> {
        let newest = |sql: &str| -> Result<JournalPosition, StoreError> {
            let found = self
                .sql
                .prepare_cached(sql)?
                .query_row(params![self.port, node.as_str()], |row| {
                    Ok(JournalPosition { epoch: row.get(0)?, seq: count(row.get(1)?) })
                })
                .optional()?;
            Ok(found.unwrap_or_default())
        };
        let events = newest(
            "SELECT epoch, seq FROM events WHERE port_id = ?1 AND node = ?2 ORDER BY epoch DESC, seq DESC LIMIT 1",
        )?;
        let heads = newest(
            "SELECT epoch, seq FROM journal_heads WHERE port_id = ?1 AND node = ?2 ORDER BY seq DESC LIMIT 1",
        )?;
        Ok(JournalPosition { epoch: events.epoch.max(heads.epoch), seq: events.seq.max(heads.seq) })
    }
}
