//! A database that is killed loses nothing that was acknowledged.

use crate::cluster::Cluster;
use crate::harness::{Central, ON_POSTGRES, Place, central_in, mission};
use central::Database;
use gate_types::api::{EVENT_COUNTS, EVENTS, EventBatch, EventCounts, EventReceipt, GateEvent, MISSIONS};
use gate_types::entry::EntryBody;
use gate_types::mission::Direction;
use reqwest::StatusCode;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

async fn counted(central: &Central) -> Option<EventCounts> {
    let response = central.get(EVENT_COUNTS).send().await.unwrap();
    match response.status() {
        StatusCode::OK => Some(response.json().await.unwrap()),
        StatusCode::SERVICE_UNAVAILABLE => {
            assert_eq!(response.headers()["retry-after"], "2");
            None
        }
        other => panic!("{other}: {}", response.text().await.unwrap()),
    }
}

#[tokio::test]
async fn killed_in_the_middle_of_intake_it_keeps_what_it_acknowledged() {
    // Durable, as it is installed: only then a kill says something.
    let cluster = Cluster::start(true);
    let url = cluster.url();
    let place = Arc::new(Place { folder: tempfile::tempdir().unwrap(), cluster: None, told: Some(url) });
    let central = ON_POSTGRES.scope(true, central_in(place)).await;
    let gate = central.gate("1").await;
    let batch = |from: u64| -> Vec<GateEvent> {
        let opened = |seq| gate.event(seq, 1000, EntryBody::PassOpened { direction: Direction::In });
        (from..from + 100).map(opened).collect()
    };
    let mut cluster = cluster;
    let mut acknowledged = BTreeSet::new();
    let mut refused = 0;
    let mut killed = 0;
    let mut from = 1;
    while acknowledged.len() < 6_000 {
        if killed < 3 && acknowledged.len() >= 1_500 * (killed + 1) {
            killed += 1;
            let back = std::thread::spawn(move || {
                cluster.kill();
                cluster.run();
                cluster
            });
            // Batches go on while the server dies and comes back.
            while !back.is_finished() {
                send(&gate, batch(from), &mut acknowledged, &mut refused, &mut from).await;
            }
            cluster = back.join().unwrap();
        }
        send(&gate, batch(from), &mut acknowledged, &mut refused, &mut from).await;
    }
    assert!(refused > 0, "no batch met the outage: the test says nothing");
    let counts = counted(&central).await.unwrap();
    assert_eq!(counts.duplicated, 0);
    let stored: BTreeSet<u64> = cluster
        .psql("SELECT seq FROM events ORDER BY seq")
        .lines()
        .map(|line| line.parse().unwrap())
        .collect();
    let lost: Vec<&u64> = acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    // What was refused was sent again with the same keys, and stands once.
    assert_eq!(stored, acknowledged);
    let asked = serde_json::to_value(mission("a", "AB123CD")).unwrap();
    assert_eq!(central.post(MISSIONS, &asked).send().await.unwrap().status(), StatusCode::CREATED);
}

/// Sends a batch; the next one follows where it was acknowledged, else the same again.
async fn send(
    gate: &crate::harness::Gate<'_>,
    events: Vec<GateEvent>,
    acknowledged: &mut BTreeSet<u64>,
    refused: &mut usize,
    from: &mut u64,
) {
    let batch = EventBatch { port: gate.answer.port.clone(), node: gate.node.clone(), events };
    let response = gate.post(EVENTS, &batch).await;
    match response.status() {
        StatusCode::OK => {
            let receipt: EventReceipt = response.json().await.unwrap();
            acknowledged.extend(receipt.stored.iter().map(|seq| seq.0));
            *from += 100;
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            *refused += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        other => panic!("{other}: {}", response.text().await.unwrap()),
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_at_the_start() {
    let place = tempfile::tempdir().unwrap();
    let database: Database = "postgres://u@127.0.0.1:9/varco".parse().unwrap();
    let file = place.path().join("backup");
    let tried = std::thread::spawn(move || central::backup(&database, &file)).join().unwrap();
    let told = tried.unwrap_err().to_string();
    assert!(told.contains("cannot be reached") && told.contains("is the server up"), "{told}");
}
