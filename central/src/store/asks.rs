//! The log of release questions: who asked about whom, and what was found.

use super::value::values;
use super::{StoreError, Tx, number, print};
use gate_types::release::ReleaseRequest;
use uuid::Uuid;

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
    /// Keeps a question. Its name holds the time, so that questions lie in the order in which they came.
    pub(crate) fn keep_ask(&self, ask: &Ask<'_>) -> Result<(), StoreError> {
        let request = ask.request;
        let (id, identity) = (Uuid::now_v7().to_string(), print("identity", &request.identity)?);
        let sql =
            "INSERT INTO asks (port_id, id, node, lane, number, nonce, at_ms, mission_no, found, identity)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        self.execute(
            sql,
            values![
                self.port,
                &id,
                request.node.as_str(),
                request.pass.lane.as_str(),
                number(request.pass.number),
                &request.nonce,
                ask.at_ms,
                ask.mission_no,
                ask.found,
                &identity
            ],
        )?;
        Ok(())
    }
}
