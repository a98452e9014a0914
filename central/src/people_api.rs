//! What people and integrators are served: missions, alarms, tokens, counts and the stream of news.

use crate::alarms_api;
use crate::app::{App, now_ms, served};
use crate::log_api::{self, LOG_CONSISTENCY, LOG_ENTRIES, LOG_HEAD, LOG_INCLUSION};
use crate::missions;
use crate::problem::{ApiProblem, Asked, Sent};
use crate::signing;
use crate::state;
use crate::store::{EventFilter, StoreError, StoredEvent};
use crate::stream::stream;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use gate_types::NodeId;
use gate_types::api::{
    ALARMS, COMMANDS, EVENT_COUNTS, EnrolToken, EventCounts, FAULTS, FaultView, GATE_PASSES, HEALTH,
    MISSIONS, STREAM, TOKENS, TokenRequest,
};
use serde::Deserialize;
use std::sync::Arc;

/// Longest validity of an enrolment token, seconds.
const TOKEN_VALID_S: u64 = 86_400;
/// Items of a page unless told.
const PAGE: i64 = 100;
/// Most items of a page.
pub(crate) const MAX_PAGE: i64 = 1000;
/// Passes in the words of other systems.
const EXPORTS: &str = "/api/v1/exports/{dialect}";
/// Stored events, for audits.
const STORED_EVENTS: &str = "/api/v1/events";

pub(crate) type Shared = State<Arc<App>>;

/// The routes of the people's listener.
pub(crate) fn routes(app: Arc<App>) -> Router {
    let guarded = Router::new()
        .route(MISSIONS, post(missions::create).get(missions::list))
        .route(&format!("{MISSIONS}/{{id}}"), get(missions::show).patch(missions::change))
        .route(ALARMS, get(alarms_api::list))
        .route(&format!("{ALARMS}/{{id}}"), post(alarms_api::act))
        .route(EXPORTS, get(alarms_api::export))
        .route(FAULTS, get(faults))
        .route(STREAM, get(stream))
        .route(TOKENS, post(token))
        .route(COMMANDS, post(signing::command))
        .route(GATE_PASSES, post(signing::gate_pass))
        .route(EVENT_COUNTS, get(counts))
        .route(STORED_EVENTS, get(events))
        .route(LOG_HEAD, get(log_api::head))
        .route(LOG_ENTRIES, get(log_api::entries))
        .route(LOG_INCLUSION, get(log_api::inclusion))
        .route(LOG_CONSISTENCY, get(log_api::consistency))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&app), demand_token));
    let open = Router::new().route(HEALTH, get(health)).route("/", get(page));
    served(open.merge(guarded).with_state(app))
}

async fn demand_token(State(app): Shared, request: Request, next: Next) -> Result<Response, ApiProblem> {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|text| text.strip_prefix("Bearer ")).map(|token| state::digest(token.trim()));
    if token.is_some_and(|digest| state::same(&digest, &app.admin)) {
        return Ok(next.run(request).await);
    }
    Err(ApiProblem::unauthorised(
        "send `Authorization: Bearer TOKEN`; the token lies in the file admin-token beside central's database",
    ))
}

async fn health() -> impl IntoResponse {
    Json(serde_json::json!({ "status": "ok" }))
}

async fn page() -> impl IntoResponse {
    let policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; \
                  base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = [(header::CONTENT_SECURITY_POLICY, policy), (header::REFERRER_POLICY, "no-referrer")];
    (headers, Html(include_str!("page.html")))
}

/// The size of a page as asked for, within its bounds.
pub(crate) fn limit(asked: Option<i64>) -> i64 {
    asked.unwrap_or(PAGE).clamp(1, MAX_PAGE)
}

async fn faults(State(app): Shared) -> Result<Json<Vec<FaultView>>, ApiProblem> {
    let faults: Result<Vec<FaultView>, StoreError> = app.store.read(|tx| tx.faults()).await;
    Ok(Json(faults?))
}

async fn token(State(app): Shared, Sent(asked): Sent<TokenRequest>) -> Result<Json<EnrolToken>, ApiProblem> {
    app.known_node(&asked.node)?;
    if !(1..=TOKEN_VALID_S).contains(&asked.valid_s) {
        return Err(ApiProblem::invalid(format!("valid_s: 1 to {TOKEN_VALID_S} seconds")));
    }
    let secret = state::secret().map_err(ApiProblem::internal)?;
    let (digest, node) = (state::digest(&secret), asked.node);
    let valid_ms = i64::try_from(asked.valid_s).unwrap_or(0).saturating_mul(1000);
    tracing::info!(%node, valid_s = asked.valid_s, "enrolment token issued");
    let kept = app.store.write(move |tx| tx.insert_token(&digest, &node, now_ms().saturating_add(valid_ms)));
    kept.await.map_err(ApiProblem::from)?;
    Ok(Json(EnrolToken { token: format!("varco1.{secret}.{}", app.authority.fingerprint()) }))
}

async fn counts(State(app): Shared) -> Result<Json<EventCounts>, ApiProblem> {
    let counts: Result<EventCounts, StoreError> = app.store.read(|tx| tx.event_counts()).await;
    Ok(Json(counts?))
}

#[derive(Deserialize)]
struct EventQuery {
    node: Option<NodeId>,
    kind: Option<String>,
    after: Option<i64>,
    limit: Option<i64>,
}

async fn events(
    State(app): Shared,
    Asked(asked): Asked<EventQuery>,
) -> Result<Json<Vec<StoredEvent>>, ApiProblem> {
    let EventQuery { node, kind, after, limit: size } = asked;
    let filter = EventFilter { node, kind, after: after.unwrap_or(0), limit: limit(size) };
    let events: Result<Vec<StoredEvent>, StoreError> = app.store.read(move |tx| tx.events(&filter)).await;
    Ok(Json(events?))
}
