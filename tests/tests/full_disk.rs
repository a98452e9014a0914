//! The journal's disk runs full under the built daemon: raw parts of reads go first, then pictures; decisions
//! and acts of people are recorded to the last byte, and what cannot be recorded does not happen (F-DISK1).

use gate_types::entry::EntryBody;
use gate_types::observation::OpticalRead;
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::{Central, Gate, NodeFile, QuickLane, Stand, Volume, binary, quick_lanes, until};

const MB: u64 = 1 << 20;
/// The exit status of a daemon whose journal cannot be written.
const EX_IOERR: i32 = 74;

/// The journal as it lies on the volume: SQLite follows the way into another mount namespace to the wrong end.
fn journal_of(volume: &Volume, stand: &Stand) -> PathBuf {
    for name in ["journal.db", "journal.db-wal"] {
        std::fs::copy(volume.file(name), stand.path().join(name)).unwrap();
    }
    let _ = std::fs::remove_file(stand.path().join("journal.db-shm"));
    stand.path().join("journal.db")
}

/// The newest optical read that the journal holds.
fn newest_read(journal: &Path) -> OpticalRead {
    let entries = journal::read_all(journal).unwrap().map(|row| row.unwrap().entry(journal).unwrap());
    let reads = entries.filter_map(|entry| {
        let EntryBody::OpticalRead { read, .. } = entry.body else { return None };
        Some(read)
    });
    reads.last().unwrap()
}

fn picture(volume: &Volume, sha256: &str) -> bool {
    volume.file(&format!("images/{}/{sha256}.jpg", &sha256[..2])).exists()
}

/// One truck that is admitted and goes through.
async fn truck(central: &Central, gate: &Gate, lane: &QuickLane, name: &str) {
    let mut mission = tests::released_import(&lane.code);
    mission.idempotency_key = name.to_owned();
    central.create(&mission).await;
    lane.block.loops(true, false);
    until(&format!("the arm to rise for the {name}"), 60, || async {
        (lane.block.arm() >= 1.0).then_some(())
    })
    .await;
    lane.block.loops(false, true);
    gate.lane_until(&lane.id, "the vehicle under the arm", 10, |l| l.inputs.loop_under.is_on()).await;
    lane.block.loops(false, false);
    gate.lane_until(&lane.id, "the pass to end", 20, |l| l.pass.is_none()).await;
}

async fn told(gate: &Gate, words: &str) {
    until(words, 20, || async {
        let health: serde_json::Value = gate.get("/api/v1/health").await;
        health.to_string().contains(words).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_runs_full_costs_raw_reads_then_pictures_and_never_a_decision() {
    let stand = Stand::new();
    let Some(volume) = Volume::mount(&stand.path().join("state"), 64) else {
        println!("not run: neither root nor user namespaces are to be had here");
        return;
    };
    let central = Central::start(stand.path()).await;
    let mut file = NodeFile::bari("1", &central, &stand.path().join("state"));
    let lanes = quick_lanes(&mut file, 1, stand.path()).await;
    let lane = lanes.first().unwrap();
    let kept: toml::Table = "reserve_mb = 2\nraw_reads_need_mb = 30\npictures_need_mb = 15".parse().unwrap();
    file.0.insert("journal".into(), kept.into());
    let gate = Gate::start_within(volume.within(), &central, "1", &file, stand.path()).await;
    gate.lane_until(&lane.id, "an idle lane", 60, |l| l.faults.is_empty()).await;

    truck(&central, &gate, lane, "truck with room").await;
    let read = newest_read(&journal_of(&volume, &stand));
    assert!(!read.raw_text.is_empty() || !read.alternatives.is_empty(), "{read:?}");
    until("its picture", 10, || async { picture(&volume, &read.frame_sha256).then_some(()) }).await;

    volume.fill_to(25 * MB);
    told(&gate, "raw parts of reads are left out").await;
    truck(&central, &gate, lane, "truck without raw reads").await;
    let read = newest_read(&journal_of(&volume, &stand));
    assert!(read.raw_text.is_empty() && read.alternatives.is_empty(), "{read:?}");
    until("its picture", 10, || async { picture(&volume, &read.frame_sha256).then_some(()) }).await;

    volume.fill_to(8 * MB);
    told(&gate, "raw parts of reads and pictures are left out").await;
    truck(&central, &gate, lane, "truck without pictures").await;
    assert!(!picture(&volume, &newest_read(&journal_of(&volume, &stand)).frame_sha256));

    // Nothing is left on the disk: the log's room and the reserve bear the last entries.
    volume.fill_to(0);
    truck(&central, &gate, lane, "truck on a full disk").await;
    let token = std::fs::read_to_string(volume.file("console-token")).unwrap();
    let mut gate = gate;
    let (mut acts, mut n) = (0, 0);
    while gate.process.runs() {
        n += 1;
        acts +=
            u64::from(gate.act(&token, &lane.id, if n % 2 == 1 { "close_lane" } else { "open_lane" }).await);
        assert!(n < 200_000, "the disk is never full");
    }
    let raises = lane.block.raises();
    assert_eq!(gate.process.wait(10).code(), Some(EX_IOERR), "{}", gate.process.output());
    assert!(!volume.file("journal.db.reserve").exists(), "the reserve was used up");
    println!("{acts} acts of people after the disk was full");
    // Whoever comes now finds an arm that stays down: nothing moves without a record.
    lane.block.loops(true, false);
    assert_eq!((lane.block.raises(), lane.block.arm()), (raises, 0.0));
    lane.block.loops(false, false);
    let recorded = journal::read_all(&journal_of(&volume, &stand))
        .unwrap()
        .filter(|r| r.as_ref().unwrap().filed.2 == "operator_act");
    let recorded = recorded.count() as u64;
    assert!(acts > 100 && recorded + 8 >= acts, "{recorded} of {acts} acts are on record");

    // Room again: the journal holds, and the gate works.
    volume.empty();
    let gate = gate.crash_and_restart().await;
    gate.lane_until(&lane.id, "an idle lane", 60, |l| l.faults.is_empty()).await;
    truck(&central, &gate, lane, "truck with room again").await;
    let arguments = ["journal", "verify"].map(str::to_owned);
    let words = volume.within();
    let verified = Command::new(&words[0])
        .args(&words[1..])
        .arg(binary("varco-gate"))
        .args(arguments)
        .arg(stand.path().join("state/journal.db"))
        .output()
        .unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}
