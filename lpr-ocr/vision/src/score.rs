//! `varco-ocr score`: exact match against a truth table. Neither the truth's box nor its layout is used
//! for reading, its country only where `--region` gives it.

use crate::cli::ScoreArgs;
use crate::contact::{self, Failing};
use crate::read::{self, Seen};
use crate::reading::Reading;
use crate::tally::{Accept, Empty, Outcome, Tally};
use crate::truth::{self, Truth, bare};
use crate::{card::Models, pool};
use anyhow::Context as _;
use gate_types::observation::{OpticalRead, ReadKind};
use lpr_ocr::decode::Features;
use lpr_ocr::vote;
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

#[derive(Serialize)]
struct Failure {
    file: String,
    truth: String,
    read: String,
    raw_text: String,
    confidence: f32,
    error: Option<String>,
}

#[derive(Serialize)]
struct Times {
    /// Decoding and reading of one frame on one thread.
    one_thread_ms: f32,
    one_thread_median_ms: f32,
    /// Frames a second with all threads, files loaded from disk.
    frames_per_s: f32,
    threads: usize,
}

#[derive(Serialize)]
struct Summary {
    truth: String,
    models: String,
    all: Tally,
    by_layout: BTreeMap<String, Tally>,
    by_region: BTreeMap<String, Tally>,
    accept: Accept,
    /// Container codes over all pictures of the container.
    containers: Option<Tally>,
    type_codes: Option<Tally>,
    empty: Option<Empty>,
    times: Times,
    failures: Vec<Failure>,
}

/// Pictures that are read once, with all their truths of the same kinds.
struct Job {
    file: String,
    kinds: Vec<ReadKind>,
    truths: Vec<usize>,
}

fn jobs(rows: &[Truth]) -> Vec<Job> {
    let mut jobs: Vec<Job> = Vec::new();
    let mut known: BTreeMap<(&str, &[ReadKind]), usize> = BTreeMap::new();
    for (n, row) in rows.iter().enumerate() {
        let key = (row.file.as_str(), row.kinds.as_slice());
        match known.get(&key) {
            Some(&job) => jobs[job].truths.push(n),
            None => {
                known.insert(key, jobs.len());
                jobs.push(Job { file: row.file.clone(), kinds: row.kinds.clone(), truths: vec![n] });
            }
        }
    }
    jobs
}

/// Which reading answers each truth of a picture: with n truths the n best readings count, and those that
/// are a truth exactly belong to it.
fn answers(truths: &[&str], readings: &[Reading]) -> Vec<Option<usize>> {
    let n = truths.len().min(readings.len());
    let mut free: Vec<usize> = (0..n).collect();
    let mut out: Vec<Option<usize>> = vec![None; truths.len()];
    for (answer, text) in out.iter_mut().zip(truths) {
        if let Some(at) = free.iter().position(|&r| bare(&readings[r].read.text) == *text) {
            *answer = Some(free.remove(at));
        }
    }
    for answer in out.iter_mut().filter(|a| a.is_none()) {
        if !free.is_empty() {
            *answer = Some(free.remove(0));
        }
    }
    out
}

/// Reads every picture of the table and counts.
pub(crate) fn run(args: &ScoreArgs) -> anyhow::Result<ExitCode> {
    let models = crate::models(&args.models)?;
    let rows = truth::load(&args.truth, args.corrections.as_deref())?;
    let jobs = jobs(&rows);
    let threads = pool::threads(args.threads, jobs.len());
    let mut outcomes: Vec<(usize, Outcome)> = Vec::new();
    let (mut failures, mut failing) = (Vec::new(), Vec::new());
    let (mut empties, mut false_reads) = (0, Vec::new());
    let mut by_code: BTreeMap<String, Vec<OpticalRead>> = BTreeMap::new();
    let mut types = Vec::new();
    let mut features = vec![Features::csv_header()];
    let started = Instant::now();
    let work = |engine: &mut crate::engine::Engine, n: usize| {
        let job: &Job = &jobs[n];
        read::one(engine, &truth::path_of(&args.truth, &job.file), &job.kinds, None)
    };
    let effort = args.effort.effort();
    pool::each(&models, &args.models.region, effort, (threads, jobs.len()), work, |n, seen| {
        let job = &jobs[n];
        let (readings, error) = match seen {
            Ok(Seen { readings, .. }) => (readings, None),
            Err(error) => (Vec::new(), Some(format!("{error:#}"))),
        };
        let wanted: Vec<usize> = job.truths.iter().copied().filter(|t| !rows[*t].text.is_empty()).collect();
        if wanted.is_empty() {
            empties += 1;
            false_reads.extend(readings.iter().map(|r| r.read.confidence));
            for r in &readings {
                features.push(r.features.csv_row(r.read.kind, false, r.read.confidence));
            }
            return Ok(());
        }
        let texts: Vec<&str> = wanted.iter().map(|t| rows[*t].text.as_str()).collect();
        let mut words: Vec<[String; 2]> = Vec::new();
        for (&truth, answer) in wanted.iter().zip(answers(&texts, &readings)) {
            let row = &rows[truth];
            let got = answer.map(|r| &readings[r]);
            let read = got.map_or(String::new(), |r| bare(&r.read.text));
            let confidence = got.map_or(0.0, |r| r.read.confidence);
            let outcome = Outcome { truth: row.text.clone(), read, confidence };
            if let Some(r) = got {
                features.push(r.features.csv_row(r.read.kind, outcome.is_exact(), confidence));
                if row.kinds == [ReadKind::Container] {
                    by_code.entry(row.text.clone()).or_default().push(r.read.clone());
                }
            } else if row.kinds == [ReadKind::Container] {
                by_code.entry(row.text.clone()).or_default();
            }
            if !row.type_code.is_empty() && outcome.is_exact() {
                let read = got.and_then(|r| r.read.type_code.clone()).unwrap_or_default();
                types.push(Outcome { truth: bare(&row.type_code), read, confidence });
            }
            if !outcome.is_exact() {
                words.push([
                    format!("truth {}", row.text),
                    format!(
                        "read {} ({confidence:.2})",
                        if got.is_some() { &outcome.read } else { "nothing" }
                    ),
                ]);
                failures.push(Failure {
                    file: row.file.clone(),
                    truth: row.text.clone(),
                    read: outcome.read.clone(),
                    raw_text: got.map_or(String::new(), |r| r.read.raw_text.clone()),
                    confidence,
                    error: error.clone(),
                });
            }
            outcomes.push((truth, outcome));
        }
        if args.sheet.is_some() {
            let path = truth::path_of(&args.truth, &job.file);
            let one = |words| Failing { path: path.clone(), words, readings: readings.clone() };
            failing.extend(words.into_iter().map(one));
        }
        Ok(())
    })?;
    let frames_per_s = jobs.len() as f32 / started.elapsed().as_secs_f32().max(1e-3);
    let times = times(args, &models, &jobs, threads, frames_per_s)?;
    let by = |name: fn(&Truth) -> &str| {
        let mut sets: BTreeMap<String, Vec<&Outcome>> = BTreeMap::new();
        for (row, outcome) in &outcomes {
            sets.entry(name(&rows[*row]).to_owned()).or_default().push(outcome);
        }
        sets.into_iter().map(|(k, v)| (k, Tally::of(v.into_iter()))).collect::<BTreeMap<_, _>>()
    };
    let (by_layout, by_region) = (by(|r| &r.layout), by(|r| &r.region));
    let plain: Vec<Outcome> = outcomes.iter().map(|o| o.1.clone()).collect();
    let accept = Accept::of(&plain);
    let fused: Vec<Outcome> = by_code.iter().map(|(code, reads)| over_cameras(code, reads)).collect();
    let summary = Summary {
        truth: args.truth.display().to_string(),
        models: models.names(),
        all: Tally::of(plain.iter()),
        by_layout,
        by_region,
        containers: (!fused.is_empty()).then(|| Tally::of(fused.iter())),
        type_codes: (!types.is_empty()).then(|| Tally::of(types.iter())),
        empty: (empties > 0).then(|| Empty::of(empties, &false_reads, accept.threshold)),
        accept,
        times,
        failures,
    };
    if let Some(path) = &args.features {
        std::fs::write(path, features.join("\n") + "\n").with_context(|| path.display().to_string())?;
    }
    if let Some(path) = &args.sheet {
        contact::write(path, &failing)?;
    }
    if args.json {
        println!("{}", serde_json::to_string(&summary)?);
    } else {
        told(&summary, &fused);
    }
    Ok(ExitCode::SUCCESS)
}

/// The code of a container from the readings of its pictures.
fn over_cameras(code: &str, reads: &[OpticalRead]) -> Outcome {
    let best = vote::across_cameras(reads).into_iter().next();
    let (read, confidence) = best.map_or((String::new(), 0.0), |r| (bare(&r.text), r.confidence));
    Outcome { truth: code.to_owned(), read, confidence }
}

/// Reads some pictures again on one thread.
fn times(
    args: &ScoreArgs,
    models: &Models,
    jobs: &[Job],
    threads: usize,
    frames_per_s: f32,
) -> anyhow::Result<Times> {
    let mut all = Vec::new();
    if args.times > 0 {
        let mut engine = crate::engine_of(models, &args.models.region, args.effort.effort())?;
        let step = jobs.len().div_ceil(args.times).max(1);
        for job in jobs.iter().step_by(step) {
            let seen = read::one(&mut engine, &truth::path_of(&args.truth, &job.file), &job.kinds, None);
            all.extend(seen.ok().map(|s| s.ms));
        }
    }
    all.sort_by(f32::total_cmp);
    Ok(Times {
        one_thread_ms: all.iter().fold(0.0, |s, ms| s + ms) / all.len().max(1) as f32,
        one_thread_median_ms: all.get(all.len() / 2).copied().unwrap_or(0.0),
        frames_per_s,
        threads,
    })
}

fn told(s: &Summary, fused: &[Outcome]) {
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
