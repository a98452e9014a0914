//! What a reader that reports 2,000 tags a second does to a lane's decisions: passes of one lane without a
//! reader and with one, in the same run. The reader is `varco-sim device llrp` with 20 tags in its field, each
//! seen every 10 ms, while a vehicle stands there.
//!
//! `varco-bench-reader 40` drives 40 passes each.
#![allow(clippy::unwrap_used, reason = "a tool for measuring fails by panicking")]

use gate_types::console::Metrics;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tests::{QuickGate, QuickLane, binary, until};

/// Tags in the field, each seen every 10 ms.
const TAGS: usize = 20;

/// A child that ends with the run.
struct Reader(Child);
impl Drop for Reader {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

fn reader(folder: &Path) -> (Reader, String) {
    let mut settings = "antennas = 1\nevery_ms = 10\n".to_owned();
    for n in 0..TAGS {
        write!(settings, "[[tags]]\nepc = \"e5ea0000000000000000{n:04x}\"\n").unwrap();
    }
    let file = folder.join("field.toml");
    std::fs::write(&file, settings).unwrap();
    let mut command = Command::new(binary("varco-sim"));
    command.args(["device", "llrp", "--listen", "127.0.0.1:0"]).arg(&file);
    let mut child = Reader(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    (child, format!("llrp://{}", told["listening"].as_str().unwrap()))
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let passes: usize = std::env::args().nth(1).map_or(40, |n| n.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (_reader, endpoint) = reader(folder.path());
    let mut figures = Vec::new();
    for (name, endpoint) in [("without a reader", None), ("2,000 tags a second", Some(&endpoint))] {
        let edit = |node: &mut toml::Table| {
            let Some(endpoint) = endpoint else { return };
            let lane = node["lane"].as_array_mut().unwrap()[0].as_table_mut().unwrap();
            let text = format!(
                "id = \"{}.reader\"\nendpoint = \"{endpoint}\"\nantennas = [1]\nrssi_min_dbm = -90",
                lane["id"].as_str().unwrap()
            );
            lane.insert("reader".into(), text.parse::<toml::Table>().unwrap().into());
            // A lane has a reader only where a slot asks for its tags; none of these is any container's.
            let slots = lane["identity"]["slots"].as_array_mut().unwrap();
            slots.push("container_tag".into());
        };
        let quick = QuickGate::edited(1, edit).await;
        let mut samples = drive(&quick, passes).await;
        samples.sort_by(f64::total_cmp);
        let at = |share: f64| samples[((samples.len() as f64 - 1.0) * share).round() as usize];
        println!(
            "{name:20} decision p50 {:.3} ms, p99 {:.3} ms, {} passes",
            at(0.5),
            at(0.99),
            samples.len()
        );
        figures.push((at(0.5), at(0.99)));
    }
    let (without, with) = (figures[0], figures[1]);
    println!("ratio p50 {:.2}, p99 {:.2} (bar: <= 1.5)", with.0 / without.0, with.1 / without.1);
}

/// Drives passes and gives how long each decision took, milliseconds.
async fn drive(quick: &QuickGate, passes: usize) -> Vec<f64> {
    let QuickGate { gate, central, lanes, .. } = quick;
    let QuickLane { id: lane, block, code, .. } = lanes.first().unwrap();
    for n in 0..passes {
        let mut mission = tests::released_import(code);
        mission.idempotency_key = format!("bench-{n}");
        let mission = central.create(&mission).await;
        block.loops(true, false);
        until("the arm to rise", 30, || async { (block.arm() >= 1.0).then_some(()) }).await;
        block.loops(false, true);
        gate.lane_until(lane, "the vehicle under the arm", 10, |l| l.inputs.loop_under.is_on()).await;
        block.loops(false, false);
        gate.lane_until(lane, "the pass to end", 20, |l| l.pass.is_none()).await;
        until("the mission to end", 10, || async { central.mission(&mission.id).await.definitive }).await;
    }
    gate.get::<Metrics>("/api/v1/metrics").await.decision_samples_ms
}
