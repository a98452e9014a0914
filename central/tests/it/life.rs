//! Every admissible sequence of every process of the shipped site, from creation to its definitive status,
//! without an alarm (B10-B16, B30-B40).

use crate::harness::{Central, central, facts, mission, on_both, plate};
use gate_types::api::{AlarmKind, STREAM};
use gate_types::mission::{
    Condition, ExceptionGrant, LegRef, MissionConditions, MissionPath, PathKind, Process,
};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// Conditions under which this leg of the path is the next one.
fn conditions(process: &Process, path: &MissionPath, requires: &[Condition]) -> MissionConditions {
    let berth = process.legs_of(path).into_iter().find(|l| l.requires.contains(&Condition::BerthHere));
    let grant = ExceptionGrant { reason: "quay closed".to_owned(), authorised_by: "Verdi".to_owned() };
    MissionConditions {
        access_permission: !requires.contains(&Condition::NoAccessPermission),
        boarding_ticket: !requires.contains(&Condition::NoBoardingTicket),
        declaration: requires.contains(&Condition::Declaration).then(|| process.declarations[0]),
        berth: berth.map(|leg| leg.node.clone()),
        exception: (path.kind == PathKind::Exceptional).then_some(grant),
    }
}

async fn drive(central: &Central, process: &Process, path: &MissionPath, number: u64) {
    let registration = format!("AB{number:03}CD");
    let mut asked = mission(&path.id, &registration);
    asked.process = process.id.clone();
    asked.conditions = conditions(process, path, &[]);
    let id = central.create(&asked).await.id;
    let mut gates = BTreeMap::new();
    for (n, leg) in process.legs_of(path).into_iter().enumerate() {
        let change = json!({ "conditions": conditions(process, path, &leg.requires), "by": "test" });
        assert!(central.patch(id.as_str(), &change).send().await.unwrap().status().is_success());
        let here = LegRef { node: leg.node.clone(), direction: leg.direction };
        let view = central.mission(id.as_str()).await;
        assert!(view.next.contains(&here), "{}: {here:?} is not among {:?}", path.id, view.next);
        if !gates.contains_key(leg.node.as_str()) {
            gates.insert(leg.node.to_string(), central.gate(leg.node.as_str()).await);
        }
        let gate = &gates[leg.node.as_str()];
        let (pass, at_ms) = (number * 100 + n as u64, (number * 10_000_000) as i64 + n as i64 * 600_000);
        let known = facts(gate.ask(plate(&registration), pass).await);
        assert_eq!((known.mission.clone(), known.progress.len(), known.ended), (id.clone(), n, false));
        gate.send(&[gate.passed(pass, at_ms, leg.direction, Some(known))]).await;
    }
    let ended = central.mission(id.as_str()).await;
    assert_eq!(ended.definitive, Some(process.definitive), "{}", path.id);
    assert_eq!((ended.passed.len(), ended.next.len()), (path.legs.len(), 0), "{}", path.id);
    let last = process.legs_of(path).last().unwrap().node.clone();
    let after = gates[last.as_str()].ask(plate(&registration), 1_000_000 + number).await;
    assert!(
        matches!(after, gate_types::release::Finding::Nothing { .. }),
        "an ended mission is no longer found"
    );
}

on_both! {
async fn every_admissible_path_reaches_its_definitive_status() {
    let central = central().await;
    let mut number = 0;
    for process in central.site.processes.clone() {
        for path in &process.paths {
            number += 1;
            drive(&central, &process, path, number).await;
        }
    }
    assert_eq!(number, 15);
    assert_eq!(central.alarms().await, vec![]);
}
}

on_both! {
async fn the_wrong_way_is_told_with_process_expected_and_observed_node() {
    let central = central().await;
    let id = central.create(&mission("a", "AB123CD")).await.id;
    let gate = central.gate("7").await;
    let known = facts(gate.ask(plate("AB123CD"), 1).await);
    let mut stream = central.get(STREAM).send().await.unwrap();
    gate.send(&[gate.passed(1, 100_000, gate_types::mission::Direction::In, Some(known))]).await;
    let alarms = central.alarms().await;
    assert_eq!((alarms.len(), alarms[0].kind), (1, AlarmKind::UnexpectedNode));
    for part in [id.as_str(), "P1", "node 1 (in)", "node 7 (in)"] {
        assert!(alarms[0].text.contains(part), "B41: {}", alarms[0].text);
    }
    let mut heard = String::new();
    let hear = async {
        while !heard.contains("UNEXPECTED_NODE") {
            heard.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
        }
    };
    tokio::time::timeout(Duration::from_secs(20), hear).await.unwrap();
}
}
