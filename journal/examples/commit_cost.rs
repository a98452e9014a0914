//! What one durable commit of a decision costs beside a raw `fdatasync` of one appended page, in turns on
//! the same folder: `cargo run --release -p journal --example commit_cost -- FOLDER [COUNT]`.

use gate_types::entry::{Entry, EntryBody};
use gate_types::{LaneId, PassId, Stamp};
use journal::Journal;
use std::io::Write as _;
use std::time::Instant;

fn percentile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[((samples.len() as f64 - 1.0) * share).round() as usize]
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = std::path::PathBuf::from(arguments.next().ok_or("which folder?")?);
    let count: u64 = arguments.next().map_or(Ok(500), |n| n.parse())?;
    let (journal, _) = Journal::open(&folder.join("commit_cost.db"))?;
    let mut page = std::fs::File::create(folder.join("commit_cost.page"))?;
    let lane = LaneId::new("n1-in-1")?;
    let (mut raw, mut ours) = (Vec::new(), Vec::new());
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
        let started = Instant::now();
        journal.append(vec![answer, decided, raise]).await?;
        ours.push(started.elapsed().as_secs_f64() * 1e3);
        let started = Instant::now();
        page.write_all(&[0x5a; 4096])?;
        page.sync_data()?;
        raw.push(started.elapsed().as_secs_f64() * 1e3);
    }
    for (name, samples) in [("fdatasync", &mut raw), ("append", &mut ours)] {
        println!(
            "{name:10} p50 {:7.3} ms   p99 {:7.3} ms",
            percentile(samples, 0.5),
            percentile(samples, 0.99)
        );
    }
    Ok(())
}
