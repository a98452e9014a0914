//! Who may speak as which gate (D46, T94).

use crate::harness::{central, csr, identity, mission, on_both, plate, secret_of};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use gate_types::api::{EVENTS, EnrolRequest, EventBatch, Problem, RELEASE, TOKENS};
use gate_types::release::Finding;
use rcgen::{CertificateParams, DnType, IsCa, Issuer, KeyPair};
use reqwest::StatusCode;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::os::unix::fs::PermissionsExt as _;

on_both! {
async fn an_enrolled_gate_asks_over_mutual_tls() {
    let central = central().await;
    let made = central.create(&mission("a", "AB123CD")).await;
    let gate = central.gate("1").await;
    assert!(matches!(gate.ask(plate("AB123CD"), 1).await,
        Finding::Mission { facts, matched } if facts.mission == made.id && matched == ["AB123CD"]));
    assert_eq!(gate.ask(identity(vec![]), 2).await, Finding::Nothing { near: vec![] });
}
}

on_both! {
async fn the_token_names_the_authority_and_secrets_are_for_their_owner() {
    let central = central().await;
    let token = central.token("1", 60).await.token;
    let pem = std::fs::read(central.place.folder.path().join("ca.pem")).unwrap();
    let der = CertificateDer::from_pem_slice(&pem).unwrap();
    assert!(token.starts_with("varco1.") && token.ends_with(&B64.encode(Sha256::digest(&der))));
    for file in ["ca-key.pem", "release-key", "admin-token"] {
        let mode = std::fs::metadata(central.place.folder.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let stored = central.place.everything();
    let secret = token.split('.').nth(1).unwrap().as_bytes();
    assert!(stored.len() > 1000 && !stored.windows(secret.len()).any(|w| w == secret));
}
}

on_both! {
async fn a_token_works_once_in_time_for_its_node() {
    let central = central().await;
    let csr = csr(&KeyPair::generate().unwrap());
    let request = |secret: String, node: &str| EnrolRequest {
        secret,
        node: node.parse().unwrap(),
        csr_pem: csr.clone(),
    };
    let secret = secret_of(&central.token("1", 60).await);
    assert_eq!(central.ask_enrol(&request(secret.clone(), "2")).await.status(), StatusCode::FORBIDDEN);
    let mut garbled = request(secret.clone(), "1");
    garbled.csr_pem = "no request".to_owned();
    assert_eq!(
        central.ask_enrol(&garbled).await.status(),
        StatusCode::BAD_REQUEST,
        "and the token stays good"
    );
    assert_eq!(central.ask_enrol(&request(secret.clone(), "1")).await.status(), StatusCode::OK);
    assert_eq!(central.ask_enrol(&request(secret, "1")).await.status(), StatusCode::FORBIDDEN, "used");
    assert_eq!(central.ask_enrol(&request("guess".to_owned(), "1")).await.status(), StatusCode::FORBIDDEN);

    let expired = secret_of(&central.token("1", 1).await);
    central.place.sql("UPDATE enrol_tokens SET expires_ms = 1 WHERE used_ms IS NULL");
    let response = central.ask_enrol(&request(expired, "1")).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN, "expired");
    let problem: Problem = response.json().await.unwrap();
    assert!(problem.detail.contains("issue a new one"), "{}", problem.detail);
    for (node, valid_s) in [("99", 60), ("1", 0), ("1", 86_401)] {
        let response =
            central.post(TOKENS, &json!({ "node": node, "valid_s": valid_s })).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{node} {valid_s}");
    }
}
}

on_both! {
async fn no_certificate_and_another_node_s_are_refused() {
    let central = central().await;
    let gate = central.gate("1").await;
    let stranger = central.tls_client(None);
    let batch = EventBatch { port: gate.answer.port.clone(), node: "2".parse().unwrap(), events: vec![] };
    let mut request = gate.request(plate("AB123CD"), 1);
    for path in [RELEASE, EVENTS] {
        let response = stranger.post(central.gate_url(path)).json(&batch).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(gate.post(EVENTS, &batch).await.status(), StatusCode::FORBIDDEN);
    request.node = "2".parse().unwrap();
    assert_eq!(gate.post(RELEASE, &request).await.status(), StatusCode::FORBIDDEN);
    request.node = "1".parse().unwrap();
    request.port = "ITTRS".parse().unwrap();
    assert_eq!(gate.post(RELEASE, &request).await.status(), StatusCode::FORBIDDEN);
}
}

on_both! {
async fn a_certificate_of_another_authority_gets_no_connection() {
    let central = central().await;
    let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    ca.distinguished_name.push(DnType::CommonName, "varco authority of ITBRI");
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "node:1");
    let certificate = params.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    let forger = central.tls_client(Some(format!("{}{}", certificate.pem(), key.serialize_pem())));
    let sent = forger.post(central.gate_url(EVENTS)).json(&json!({})).send().await;
    assert!(sent.is_err(), "{sent:?}");
}
}

on_both! {
async fn people_need_the_token_for_everything_but_health_and_the_page() {
    let central = central().await;
    let bare = reqwest::Client::new();
    for (path, expected) in [
        ("/api/v1/health", StatusCode::OK),
        ("/", StatusCode::OK),
        ("/api/v1/missions", StatusCode::UNAUTHORIZED),
        ("/api/v1/missions/M-000001", StatusCode::UNAUTHORIZED),
        ("/api/v1/alarms", StatusCode::UNAUTHORIZED),
        ("/api/v1/stream", StatusCode::UNAUTHORIZED),
        ("/api/v1/event-counts", StatusCode::UNAUTHORIZED),
        ("/api/v1/events", StatusCode::UNAUTHORIZED),
        ("/nothing", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(bare.get(central.url(path)).send().await.unwrap().status(), expected, "{path}");
    }
    for path in [TOKENS, "/api/v1/missions"] {
        let sent =
            bare.post(central.url(path)).json(&json!({ "node": "1", "valid_s": 60 })).send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    let wrong = bare.get(central.url("/api/v1/missions")).bearer_auth("wrong").send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    assert!(wrong.headers().contains_key("www-authenticate"));
    let page = bare.get(central.url("/")).send().await.unwrap().text().await.unwrap();
    assert!(!page.contains("https://") && !page.contains("http://"), "the page loads nothing from elsewhere");
}
}
