//! Permits in advance: only where the site gives them, only for a node that comes next and admits now.

use crate::harness::{Gate, Place, central, central_of, mission, on_both, site};
use gate_types::api::{PERMITS, PermitHead, PermitRequest, PermitSheet};
use gate_types::jws;
use gate_types::release::Permit;
use gate_types::{NodeId, PortId};
use reqwest::StatusCode;
use serde_json::json;
use std::sync::Arc;

async fn sheet(gate: &Gate<'_>) -> (PermitHead, Vec<Permit>) {
    let asked = PermitRequest { port: gate.answer.port.clone(), node: gate.node.clone() };
    let response = gate.post(PERMITS, &asked).await;
    assert_eq!(response.status(), StatusCode::OK);
    let sheet: PermitSheet = response.json().await.unwrap();
    let key = jws::key_from_text(&gate.answer.release_key).unwrap();
    let head: PermitHead = jws::verify(&key, &sheet.head).unwrap();
    let permits: Vec<Permit> = sheet.permits.iter().map(|p| jws::verify(&key, p).unwrap()).collect();
    let names: Vec<&String> = permits.iter().map(|p| &p.permit).collect();
    assert_eq!(head.permits.iter().collect::<Vec<_>>(), names);
    (head, permits)
}

on_both! {
async fn a_site_that_gives_no_permits_gives_none_and_tells_the_time() {
    let central = central().await;
    central.create(&mission("a", "AB123CD")).await;
    let gate = central.gate("1").await;
    let (head, permits) = sheet(&gate).await;
    assert!(permits.is_empty() && head.signed_at_ms > 1_700_000_000_000);
}
}

on_both! {
async fn a_permit_stands_while_the_leg_is_next_and_customs_admits() {
    let site = config::Site { permits_valid_s: Some(600), ..site() };
    let central = central_of(Arc::new(Place::new()), site).await;
    let made = central.create(&mission("a", "AB123CD")).await;
    let (one, two) = (central.gate("1").await, central.gate("2").await);
    let (head, permits) = sheet(&one).await;
    let [permit] = permits.as_slice() else { panic!("{permits:?}") };
    assert_eq!((permit.node.as_str(), &permit.facts.mission), ("1", &made.id));
    assert_eq!(permit.expires_at_ms, head.signed_at_ms + 600_000);
    assert!(sheet(&two).await.1.is_empty(), "node 2 does not come next");
    let held = json!({
        "status": "held", "holds": [{ "authority": "customs", "reason": "documents" }], "by": "officer Rossi",
    });
    assert_eq!(central.patch(made.id.as_str(), &held).send().await.unwrap().status(), StatusCode::OK);
    assert!(sheet(&one).await.1.is_empty(), "a permit that is missing is revoked");
    let free = json!({ "status": "released", "holds": [], "by": "officer Rossi" });
    assert_eq!(central.patch(made.id.as_str(), &free).send().await.unwrap().status(), StatusCode::OK);
    let again = sheet(&one).await.1;
    assert_ne!(again[0].permit, permit.permit, "a changed mission has another permit");
}
}

on_both! {
async fn a_gate_gets_no_other_gate_s_permits() {
    let central = central().await;
    let gate = central.gate("1").await;
    let asked = PermitRequest { port: gate.answer.port.clone(), node: NodeId::new("2").unwrap() };
    assert_eq!(gate.post(PERMITS, &asked).await.status(), StatusCode::FORBIDDEN);
    let asked = PermitRequest { port: PortId::new("ITTRS").unwrap(), node: gate.node.clone() };
    assert_eq!(gate.post(PERMITS, &asked).await.status(), StatusCode::FORBIDDEN);
}
}
