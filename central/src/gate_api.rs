//! What gates are served: enrolment, release, events. Everything but enrolment demands the certificate of
//! the very node that the body names.

use crate::app::{App, now_ms, served};
use crate::ca::IssueError;
use crate::heads;
use crate::intake;
use crate::listen::Peer;
use crate::permits;
use crate::problem::{ApiProblem, Sent};
use crate::resolve::{self, Choice};
use crate::state;
use crate::store::{Ask, NewEvent, StoreError, Tx};
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::post;
use gate_types::api::{
    ENROL, EVENTS, EnrolAnswer, EnrolRequest, EventBatch, EventReceipt, HEADS, HeadAnswer, HeadReport,
    MAX_BATCH, PERMITS, PermitRequest, PermitSheet, RELEASE, SignedAnswer,
};
use gate_types::head::read_head;
use gate_types::release::{Finding, ReleaseAnswer, ReleaseRequest};
use gate_types::{NodeId, PortId, jws};
use std::sync::Arc;

/// How long a gate may act on an answer.
const VALID_MS: u64 = 5_000;
/// Longest nonce, bytes.
const NONCE: usize = 200;
/// Counters of gates stay below this, so that they fit the database.
const COUNTERS: u64 = i64::MAX as u64;

type Shared = State<Arc<App>>;
/// The certificate's node.
#[derive(Clone)]
struct Certified(NodeId);

/// The routes of the gate listener.
pub(crate) fn routes(app: Arc<App>) -> Router {
    let certified = Router::new()
        .route(RELEASE, post(release))
        .route(PERMITS, post(give_permits))
        .route(EVENTS, post(events))
        .route(HEADS, post(journal_head))
        .route_layer(middleware::from_fn(demand_certificate));
    served(Router::new().route(ENROL, post(enrol)).merge(certified).with_state(app))
}

async fn demand_certificate(
    ConnectInfo(peer): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiProblem> {
    let Some(node) = peer.node else {
        tracing::info!(address = %peer.address, path = request.uri().path(), "refused: no client certificate");
        return Err(ApiProblem::unauthorised(format!(
            "{} demands a client certificate of this port's authority; enrol the gate with a token",
            request.uri().path()
        )));
    };
    request.extensions_mut().insert(Certified(node));
    Ok(next.run(request).await)
}

/// Refuses a body that speaks for another node or port than the certificate.
fn demand_same(app: &App, Certified(of): &Certified, node: &NodeId, port: &PortId) -> Result<(), ApiProblem> {
    if of != node {
        return Err(ApiProblem::forbidden(format!(
            "the certificate is node {of}'s, the body speaks for node {node}; each gate asks for itself"
        )));
    }
    if *port != app.site.port {
        return Err(ApiProblem::forbidden(format!(
            "this is port {}, the body names port {port}",
            app.site.port
        )));
    }
    app.known_node(node)
}

async fn enrol(
    State(app): Shared,
    Sent(asked): Sent<EnrolRequest>,
) -> Result<axum::Json<EnrolAnswer>, ApiProblem> {
    let refused = || {
        ApiProblem::forbidden(
            "secret: not a token of this node that is unused and unexpired; issue a new one for it",
        )
    };
    let (digest, node) = (state::digest(&asked.secret), asked.node.clone());
    let of = node.clone();
    let holds = app.store.read(move |tx| tx.token_holds(&digest, &of, now_ms())).await;
    if !holds.map_err(ApiProblem::from)? {
        tracing::warn!(%node, "enrolment refused: token not good for this node");
        return Err(refused());
    }
    let issued = app.authority.issue(&node, &asked.csr_pem).map_err(|e| match e {
        IssueError::Request(_) => ApiProblem::malformed(format!("{e}; make a new key and request")),
        IssueError::Authority(_) => ApiProblem::internal(e),
    })?;
    let (serial, not_after_ms, of) = (issued.serial, issued.not_after_ms, node.clone());
    let of_node = of;
    let bought = app.store.write(move |tx| {
        let now = now_ms();
        let bought = tx.use_token(&digest, &of_node, now)?;
        if bought {
            tx.insert_certificate(&serial, &of_node, now, not_after_ms)?;
        }
        Ok::<_, StoreError>(bought)
    });
    if !bought.await? {
        return Err(refused());
    }
    tracing::info!(%node, "gate enrolled");
    Ok(axum::Json(EnrolAnswer {
        certificate_pem: issued.pem,
        ca_pem: app.authority.pem().to_owned(),
        release_key: jws::key_to_text(&app.release_key.verifying_key()),
        port: app.site.port.clone(),
    }))
}

async fn release(
    State(app): Shared,
    axum::Extension(certified): axum::Extension<Certified>,
    Sent(asked): Sent<ReleaseRequest>,
) -> Result<axum::Json<SignedAnswer>, ApiProblem> {
    demand_same(&app, &certified, &asked.node, &asked.port)?;
    if asked.nonce.is_empty() || asked.nonce.len() > NONCE {
        return Err(ApiProblem::invalid(format!("nonce: 1 to {NONCE} bytes")));
    }
    if asked.pass.number > COUNTERS {
        return Err(ApiProblem::invalid("pass.number: too large for a counter"));
    }
    let asked = Arc::new(asked);
    let of = Arc::clone(&asked);
    let finding: Result<Finding, StoreError> = app.store.write(move |tx| find(tx, &of)).await;
    let answer = ReleaseAnswer {
        nonce: asked.nonce.clone(),
        node: asked.node.clone(),
        pass: asked.pass.clone(),
        signed_at_ms: now_ms(),
        valid_ms: VALID_MS,
        finding: finding?,
    };
    let signed = jws::sign(&app.release_key, &answer).map_err(ApiProblem::internal)?;
    Ok(axum::Json(SignedAnswer { signed }))
}

/// Finds the mission, and keeps who asked.
fn find(tx: &Tx<'_>, request: &ReleaseRequest) -> Result<Finding, StoreError> {
    let (finding, mission_no, found) = match resolve::choose(&resolve::hits(tx, &request.identity)?) {
        Choice::One { no, matched } => match tx.mission_no(no)? {
            Some(record) => {
                (Finding::Mission { facts: Box::new(record.facts()), matched }, Some(no), "mission")
            }
            None => (Finding::Nothing { near: Vec::new() }, None, "nothing"),
        },
        Choice::Several(numbers) => {
            let mut missions = Vec::new();
            for no in numbers {
                missions.extend(tx.mission_no(no)?.map(|record| record.id));
            }
            (Finding::Ambiguous { missions }, None, "ambiguous")
        }
        Choice::Nothing => {
            (Finding::Nothing { near: resolve::near(tx, &request.identity)? }, None, "nothing")
        }
    };
    tx.keep_ask(&Ask { request, at_ms: now_ms(), mission_no, found })?;
    Ok(finding)
}

/// The permits of a node; an empty sheet where the site gives none. It carries central's clock either way.
async fn give_permits(
    State(app): Shared,
    axum::Extension(certified): axum::Extension<Certified>,
    Sent(asked): Sent<PermitRequest>,
) -> Result<axum::Json<PermitSheet>, ApiProblem> {
    demand_same(&app, &certified, &asked.node, &asked.port)?;
    let (site, node) = (Arc::clone(&app.site), asked.node.clone());
    let valid_ms = app.site.permits_valid_s.map(|s| i64::from(s) * 1000);
    let missions = match valid_ms {
        Some(_) => app.store.read(move |tx| permits::of_node(tx, &site, &node)).await,
        None => Ok(Vec::new()),
    };
    let missions = missions.map_err(ApiProblem::from)?;
    let valid_ms = valid_ms.unwrap_or_default();
    let sheet = permits::sheet(&app.release_key, &app.site.port, &asked.node, &missions, valid_ms, now_ms());
    Ok(axum::Json(sheet.map_err(ApiProblem::internal)?))
}

async fn events(
    State(app): Shared,
    axum::Extension(certified): axum::Extension<Certified>,
    Sent(batch): Sent<EventBatch>,
) -> Result<axum::Json<EventReceipt>, ApiProblem> {
    demand_same(&app, &certified, &batch.node, &batch.port)?;
    if batch.events.len() > MAX_BATCH {
        return Err(ApiProblem::invalid(format!(
            "events: {} of them, at most {MAX_BATCH}",
            batch.events.len()
        )));
    }
    for (n, event) in batch.events.iter().enumerate() {
        if event.seq.0 > COUNTERS || event.entry.pass.as_ref().is_some_and(|p| p.number > COUNTERS) {
            return Err(ApiProblem::invalid(format!(
                "events[{n}]: seq or pass number is too large for a counter"
            )));
        }
        if event.hash.len() != 64
            || !event.hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        {
            return Err(ApiProblem::invalid(format!("events[{n}].hash: 64 lower-case hex digits (SHA-256)")));
        }
    }
    let mut events = Vec::with_capacity(batch.events.len());
    for event in batch.events {
        events.push(NewEvent::new(event)?);
    }
    let node = Arc::new(batch.node);
    let mut receipt = EventReceipt { stored: Vec::with_capacity(events.len()), duplicates: 0 };
    // What is stored stays stored should a later part fail: the gate sends all of it again.
    while !events.is_empty() {
        let rest = events.split_off(events.len().min(app.store.bulk_rows()));
        let part = std::mem::replace(&mut events, rest);
        let (site, node) = (Arc::clone(&app.site), Arc::clone(&node));
        let take = move |tx: &Tx<'_>| intake::take(tx, &site, &node, &part, now_ms());
        let taken: Result<EventReceipt, StoreError> = app.store.write_bulk(take).await;
        let taken = taken?;
        receipt.stored.extend(taken.stored);
        receipt.duplicates += taken.duplicates;
    }
    Ok(axum::Json(receipt))
}

async fn journal_head(
    State(app): Shared,
    axum::Extension(certified): axum::Extension<Certified>,
    Sent(report): Sent<HeadReport>,
) -> Result<axum::Json<HeadAnswer>, ApiProblem> {
    demand_same(&app, &certified, &report.node, &report.port)?;
    let signed = report.head.as_deref().map(read_head).transpose();
    let signed = signed.map_err(|e| ApiProblem::invalid(format!("head: {e}")))?;
    if let Some(head) = signed.as_ref().map(|s| &s.head) {
        if (&head.node, &head.port) != (&report.node, &report.port) {
            return Err(ApiProblem::invalid("head: it was signed for another node or port"));
        }
        let hex = head.hash.len() == 64 && head.hash.bytes().all(|b| b.is_ascii_hexdigit());
        if head.seq.0 > COUNTERS || !hex {
            return Err(ApiProblem::invalid("head: seq too large, or hash not 64 hex digits"));
        }
    }
    let (key, node) = (app.release_key.clone(), report.node);
    let taken = app.store.write(move |tx| heads::take(tx, &key, &node, signed.as_ref(), now_ms())).await;
    Ok(axum::Json(taken.map_err(ApiProblem::from)?))
}
