//! The log of release questions: who asked about whom, and what was found.

use super::{StoreError, Tx, print};
use gate_types::release::ReleaseRequest;
use rusqlite::params;

/// One question with its outcome.
pub(crate) struct Ask<'a> {
    pub(crate) request: &'a ReleaseRequest,
    pub(crate) at_ms: i64,
    /// The mission that was found, if exactly one was.
    pub(crate) mission_no: Option<i64>,
    /// `mission`, `ambiguous` or `nothing`.
    pub(crate) found: &'static str,
}

impl Tx<'_> {
    /// Keeps a question.
    pub(crate) fn keep_ask(&self, ask: &Ask<'_>) -> Result<(), StoreError> {
        let request = ask.request;
        self.sql
            .prepare_cached(
                "INSERT INTO asks (port_id, n, node, lane, number, nonce, at_ms, mission_no, found, identity)
                 SELECT ?1, coalesce(max(n), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM asks WHERE port_id = ?1",
            )?
            .execute(params![
                self.port,
                request.node.as_str(),
                request.pass.lane.as_str(),
                i64::try_from(request.pass.number).unwrap_or(i64::MAX),
                request.nonce,
                ask.at_ms,
                ask.mission_no,
                ask.found,
                print("identity", &request.identity)?
            ])?;
        Ok(())
    }
}
