//! What central signs for others to carry: commands for lanes by the broker, and drivers' gate passes.

use crate::app::now_ms;
use crate::people_api::Shared;
use crate::problem::{ApiProblem, Sent};
use crate::store::StoreError;
use axum::Json;
use axum::extract::State;
use gate_types::api::{CommandRequest, GatePassRequest, SignedCommand, SignedGatePass};
use gate_types::command::{self, COMMAND_TYPE, Came, LaneCommand};
use gate_types::gate_pass::{self, GatePass, PASS_TYPE};
use gate_types::{jws, topic};
use uuid::Uuid;

/// Longest validity of a gate pass, seconds.
const PASS_VALID_S: u64 = 604_800;

fn ms(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX / 1000).saturating_mul(1000)
}

/// `POST` commands: signs, and refuses what a gate would refuse. Publishing it is the caller's.
pub(crate) async fn command(
    State(app): Shared,
    Sent(asked): Sent<CommandRequest>,
) -> Result<Json<SignedCommand>, ApiProblem> {
    app.known_node(&asked.node)?;
    let now_ms = now_ms();
    let told = LaneCommand {
        typ: COMMAND_TYPE.to_owned(),
        id: Uuid::now_v7().to_string(),
        port: app.site.port.clone(),
        node: asked.node,
        lane: asked.lane,
        issued_at_ms: now_ms,
        expires_at_ms: now_ms.saturating_add(ms(asked.valid_s)),
        by: asked.by,
        reason: asked.reason,
        command: asked.command,
    };
    let name = told.command.name();
    let signed = jws::sign(&app.release_key, &told).map_err(ApiProblem::internal)?;
    let came = Came { port: &told.port, node: &told.node, lane: &told.lane, name, retained: false, now_ms };
    command::read(&app.release_key.verifying_key(), &came, signed.as_bytes())
        .map_err(|refusal| ApiProblem::invalid(format!("the gate would refuse it: {refusal}")))?;
    tracing::info!(node = %told.node, lane = %told.lane, name, by = told.by, id = told.id, "command signed");
    let topic = topic::command(&told.port, &told.node, &told.lane, name);
    Ok(Json(SignedCommand { id: told.id, topic, signed }))
}

/// `POST` gate passes: for a mission that is stored and has not ended.
pub(crate) async fn gate_pass(
    State(app): Shared,
    Sent(asked): Sent<GatePassRequest>,
) -> Result<Json<SignedGatePass>, ApiProblem> {
    app.known_node(&asked.node)?;
    if !(1..=PASS_VALID_S).contains(&asked.valid_s) {
        return Err(ApiProblem::invalid(format!("valid_s: 1 to {PASS_VALID_S} seconds")));
    }
    let wanted = asked.mission.clone();
    let record: Result<_, StoreError> = app.store.read(move |tx| tx.mission(&wanted)).await;
    let Some(record) = record? else {
        return Err(ApiProblem::missing(format!("mission {} is not stored here", asked.mission)));
    };
    if record.definitive.is_some() {
        return Err(ApiProblem::conflict(format!("mission {} has ended", asked.mission)));
    }
    let now_ms = now_ms();
    let pass = GatePass {
        typ: PASS_TYPE.to_owned(),
        id: Uuid::now_v7().to_string(),
        issuer: app.site.port.clone(),
        node: asked.node,
        issued_at_ms: now_ms,
        expires_at_ms: now_ms.saturating_add(ms(asked.valid_s)),
        mission: record.id,
    };
    let text = gate_pass::write(&app.release_key, &pass).map_err(ApiProblem::internal)?;
    Ok(Json(SignedGatePass { id: pass.id, text }))
}
