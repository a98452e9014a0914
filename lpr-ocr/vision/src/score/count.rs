//! What the pictures of a table said, counted one after the other.

use crate::contact::Failing;
use crate::reading::Reading;
use crate::score::jobs::{Job, answers};
use crate::score::summary::Failure;
use crate::tally::Outcome;
use crate::truth::{Truth, bare};
use gate_types::observation::{OpticalRead, ReadKind};
use lpr_ocr::decode::Features;
use lpr_ocr::vote;
use std::collections::BTreeMap;
use std::path::Path;

/// Counts of the pictures so far.
pub(super) struct Counts<'a> {
    rows: &'a [Truth],
    /// Row of the table, and how it came out.
    pub outcomes: Vec<(usize, Outcome)>,
    pub failures: Vec<Failure>,
    /// Failing pictures with their readings, for the contact sheet.
    pub failing: Vec<Failing>,
    /// Pictures that show nothing to read, and the confidences of what was read on them.
    pub empties: usize,
    pub false_reads: Vec<f32>,
    pub types: Vec<Outcome>,
    /// What confidences are made of, lines of a table.
    pub features: Vec<String>,
    by_code: BTreeMap<String, Vec<OpticalRead>>,
}

impl<'a> Counts<'a> {
    /// Nothing counted yet.
    pub(super) fn new(rows: &'a [Truth]) -> Self {
        Self {
            rows,
            outcomes: Vec::new(),
            failures: Vec::new(),
            failing: Vec::new(),
            empties: 0,
            false_reads: Vec::new(),
            types: Vec::new(),
            features: vec![Features::csv_header()],
            by_code: BTreeMap::new(),
        }
    }

    /// Counts what was read on a picture; `error` says why it was not read.
    pub(super) fn add(&mut self, job: &Job, path: &Path, readings: &[Reading], error: Option<&str>) {
        let rows = self.rows;
        let wanted: Vec<(usize, &Truth)> = job
            .truths
            .iter()
            .filter_map(|t| Some((*t, rows.get(*t)?)))
            .filter(|(_, row)| !row.text.is_empty())
            .collect();
        if wanted.is_empty() {
            self.empties += 1;
            for r in readings {
                self.false_reads.push(r.read.confidence);
                self.features.push(r.features.csv_row(r.read.kind, false, r.read.confidence));
            }
            return;
        }
        let texts: Vec<&str> = wanted.iter().map(|(_, row)| row.text.as_str()).collect();
        let found = answers(&texts, readings);
        for ((number, row), answer) in wanted.into_iter().zip(found) {
            let got = answer.and_then(|r| readings.get(r));
            let outcome = self.outcome(row, got);
            if !outcome.is_exact() {
                self.fail(row, &outcome, got, error);
                let read = if got.is_some() { outcome.read.as_str() } else { "nothing" };
                let words =
                    [format!("truth {}", row.text), format!("read {read} ({:.2})", outcome.confidence)];
                self.failing.push(Failing { path: path.to_owned(), words, readings: readings.to_vec() });
            }
            self.outcomes.push((number, outcome));
        }
    }

    /// How a truth came out, with what its reading tells beside the text.
    fn outcome(&mut self, row: &Truth, got: Option<&Reading>) -> Outcome {
        let read = got.map_or(String::new(), |r| bare(&r.read.text));
        let confidence = got.map_or(0.0, |r| r.read.confidence);
        let outcome = Outcome { truth: row.text.clone(), read, confidence };
        if let Some(r) = got {
            self.features.push(r.features.csv_row(r.read.kind, outcome.is_exact(), confidence));
        }
        if row.kinds == [ReadKind::Container] {
            let reads = self.by_code.entry(row.text.clone()).or_default();
            reads.extend(got.map(|r| r.read.clone()));
        }
        if !row.type_code.is_empty() && outcome.is_exact() {
            let read = got.and_then(|r| r.read.type_code.clone()).unwrap_or_default();
            self.types.push(Outcome { truth: bare(&row.type_code), read, confidence });
        }
        outcome
    }

    fn fail(&mut self, row: &Truth, outcome: &Outcome, got: Option<&Reading>, error: Option<&str>) {
        self.failures.push(Failure {
            file: row.file.clone(),
            truth: row.text.clone(),
            read: outcome.read.clone(),
            raw_text: got.map_or(String::new(), |r| r.read.raw_text.clone()),
            confidence: outcome.confidence,
            error: error.map(str::to_owned),
        });
    }

    /// Container codes over all pictures of each container.
    pub(super) fn over_cameras(&self) -> Vec<Outcome> {
        let one = |(code, reads): (&String, &Vec<OpticalRead>)| {
            let best = vote::across_cameras(reads).into_iter().next();
            let (read, confidence) = best.map_or((String::new(), 0.0), |r| (bare(&r.text), r.confidence));
            Outcome { truth: code.clone(), read, confidence }
        };
        self.by_code.iter().map(one).collect()
    }
}
