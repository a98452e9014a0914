//! Events are taken once, whatever the delivery; alarms follow what is known (I4, B14, B41).

use crate::harness::{central, facts, mission, on_both, plate};
use gate_types::BootEpoch;
use gate_types::api::{AlarmKind, EVENT_COUNTS, EventCounts, FAULTS, FaultView, GateEvent};
use gate_types::entry::{Authority, EntryBody};
use gate_types::fault::{Fault, FaultKind};
use gate_types::mission::{DefinitiveStatus, Direction};
use gate_types::observation::ArmPosition;
use serde_json::Value;

on_both! {
async fn the_same_batch_twice_is_stored_once() {
    let central = central().await;
    let gate = central.gate("1").await;
    let open = |seq| gate.event(seq, 1000, EntryBody::PassOpened { direction: Direction::In });
    let batch = [open(1), open(2), open(3)];
    let first = gate.send(&batch).await;
    let again = gate.send(&batch).await;
    assert_eq!((first.stored.len(), first.duplicates), (3, 0));
    assert_eq!((again.stored.len(), again.duplicates), (3, 3));
    let other = central.gate("2").await;
    other.send(&[other.event(1, 1000, EntryBody::PassOpened { direction: Direction::In })]).await;
    let counts: EventCounts = central.read(EVENT_COUNTS).await;
    assert_eq!((counts.stored, counts.redelivered, counts.duplicated), (4, 3, 0));
    assert_eq!((counts.by_node["1"], counts.by_node["2"]), (3, 1));
    let page: Vec<Value> = central.read("/api/v1/events?node=1&kind=pass_opened&limit=2").await;
    assert_eq!(
        (page.len(), &page[0]["seq"], &page[0]["entry"]["kind"]),
        (2, &1.into(), &"pass_opened".into())
    );
    let rest: Vec<Value> = central.read(&format!("/api/v1/events?node=1&after={}", page[1]["row"])).await;
    assert_eq!((rest.len(), &rest[0]["seq"]), (1, &3.into()));
}
}

on_both! {
async fn the_same_key_with_another_content_is_an_alarm_once() {
    let central = central().await;
    let gate = central.gate("1").await;
    let event = gate.event(1, 1000, EntryBody::PassOpened { direction: Direction::In });
    let mut forged = gate.event(1, 1000, EntryBody::PassOpened { direction: Direction::Out });
    forged.hash = "f".repeat(64);
    gate.send(std::slice::from_ref(&event)).await;
    for _ in 0..2 {
        assert_eq!(gate.send(&[forged.clone()]).await.stored.len(), 1, "the gate's outbox is not blocked");
    }
    let alarms = central.alarms().await;
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert_eq!(alarms[0].kind, AlarmKind::TamperedEvent);
    let stored: Vec<Value> = central.read("/api/v1/events").await;
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0]["hash"], event.hash, "what came first stays");
}
}

on_both! {
async fn a_late_event_withdraws_the_alarm_that_it_explains() {
    let central = central().await;
    let mut import = mission("a", "AB123CD");
    import.process = "P3".parse().unwrap();
    import.conditions.declaration = Some(gate_types::mission::DeclarationKind::Transit);
    let id = central.create(&import).await.id;
    let (dock, exit) = (central.gate("6").await, central.gate("1").await);
    let known = facts(dock.ask(plate("AB123CD"), 1).await);
    let at_dock = dock.passed(1, 100_000, Direction::Out, Some(known.clone()));
    let at_exit = exit.passed(1, 200_000, Direction::Out, Some(known));
    exit.send(std::slice::from_ref(&at_exit)).await;
    exit.send(std::slice::from_ref(&at_exit)).await;
    let alarms = central.alarms().await;
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert_eq!((alarms[0].kind, alarms[0].mission.as_ref()), (AlarmKind::SkippedNode, Some(&id)));
    for part in ["P3", "node 6 (out)", "node 1 (out)"] {
        assert!(alarms[0].text.contains(part), "B41: {}", alarms[0].text);
    }
    let ended = central.mission(id.as_str()).await;
    assert_eq!(ended.definitive, Some(DefinitiveStatus::Exited), "a missed read does not keep it from its end");
    assert_eq!(ended.passed.iter().map(|p| p.unseen).collect::<Vec<_>>(), [true, false]);
    dock.send(std::slice::from_ref(&at_dock)).await;
    dock.send(&[at_dock]).await;
    exit.send(&[at_exit]).await;
    assert_eq!(central.alarms().await, vec![]);
    let withdrawn: Vec<Value> = central.read("/api/v1/alarms?state=withdrawn").await;
    assert_eq!(withdrawn.len(), 1);
    let ended = central.mission(id.as_str()).await;
    assert_eq!((ended.definitive, ended.passed.len()), (Some(DefinitiveStatus::Exited), 2));
}
}

on_both! {
async fn a_pass_without_mission_alarms_unless_a_person_let_it_through() {
    let central = central().await;
    let gate = central.gate("1").await;
    let with = |seq, raised_by: Option<Authority>| {
        let mut event = gate.passed(seq, 100_000 * seq as i64, Direction::In, None);
        if let EntryBody::PassClosed { summary } = &mut event.entry.body {
            summary.raised_by = raised_by;
        }
        event
    };
    let person = Authority::Operator { name: "Bianchi".to_owned(), reason: "fire brigade".to_owned() };
    let by_hand =
        gate.event(2, 290_000, EntryBody::ArmMovedUncommanded { arm: ArmPosition::Up, exit: false });
    gate.send(&[with(1, Some(person)), by_hand, with(3, None)]).await;
    assert_eq!(central.alarms().await, vec![]);
    gate.send(&[with(4, Some(Authority::Decision)), with(5, None)]).await;
    let alarms = central.alarms().await;
    assert_eq!(alarms.iter().map(|a| a.kind).collect::<Vec<_>>(), [AlarmKind::UnknownVehicle; 2]);
    let key = EntryBody::LocalHands { key: true, fire: false, arm: ArmPosition::Up, exit: false };
    gate.send(&[gate.event(7, 790_000, key), with(8, None)]).await;
    assert_eq!(central.alarms().await.len(), 2, "a guard let it through by key");
}
}

on_both! {
async fn faults_stand_until_they_are_cleared_or_their_daemon_starts_anew() {
    let central = central().await;
    let gate = central.gate("1").await;
    let fault =
        |device: &str| Fault { kind: FaultKind::DeviceDown, device: device.into(), text: "gone".into() };
    let raised = |seq, device| gate.event(seq, 1000, EntryBody::FaultRaised { fault: fault(device) });
    let in_epoch = |epoch, event: GateEvent| GateEvent { epoch: BootEpoch(epoch), ..event };
    let devices = async || -> Vec<String> {
        let faults: Vec<FaultView> = central.read(FAULTS).await;
        faults.into_iter().map(|f| f.fault.device).collect()
    };
    let cleared = gate.event(4, 1000, EntryBody::FaultCleared { fault: fault("io") });
    gate.send(&[raised(1, "io"), raised(2, "front"), raised(3, "reader")]).await;
    assert_eq!(devices().await, ["front", "io", "reader"]);
    gate.send(std::slice::from_ref(&cleared)).await;
    gate.send(&[raised(1, "io"), cleared]).await;
    assert_eq!(devices().await, ["front", "reader"], "an event that comes again raises nothing");

    // Another gate's start is not this one's.
    let other = central.gate("2").await;
    let start = EntryBody::DaemonStarted { version: "1".into(), config_sha256: "0".into() };
    other.send(&[in_epoch(9, other.event(1, 2000, start.clone()))]).await;
    assert_eq!(devices().await, ["front", "reader"]);

    // The daemon was killed: its next run says what stands, and nothing of the dead run does.
    gate.send(&[in_epoch(2, gate.event(6, 2000, start)), in_epoch(2, raised(7, "reader"))]).await;
    assert_eq!(devices().await, ["reader"]);
    gate.send(&[raised(5, "late")]).await;
    assert_eq!(devices().await, ["reader"], "an event of the dead run that comes late");
}
}
