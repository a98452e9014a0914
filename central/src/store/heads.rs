//! Signed heads of the gates' journals, kept so that a cut tail or a rewritten history is found out.

use super::value::values;
use super::{StoreError, Tx, number};
use gate_types::NodeId;
use gate_types::api::JournalPosition;
use gate_types::head::SignedHead;

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

impl Tx<'_> {
    /// What is known of a gate's journal beside this head.
    pub(crate) fn known_heads(&self, node: &NodeId, signed: &SignedHead) -> Result<KnownHeads, StoreError> {
        let node = node.as_str();
        let newest = self.int(
            "SELECT coalesce(max(seq), 0) FROM journal_heads WHERE port_id = $1 AND node = $2",
            values![self.port, node],
        )?;
        let key = self.one(
            "SELECT head_key FROM journal_heads WHERE port_id = $1 AND node = $2 ORDER BY seq LIMIT 1",
            values![self.port, node],
        )?;
        let head = &signed.head;
        let contradiction = self.one(
            "SELECT hash FROM journal_heads WHERE port_id = $1 AND node = $2 AND seq = $3 AND hash <> $4
             UNION ALL SELECT hash FROM events
             WHERE port_id = $1 AND node = $2 AND epoch = $5 AND seq = $3 AND hash <> $4 LIMIT 1",
            values![self.port, node, number(head.seq.0), &head.hash, head.epoch.0],
        )?;
        Ok(KnownHeads {
            newest: u64::try_from(newest).unwrap_or(0),
            key: key.map(|row| row.text(0).map(str::to_owned)).transpose()?,
            contradiction: contradiction.map(|row| row.text(0).map(str::to_owned)).transpose()?,
        })
    }

    /// Keeps a head, once; true where it is new.
    pub(crate) fn insert_head(
        &self,
        node: &NodeId,
        signed: &SignedHead,
        at_ms: i64,
    ) -> Result<bool, StoreError> {
        let head = &signed.head;
        let sql = "INSERT INTO journal_heads (port_id, node, seq, hash, epoch, head_key, jws, received_ms)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
        let seq = number(head.seq.0);
        let (node, epoch) = (node.as_str(), head.epoch.0);
        let touched = self
            .execute(sql, values![self.port, node, seq, &head.hash, epoch, &head.key, &signed.jws, at_ms])?;
        Ok(touched == 1)
    }

    /// The newest position of a gate's journal, by its events and heads.
    pub(crate) fn journal_seen(&self, node: &NodeId) -> Result<JournalPosition, StoreError> {
        let newest = |sql: &'static str| -> Result<JournalPosition, StoreError> {
            let found = self.one(sql, values![self.port, node.as_str()])?;
            let position = |row: super::value::Row| {
                let epoch = u32::try_from(row.int(0)?).unwrap_or(u32::MAX);
                Ok(JournalPosition { epoch, seq: row.count(1)? })
            };
            found.map_or(Ok(JournalPosition::default()), position)
        };
        let events = newest(
            "SELECT epoch, seq FROM events WHERE port_id = $1 AND node = $2 ORDER BY epoch DESC, seq DESC LIMIT 1",
        )?;
        let heads = newest(
            "SELECT epoch, seq FROM journal_heads WHERE port_id = $1 AND node = $2 ORDER BY seq DESC LIMIT 1",
        )?;
        Ok(JournalPosition { epoch: events.epoch.max(heads.epoch), seq: events.seq.max(heads.seq) })
    }
}
