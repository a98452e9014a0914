//! The public log: a head that is acknowledged is in it, and it only ever grows (RFC 6962, RFC 9162).

use crate::harness::{central, on_both};
use ed25519_dalek::SigningKey;
use gate_types::api::{HEADS, HeadAnswer, HeadReport};
use gate_types::head::HeadSigner;
use gate_types::{BootEpoch, EntrySeq, jws};
use reqwest::StatusCode;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

fn pair(left: &[u8], right: &[u8]) -> Vec<u8> {
    Sha256::digest([&[1], left, right].concat()).to_vec()
}

fn hex(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

on_both! {
async fn heads_become_leaves_once_and_proofs_lead_to_the_signed_root() {
    let central = central().await;
    let gate = central.gate("1").await;
    let signer =
        HeadSigner::new(gate.answer.port.clone(), gate.node.clone(), SigningKey::from_bytes(&[1; 32]));
    let mut leaves = Vec::new();
    let mut roots = Vec::new();
    for seq in 1..=3_u64 {
        let head = signer.sign(BootEpoch(1), EntrySeq(seq), &"a".repeat(64), 1_000).unwrap();
        let report = |head: &str| HeadReport {
            port: gate.answer.port.clone(),
            node: gate.node.clone(),
            head: Some(head.to_owned()),
        };
        for _ in 0..2 {
            let response = gate.post(HEADS, &report(&head.jws)).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert!(response.json::<HeadAnswer>().await.unwrap().receipt.is_some());
        }
        // One that contradicts it is kept, not acknowledged, and no leaf.
        let forked = signer.sign(BootEpoch(1), EntrySeq(seq), &"b".repeat(64), 1_000).unwrap();
        let answer: HeadAnswer = gate.post(HEADS, &report(&forked.jws)).await.json().await.unwrap();
        assert_eq!(answer.receipt, None);
        leaves.push(Sha256::digest([&[0], head.jws.as_bytes()].concat()).to_vec());
        let told: Value = central.read("/api/v1/log/head").await;
        assert_eq!(told["tree_size"], seq);
        let key = jws::key_from_text(&gate.answer.release_key).unwrap();
        let signed: Value = jws::verify(&key, told["signed"].as_str().unwrap()).unwrap();
        assert_eq!((&signed["root_hash"], &signed["what"]), (&told["root_hash"], &"varco_tree_head".into()));
        roots.push(hex(&told["root_hash"]));
        let entries: Vec<Value> = central.read(&format!("/api/v1/log/entries?start={}", seq - 1)).await;
        assert_eq!((entries.len(), entries[0]["leaf"].as_str()), (1, Some(head.jws.as_str())));
    }
    // Written out by hand, as the RFC draws it.
    let two = pair(&leaves[0], &leaves[1]);
    assert_eq!(roots, [leaves[0].clone(), two.clone(), pair(&two, &leaves[2])]);
    let proof: Value = central.read("/api/v1/log/inclusion?leaf=1").await;
    assert_eq!([hex(&proof["path"][0]), hex(&proof["path"][1])], [leaves[0].clone(), leaves[2].clone()]);
    let proof: Value = central.read("/api/v1/log/inclusion?leaf=2&size=3").await;
    assert_eq!((proof["path"].as_array().unwrap().len(), hex(&proof["path"][0])), (1, two.clone()));
    let proof: Value = central.read("/api/v1/log/consistency?first=2&second=3").await;
    assert_eq!((hex(&proof["path"][0]), hex(&proof["root_hash"])), (leaves[2].clone(), roots[2].clone()));
    for (path, status) in [
        ("inclusion?leaf=3", StatusCode::NOT_FOUND),
        ("inclusion?leaf=0&size=4", StatusCode::NOT_FOUND),
        ("consistency?first=0", StatusCode::UNPROCESSABLE_ENTITY),
        ("consistency?first=4", StatusCode::UNPROCESSABLE_ENTITY),
        ("consistency", StatusCode::BAD_REQUEST),
    ] {
        let response = central.get(&format!("/api/v1/log/{path}")).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
    }
}
}
