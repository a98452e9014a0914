//! Evidence that an outsider checks, and a journal whose every loss is found: the built binaries from the lane
//! to the verifier (I5, F-TAMP1, D92).

use gate_types::api::{AlarmKind, AlarmView};
use gate_types::console::{LaneState, Metrics};
use gate_types::fault::FaultKind;
use std::path::Path;
use std::process::{Command, Output};
use tests::{ContainerLane, LANE, binary, until};

fn run(program: &str, arguments: &[&str], folder: &Path) -> Output {
    Command::new(binary(program)).args(arguments).current_dir(folder).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Whoever owns the disk has such a tool as well.
fn tamper(journal: &Path, sql: &str) {
    let sql = format!("PRAGMA foreign_keys=OFF; {sql}");
    rusqlite::Connection::open(journal).unwrap().execute_batch(&sql).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pass_can_be_proven_to_an_outsider_and_a_cut_journal_is_found_out() {
    let (picture, code) = tests::side_view();
    let lane = ContainerLane::start(picture).await;
    lane.central.create(&tests::released_export(&code)).await;
    lane.block.loops(true, false);
    lane.drive_through().await;
    let state = lane.stand.path().join("state");
    let metrics = until("central's receipt for the end of the pass", 30, || async {
        let metrics: Metrics = lane.gate.get("/api/v1/metrics").await;
        (metrics.anchored == metrics.entries).then_some(metrics)
    })
    .await;
    let entries = metrics.entries;

    // Beside the running daemon.
    let verified = run("varco-gate", &["journal", "verify", "journal.db"], &state);
    assert!(verified.status.success(), "{}", text(&verified));
    assert!(
        text(&verified).contains(&format!("central acknowledged up to entry {entries}")),
        "{}",
        text(&verified)
    );
    let pass = format!("{LANE}:1");
    let exported = run("varco-gate", &["evidence", "export", "--pass", &pass, "-o", "proof.zip"], &state);
    assert!(exported.status.success(), "{}", text(&exported));
    assert!(text(&exported).contains("with central's receipt"), "{}", text(&exported));
    let check =
        ["proof.zip", "--central-key", "identity/release-key", "--gate-key", "identity/journal-key.pub"];
    let checked = run("varco-verify", &check, &state);
    let told = text(&checked);
    assert!(checked.status.success() && told.contains("The evidence holds."), "{told}");
    assert!(told.contains("admit") && told.contains(&code) && !told.contains("\nnote"), "{told}");
    assert!(!told.contains("0 pictures"), "the picture that was read is in it: {told}");

    // What was decided is decided again, byte for byte; by other rules the difference is told.
    let replayed = run("varco-gate", &["replay", "journal.db"], &state);
    let told = text(&replayed);
    assert!(replayed.status.success() && told.contains("admit") && told.contains(", 0 not byte"), "{told}");
    let one = run("varco-gate", &["replay", "journal.db", "--pass", &pass], &state);
    assert!(one.status.success() && text(&one).contains("of 1 passes"), "{}", text(&one));
    let none = run("varco-gate", &["replay", "journal.db", "--pass", "n1-in-1:99"], &state);
    assert!(!none.status.success(), "{}", text(&none));

    // No byte of the pack may be another one.
    let pack = std::fs::read(state.join("proof.zip")).unwrap();
    let mut refused = 0;
    for at in (40..pack.len()).step_by(pack.len() / 60) {
        let mut forged = pack.clone();
        forged[at] ^= 1;
        std::fs::write(state.join("forged.zip"), forged).unwrap();
        let arguments = ["forged.zip", "--central-key", "identity/release-key"];
        refused += usize::from(!run("varco-verify", &arguments, &state).status.success());
    }
    assert!(refused >= 60, "{refused} forgeries refused");
    let other = run("varco-verify", &["proof.zip", "--gate-key", "identity/release-key"], &state);
    assert!(!other.status.success(), "another key vouches for nothing: {}", text(&other));

    // The disk's owner cuts what happened last, with everything beside the journal that knows of it.
    let ContainerLane { gate, central, block, camera, stand } = lane;
    let cut = entries - 3;
    let sql = format!(
        "DELETE FROM entry WHERE seq > {cut}; DELETE FROM outbox WHERE seq > {cut}; DELETE FROM head;"
    );
    let gate = gate
        .crash_and_restart_after(|| {
            tamper(&state.join("journal.db"), &sql);
            std::fs::remove_file(state.join("journal.db.head")).unwrap();
        })
        .await;
    let health: serde_json::Value = until("the loss on the board", 10, || async {
        let health: serde_json::Value = gate.get("/api/v1/health").await;
        health.to_string().contains("JOURNAL_TAIL_LOST").then_some(health)
    })
    .await;
    let lost = format!("entries {} to {entries} lost", entries - 2);
    assert!(health.to_string().contains(&lost), "{lost}: {health}");
    let after: Metrics = gate.get("/api/v1/metrics").await;
    assert!(after.entries > entries, "lost numbers are never used again");
    gate.lane_until(LANE, "an idle lane", 20, |l| l.state == LaneState::Idle).await;
    let verified = run("varco-gate", &["journal", "verify", "journal.db"], &state);
    assert_eq!(verified.status.code(), Some(1));
    assert!(text(&verified).contains("are missing"), "{}", text(&verified));
    let faults: Vec<gate_types::api::FaultView> = until("the fault at central", 20, || async {
        let faults: Vec<gate_types::api::FaultView> = central.get(gate_types::api::FAULTS).await;
        faults.iter().any(|f| f.fault.kind == FaultKind::JournalTailLost).then_some(faults)
    })
    .await;
    assert!(!faults.is_empty());
    // Nothing was signed by another key or told twice with another content.
    let alarms: Vec<AlarmView> = central.get(gate_types::api::ALARMS).await;
    assert!(alarms.iter().all(|a| a.kind != AlarmKind::TamperedEvent), "{alarms:?}");
    drop((gate, block, camera, stand));
}
