//! Evidence that an outsider checks, and a journal whose every loss is found: the built binaries from the lane
//! to the verifier (I5, F-TAMP1, D92).

use gate_types::api::{AlarmKind, AlarmView};
use gate_types::console::{LaneState, Metrics};
use gate_types::fault::FaultKind;
use std::path::Path;
use std::process::{Command, Output};
use tests::{QuickGate, QuickLane, binary, until};

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

/// What could not be asked at all.
const EX_IOERR: i32 = 74;

/// Replay under other rules, of a record that was changed, and of nothing.
fn other_rules(state: &Path) {
    let bari = tests::root().join("config/sites/bari/rules");
    let replay = |rules: &Path| {
        run("varco-gate", &["replay", "journal.db", "--rules", rules.to_str().unwrap()], state)
    };
    let same = replay(&bari);
    assert!(same.status.success(), "{}", text(&same));
    assert!(text(&same).contains(" 0 with another verdict or reason under these rules"), "{}", text(&same));
    // A port that admits nobody by itself.
    let strict = state.join("strict");
    std::fs::create_dir(&strict).unwrap();
    let shipped = std::fs::read_to_string(bari.join("gates.toml")).unwrap();
    std::fs::write(strict.join("gates.toml"), shipped.replacen("mode = \"live\"", "mode = \"advisory\"", 1))
        .unwrap();
    let differs = replay(&strict);
    let told = text(&differs);
    assert!(differs.status.success(), "other rules are a question, no failure: {told}");
    assert!(told.contains(" 1 with another verdict or reason under these rules"), "{told}");
    assert!(
        told.lines().any(|line| line.starts_with("admit") && !line.contains("admit      admit")),
        "{told}"
    );
    std::fs::create_dir(state.join("no-rules")).unwrap();
    let nothing = replay(&state.join("no-rules"));
    assert_eq!(nothing.status.code(), Some(EX_IOERR), "{}", text(&nothing));
    // In a copy somebody writes that another rule set decided.
    let forged = state.join("forged.db");
    let copy = format!("VACUUM INTO '{}'", forged.display());
    rusqlite::Connection::open(state.join("journal.db")).unwrap().execute_batch(&copy).unwrap();
    tamper(
        &forged,
        "UPDATE entry SET body = replace(body, '\"rules\":\"', '\"rules\":\"x') WHERE kind = 'decided'",
    );
    let differs = run("varco-gate", &["replay", "forged.db"], state);
    assert_eq!(differs.status.code(), Some(1), "{}", text(&differs));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pass_can_be_proven_to_an_outsider_and_a_cut_journal_is_found_out() {
    let quick = QuickGate::start(1).await;
    let metrics = quick.pass_with_receipt().await;
    let QuickGate { gate, central, lanes, stand } = quick;
    let QuickLane { id: lane, code, .. } = lanes.first().unwrap();
    let state = stand.path().join("state");
    let entries = metrics.entries;

    // Beside the running daemon.
    let verified = run("varco-gate", &["journal", "verify", "journal.db"], &state);
    assert!(verified.status.success(), "{}", text(&verified));
    assert!(
        text(&verified).contains(&format!("central acknowledged up to entry {entries}")),
        "{}",
        text(&verified)
    );
    let pass = format!("{lane}:1");
    let exported = run("varco-gate", &["evidence", "export", "--pass", &pass, "-o", "proof.zip"], &state);
    assert!(exported.status.success(), "{}", text(&exported));
    assert!(text(&exported).contains("with central's receipt"), "{}", text(&exported));
    let check =
        ["proof.zip", "--central-key", "identity/release-key", "--gate-key", "identity/journal-key.pub"];
    let checked = run("varco-verify", &check, &state);
    let told = text(&checked);
    assert!(checked.status.success() && told.contains("The evidence holds."), "{told}");
    assert!(told.contains("admit") && told.contains(code.as_str()) && !told.contains("\nnote"), "{told}");
    assert!(!told.contains("0 pictures"), "the picture that was read is in it: {told}");

    // What was decided is decided again, byte for byte; by other rules the difference is told.
    let replayed = run("varco-gate", &["replay", "journal.db"], &state);
    let told = text(&replayed);
    assert!(replayed.status.success() && told.contains("admit") && told.contains(", 0 not byte"), "{told}");
    let one = run("varco-gate", &["replay", "journal.db", "--pass", &pass], &state);
    assert!(one.status.success() && text(&one).contains("of 1 passes"), "{}", text(&one));
    let none = run("varco-gate", &["replay", "journal.db", "--pass", "n1-in-1:99"], &state);
    assert_eq!(none.status.code(), Some(EX_IOERR), "{}", text(&none));
    assert!(told.contains("0 with another value"), "the recorded reads give the recorded identity: {told}");
    other_rules(&state);

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
    gate.lane_until(lane, "an idle lane", 20, |l| l.state == LaneState::Idle).await;
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
    drop((gate, stand));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_sqlite_cannot_open_is_set_aside_and_the_lanes_work_on() {
    let quick = QuickGate::start(1).await;
    let before = quick.pass_with_receipt().await;
    let QuickGate { gate, central, lanes, stand } = quick;
    let QuickLane { id: lane, block, code, .. } = lanes.first().unwrap();
    let state = stand.path().join("state");
    let mut ruin = Vec::new();
    let gate = gate
        .crash_and_restart_after(|| {
            ruin = std::fs::read(state.join("journal.db")).unwrap();
            ruin.iter_mut().take(5_000).for_each(|byte| *byte = 0x5a);
            std::fs::write(state.join("journal.db"), &ruin).unwrap();
            // Its log would heal it.
            let mut log = std::fs::read(state.join("journal.db-wal")).unwrap();
            log.iter_mut().take(5_000).for_each(|byte| *byte = 0x5a);
            std::fs::write(state.join("journal.db-wal"), &log).unwrap();
        })
        .await;
    let health: serde_json::Value = until("the damage on the board", 10, || async {
        let health: serde_json::Value = gate.get("/api/v1/health").await;
        health.to_string().contains("JOURNAL_BROKEN").then_some(health)
    })
    .await;
    assert!(health.to_string().contains("set aside in"), "{health}");
    let aside: Vec<_> =
        std::fs::read_dir(state.join("quarantine")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(std::fs::read(aside[0].join("journal.db")).unwrap(), ruin, "kept as it was found");

    // The gate works on, under a new epoch and above every number that was used.
    gate.lane_until(lane, "an idle lane", 30, |l| l.state == LaneState::Idle).await;
    let mut mission = tests::released_import(code);
    mission.idempotency_key = "after the damage".into();
    let mission = central.create(&mission).await;
    block.loops(true, false);
    tests::drive_through(&gate, block, lane).await;
    until("the mission to end", 20, || async {
        let mission: gate_types::api::MissionView = central.mission(&mission.id).await;
        mission.definitive.is_some().then_some(())
    })
    .await;
    let after: Metrics = gate.get("/api/v1/metrics").await;
    assert!(after.entries > before.entries + 10, "{} after {}", after.entries, before.entries);
    let last = std::fs::read_to_string(aside[0].join("journal.db.head")).unwrap();
    assert!(!last.is_empty(), "what was signed lies with it");
    let verified = run("varco-gate", &["journal", "verify", "journal.db"], &state);
    assert_eq!(verified.status.code(), Some(1), "{}", text(&verified));
    let told = text(&verified);
    assert!(told.contains("begins at entry "), "{told}");
    assert_eq!(told.matches("BROKEN").count(), 1, "nothing else is wrong: {told}");
    // Central is told, and finds nothing that contradicts what it holds.
    until("the fault at central", 20, || async {
        let faults: Vec<gate_types::api::FaultView> = central.get(gate_types::api::FAULTS).await;
        faults.iter().any(|f| f.fault.kind == FaultKind::JournalBroken).then_some(())
    })
    .await;
    let alarms: Vec<AlarmView> = central.get(gate_types::api::ALARMS).await;
    assert!(alarms.iter().all(|a| a.kind != AlarmKind::TamperedEvent), "{alarms:?}");
}
