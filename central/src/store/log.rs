//! The public log of acknowledged heads: its leaves, and the hashes of its complete subtrees.

use super::schema::LOG_NODES;
use super::value::values;
use super::{StoreError, Tx, number};
use crate::merkle::{self, Hash, Place};
use gate_types::NodeId;

/// One leaf.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct LogLeaf {
    /// Counts from 0.
    pub(crate) index: u64,
    /// The gate whose head it is.
    pub(crate) node: String,
    /// The head's entry.
    pub(crate) seq: u64,
    /// The signed head as the gate sent it: the leaf's data.
    pub(crate) leaf: String,
}

impl Tx<'_> {
    /// Leaves so far.
    pub(crate) fn log_size(&self) -> Result<u64, StoreError> {
        let next =
            self.int("SELECT coalesce(max(n), -1) FROM log_leaves WHERE port_id = $1", values![self.port])?;
        Ok(u64::try_from(next + 1).unwrap_or(0))
    }

    /// Appends a leaf with the subtrees that it completes.
    pub(crate) fn append_leaf(&self, node: &NodeId, seq: u64, leaf: &str) -> Result<u64, StoreError> {
        self.lock_one("log")?;
        let size = self.log_size()?;
        let sql = "INSERT INTO log_leaves (port_id, n, node, seq, leaf) VALUES ($1, $2, $3, $4, $5)";
        self.execute(sql, values![self.port, number(size), node.as_str(), number(seq), leaf])?;
        let grown = merkle::append(size, merkle::leaf_hash(leaf.as_bytes()), |place| self.log_node(place))?;
        let rows: Vec<_> = grown
            .iter()
            .map(|(place, hash)| {
                values![self.port, i64::from(place.level), number(place.index), hash].to_vec()
            })
            .collect();
        self.insert_new(&LOG_NODES, &rows)?;
        Ok(size)
    }

    /// The hash of a complete subtree.
    pub(crate) fn log_node(&self, place: Place) -> Result<Hash, StoreError> {
        let sql = "SELECT hash FROM log_nodes WHERE port_id = $1 AND level = $2 AND n = $3";
        let row = self.one(sql, values![self.port, i64::from(place.level), number(place.index)])?;
        let missing = || StoreError::Content { what: "log", cause: format!("{place:?} is missing") };
        row.ok_or_else(missing)?.hash(0)
    }

    /// Leaves from one on, in order.
    pub(crate) fn log_leaves(&self, from: u64, limit: i64) -> Result<Vec<LogLeaf>, StoreError> {
        let sql =
            "SELECT n, node, seq, leaf FROM log_leaves WHERE port_id = $1 AND n >= $2 ORDER BY n LIMIT $3";
        let rows = self.query(sql, values![self.port, number(from), limit])?;
        let leaf = |row: &super::value::Row| {
            Ok(LogLeaf {
                index: row.count(0)?,
                node: row.text(1)?.to_owned(),
                seq: row.count(2)?,
                leaf: row.text(3)?.to_owned(),
            })
        };
        rows.iter().map(leaf).collect()
    }
}
