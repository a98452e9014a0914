//! From readings to a mission (B9, T26).

use crate::harness::{central, facts, identity, mission, on_both, plate, read};
use gate_types::identity::Slot;
use gate_types::mission::CustomsStatus;
use gate_types::release::{Finding, Hold};
use reqwest::StatusCode;
use serde_json::json;

on_both! {
async fn any_single_identifier_finds_the_mission() {
    let central = central().await;
    let mut asked = mission("a", "ab-123 cd");
    asked.expected.trailer_plate = Some("XA 777 YZ".to_owned());
    asked.expected.itus = vec!["csqu 305438-3".to_owned()];
    asked.expected.vehicle_tag = Some("3034257BF7194E4000001A85".to_owned());
    asked.mrns = vec![gate_types::mrn::Mrn::from_body("26ITQ0123456789AB").unwrap().into()];
    let made = central.create(&asked).await;
    assert_eq!(made.id.as_str(), "M-000001");
    assert_eq!(made.iot_id.0.get_version_num(), 7, "B5");
    assert_eq!(made.expected.itus, ["CSQU3054383"]);
    let gate = central.gate("1").await;
    for (n, (slot, value)) in [
        (Slot::TractorPlate, "AB123CD"),
        (Slot::TrailerPlate, "XA777YZ"),
        (Slot::Itu, "CSQU3054383"),
        (Slot::VehicleTag, "3034257bf7194e4000001a85"),
    ]
    .into_iter()
    .enumerate()
    {
        let found = gate.ask(identity(vec![read(slot, value, 0.5)]), n as u64 + 1).await;
        assert_eq!(facts(found).iot_id, made.iot_id, "{slot:?}");
    }
    let unsure = gate.ask(identity(vec![read(Slot::TractorPlate, "AB123CD", 0.49)]), 9).await;
    assert_eq!(unsure, Finding::Nothing { near: vec![] });
    let wrong_slot = gate.ask(identity(vec![read(Slot::TrailerPlate, "AB123CD", 0.9)]), 10).await;
    assert_eq!(wrong_slot, Finding::Nothing { near: vec![] });
}
}

on_both! {
async fn look_alikes_fold_on_plates_and_near_ones_are_only_told() {
    let central = central().await;
    let made = central.create(&mission("a", "BO101SA")).await;
    let gate = central.gate("1").await;
    assert_eq!(facts(gate.ask(plate("B0I0ISA"), 1).await).mission, made.id);
    assert_eq!(gate.ask(plate("BO1015A"), 2).await, Finding::Nothing { near: vec!["BO101SA".to_owned()] });
    assert_eq!(gate.ask(plate("BO101XA"), 3).await, Finding::Nothing { near: vec![] });
}
}

on_both! {
async fn identifiers_of_different_missions_are_ambiguous_unless_clearly_outweighed() {
    let central = central().await;
    let mut first = mission("a", "AB123CD");
    first.expected.itus = vec!["CSQU3054383".to_owned()];
    let mut second = mission("b", "EF456GH");
    second.expected.trailer_plate = Some("XA777YZ".to_owned());
    let (first, second) = (central.create(&first).await.id, central.create(&second).await.id);
    let gate = central.gate("1").await;
    let two = |trailer: f64| {
        identity(vec![
            read(Slot::TractorPlate, "AB123CD", 0.9),
            read(Slot::TrailerPlate, "XA777YZ", trailer),
            read(Slot::Itu, "CSQU3054383", 0.9),
        ])
    };
    assert_eq!(gate.ask(two(0.9), 1).await, Finding::Ambiguous { missions: vec![first.clone(), second] });
    assert_eq!(facts(gate.ask(two(0.7), 2).await).mission, first);
}
}

on_both! {
async fn a_change_of_status_is_seen_at_the_next_node() {
    let central = central().await;
    let mut held = mission("a", "AB123CD");
    held.status = CustomsStatus::Held;
    held.holds = vec![Hold { authority: "health".to_owned(), reason: "papers missing".to_owned() }];
    let id = central.create(&held).await.id;
    let gate = central.gate("1").await;
    let before = facts(gate.ask(plate("AB123CD"), 1).await);
    assert_eq!((before.status, before.holds.len()), (CustomsStatus::Held, 1));
    let change = json!({ "status": "released", "holds": [], "by": "officer Rossi: papers came" });
    let stale = central.patch(id.as_str(), &change).header("if-match", "\"7\"").send().await.unwrap();
    assert_eq!(stale.status(), StatusCode::PRECONDITION_FAILED);
    let changed = central.patch(id.as_str(), &change).header("if-match", "\"1\"").send().await.unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
    assert_eq!(changed.headers()["etag"], "\"2\"");
    assert_eq!(facts(gate.ask(plate("AB123CD"), 2).await).status, CustomsStatus::Released);
}
}
