//! What one durable commit of a decision costs beside a raw `fdatasync` of one page, in turns on the same
//! folder: `cargo run --release -p journal --example commit_cost -- FOLDER [COUNT] [IDLE_MS]`. One raw page
//! makes its file longer, the other overwrites blocks that its file has, as the journal's log does.
//! IDLE_MS goes by before each.

use gate_types::entry::{Entry, EntryBody};
use gate_types::{LaneId, PassId, Stamp};
use journal::Journal;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

fn percentile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[((samples.len() as f64 - 1.0) * share).round() as usize]
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = std::path::PathBuf::from(arguments.next().ok_or("which folder?")?);
    let count: u64 = arguments.next().map_or(Ok(500), |n| n.parse())?;
    let idle = Duration::from_millis(arguments.next().map_or(Ok(0), |n| n.parse())?);
    let (journal, _) = Journal::open(&folder.join("commit_cost.db"))?;
    let mut page = std::fs::File::create(folder.join("commit_cost.page"))?;
    let place = std::fs::File::create(folder.join("commit_cost.place"))?;
    place.write_all_at(&vec![0; 1 << 20], 0)?;
    place.sync_all()?;
    let lane = LaneId::new("n1-in-1")?;
    let (mut longer, mut over, mut ours) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..count {
        let entry = |body| Entry {
            lane: None,
            pass: Some(PassId { lane: lane.clone(), number }),
            at: Stamp::default(),
            body,
        };
        // About the size of an answer, a decision and a raise.
        let answer = entry(EntryBody::ReleaseAnswered { signed: "x".repeat(2_000) });
        let decided = entry(EntryBody::OperatorAct {
            name: "x".repeat(2_000),
            act: String::new(),
            reason: String::new(),
        });
        let raise = entry(EntryBody::ArmConfirmedUp {});
        let batch = vec![answer, decided, raise];
        tokio::time::sleep(idle).await;
        let started = Instant::now();
        journal.append(&batch).await?;
        ours.push(started.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(idle).await;
        let started = Instant::now();
        page.write_all(&[0x5a; 4096])?;
        page.sync_data()?;
        longer.push(started.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(idle).await;
        let started = Instant::now();
        place.write_all_at(&[0x5a; 4096], number % 256 * 4096)?;
        place.sync_data()?;
        over.push(started.elapsed().as_secs_f64() * 1e3);
    }
    for (name, samples) in [
        ("fdatasync, longer file", &mut longer),
        ("fdatasync, overwriting", &mut over),
        ("append", &mut ours),
    ] {
        println!(
            "{name:22} p50 {:7.3} ms   p99 {:7.3} ms",
            percentile(samples, 0.5),
            percentile(samples, 0.99)
        );
    }
    Ok(())
}
