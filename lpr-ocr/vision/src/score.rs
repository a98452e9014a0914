//! `varco-ocr score`: exact match against a truth table. Neither the truth's box nor its layout is used
//! for reading.

use crate::{ScoreArgs, read};
use anyhow::Context as _;
use gate_types::observation::ReadKind;
use gate_types::plate;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::ExitCode;

/// A wrong reading at or above this confidence is told apart from a weak one.
const CONFIDENT: f32 = 0.9;

#[derive(Default, Serialize)]
struct Tally {
    pictures: usize,
    exact: usize,
    folded: usize,
    no_read: usize,
    confident: usize,
    confident_wrong: usize,
    exact_rate: f64,
    wilson_low: f64,
    wilson_high: f64,
}

impl Tally {
    fn close(&mut self) {
        let (n, k) = (self.pictures.max(1) as f64, self.exact as f64);
        let (p, z) = (k / n, 1.96);
        let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
        let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        (self.exact_rate, self.wilson_low, self.wilson_high) = (p, middle - half, middle + half);
    }
}

#[derive(Serialize)]
struct Failure {
    file: String,
    truth: String,
    read: String,
    raw_text: String,
    confidence: f32,
}

#[derive(Serialize)]
struct Summary {
    truth: String,
    models: String,
    all: Tally,
    by_layout: BTreeMap<String, Tally>,
    ms_mean: f32,
    ms_median: f32,
    failures: Vec<Failure>,
}

struct Row {
    file: String,
    text: String,
    kind: ReadKind,
    layout: String,
}

fn table(path: &Path) -> anyhow::Result<Vec<HashMap<String, String>>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut lines = text.lines();
    let header: Vec<&str> =
        lines.next().unwrap_or("").trim_start_matches('\u{feff}').split(',').map(str::trim).collect();
    anyhow::ensure!(
        header.contains(&"file") && header.contains(&"text"),
        "{}: the first line must name the columns file and text",
        path.display()
    );
    let row = |l: &str| {
        header.iter().map(|h| (*h).to_owned()).zip(l.split(',').map(|v| v.trim().to_owned())).collect()
    };
    Ok(lines.filter(|l| !l.trim().is_empty()).map(row).collect())
}

fn bare(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

fn kind_of(row: &HashMap<String, String>, text: &str) -> ReadKind {
    let named = row.get("kind").filter(|k| !k.is_empty()).or(row.get("region"));
    match named.map(String::as_str) {
        Some("container" | "ilu") => ReadKind::Container,
        Some("adr") => ReadKind::Adr,
        _ if text.contains('/') => ReadKind::Adr,
        _ => ReadKind::Plate,
    }
}

fn rows(args: &ScoreArgs) -> anyhow::Result<Vec<Row>> {
    let mut corrected = HashMap::new();
    if let Some(path) = &args.corrections {
        for mut row in table(path)? {
            if let (Some(file), Some(text)) = (row.remove("file"), row.remove("text")) {
                corrected.insert(file, text);
            }
        }
    }
    let rows = table(&args.truth)?
        .into_iter()
        .filter_map(|row| {
            let file = row.get("file")?.clone();
            let text = corrected.get(&file).or(row.get("text"))?.clone();
            let kind = kind_of(&row, &text);
            let layout = row.get("layout").or(row.get("region")).filter(|l| !l.is_empty());
            let layout = layout.cloned().unwrap_or_else(|| "all".into());
            Some(Row { file, text: bare(&text), kind, layout })
        })
        .collect();
    Ok(rows)
}

/// Reads every picture of the table and counts.
pub(crate) fn run(args: &ScoreArgs) -> anyhow::Result<ExitCode> {
    let mut engine = crate::engine(&args.models, true)?;
    let folder = args.truth.parent().unwrap_or(Path::new("."));
    let (mut all, mut by_layout) = (Tally::default(), BTreeMap::<String, Tally>::new());
    let (mut failures, mut times) = (Vec::new(), Vec::new());
    // A picture may carry several truths (front plate and code): it is read once per kind asked for.
    for row in rows(args)? {
        let layout = by_layout.entry(row.layout.clone()).or_default();
        let (mut got, mut raw, mut confidence) = (String::new(), String::new(), 0.0);
        match read::one(&mut engine, &folder.join(&row.file), &[row.kind], None) {
            Ok((_, _, ms, readings)) => {
                times.push(ms);
                // Several objects of one kind may stand on a picture; the best one is the answer.
                if let Some(best) = readings.first() {
                    got = bare(&best.read.text);
                    raw.clone_from(&best.read.raw_text);
                    confidence = best.read.confidence;
                }
            }
            Err(error) => raw = format!("error: {error:#}"),
        }
        let exact = got == row.text;
        let folded = !got.is_empty() && plate::fold(&got) == plate::fold(&row.text);
        for tally in [&mut all, layout] {
            tally.pictures += 1;
            tally.exact += usize::from(exact);
            tally.folded += usize::from(folded);
            tally.no_read += usize::from(got.is_empty());
            tally.confident += usize::from(confidence >= CONFIDENT);
            tally.confident_wrong += usize::from(confidence >= CONFIDENT && !exact);
        }
        if !exact {
            failures.push(Failure { file: row.file, truth: row.text, read: got, raw_text: raw, confidence });
        }
    }
    all.close();
    by_layout.values_mut().for_each(Tally::close);
    times.sort_by(f32::total_cmp);
    let summary = Summary {
        truth: args.truth.display().to_string(),
        models: engine.models().to_owned(),
        all,
        by_layout,
        ms_mean: times.iter().sum::<f32>() / times.len().max(1) as f32,
        ms_median: times.get(times.len() / 2).copied().unwrap_or(0.0),
        failures,
    };
    if args.json {
        println!("{}", serde_json::to_string(&summary)?);
    } else {
        told(&summary);
    }
    Ok(ExitCode::SUCCESS)
}

fn told(s: &Summary) {
    println!("{} with models {}", s.truth, s.models);
    let row = |name: &str, t: &Tally| {
        println!(
            "{name:12} {:4}/{:<4} exact ({:.1} %, 95 % {:.1}-{:.1}), {} folded, {} without reading, {} at >= {CONFIDENT}, {} of them wrong",
            t.exact,
            t.pictures,
            t.exact_rate * 100.0,
            t.wilson_low * 100.0,
            t.wilson_high * 100.0,
            t.folded,
            t.no_read,
            t.confident,
            t.confident_wrong
        );
    };
    for (name, tally) in &s.by_layout {
        row(name, tally);
    }
    row("all", &s.all);
    println!("one thread: mean {:.1} ms, median {:.1} ms per frame", s.ms_mean, s.ms_median);
    for f in &s.failures {
        println!("  {} truth {} read {} ({:.3}) raw {}", f.file, f.truth, f.read, f.confidence, f.raw_text);
    }
}
