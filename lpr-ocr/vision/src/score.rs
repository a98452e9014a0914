//! `varco-ocr score`: exact match against a truth table. Neither the truth's box nor its layout is used
//! for reading, its country only where `--region` gives it.

mod count;
mod jobs;
mod summary;

use crate::cli::ScoreArgs;
use crate::read::{self, Seen};
use crate::tally::{Accept, Empty, Outcome, Tally};
use crate::truth::{self, Truth};
use crate::{card::Models, contact, pool};
use anyhow::Context as _;
use count::Counts;
use jobs::Job;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;
use summary::{Summary, Times, told};

/// Reads every picture of the table and counts.
pub(crate) fn run(args: &ScoreArgs) -> anyhow::Result<ExitCode> {
    let models = crate::models(&args.models)?;
    let rows = truth::load(&args.truth, args.corrections.as_deref())?;
    let jobs = jobs::jobs(&rows);
    let threads = pool::threads(args.threads, jobs.len());
    let mut counts = Counts::new(&rows);
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
        let path = truth::path_of(&args.truth, &job.file);
        counts.add(job, &path, &readings, error.as_deref());
        Ok(())
    })?;
    let frames_per_s = jobs.len() as f32 / started.elapsed().as_secs_f32().max(1e-3);
    let times = times(args, &models, &jobs, threads, frames_per_s)?;
    if let Some(path) = &args.features {
        let table = counts.features.join("\n") + "\n";
        std::fs::write(path, table).with_context(|| path.display().to_string())?;
    }
    if let Some(path) = &args.sheet {
        contact::write(path, &counts.failing)?;
    }
    let fused = counts.over_cameras();
    let summary = summary(args, &models, counts, &fused, times, &rows);
    if args.json {
        println!("{}", serde_json::to_string(&summary)?);
    } else {
        told(&summary, &fused);
    }
    Ok(ExitCode::SUCCESS)
}

fn summary(
    args: &ScoreArgs,
    models: &Models,
    counts: Counts<'_>,
    fused: &[Outcome],
    times: Times,
    rows: &[Truth],
) -> Summary {
    let by = |name: fn(&Truth) -> &str| {
        let mut sets: BTreeMap<String, Vec<&Outcome>> = BTreeMap::new();
        for (row, outcome) in &counts.outcomes {
            sets.entry(name(&rows[*row]).to_owned()).or_default().push(outcome);
        }
        sets.into_iter().map(|(k, v)| (k, Tally::of(v.into_iter()))).collect::<BTreeMap<_, _>>()
    };
    let (by_layout, by_region) = (by(|r| &r.layout), by(|r| &r.region));
    let plain: Vec<Outcome> = counts.outcomes.iter().map(|o| o.1.clone()).collect();
    let accept = Accept::of(&plain);
    let empties = counts.empties;
    Summary {
        truth: args.truth.display().to_string(),
        models: models.names(),
        all: Tally::of(plain.iter()),
        by_layout,
        by_region,
        containers: (!fused.is_empty()).then(|| Tally::of(fused.iter())),
        type_codes: (!counts.types.is_empty()).then(|| Tally::of(counts.types.iter())),
        empty: (empties > 0).then(|| Empty::of(empties, &counts.false_reads, accept.threshold)),
        accept,
        times,
        failures: counts.failures,
    }
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
