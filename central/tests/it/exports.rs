//! Passes in the words of other systems, judged by parsers that are not ours (T73-T85): the JSON schema of EPCIS
//! 2.0, and pydifact.

use crate::harness::{Central, central, facts, mission, plate, read};
use gate_types::entry::EntryBody;
use gate_types::identity::{GrossWeight, Slot};
use gate_types::mission::Direction;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const UNIT: &str = "CSQU3054383";

/// A movement reference number with its check digit.
fn mrn() -> String {
    gate_types::mrn::Mrn::from_body("26ITQ0123456789AB").unwrap().into()
}

/// One export through gate 1 with a unit, a seal that needs release characters, and a weight.
async fn passed(central: &Central) {
    let mut asked = mission("a", "AB123CD");
    asked.mrns = vec![mrn()];
    central.create(&asked).await;
    let gate = central.gate("1").await;
    let known = facts(gate.ask(plate("AB123CD"), 1).await);
    let mut event = gate.passed(1, 1_750_000_000_123, Direction::In, Some(known));
    let EntryBody::PassClosed { summary } = &mut event.entry.body else { panic!() };
    summary.identity.slots = vec![
        read(Slot::TractorPlate, "AB123CD", 0.99),
        read(Slot::Itu, UNIT, 0.99),
        read(Slot::Seal, "IT+47'1:2?", 0.99),
    ];
    summary.identity.weight =
        Some(GrossWeight { vehicle_gross_kg: 23_460.0, device: "scale".into(), alibi: None });
    gate.send(&[event]).await;
}

async fn export(central: &Central, dialect: &str) -> (String, Vec<u8>) {
    let answer = central.get(&format!("/api/v1/exports/{dialect}")).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let media = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (media, answer.bytes().await.unwrap().to_vec())
}

/// What the independent parser says; its complaint fails the test.
fn judged(kind: &str, body: &[u8]) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let peers = root.join("target/peers");
    let python = peers.join("venv/bin/python");
    assert!(python.exists(), "{} is missing: run scripts/peers.sh", python.display());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("export");
    std::fs::write(&file, body).unwrap();
    let told = Command::new(python)
        .arg(root.join("central/tests/judge_exports.py"))
        .arg(kind)
        .arg(&file)
        .arg(peers.join("epcis/EPCISDocument.schema.json"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(body);
    assert!(told.status.success(), "{}\n{text}", String::from_utf8_lossy(&told.stderr));
    serde_json::from_slice(&told.stdout).unwrap()
}

#[tokio::test]
async fn epcis_is_what_its_schema_demands() {
    let central = central().await;
    passed(&central).await;
    let (media, body) = export(&central, "epcis").await;
    assert_eq!(media, "application/ld+json");
    assert_eq!(judged("epcis", &body), serde_json::json!(["ObjectEvent", "AssociationEvent"]));
    let document: Value = serde_json::from_slice(&body).unwrap();
    let event = &document["epcisBody"]["eventList"][0];
    assert_eq!(event["eventTime"], "2025-06-15T15:06:40.123Z");
    assert_eq!(event["epcList"][0], format!("urn:epc:id:bic:{UNIT}"));
    assert_eq!(event["sensorElementList"][0]["sensorReport"][0]["value"], 23_460.0);
    let (_, again) = export(&central, "epcis").await;
    let again: Value = serde_json::from_slice(&again).unwrap();
    assert_eq!(
        again["epcisBody"]["eventList"][0]["eventID"], event["eventID"],
        "the same event, the same id"
    );
}

#[tokio::test]
async fn codeco_is_read_by_another_parser_as_it_was_meant() {
    let central = central().await;
    passed(&central).await;
    let (media, body) = export(&central, "codeco?sender=ITBRI&recipient=LINE").await;
    assert!(media.starts_with("application/EDIFACT"), "{media}");
    let told = judged("codeco", &body);
    let segments = told[0]["segments"].as_array().unwrap();
    let of = |tag: &str| segments.iter().find(|s| s[0] == tag).unwrap_or_else(|| panic!("{tag} in {told}"));
    assert_eq!(told[0]["type"], "CODECO");
    assert_eq!(of("BGM")[1], "34", "gate-in");
    assert_eq!((&of("EQD")[1], &of("EQD")[2]), (&Value::from("CN"), &Value::from(UNIT)));
    assert_eq!(of("SEL")[1], "IT+47'1:2?", "what looks like syntax comes through");
    assert_eq!(of("DTM")[1][1], "202506151506");
    assert_eq!(of("RFF")[1][1], mrn());
}

#[tokio::test]
async fn dcsa_like_events_name_unit_place_and_document() {
    let central = central().await;
    passed(&central).await;
    let (_, body) = export(&central, "dcsa").await;
    let events: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(events.as_array().unwrap().len(), 1);
    assert_eq!(events[0]["equipmentEventTypeCode"], "GTIN");
    assert_eq!(events[0]["equipmentReference"], UNIT);
    assert_eq!(events[0]["eventLocation"]["facilityCode"], "1");
    assert_eq!(events[0]["documentReferences"][0]["documentReferenceValue"], mrn());
    assert_eq!(central.get("/api/v1/exports/xml").send().await.unwrap().status().as_u16(), 400);
}
