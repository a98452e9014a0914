//! Enrolment tokens (only their SHA-256) and the certificates that they bought.

use super::{StoreError, Tx};
use gate_types::NodeId;
use rusqlite::{OptionalExtension as _, params};

impl Tx<'_> {
    /// Keeps a token for one node.
    pub(crate) fn insert_token(
        &self,
        digest: &[u8; 32],
        node: &NodeId,
        expires_ms: i64,
    ) -> Result<(), StoreError> {
        self.sql
            .prepare_cached("INSERT INTO enrol_tokens VALUES (?1, ?2, ?3, ?4, NULL)")?
            .execute(params![self.port, digest.as_slice(), node.as_str(), expires_ms])?;
        Ok(())
    }

    /// Uses up a token: true where it was this node's, unused and not expired.
    pub(crate) fn use_token(
        &self,
        digest: &[u8; 32],
        node: &NodeId,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let used = self
            .sql
            .prepare_cached(
                "UPDATE enrol_tokens SET used_ms = ?4
                 WHERE port_id = ?1 AND digest = ?2 AND node = ?3 AND used_ms IS NULL AND expires_ms > ?4",
            )?
            .execute(params![self.port, digest.as_slice(), node.as_str(), now_ms])?;
        Ok(used == 1)
    }

    /// Keeps the serial number of a certificate.
    pub(crate) fn insert_certificate(
        &self,
        serial: &str,
        node: &NodeId,
        issued_ms: i64,
        not_after_ms: i64,
    ) -> Result<(), StoreError> {
        self.sql.prepare_cached("INSERT INTO certificates VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
            self.port,
            serial,
            node.as_str(),
            issued_ms,
            not_after_ms
        ])?;
        Ok(())
    }

    /// Whether a token is still good, without using it.
    pub(crate) fn token_holds(
        &self,
        digest: &[u8; 32],
        node: &NodeId,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let found: Option<i64> = self
            .sql
            .prepare_cached(
                "SELECT 1 FROM enrol_tokens
                 WHERE port_id = ?1 AND digest = ?2 AND node = ?3 AND used_ms IS NULL AND expires_ms > ?4",
            )?
            .query_row(params![self.port, digest.as_slice(), node.as_str(), now_ms], |row| row.get(0))
            .optional()?;
        Ok(found.is_some())
    }
}
