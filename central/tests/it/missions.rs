//! Missions over HTTP (B6, B7): idempotent creation, validation, lists, the stream.

use crate::harness::{central, mission, on_both};
use gate_types::api::{CentralEvent, MISSIONS, MissionView, Problem, STREAM};
use gate_types::mission::{Direction, LegRef};
use gate_types::release::Expected;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

on_both! {
async fn one_key_makes_one_mission() {
    let central = central().await;
    let asked = mission("a", "AB123CD");
    let first = central.create(&asked).await;
    let body = serde_json::to_value(&asked).unwrap();
    let again = central.post(MISSIONS, &body).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(again.json::<MissionView>().await.unwrap(), first);
    let other = serde_json::to_value(mission("a", "AB124CD")).unwrap();
    let refused = central.post(MISSIONS, &other).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    let (x, y) = (mission("b", "ZZ001ZZ"), mission("b", "ZZ001ZZ"));
    let (x, y) = (serde_json::to_value(x).unwrap(), serde_json::to_value(y).unwrap());
    let (x, y) = tokio::join!(central.post(MISSIONS, &x).send(), central.post(MISSIONS, &y).send());
    let (x, y): (MissionView, MissionView) =
        (x.unwrap().json().await.unwrap(), y.unwrap().json().await.unwrap());
    assert_eq!(x.id.as_str(), "M-000002");
    assert_eq!(x, y);
}
}

on_both! {
async fn everything_that_is_wrong_is_told_at_once() {
    let central = central().await;
    let mut bad = mission(" ", "-");
    bad.mrns = vec!["26ITQ0123456789AB0".to_owned(), "short".to_owned()];
    bad.expected = Expected {
        tractor_plate: Some("-".to_owned()),
        trailer_plate: None,
        itus: vec!["CSQU3054384".to_owned(), "X".to_owned(), "Y".to_owned()],
        vehicle_tag: Some("xyz".to_owned()),
        tare_kg: Some(-1.0),
        declared_cargo_kg: Some(0.0),
    };
    bad.process = "P9".parse().unwrap();
    bad.status = gate_types::mission::CustomsStatus::Held;
    bad.conditions.berth = Some("99".parse().unwrap());
    bad.language = Some("!".to_owned());
    let response = central.post(MISSIONS, &serde_json::to_value(&bad).unwrap()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let problem: Problem = response.json().await.unwrap();
    for part in [
        "idempotency_key:",
        "mrns[0]:",
        "mrns[1]:",
        "expected.tractor_plate:",
        "expected.itus:",
        "expected.itus[0]:",
        "expected.itus[1]:",
        "expected.vehicle_tag:",
        "expected.tare_kg:",
        "expected.declared_cargo_kg:",
        "process:",
        "holds:",
        "conditions.berth:",
        "language:",
    ] {
        assert!(problem.detail.contains(part), "{part} {}", problem.detail);
    }
    let mut nobody = mission("n", "AB123CD");
    nobody.expected = Expected::default();
    nobody.imported_progress = vec![LegRef { node: "2".parse().unwrap(), direction: Direction::In }];
    let response = central.post(MISSIONS, &serde_json::to_value(&nobody).unwrap()).send().await.unwrap();
    let problem: Problem = response.json().await.unwrap();
    assert!(
        problem.detail.contains("expected:") && problem.detail.contains("imported_progress:"),
        "{problem:?}"
    );
}
}

on_both! {
async fn a_running_port_is_taken_over_with_its_progress() {
    let central = central().await;
    let mut under_way = mission("a", "AB123CD");
    under_way.imported_progress = vec![LegRef { node: "1".parse().unwrap(), direction: Direction::In }];
    let view = central.create(&under_way).await;
    assert!(view.passed[0].imported);
    assert_eq!(view.next, [LegRef { node: "2".parse().unwrap(), direction: Direction::In }]);
}
}

on_both! {
async fn lists_are_narrowed_and_paged() {
    let central = central().await;
    for n in 1..=5 {
        let mut asked = mission(&format!("k{n}"), &format!("AB10{n}CD"));
        if n > 3 {
            asked.process = "P2".parse().unwrap();
            asked.status = gate_types::mission::CustomsStatus::Pending;
        }
        central.create(&asked).await;
    }
    let ids = async |query: &str| -> Vec<String> {
        let list: Vec<MissionView> = central.read(&format!("{MISSIONS}?{query}")).await;
        list.into_iter().map(|m| m.id.to_string()).collect()
    };
    assert_eq!(ids("limit=2").await, ["M-000001", "M-000002"]);
    assert_eq!(ids("limit=2&after=M-000002").await, ["M-000003", "M-000004"]);
    assert_eq!(ids("process=P2").await, ["M-000004", "M-000005"]);
    assert_eq!(ids("status=released&limit=9").await.len(), 3);
    assert_eq!(ids("plate=ab-1o3+cd").await, ["M-000003"]);
    for (query, status) in
        [("status=free", 400), ("limit=x", 400), ("after=M-999999", 404), ("plate=--", 400)]
    {
        let response = central.get(&format!("{MISSIONS}?{query}")).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{query}");
    }
    assert_eq!(central.get(&format!("{MISSIONS}/M-9")).send().await.unwrap().status(), StatusCode::NOT_FOUND);
}
}

on_both! {
async fn the_stream_tells_of_new_and_changed_missions() {
    let central = central().await;
    let mut stream = central.get(STREAM).send().await.unwrap();
    let id = central.create(&mission("a", "AB123CD")).await.id;
    let change = json!({ "status": "pending", "by": "test" });
    assert!(central.patch(id.as_str(), &change).send().await.unwrap().status().is_success());
    let mut text = String::new();
    let hear = async {
        while text.matches("\n\n").count() < 2 {
            text.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
        }
    };
    tokio::time::timeout(Duration::from_secs(20), hear).await.unwrap();
    let versions: Vec<u64> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|json| match serde_json::from_str::<CentralEvent>(json).unwrap() {
            CentralEvent::Mission { mission } => mission.version,
            CentralEvent::Alarm { alarm } => panic!("{alarm:?}"),
        })
        .collect();
    assert_eq!(versions, [1, 2]);
    let bad: Value = json!({ "status": "held", "by": "test" });
    assert_eq!(
        central.patch(id.as_str(), &bad).send().await.unwrap().status(),
        StatusCode::UNPROCESSABLE_ENTITY
    );
    // A reader that stays does not keep central from stopping.
    tokio::time::timeout(Duration::from_secs(20), central.stop()).await.unwrap();
}
}
