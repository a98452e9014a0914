//! The life of an alarm, what the nodes compare, and passes in other systems' words.

use crate::harness::{central, facts, mission, plate};
use gate_types::api::{AlarmKind, AlarmView};
use gate_types::entry::EntryBody;
use gate_types::identity::{Candidate, GrossWeight, Slot, SlotEvidence};
use gate_types::mission::Direction;
use gate_types::release::MissionFacts;
use serde_json::{Value, json};

/// P1 at node 1, then at node 6: node 2 unseen.
async fn skipped(central: &crate::harness::Central) -> (AlarmView, MissionFacts) {
    central.create(&mission("a", "AB123CD")).await;
    let (first, dock) = (central.gate("1").await, central.gate("6").await);
    let known = facts(first.ask(plate("AB123CD"), 1).await);
    first.send(&[first.passed(1, 1_000_000, Direction::In, Some(known.clone()))]).await;
    dock.send(&[dock.passed(1, 1_360_000, Direction::In, Some(known.clone()))]).await;
    let alarms = central.alarms().await;
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    (alarms[0].clone(), known)
}

#[tokio::test]
async fn a_skipped_node_carries_the_probability_of_each_explanation() {
    let central = central().await;
    let (alarm, _) = skipped(&central).await;
    assert_eq!(alarm.kind, AlarmKind::SkippedNode);
    let [leg] = alarm.skipped.as_slice() else { panic!("{alarm:?}") };
    assert_eq!(leg.leg.node.as_str(), "2");
    assert!(leg.missed_read > 0.9 && alarm.suspicion < 0.1, "{alarm:?}");
    assert_eq!(alarm.due_ms, None, "nobody is sent after a missed read");
}

#[tokio::test]
async fn an_alarm_is_acknowledged_once_and_closed_with_a_finding() {
    let central = central().await;
    let (alarm, known) = skipped(&central).await;
    let path = format!("/api/v1/alarms/{}", alarm.id);
    let post = async |body: Value| {
        let answer = central.post(&path, &body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    assert_eq!(post(json!({ "act": "close", "by": "Rossi", "finding": " " })).await.0, 422);
    let (status, taken) = post(json!({ "act": "acknowledge", "by": "Rossi", "note": "I drive there" })).await;
    assert_eq!((status, taken["acknowledged"]["by"].as_str()), (200, Some("Rossi")));
    assert_eq!(post(json!({ "act": "acknowledge", "by": "Verdi" })).await.0, 409, "Rossi looks after it");
    assert_eq!(post(json!({ "act": "merge", "by": "Verdi", "into": 99 })).await.0, 409, "no such alarm");
    assert_eq!(post(json!({ "act": "close", "by": "Rossi", "finding": "camera dirty" })).await.0, 200);
    assert_eq!(central.alarms().await, vec![]);
    let closed: Vec<AlarmView> = central.read("/api/v1/alarms?state=closed").await;
    assert_eq!(closed[0].closed.as_ref().map(|c| c.note.as_str()), Some("camera dirty"));
    // The same passes told again do not open it again.
    let dock = central.gate("6").await;
    dock.send(&[dock.passed(2, 1_960_000, Direction::Out, Some(known))]).await;
    assert!(central.alarms().await.iter().all(|a| a.id != alarm.id));
}

#[tokio::test]
async fn t27_t44_another_seal_and_weight_at_the_dock() {
    let central = central().await;
    central.create(&mission("a", "AB123CD")).await;
    let known = facts(central.gate("1").await.ask(plate("AB123CD"), 1).await);
    for (node, at_ms, seal, kg) in [
        ("1", 1_000_000, "IT0047", 20_000.0),
        ("2", 1_600_000, "IT0047", 20_100.0),
        ("6", 2_200_000, "IT9999", 17_000.0),
    ] {
        let gate = central.gate(node).await;
        let mut event = gate.passed(1, at_ms, Direction::In, Some(known.clone()));
        let EntryBody::PassClosed { summary } = &mut event.entry.body else { panic!() };
        let candidates =
            vec![Candidate { value: seal.into(), probability: 0.99, support: vec!["gate-man".into()] }];
        summary.identity.slots = vec![SlotEvidence {
            slot: Slot::Seal,
            candidates,
            conflict: false,
            blind: false,
            sources: vec![],
        }];
        summary.identity.weight =
            Some(GrossWeight { vehicle_gross_kg: kg, device: "scale".into(), alibi: None });
        gate.send(&[event]).await;
    }
    let alarms = central.alarms().await;
    let mut kinds: Vec<AlarmKind> = alarms.iter().map(|a| a.kind).collect();
    kinds.sort();
    assert_eq!(kinds, [AlarmKind::SealChanged, AlarmKind::WeightDrift], "{alarms:?}");
    assert!(alarms.iter().all(|a| a.node.as_str() == "6" && a.due_ms.is_some()), "{alarms:?}");
}
