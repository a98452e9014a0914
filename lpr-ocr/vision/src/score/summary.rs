//! What `varco-ocr score` tells: as one JSON object, or in lines.

use crate::tally::{Accept, Empty, Outcome, Tally};
use serde::Serialize;
use std::collections::BTreeMap;

/// A truth that was not read exactly.
#[derive(Serialize)]
pub(super) struct Failure {
    pub file: String,
    pub truth: String,
    pub read: String,
    pub raw_text: String,
    pub confidence: f32,
    pub error: Option<String>,
}

/// What reading took.
#[derive(Serialize)]
pub(super) struct Times {
    /// Decoding and reading of one frame on one thread.
    pub one_thread_ms: f32,
    pub one_thread_median_ms: f32,
    /// Frames a second with all threads, files loaded from disk.
    pub frames_per_s: f32,
    pub threads: usize,
}

/// All figures of a set.
#[derive(Serialize)]
pub(super) struct Summary {
    pub truth: String,
    pub models: String,
    pub all: Tally,
    pub by_layout: BTreeMap<String, Tally>,
    pub by_region: BTreeMap<String, Tally>,
    pub accept: Accept,
    /// Container codes over all pictures of the container.
    pub containers: Option<Tally>,
    pub type_codes: Option<Tally>,
    pub empty: Option<Empty>,
    pub times: Times,
    pub failures: Vec<Failure>,
}

/// Prints the figures; `fused`: container codes over all pictures of each container.
pub(super) fn told(s: &Summary, fused: &[Outcome]) {
    println!("{} with models: {}", s.truth, s.models);
    let row = |name: &str, t: &Tally| {
        println!(
            "{name:14} {:4}/{:<4} exact ({:.1} %, 95 % {:.1}-{:.1}), {} folded, {} wrong, {} not read",
            t.exact,
            t.truths,
            t.exact_rate * 100.0,
            t.wilson_low * 100.0,
            t.wilson_high * 100.0,
            t.folded,
            t.wrong,
            t.no_read
        );
    };
    for sets in [&s.by_layout, &s.by_region] {
        for (name, tally) in sets.iter().filter(|_| sets.len() > 1) {
            row(name, tally);
        }
    }
    row("all", &s.all);
    if let Some(t) = &s.containers {
        row("per container", t);
        for o in fused.iter().filter(|o| !o.is_exact()) {
            println!("  container {} over its cameras: {} ({:.3})", o.truth, o.read, o.confidence);
        }
    }
    if let Some(t) = &s.type_codes {
        row("type codes", t);
    }
    let a = &s.accept;
    println!(
        "at {:.4}: {} accepted, {} of them wrong ({} beyond O/0 and I/1; {:.2} %), {} referred",
        a.threshold,
        a.accepted,
        a.wrong_as_written,
        a.wrong,
        a.wrong_rate * 100.0,
        a.referred
    );
    if let Some(e) = &s.empty {
        println!(
            "{} pictures without anything to read: {:.1} false readings per 1,000 at 0.5, {:.1} at 0.9, {:.1} at the threshold",
            e.pictures, e.per_1000_at_half, e.per_1000_at_nine_tenths, e.per_1000_accepted
        );
    }
    println!(
        "one thread: mean {:.1} ms, median {:.1} ms a frame; {} threads: {:.1} frames/s",
        s.times.one_thread_ms, s.times.one_thread_median_ms, s.times.threads, s.times.frames_per_s
    );
    for f in &s.failures {
        let error = f.error.as_ref().map_or(String::new(), |e| format!(" error {e}"));
        println!(
            "  {} truth {} read {} ({:.3}) raw {}{error}",
            f.file, f.truth, f.read, f.confidence, f.raw_text
        );
    }
}
