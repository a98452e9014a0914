//! Missions over HTTP: create (idempotent), list, show, change.

use crate::app::now_ms;
use crate::people_api::{Shared, limit};
use crate::problem::{ApiProblem, Asked, Sent};
use crate::store::{MissionFilter, MissionRecord, StoreError, Tx};
use crate::validate;
use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use config::Site;
use gate_types::api::{CentralEvent, MissionChange, MissionView, NewMission, PassedLeg};
use gate_types::mission::CustomsStatus;
use gate_types::plate::Plate;
use gate_types::{IotId, MissionId, ProcessId};
use serde::Deserialize;
use std::sync::Arc;
use uuid::Uuid;

/// A mission with its version as ETag.
fn answer(status: StatusCode, record: &MissionRecord, site: &Site) -> Response {
    let tag = format!("\"{}\"", record.version);
    (status, [(header::ETAG, tag)], Json(record.view(site))).into_response()
}

fn news(record: &MissionRecord, site: &Site) -> [CentralEvent; 1] {
    [CentralEvent::Mission { mission: Box::new(record.view(site)) }]
}

/// `POST`: the same key with the same body gives the same mission; with another body it is refused.
pub(crate) async fn create(
    State(app): Shared,
    Sent(mut asked): Sent<NewMission>,
) -> Result<Response, ApiProblem> {
    let problems = validate::new_mission(&mut asked, &app.site);
    if !problems.is_empty() {
        return Err(ApiProblem::invalid(problems.join("; ")));
    }
    let site = Arc::clone(&app.site);
    let (record, is_new) = app.store.write(move |tx| insert(tx, &site, &asked)).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(answer(status, &record, &app.site))
}

fn insert(tx: &Tx<'_>, site: &Site, asked: &NewMission) -> Result<(MissionRecord, bool), ApiProblem> {
    let no = tx.next_mission_no()?;
    if let Some((record, before)) = tx.mission_by_idempotency_key(&asked.idempotency_key)? {
        if before == *asked {
            return Ok((record, false));
        }
        return Err(ApiProblem::conflict(format!(
            "idempotency_key: was used for mission {} with another body; use a new key for a new mission",
            record.id
        )));
    }
    let created_ms = now_ms();
    let taken_over = |leg: &gate_types::mission::LegRef| PassedLeg {
        leg: leg.clone(),
        at_ms: created_ms,
        imported: true,
        unseen: false,
    };
    let record = MissionRecord {
        no,
        id: MissionId::new(format!("M-{no:06}")).map_err(ApiProblem::internal)?,
        iot_id: IotId(Uuid::now_v7()),
        process: asked.process.clone(),
        mrns: asked.mrns.clone(),
        expected: asked.expected.clone(),
        status: asked.status,
        holds: asked.holds.clone(),
        report_to: asked.report_to.clone(),
        conditions: asked.conditions.clone(),
        language: asked.language.clone(),
        created_ms,
        imported: asked.imported_progress.clone(),
        passed: asked.imported_progress.iter().map(taken_over).collect(),
        definitive: None,
        version: 1,
        circumstances: asked.circumstances.clone(),
    };
    tx.insert_mission(&record, asked)?;
    tx.tell(&news(&record, site))?;
    Ok((record, true))
}

/// What a list of missions may be narrowed by.
#[derive(Deserialize)]
pub(crate) struct MissionQuery {
    process: Option<ProcessId>,
    status: Option<CustomsStatus>,
    plate: Option<String>,
    limit: Option<i64>,
    /// The last mission of the page before.
    after: Option<MissionId>,
}

/// `GET`: in the order of creation.
pub(crate) async fn list(
    State(app): Shared,
    Asked(asked): Asked<MissionQuery>,
) -> Result<Json<Vec<MissionView>>, ApiProblem> {
    let plate = asked.plate.filter(|text| !text.is_empty()).map(|text| Plate::parse(&text)).transpose();
    let plate = plate.map_err(|e| ApiProblem::malformed(format!("plate: {e}")))?.map(String::from);
    let records = app.store.read(move |tx| {
        let after = match &asked.after {
            Some(id) => tx.mission(id)?.ok_or_else(|| not_found(id))?.no,
            None => 0,
        };
        let filter = MissionFilter {
            process: asked.process.clone(),
            status: asked.status,
            plate: plate.clone(),
            after,
            limit: limit(asked.limit),
        };
        Ok::<_, ApiProblem>(tx.missions(&filter)?)
    });
    Ok(Json(records.await?.iter().map(|record| record.view(&app.site)).collect()))
}

fn not_found(id: &MissionId) -> ApiProblem {
    ApiProblem::missing(format!("mission {id} is not stored here; list the missions to see which are"))
}

/// The mission that the path names.
pub(crate) struct Named(MissionId);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        let malformed =
            |e: &dyn std::fmt::Display| ApiProblem::malformed(format!("{}: {e}", parts.uri.path()));
        let Path(id) =
            Path::<String>::from_request_parts(&mut parts.clone(), state).await.map_err(|e| malformed(&e))?;
        MissionId::new(id).map(Named).map_err(|e| malformed(&e))
    }
}

/// `GET /{id}`.
pub(crate) async fn show(State(app): Shared, Named(id): Named) -> Result<Response, ApiProblem> {
    let wanted = id.clone();
    let record: Result<_, StoreError> = app.store.read(move |tx| tx.mission(&wanted)).await;
    let record = record?.ok_or_else(|| not_found(&id))?;
    Ok(answer(StatusCode::OK, &record, &app.site))
}

/// `PATCH /{id}`: status, holds and conditions; who and why are kept. `If-Match` guards against overwriting.
pub(crate) async fn change(
    State(app): Shared,
    Named(id): Named,
    headers: HeaderMap,
    Sent(change): Sent<MissionChange>,
) -> Result<Response, ApiProblem> {
    let if_match = headers.get(header::IF_MATCH).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
    let site = Arc::clone(&app.site);
    let apply = move |tx: &Tx<'_>| {
        tx.lock_missions([&id])?;
        let record = tx.mission(&id)?.ok_or_else(|| not_found(&id))?;
        apply(tx, &site, record, &change, if_match.as_deref())
    };
    let record = app.store.write(apply).await?;
    Ok(answer(StatusCode::OK, &record, &app.site))
}

fn apply(
    tx: &Tx<'_>,
    site: &Site,
    mut record: MissionRecord,
    change: &MissionChange,
    if_match: Option<&str>,
) -> Result<MissionRecord, ApiProblem> {
    let version = format!("\"{}\"", record.version);
    if if_match.is_some_and(|tag| tag != version && tag != "*") {
        return Err(ApiProblem::stale(format!(
            "mission {} has version {version} now; read it anew",
            record.id
        )));
    }
    if record.definitive.is_some() {
        return Err(ApiProblem::conflict(format!("mission {} has ended; create a new one", record.id)));
    }
    record.status = change.status.unwrap_or(record.status);
    record.holds = change.holds.clone().unwrap_or(record.holds);
    record.conditions = change.conditions.clone().unwrap_or(record.conditions);
    record.circumstances = change.circumstances.clone().unwrap_or(record.circumstances);
    let mut problems = Vec::new();
    validate::text(&mut problems, "by", &change.by);
    validate::status(&mut problems, record.status, &record.holds);
    validate::conditions(&mut problems, &record.conditions, site);
    validate::circumstances(&mut problems, &record.circumstances);
    if !problems.is_empty() {
        return Err(ApiProblem::invalid(problems.join("; ")));
    }
    record.version += 1;
    tx.update_missions(&[&record])?;
    tx.keep_change(&record, change, now_ms())?;
    tx.tell(&news(&record, site))?;
    Ok(record)
}
