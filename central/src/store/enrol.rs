//! Enrolment tokens (only their SHA-256) and the certificates that they bought.

use super::value::values;
use super::{StoreError, Tx};
use gate_types::NodeId;

impl Tx<'_> {
    /// Keeps a token for one node.
    pub(crate) fn insert_token(
        &self,
        digest: &[u8; 32],
        node: &NodeId,
        expires_ms: i64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO enrol_tokens (port_id, digest, node, expires_ms) VALUES ($1, $2, $3, $4)";
        self.execute(sql, values![self.port, digest, node.as_str(), expires_ms])?;
        Ok(())
    }

    /// Uses up a token: true where it was this node's, unused and not expired.
    pub(crate) fn use_token(
        &self,
        digest: &[u8; 32],
        node: &NodeId,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE enrol_tokens SET used_ms = $1
                   WHERE port_id = $2 AND digest = $3 AND node = $4 AND used_ms IS NULL AND expires_ms > $1";
        Ok(self.execute(sql, values![now_ms, self.port, digest, node.as_str()])? == 1)
    }

    /// Keeps the serial number of a certificate.
    pub(crate) fn insert_certificate(
        &self,
        serial: &str,
        node: &NodeId,
        issued_ms: i64,
        not_after_ms: i64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO certificates (port_id, serial, node, issued_ms, not_after_ms) VALUES ($1, $2, $3, $4, $5)";
        self.execute(sql, values![self.port, serial, node.as_str(), issued_ms, not_after_ms])?;
        Ok(())
    }

    /// Whether a token is still good, without using it.
    pub(crate) fn token_holds(
        &self,
        digest: &[u8; 32],
        node: &NodeId,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM enrol_tokens
                   WHERE port_id = $1 AND digest = $2 AND node = $3 AND used_ms IS NULL AND expires_ms > $4";
        Ok(self.one(sql, values![self.port, digest, node.as_str(), now_ms])?.is_some())
    }
}
