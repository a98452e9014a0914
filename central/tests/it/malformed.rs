//! Whatever is sent, the answer is a problem that says what is wrong; never 5xx.

use crate::harness::{central, mission, on_both, plate};
use gate_types::api::{ENROL, EVENTS, EventBatch, MISSIONS, Problem, RELEASE, TOKENS};
use gate_types::entry::EntryBody;
use gate_types::mission::Direction;
use reqwest::Response;
use serde_json::{Value, json};

async fn refused(what: &str, response: Response) {
    let (status, kind) = (response.status(), response.headers().get("content-type").cloned());
    let text = response.text().await.unwrap();
    assert!(status.is_client_error(), "{what}: {status} {text}");
    assert_eq!(kind.unwrap(), "application/problem+json", "{what}");
    let problem: Problem = serde_json::from_str(&text).unwrap();
    assert_eq!(problem.status, status.as_u16());
    assert!(problem.detail.len() > 10, "{what}: {text}");
}

fn bodies() -> Vec<Vec<u8>> {
    let texts = ["", "{", "null", "[]", "{}", "\"x\"", "1e999", "{\"a\":1}", "\u{0}", "{\"node\":\"a/b\"}"];
    let mut bodies: Vec<Vec<u8>> = texts.iter().map(|t| t.as_bytes().to_vec()).collect();
    bodies.push(vec![0xff, 0xfe, 0x00]);
    bodies.push("[".repeat(200_000).into_bytes());
    bodies.push(vec![b' '; 2 * 1024 * 1024]);
    bodies
}

on_both! {
async fn garbage_bodies_are_4xx_problems() {
    let central = central().await;
    let gate = central.gate("1").await;
    let id = central.create(&mission("a", "AB123CD")).await.id;
    for body in bodies() {
        let shown = String::from_utf8_lossy(&body[..body.len().min(20)]).into_owned();
        for path in [MISSIONS, TOKENS] {
            let sent = central.post(path, &Value::Null).body(body.clone()).send().await.unwrap();
            refused(&format!("{path} {shown}"), sent).await;
        }
        let sent = central.patch(id.as_str(), &Value::Null).body(body.clone()).send().await.unwrap();
        refused(&format!("patch {shown}"), sent).await;
        for path in [ENROL, RELEASE, EVENTS] {
            let sent = gate.client.post(central.gate_url(path)).body(body.clone()).send().await.unwrap();
            refused(&format!("{path} {shown}"), sent).await;
        }
    }
}
}

on_both! {
async fn well_formed_nonsense_is_4xx_too() {
    let central = central().await;
    let gate = central.gate("1").await;
    let mut request = gate.request(plate("AB123CD"), u64::MAX);
    refused("pass number", gate.post(RELEASE, &request).await).await;
    request.pass.number = 1;
    request.nonce = "n".repeat(201);
    refused("nonce", gate.post(RELEASE, &request).await).await;
    let event = gate.event(1, i64::MIN, EntryBody::PassOpened { direction: Direction::In });
    let batch = |events| EventBatch { port: gate.answer.port.clone(), node: gate.node.clone(), events };
    let mut huge = event.clone();
    huge.seq.0 = u64::MAX;
    refused("seq", gate.post(EVENTS, &batch(vec![huge])).await).await;
    let mut huge = event.clone();
    huge.entry.pass.as_mut().unwrap().number = u64::MAX;
    refused("pass", gate.post(EVENTS, &batch(vec![huge])).await).await;
    let mut unhashed = event.clone();
    unhashed.hash = "x".to_owned();
    refused("hash", gate.post(EVENTS, &batch(vec![unhashed])).await).await;
    refused("batch", gate.post(EVENTS, &batch(vec![event.clone(); 257])).await).await;
    assert_eq!(gate.send(&[event]).await.stored.len(), 1, "an extreme time is only a time");
    refused("path", central.get("/api/v1/missions/%FF").send().await.unwrap()).await;
    refused("name", central.get("/api/v1/missions/a%20b").send().await.unwrap()).await;
    refused("nul", central.get("/api/v1/events?kind=%00").send().await.unwrap()).await;
    let mut nul = mission("a\0b", "AB123CD");
    nul.language = None;
    refused("nul", central.post(MISSIONS, &serde_json::to_value(&nul).unwrap()).send().await.unwrap()).await;
    refused("method", central.post("/api/v1/alarms", &json!({})).send().await.unwrap()).await;
    refused("nothing", central.get("/api/v2").send().await.unwrap()).await;
    refused("gate port", gate.client.get(central.gate_url(MISSIONS)).send().await.unwrap()).await;
}
}

on_both! {
async fn bytes_that_are_no_tls_do_not_disturb_the_gate_port() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let central = central().await;
    let mut garbage = tokio::net::TcpStream::connect(central.gate_listen()).await.unwrap();
    garbage.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let idle = tokio::net::TcpStream::connect(central.gate_listen()).await.unwrap();
    let mut answer = Vec::new();
    // Either an alert or a reset: the connection ends.
    drop(garbage.read_to_end(&mut answer).await);
    assert!(!answer.starts_with(b"HTTP"));
    let gate = central.gate("1").await;
    gate.ask(plate("AB123CD"), 1).await;
    drop(idle);
}
}
