//! Commands for lanes and gate passes: signed for one lane or node, within bounds, by the known key.

use crate::harness::{central, mission, on_both};
use gate_types::api::{COMMANDS, GATE_PASSES, SignedCommand, SignedGatePass};
use gate_types::command::{self, Came, RemoteCommand};
use gate_types::{LaneId, MissionId, NodeId, gate_pass, jws};
use reqwest::StatusCode;
use serde_json::json;

fn now_ms() -> i64 {
    i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap()
}

on_both! {
async fn a_command_is_signed_for_one_lane_and_a_short_time() {
    let central = central().await;
    let gate = central.gate("1").await;
    let body = |valid_s: u64| {
        json!({ "node": "1", "lane": "n1-in-1", "valid_s": valid_s, "by": "officer Rossi", "reason": "works",
                "command": { "do": "close_lane" } })
    };
    let response = central.post(COMMANDS, &body(60)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let signed: SignedCommand = response.json().await.unwrap();
    assert_eq!(signed.topic, "gate/ITBRI/1/n1-in-1/cmd/close_lane");
    let key = jws::key_from_text(&gate.answer.release_key).unwrap();
    let (node, lane) = (NodeId::new("1").unwrap(), LaneId::new("n1-in-1").unwrap());
    let came = Came {
        port: &gate.answer.port,
        node: &node,
        lane: &lane,
        name: "close_lane",
        retained: false,
        now_ms: now_ms(),
    };
    let told = command::read(&key, &came, signed.signed.as_bytes()).unwrap();
    assert_eq!((told.id, told.command), (signed.id, RemoteCommand::CloseLane {}));
    for bad in [body(0), body(301), json!({ "node": "99" })] {
        let status = central.post(COMMANDS, &bad).send().await.unwrap().status();
        assert!(status.is_client_error(), "{bad}: {status}");
    }
}
}

on_both! {
async fn a_gate_pass_names_a_mission_that_is_stored() {
    let central = central().await;
    let gate = central.gate("1").await;
    let made = central.create(&mission("a", "AB123CD")).await;
    let body = json!({ "mission": made.id, "node": "1", "valid_s": 3600 });
    let pass: SignedGatePass = central.post(GATE_PASSES, &body).send().await.unwrap().json().await.unwrap();
    let key = jws::key_from_text(&gate.answer.release_key).unwrap();
    let node = NodeId::new("1").unwrap();
    let read = gate_pass::read(&key, &gate.answer.port, &node, now_ms(), &pass.text).unwrap();
    assert_eq!((read.mission, read.id), (made.id.clone(), pass.id));
    let unknown = json!({ "mission": MissionId::new("M-999999").unwrap(), "node": "1", "valid_s": 3600 });
    assert_eq!(central.post(GATE_PASSES, &unknown).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    let long = json!({ "mission": made.id, "node": "1", "valid_s": 604_801 });
    assert_eq!(
        central.post(GATE_PASSES, &long).send().await.unwrap().status(),
        StatusCode::UNPROCESSABLE_ENTITY
    );
}
}
