//! Alarms for officers: the list with the most suspicious first, and what a person does with one; and what passed
//! the gates in the words of other systems.

use crate::app::now_ms;
use crate::export::{Dialect, Movement, Parties, told};
use crate::people_api::{MAX_PAGE, Shared, limit};
use crate::problem::{ApiProblem, Asked, Sent};
use crate::store::{AlarmState, AlarmStep, EventFilter, StoreError, StoredEvent};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use gate_types::NodeId;
use gate_types::api::{AlarmAct, AlarmView, CentralEvent};
use gate_types::entry::EntryBody;
use serde::Deserialize;

/// Longest note or finding, characters.
const NOTE: usize = 2000;

#[derive(Deserialize)]
pub(crate) struct AlarmQuery {
    #[serde(default)]
    state: AlarmState,
    after: Option<i64>,
    limit: Option<i64>,
    /// The most suspicious first instead of the oldest; of one page.
    #[serde(default)]
    ranked: bool,
}

pub(crate) async fn list(
    State(app): Shared,
    Asked(asked): Asked<AlarmQuery>,
) -> Result<Json<Vec<AlarmView>>, ApiProblem> {
    let AlarmQuery { state, after, limit: size, ranked } = asked;
    let read =
        app.store.read(move |tx| tx.alarms(state, after.unwrap_or(0), limit(size.or(Some(MAX_PAGE))))).await;
    let mut alarms: Vec<AlarmView> = Result::<_, StoreError>::map_err(read, ApiProblem::from)?;
    if ranked {
        alarms.sort_by(|a, b| b.suspicion.total_cmp(&a.suspicion).then(a.id.cmp(&b.id)));
    }
    Ok(Json(alarms))
}

/// What a person asks to be done.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "act", deny_unknown_fields)]
pub(crate) enum AlarmRequest {
    /// Looks after it.
    Acknowledge {
        by: String,
        #[serde(default)]
        note: String,
    },
    /// Is done with it.
    Close { by: String, finding: String },
    /// Another alarm of the same mission tells it already.
    Merge { by: String, into: i64 },
}

pub(crate) async fn act(
    State(app): Shared,
    Path(id): Path<i64>,
    Sent(request): Sent<AlarmRequest>,
) -> Result<Json<AlarmView>, ApiProblem> {
    let act = |by: String, note: String, what: &str, needed: bool| {
        if by.trim().is_empty() || by.chars().count() > 100 {
            return Err(ApiProblem::invalid("by: who does it, 1 to 100 characters"));
        }
        if needed && note.trim().is_empty() || note.chars().count() > NOTE {
            return Err(ApiProblem::invalid(format!("{what}: what was found, 1 to {NOTE} characters")));
        }
        Ok(AlarmAct { by, at_ms: now_ms(), note })
    };
    let step = match request {
        AlarmRequest::Acknowledge { by, note } => AlarmStep::Acknowledge(act(by, note, "note", false)?),
        AlarmRequest::Close { by, finding } => AlarmStep::Close(act(by, finding, "finding", true)?),
        AlarmRequest::Merge { by, into } => {
            AlarmStep::Merge(act(by, format!("merged into alarm {into}"), "into", true)?, into)
        }
    };
    let done: Result<Option<AlarmView>, StoreError> = app
        .store
        .write(move |tx| {
            let alarm = tx.act(id, &step)?;
            if let Some(alarm) = &alarm {
                tx.tell(&[CentralEvent::Alarm { alarm: Box::new(alarm.clone()) }])?;
            }
            Ok(alarm)
        })
        .await;
    done?.map(Json).ok_or_else(|| {
        ApiProblem::conflict(format!(
            "alarm {id} is not there, is closed, has somebody who looks after it, or belongs to another mission; read it again"
        ))
    })
}

#[derive(Deserialize)]
pub(crate) struct ExportQuery {
    node: Option<NodeId>,
    after: Option<i64>,
    limit: Option<i64>,
    /// CODECO: the sender's identification.
    #[serde(default = "ours")]
    sender: String,
    /// CODECO: the recipient's.
    #[serde(default = "theirs")]
    recipient: String,
}

fn ours() -> String {
    "VARCO".into()
}
fn theirs() -> String {
    "RECIPIENT".into()
}

/// The passes of a page of events; the header `Varco-Next` is the `after` of the next page.
pub(crate) async fn export(
    State(app): Shared,
    Path(dialect): Path<Dialect>,
    Asked(asked): Asked<ExportQuery>,
) -> Result<Response, ApiProblem> {
    let ExportQuery { node, after, limit: size, sender, recipient } = asked;
    for (name, party) in [("sender", &sender), ("recipient", &recipient)] {
        if party.is_empty() || party.len() > 35 || !party.is_ascii() {
            return Err(ApiProblem::invalid(format!(
                "{name}: 1 to 35 characters of ASCII (element 0004, 0010)"
            )));
        }
    }
    let filter =
        EventFilter { node, kind: Some("pass_closed".into()), after: after.unwrap_or(0), limit: limit(size) };
    let port = app.site.port.clone();
    let read = app
        .store
        .read(move |tx| {
            let events = tx.events(&filter)?;
            let next = events.last().map_or(filter.after, |event| event.row);
            let mut movements = Vec::new();
            for event in events {
                let mission = mission_of(&event).map(|id| tx.mission(&id)).transpose()?.flatten();
                movements.extend(Movement::of(&port, event, mission));
            }
            Ok((movements, next))
        })
        .await;
    let (movements, next): (Vec<Movement>, i64) = Result::<_, StoreError>::map_err(read, ApiProblem::from)?;
    let body = told(dialect, &movements, &Parties { sender, recipient }, now_ms())
        .map_err(|e| ApiProblem::invalid(format!("the passes cannot be written: {e}")))?;
    Ok(([(header::CONTENT_TYPE, dialect.media_type().to_owned()), (NEXT, next.to_string())], body)
        .into_response())
}

const NEXT: header::HeaderName = header::HeaderName::from_static("varco-next");

fn mission_of(event: &StoredEvent) -> Option<gate_types::MissionId> {
    let EntryBody::PassClosed { summary } = &event.event.entry.body else { return None };
    summary.mission.as_ref().map(|facts| facts.mission.clone())
}
