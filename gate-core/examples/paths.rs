//! How many passes a second the path follower takes in memory, on one core (events/s).
//!
//!     cargo run --release -p gate-core --example paths [LOG.csv]
//!
//! Missions over the 15 sequences of Bari in turn; one in twenty leaves out a leg. Writes the same passes as
//! `case,process,activity,at_ms` for a peer where a file is named (`scripts/bench-paths.py`).
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

#[path = "../tests/paths/port.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests")]
mod port;
#[path = "../tests/core/site.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests")]
mod site;

use gate_core::mission::{Follower, PassSeen, Plan};
use gate_types::mission::Direction;
use std::io::Write as _;
use std::time::Instant;

const MISSIONS: usize = 200_000;

fn main() {
    let mut kinds: Vec<(Plan, Vec<PassSeen>)> = Vec::new();
    port::each_path(|process, path| kinds.push((port::plan(process), port::driven(process, path))));
    assert_eq!(kinds.len(), 15);
    let missions: Vec<(usize, Vec<PassSeen>)> = (0..MISSIONS)
        .map(|n| {
            let kind = n % kinds.len();
            let mut passes = kinds[kind].1.clone();
            if n % 20 == 7 && passes.len() > 2 {
                passes.remove(1);
            }
            (kind, passes)
        })
        .collect();
    if let Some(file) = std::env::args().nth(1) {
        write(&file, &kinds, &missions);
    }
    let events: usize = missions.iter().map(|(_, passes)| passes.len()).sum();
    let mut best = f64::MAX;
    let (mut finished, mut odd) = (0usize, 0usize);
    for _ in 0..5 {
        (finished, odd) = (0, 0);
        let start = Instant::now();
        for (kind, passes) in &missions {
            let plan = &kinds[*kind].0;
            let mut follower = Follower::new();
            for pass in passes {
                follower.see(plan, plan.seen(&pass.leg, pass.at_ms, plan.held(&pass.conditions)));
            }
            finished += usize::from(follower.is_finished(plan));
            odd += usize::from(!follower.is_clean());
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    assert_eq!(finished, MISSIONS);
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = events as f64 / best;
    println!(
        "path verification in memory: {MISSIONS} missions, {events} passes, {odd} missions not clean: {rate:.0} events/s on one core"
    );
}

fn write(file: &str, kinds: &[(Plan, Vec<PassSeen>)], missions: &[(usize, Vec<PassSeen>)]) {
    let mut out = std::io::BufWriter::new(std::fs::File::create(file).unwrap());
    writeln!(out, "case,process,activity,at_ms").unwrap();
    for (case, (kind, passes)) in missions.iter().enumerate().take(2_000) {
        for pass in passes {
            let way = match pass.leg.direction {
                Direction::In => "in",
                Direction::Out => "out",
            };
            let process = &kinds[*kind].0.process().id;
            writeln!(out, "{case},{process},{}-{way},{}", pass.leg.node, pass.at_ms).unwrap();
        }
    }
}
