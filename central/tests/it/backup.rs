//! Backup and restore, of either store into either store (issue: by one command, consistent under load).

use crate::harness::{ON_POSTGRES, Place, central, central_in, facts, mission, on_both, plate};
use gate_types::api::{EVENT_COUNTS, EventCounts};
use gate_types::entry::EntryBody;
use gate_types::mission::Direction;
use std::path::Path;
use std::sync::Arc;
use tokio::process::Command;

async fn tool(verb: &str, place: &Place, flag: &str, file: &Path) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_varco-central"));
    let done = command.args([verb, "--database", &place.url(), flag]).arg(file).output().await.unwrap();
    let told = [done.stdout, done.stderr].concat();
    (done.status.success(), String::from_utf8_lossy(&told).into_owned())
}

on_both! {
/// What is read from a backup is what one moment held, though events were coming in all the time.
async fn a_backup_under_load_is_one_moment_and_restores_into_both() {
    let first = central().await;
    let made = first.create(&mission("a", "AB123CD")).await;
    let gate = first.gate("1").await;
    let known = facts(gate.ask(plate("AB123CD"), 1).await);
    gate.send(&[gate.passed(1, 100_000, Direction::In, Some(known))]).await;
    let file = first.place.folder.path().join("backup");
    let opened = |seq| gate.event(seq, 1000, EntryBody::PassOpened { direction: Direction::In });
    let load = async {
        let mut seq = 2;
        loop {
            gate.send(&(seq..seq + 40).map(opened).collect::<Vec<_>>()).await;
            seq += 40;
        }
    };
    let (done, told) = tokio::select! {
        never = load => never,
        done = tool("backup", &first.place, "--output", &file) => done,
    };
    assert!(done, "{told}");
    let (done, told) = tool("restore", &first.place, "--input", &file).await;
    assert!(!done && told.contains("not empty"), "{told}");
    for on_postgres in [false, true] {
        let place = Arc::new(ON_POSTGRES.sync_scope(on_postgres, Place::new));
        let (done, told) = tool("restore", &place, "--input", &file).await;
        assert!(done, "{told}");
        let again = place.folder.path().join("again");
        let (done, told) = tool("backup", &place, "--output", &again).await;
        assert!(done, "{told}");
        assert!(std::fs::read(&again).unwrap() == std::fs::read(&file).unwrap(), "the same, byte for byte");
        for key in ["ca-key.pem", "ca.pem", "release-key", "admin-token"] {
            std::fs::copy(first.place.folder.path().join(key), place.folder.path().join(key)).unwrap();
        }
        let second = central_in(place).await;
        let view = second.mission(made.id.as_str()).await;
        assert_eq!((view.iot_id, view.passed.len()), (made.iot_id, 1));
        let counts: EventCounts = second.read(EVENT_COUNTS).await;
        assert!(counts.stored % 40 == 1 && counts.duplicated == 0, "whole batches of one moment: {counts:?}");
        second.stop().await;
    }
}

async fn a_cut_or_changed_backup_is_refused_and_leaves_nothing() {
    let first = central().await;
    first.create(&mission("a", "AB123CD")).await;
    let whole = String::from_utf8(first.place.everything()).unwrap();
    let other = Place::new();
    let lines: Vec<&str> = whole.lines().collect();
    let cut = lines[..lines.len() - 1].join("\n") + "\n";
    let without_a_row = whole.replacen(lines[2], "", 1).replacen("\n\n", "\n", 1);
    for bad in [cut, without_a_row, whole.replace("AB123CD", "AB123CE"), "{}\n".to_owned(), String::new()] {
        let file = other.folder.path().join("bad");
        std::fs::write(&file, &bad).unwrap();
        let (done, told) = tool("restore", &other, "--input", &file).await;
        assert!(!done && told.contains("backup"), "{told}");
    }
    let file = other.folder.path().join("good");
    std::fs::write(&file, &whole).unwrap();
    let (done, told) = tool("restore", &other, "--input", &file).await;
    assert!(done, "nothing of the refused ones was left: {told}");
}
}
