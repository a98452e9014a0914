//! `make bench`: what the daemon costs, as ratios against raw `fdatasync` and against its own limits,
//! measured in one run on real wires.
//!
//! 1. Decision latency: from the arrival of the last needed input to the moment at which the raise command
//!    had left for the Modbus wire, with the journal's durable record in between; one lane, otherwise idle
//!    machine. The remote I/O's acknowledgement is a figure of its own. Raw `fdatasync` is measured on the
//!    same folder during the passes, after idle times like those before the daemon's own commits, in two
//!    shapes: one page overwritten in a file that has its blocks, as the journal's log does, which is what
//!    the bars are held against, and one page that makes its file longer.
//! 2. Memory and idle processor time of the daemon with four lanes polled at 20 Hz.
#![allow(clippy::unwrap_used, reason = "a tool for measuring fails by panicking")]

use gate_types::console::{LaneState, Metrics};
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};
use tests::{Block, Camera, Central, Gate, NodeFile, QuickGate, QuickLane, Stand, rendered, until};

fn percentile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let at = ((samples.len() as f64 - 1.0) * share).round() as usize;
    samples[at]
}

const PAGE: usize = 4096;
const PAGES: usize = 512;

/// Raw `fdatasync` on the daemon's disk, in two shapes.
struct Raw {
    place: File,
    over: Vec<f64>,
    growing: File,
    longer: Vec<f64>,
}

impl Raw {
    fn new(folder: &std::path::Path) -> Self {
        let place = File::create(folder.join("fdatasync-place")).unwrap();
        place.write_all_at(&vec![0; PAGE * PAGES], 0).unwrap();
        place.sync_all().unwrap();
        let growing = File::create(folder.join("fdatasync-growing")).unwrap();
        Self { place, over: Vec::new(), growing, longer: Vec::new() }
    }
    fn overwrite(&mut self) {
        let at = (self.over.len() % PAGES * PAGE) as u64;
        let started = Instant::now();
        self.place.write_all_at(&[0x5a; PAGE], at).unwrap();
        self.place.sync_data().unwrap();
        self.over.push(started.elapsed().as_secs_f64() * 1e3);
    }
    fn lengthen(&mut self) {
        let started = Instant::now();
        self.growing.write_all(&[0x5a; PAGE]).unwrap();
        self.growing.sync_data().unwrap();
        self.longer.push(started.elapsed().as_secs_f64() * 1e3);
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let passes: usize = std::env::args().nth(1).map_or(200, |n| n.parse().unwrap());
    decision(passes).await;
    idle().await;
}

async fn decision(passes: usize) {
    let QuickGate { gate, central, lanes, stand } = QuickGate::start(1).await;
    let QuickLane { id: lane, block, code, .. } = lanes.first().unwrap();

    let mut raw = Raw::new(stand.path());
    for n in 0..passes {
        let mut mission = tests::released_import(code);
        mission.idempotency_key = format!("bench-{n}");
        let mission = central.create(&mission).await;
        // As the daemon's commit, each raw one comes after an idle time: a disk at rest is slower.
        raw.overwrite();
        block.loops(true, false);
        until("the arm to rise", 30, || async { (block.arm() >= 1.0).then_some(()) }).await;
        raw.overwrite();
        block.loops(false, true);
        gate.lane_until(lane, "the vehicle under the arm", 10, |l| l.inputs.loop_under.is_on()).await;
        raw.lengthen();
        block.loops(false, false);
        gate.lane_until(lane, "the pass to end", 20, |l| l.pass.is_none()).await;
        until("the mission to end", 10, || async { central.mission(&mission.id).await.definitive }).await;
        raw.overwrite();
        if n % 20 == 19 {
            eprintln!("{} of {passes} passes", n + 1);
        }
    }
    let metrics: Metrics = gate.get("/api/v1/metrics").await;
    let mut ours = metrics.decision_samples_ms.clone();
    let mut commits = metrics.fsync_samples_ms.clone();
    let acknowledged = metrics.decision_acknowledged_ms;
    println!(
        "decision latency, last needed input to the raise having left for the wire, durable, {} passes",
        ours.len()
    );
    let print = |name: &str, p50: f64, p99: f64| println!("  {name:24} p50 {p50:8.3} ms   p99 {p99:8.3} ms");
    let (raw50, raw99) = (percentile(&mut raw.over, 0.5), percentile(&mut raw.over, 0.99));
    let (our50, our99) = (percentile(&mut ours, 0.5), percentile(&mut ours, 0.99));
    print("fdatasync, overwriting", raw50, raw99);
    print("fdatasync, longer file", percentile(&mut raw.longer, 0.5), percentile(&mut raw.longer, 0.99));
    print("journal commit", percentile(&mut commits, 0.5), percentile(&mut commits, 0.99));
    print("decision", our50, our99);
    print("decision, acknowledged", acknowledged.p50, acknowledged.p99);
    println!("  {} raw samples", raw.over.len());
    println!("  decision p50 - fdatasync p50 = {:.3} ms (bar: <= 0.5 ms)", our50 - raw50);
    println!("  decision p99 / fdatasync p99 = {:.2} (bar: <= 1.5)", our99 / raw99);
}

/// Resident memory, kilobytes, and processor time, ticks of 10 ms.
fn usage(pid: u32) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let rss = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    let rss = rss.trim().trim_end_matches(" kB").parse().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (rss, fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap())
}

async fn idle() {
    const LANES: [&str; 4] = ["n1-in-1", "n1-in-2", "n1-out-1", "n1-out-2"];
    const WATCHED: Duration = Duration::from_secs(20);
    let stand = Stand::new();
    let central = Central::start(stand.path()).await;
    let mut file = NodeFile::bari("1", &central, &stand.path().join("state"));
    let (picture, _) = rendered(stand.path());
    let points = tests::root().join("config/points/neutral.toml").display().to_string();
    let mut devices = Vec::new();
    for lane in file.0["lane"].as_array_mut().unwrap() {
        let lane = lane.as_table_mut().unwrap();
        let (block, camera) = (Block::start().await, Camera::start(picture.clone()).await);
        tests::container_only(lane, &block, &camera);
        lane["io"].as_table_mut().unwrap().insert("points".into(), points.clone().into());
        devices.push((block, camera));
    }
    let gate = Gate::start(&central, "1", &file, stand.path()).await;
    for lane in LANES {
        gate.lane_until(lane, "an idle lane", 30, |l| l.state == LaneState::Idle && l.faults.is_empty())
            .await;
    }
    let pid = gate.process.id();
    let (_, before) = usage(pid);
    let started = Instant::now();
    tokio::time::sleep_until((started + WATCHED).into()).await;
    let (rss, after) = usage(pid);
    let share = (after - before) as f64 * 0.01 / started.elapsed().as_secs_f64() * 100.0;
    let bar = 15.0 + 2.0 * LANES.len() as f64;
    println!("idle daemon, {} lanes polled at 20 Hz, {} s", LANES.len(), WATCHED.as_secs());
    println!(
        "  resident memory {:.1} MB = {:.2} of the bar of {bar} MB",
        rss as f64 / 1024.0,
        rss as f64 / 1024.0 / bar
    );
    println!("  processor       {:.2} % of a core a lane (bar: < 1 %)", share / LANES.len() as f64);
}
