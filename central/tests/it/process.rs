//! The built program: ready file, signals, restart, exit statuses.

use crate::harness::{central, central_in, facts, mission, on_both, plate, site_file};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::Command;

#[tokio::test]
async fn it_serves_until_sigterm_and_exits_0() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready.json");
    let mut child = Command::new(env!("CARGO_BIN_EXE_varco-central"))
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--gate-listen",
            "127.0.0.1:0",
            "--name",
            "central.port.example",
        ])
        .arg("--database")
        .arg(format!("sqlite:{}", folder.path().join("state/central.db").display()))
        .arg("--config")
        .arg(site_file())
        .arg("--ready-file")
        .arg(&ready)
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    let wait = async {
        while !ready.exists() {
            tick.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap();
    let addresses: serde_json::Value = serde_json::from_slice(&std::fs::read(&ready).unwrap()).unwrap();
    assert!(addresses["gate_listen"].as_str().unwrap().starts_with("127.0.0.1:"));
    // An error means that another test has installed it already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let url = format!("http://{}/api/v1/health", addresses["listen"].as_str().unwrap());
    let health: serde_json::Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    assert_eq!(health["status"], "ok");
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    let status = tokio::time::timeout(Duration::from_secs(20), child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn a_wrong_site_file_is_exit_78() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site.toml");
    std::fs::write(&site, "port = \"ITBRI\"\ncolour = 1\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_varco-central"))
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--gate-listen",
            "127.0.0.1:0",
            "--database",
            "sqlite:x",
            "--config",
        ])
        .arg(&site)
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&output.stderr).contains("site.toml"));
}

on_both! {
async fn a_restart_keeps_authority_gates_and_missions() {
    let first = central().await;
    let made = first.create(&mission("a", "AB123CD")).await;
    let token = first.token("1", 60).await.token;
    let place = Arc::clone(&first.place);
    let ca = std::fs::read(place.folder.path().join("ca.pem")).unwrap();
    first.stop().await;
    let second = central_in(Arc::clone(&place)).await;
    assert_eq!(std::fs::read(place.folder.path().join("ca.pem")).unwrap(), ca);
    assert_eq!(second.mission(made.id.as_str()).await, made);
    assert_eq!(token.split('.').next_back(), second.token("2", 60).await.token.split('.').next_back());
    let gate = second.gate("1").await;
    assert_eq!(facts(gate.ask(plate("AB123CD"), 1).await).iot_id, made.iot_id);
}
}
