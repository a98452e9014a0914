//! Heads of the gates' journals: acknowledged under central's key, and held against what came before
//! (F-TAMP1, D92).

use crate::harness::{Gate, central, on_both};
use ed25519_dalek::SigningKey;
use gate_types::api::{AlarmKind, HEADS, HeadAnswer, HeadReport, JournalPosition};
use gate_types::entry::EntryBody;
use gate_types::head::{HeadSigner, SignedHead, read_receipt};
use gate_types::mission::Direction;
use gate_types::{BootEpoch, EntrySeq, jws};
use reqwest::StatusCode;

fn head(gate: &Gate<'_>, seed: u8, seq: u64, hash: char) -> SignedHead {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let signer = HeadSigner::new(gate.answer.port.clone(), gate.node.clone(), key);
    signer.sign(BootEpoch(1), EntrySeq(seq), &hash.to_string().repeat(64), 1_000).unwrap()
}

async fn tell(gate: &Gate<'_>, head: Option<&SignedHead>) -> HeadAnswer {
    let report = HeadReport {
        port: gate.answer.port.clone(),
        node: gate.node.clone(),
        head: head.map(|h| h.jws.clone()),
    };
    let response = gate.post(HEADS, &report).await;
    assert_eq!(response.status(), StatusCode::OK);
    response.json().await.unwrap()
}

on_both! {
async fn a_head_is_acknowledged_and_what_was_seen_is_told() {
    let central = central().await;
    let gate = central.gate("1").await;
    assert_eq!(tell(&gate, None).await, HeadAnswer { receipt: None, seen: JournalPosition::default() });
    let signed = head(&gate, 1, 7, 'a');
    let answer = tell(&gate, Some(&signed)).await;
    let key = jws::key_from_text(&gate.answer.release_key).unwrap();
    let receipt = read_receipt(&key, &answer.receipt.unwrap()).unwrap();
    assert_eq!(receipt.head, signed.head);
    assert_eq!(answer.seen, JournalPosition { epoch: 1, seq: 7 });
    gate.send(&[gate.event(9, 1000, EntryBody::PassOpened { direction: Direction::In })]).await;
    assert_eq!(tell(&gate, None).await.seen, JournalPosition { epoch: 1, seq: 9 });
    assert!(tell(&gate, Some(&signed)).await.receipt.is_some(), "told again is no contradiction");
    assert_eq!(central.alarms().await, []);
}
}

on_both! {
async fn a_shorter_another_or_a_foreign_history_is_an_alarm_once() {
    let central = central().await;
    let gate = central.gate("1").await;
    tell(&gate, Some(&head(&gate, 1, 7, 'a'))).await;
    for _ in 0..2 {
        let answer = tell(&gate, Some(&head(&gate, 1, 7, 'b'))).await;
        assert_eq!(answer.receipt, None, "a contradiction is kept and not acknowledged");
    }
    assert_eq!(central.alarms().await.len(), 1);
    tell(&gate, Some(&head(&gate, 1, 5, 'c'))).await;
    tell(&gate, Some(&head(&gate, 2, 8, 'd'))).await;
    // An event whose hash is not the head's for the same entry.
    gate.send(&[gate.event(12, 1000, EntryBody::PassOpened { direction: Direction::In })]).await;
    assert_eq!(tell(&gate, Some(&head(&gate, 2, 12, 'e'))).await.receipt, None);
    let alarms = central.alarms().await;
    assert!(alarms.iter().all(|a| a.kind == AlarmKind::JournalContradicts), "{alarms:?}");
    let told = |what: &str| alarms.iter().filter(|a| a.text.contains(what)).count();
    assert_eq!((told("history was written anew"), told("tail was lost"), told("signed by key")), (2, 1, 2));
}
}

on_both! {
async fn a_head_speaks_for_its_own_gate_only() {
    let central = central().await;
    let (gate, other) = (central.gate("1").await, central.gate("2").await);
    let foreign = HeadReport {
        port: gate.answer.port.clone(),
        node: gate.node.clone(),
        head: Some(head(&other, 1, 1, 'a').jws),
    };
    assert_eq!(gate.post(HEADS, &foreign).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.post(HEADS, &foreign).await.status(), StatusCode::FORBIDDEN);
    let garbage = HeadReport { head: Some("a.b.c".into()), ..foreign };
    assert_eq!(gate.post(HEADS, &garbage).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
}
}
