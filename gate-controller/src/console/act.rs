//! `POST api/v1/lanes/{lane}/operator`: a person acts; `POST api/v1/lanes/{lane}/correct`: a person says what
//! stands on the vehicle. Both by name and with a reason.

use super::{Console, problem};
use crate::lane_loop::{OperatorRequest, Requested};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use gate_core::OperatorAct;
use gate_core::fusion::entered;
use gate_types::LaneId;
use gate_types::identity::Slot;
use serde::Deserialize;
use tokio::sync::mpsc::error::TrySendError;

/// Longest name and reason, characters.
const MAX_NAME: usize = 64;
const MAX_REASON: usize = 256;

/// The body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ActBody {
    /// Who acts.
    name: String,
    /// What.
    act: Act,
    /// Why.
    reason: String,
}

/// The body of a correction.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CorrectBody {
    /// Who looked.
    name: String,
    /// Which fact.
    slot: Slot,
    /// What stands there.
    value: String,
    /// Why.
    reason: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    Admit,
    TurnBack,
    CloseLane,
    OpenLane,
}

impl From<Act> for OperatorAct {
    fn from(act: Act) -> Self {
        match act {
            Act::Admit => OperatorAct::Admit,
            Act::TurnBack => OperatorAct::TurnBack,
            Act::CloseLane => OperatorAct::CloseLane,
            Act::OpenLane => OperatorAct::OpenLane,
        }
    }
}

/// 202: the lane has it; what it did with it is on record and in the lane's view.
pub(super) async fn operator(
    State(console): State<Console>,
    Path(lane): Path<String>,
    headers: HeaderMap,
    body: Result<Json<ActBody>, JsonRejection>,
) -> Response {
    match body {
        Ok(Json(body)) => {
            let act = OperatorAct::from(body.act).into();
            hand_over(&console, lane, &headers, (&body.name, &body.reason), act)
        }
        Err(rejection) => problem(StatusCode::BAD_REQUEST, &rejection.body_text()),
    }
}

/// 202: the lane has it. It is recorded in any case, and evidence while the vehicle stands there undecided.
pub(super) async fn correct(
    State(console): State<Console>,
    Path(lane): Path<String>,
    headers: HeaderMap,
    body: Result<Json<CorrectBody>, JsonRejection>,
) -> Response {
    let body = match body {
        Ok(Json(body)) => body,
        Err(rejection) => return problem(StatusCode::BAD_REQUEST, &rejection.body_text()),
    };
    let Some(value) = entered(body.slot, &body.value) else {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "value: it cannot stand in this slot; look again");
    };
    let act = Requested::Correct { slot: body.slot, value };
    hand_over(&console, lane, &headers, (&body.name, &body.reason), act)
}

fn hand_over(
    console: &Console,
    lane: String,
    headers: &HeaderMap,
    (name, reason): (&str, &str),
    act: Requested,
) -> Response {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.strip_prefix("Bearer "));
    if !given.is_some_and(|token| console.token.is(token)) {
        return problem(
            StatusCode::UNAUTHORIZED,
            "send `Authorization: Bearer TOKEN` with the node's console-token",
        );
    }
    let (name, reason) = (name.trim(), reason.trim());
    if let Err(why) = words("name", name, MAX_NAME).and_then(|()| words("reason", reason, MAX_REASON)) {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, &why);
    }
    let sender = LaneId::new(lane).ok().and_then(|lane| console.operators.get(&lane));
    let Some(sender) = sender else {
        return problem(StatusCode::NOT_FOUND, "this node has no such lane");
    };
    match sender.try_send(OperatorRequest { name: name.to_owned(), act, reason: reason.to_owned() }) {
        Ok(()) => (StatusCode::ACCEPTED, Json(serde_json::json!({ "status": "accepted" }))).into_response(),
        Err(TrySendError::Full(_)) => {
            problem(StatusCode::SERVICE_UNAVAILABLE, "the lane has not taken earlier acts yet; try again")
        }
        Err(TrySendError::Closed(_)) => problem(StatusCode::SERVICE_UNAVAILABLE, "the lane is stopping"),
    }
}

/// One to `most` printable characters.
fn words(what: &str, text: &str, most: usize) -> Result<(), String> {
    let length = text.chars().count();
    if length == 0 || length > most || text.chars().any(char::is_control) {
        return Err(format!("{what}: 1 to {most} printable characters, please"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Board;
    use crate::console::{ConsoleToken, router};
    use crate::ledger::Ledger;
    use crate::metrics::Meter;
    use axum::body::Body;
    use axum::http::Request;
    use gate_types::{NodeId, PortId};
    use std::collections::HashMap;
    use std::sync::Arc;
    use tokio::sync::mpsc;
    use tower::ServiceExt as _;

    fn console(folder: &std::path::Path) -> (Console, mpsc::Receiver<OperatorRequest>) {
        let (journal, _) = journal::Journal::open(&folder.join("journal.db")).unwrap();
        let (sender, acts) = mpsc::channel(1);
        let lane = LaneId::new("n1-in-1").unwrap();
        let console = Console {
            port: PortId::new("ITBRI").unwrap(),
            node: None,
            node_id: NodeId::new("1").unwrap(),
            board: Board::new([lane.clone()]).0,
            frames: lpr_ocr::FrameStore::default(),
            ledger: Ledger::new(journal, device::Clock::start(), Arc::new(Meter::default())),
            operators: Arc::new(HashMap::from([(lane, sender)])),
            token: Arc::new(ConsoleToken::of("the-token")),
        };
        (console, acts)
    }
    async fn post(console: &Console, lane: &str, token: &str, body: &str) -> StatusCode {
        let request = Request::post(format!("/api/v1/lanes/{lane}/operator"))
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::from(body.to_owned()))
            .unwrap();
        router(console.clone()).oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn an_act_needs_the_token_a_lane_a_name_and_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        let (console, mut acts) = console(folder.path());
        let good = r#"{"name":"Ada","act":"turn_back","reason":"wrong gate"}"#;
        assert_eq!(post(&console, "n1-in-1", "guess", good).await, StatusCode::UNAUTHORIZED);
        assert_eq!(post(&console, "n9-in-1", "the-token", good).await, StatusCode::NOT_FOUND);
        assert_eq!(post(&console, "n1-in-1", "the-token", "{").await, StatusCode::BAD_REQUEST);
        let nameless = r#"{"name":" ","act":"turn_back","reason":"wrong gate"}"#;
        assert_eq!(post(&console, "n1-in-1", "the-token", nameless).await, StatusCode::UNPROCESSABLE_ENTITY);
        let unknown = r#"{"name":"Ada","act":"open_sesame","reason":"x"}"#;
        assert_eq!(post(&console, "n1-in-1", "the-token", unknown).await, StatusCode::BAD_REQUEST);
        assert!(acts.try_recv().is_err());
        assert_eq!(post(&console, "n1-in-1", "the-token", good).await, StatusCode::ACCEPTED);
        assert_eq!(post(&console, "n1-in-1", "the-token", good).await, StatusCode::SERVICE_UNAVAILABLE);
        let act = acts.try_recv().unwrap();
        assert_eq!(
            (act.name.as_str(), act.act, act.reason.as_str()),
            ("Ada", Requested::Act(OperatorAct::TurnBack), "wrong gate")
        );
    }

    #[tokio::test]
    async fn a_correction_is_taken_in_its_canonical_form() {
        let folder = tempfile::tempdir().unwrap();
        let (console, mut acts) = console(folder.path());
        let send = async |token: &str, body: &str| {
            let request = Request::post("/api/v1/lanes/n1-in-1/correct")
                .header(header::HOST, "localhost")
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .body(Body::from(body.to_owned()))
                .unwrap();
            router(console.clone()).oneshot(request).await.unwrap().status()
        };
        let good = r#"{"name":"Ada","slot":"tractor_plate","value":"ab 123 cd","reason":"mud"}"#;
        assert_eq!(send("guess", good).await, StatusCode::UNAUTHORIZED);
        let wrong = r#"{"name":"Ada","slot":"itu","value":"MAEU7994763","reason":"mud"}"#;
        assert_eq!(send("the-token", wrong).await, StatusCode::UNPROCESSABLE_ENTITY, "check digit");
        assert!(acts.try_recv().is_err());
        assert_eq!(send("the-token", good).await, StatusCode::ACCEPTED);
        let act = acts.try_recv().unwrap().act;
        assert_eq!(act, Requested::Correct { slot: Slot::TractorPlate, value: "AB123CD".into() });
    }

    #[tokio::test]
    async fn reads_are_open_on_loopback_names_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (console, _acts) = console(folder.path());
        let get = async |path: &str, host: &str| {
            let request = Request::get(path).header(header::HOST, host).body(Body::empty()).unwrap();
            router(console.clone()).oneshot(request).await.unwrap().status()
        };
        for path in ["/", "/console.css", "/console.js", "/api/v1/lanes", "/api/v1/metrics", "/api/v1/health"]
        {
            assert_eq!(get(path, "127.0.0.1:8080").await, StatusCode::OK, "{path}");
            assert_eq!(get(path, "evil.example").await, StatusCode::FORBIDDEN, "{path}");
        }
        assert_eq!(get("/api/v1/frames/n1-in-1.front", "localhost").await, StatusCode::NOT_FOUND);
        assert_eq!(get("/api/v1/frames/..%2Fx", "localhost").await, StatusCode::NOT_FOUND);
    }
}
