//! Counting readings against the truth. Pure.

use gate_types::plate;
use serde::Serialize;

/// Part of all readable texts that the accepting threshold takes.
const TAKEN: f64 = 0.85;

/// How one truth came out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    /// The truth; letters and digits only.
    pub truth: String,
    /// What was read; empty where nothing was.
    pub read: String,
    /// Its confidence.
    pub confidence: f32,
}

impl Outcome {
    /// Whether the texts are the same.
    pub(crate) fn is_exact(&self) -> bool {
        self.read == self.truth
    }
    /// Whether they are with O and 0, I and 1 taken as one.
    pub(crate) fn is_folded(&self) -> bool {
        !self.read.is_empty() && plate::fold(&self.read) == plate::fold(&self.truth)
    }
}

/// Counts of a set.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Tally {
    pub truths: usize,
    pub exact: usize,
    pub folded: usize,
    pub wrong: usize,
    pub no_read: usize,
    pub exact_rate: f64,
    pub wilson_low: f64,
    pub wilson_high: f64,
}

impl Tally {
    /// Counts outcomes.
    pub(crate) fn of<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Self {
        let mut t = Self::default();
        for o in outcomes {
            t.truths += 1;
            t.exact += usize::from(o.is_exact());
            t.folded += usize::from(o.is_folded());
            t.no_read += usize::from(o.read.is_empty());
        }
        t.wrong = t.truths - t.exact - t.no_read;
        t.exact_rate = t.exact as f64 / t.truths.max(1) as f64;
        (t.wilson_low, t.wilson_high) = wilson(t.exact, t.truths);
        t
    }
}

/// The 95 % interval of `k` out of `n` (Wilson).
pub(crate) fn wilson(k: usize, n: usize) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (n, z) = (n as f64, 1.96f64);
    let p = k as f64 / n;
    let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

/// What happens at the highest threshold that accepts at least 85 % of all readable texts.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Accept {
    /// The threshold on the confidence.
    pub threshold: f32,
    /// Readings at or above it.
    pub accepted: usize,
    /// Of them wrong, also with O and 0, I and 1 taken as one.
    pub wrong: usize,
    /// Of them wrong as written.
    pub wrong_as_written: usize,
    /// Part of the accepted ones that is wrong (as written).
    pub wrong_rate: f64,
    /// Truths without a reading at or above it.
    pub referred: usize,
}

impl Accept {
    /// Looks for the threshold.
    pub(crate) fn of(outcomes: &[Outcome]) -> Self {
        let mut sure: Vec<f32> = outcomes.iter().map(|o| o.confidence).collect();
        sure.sort_by(|a, b| b.total_cmp(a));
        let least = (TAKEN * outcomes.len() as f64).ceil() as usize;
        let threshold = least.checked_sub(1).and_then(|n| sure.get(n)).copied().unwrap_or(0.0);
        let taken: Vec<&Outcome> =
            outcomes.iter().filter(|o| !o.read.is_empty() && o.confidence >= threshold).collect();
        let wrong = taken.iter().filter(|o| !o.is_folded()).count();
        let wrong_as_written = taken.iter().filter(|o| !o.is_exact()).count();
        Self {
            threshold,
            accepted: taken.len(),
            wrong,
            wrong_as_written,
            wrong_rate: wrong_as_written as f64 / taken.len().max(1) as f64,
            referred: outcomes.len() - taken.len(),
        }
    }
}

/// Readings on pictures that show nothing to read.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Empty {
    pub pictures: usize,
    /// False readings per 1,000 pictures at a confidence of at least 0.5, 0.9, and the accepting threshold.
    pub per_1000_at_half: f64,
    pub per_1000_at_nine_tenths: f64,
    pub per_1000_accepted: f64,
}

impl Empty {
    /// `confidences`: of all readings on `pictures` pictures.
    pub(crate) fn of(pictures: usize, confidences: &[f32], threshold: f32) -> Self {
        let per = |least: f32| {
            let n = confidences.iter().filter(|c| **c >= least).count();
            1_000.0 * n as f64 / pictures.max(1) as f64
        };
        Self {
            pictures,
            per_1000_at_half: per(0.5),
            per_1000_at_nine_tenths: per(0.9),
            per_1000_accepted: per(threshold),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(truth: &str, read: &str, confidence: f32) -> Outcome {
        Outcome { truth: truth.into(), read: read.into(), confidence }
    }

    #[test]
    fn wilson_intervals_are_the_known_ones() {
        let (low, high) = wilson(78, 108);
        assert!((low - 0.631).abs() < 0.002 && (high - 0.798).abs() < 0.002, "{low} {high}");
        assert!(wilson(0, 10).0.abs() < 1e-9 && wilson(10, 10).1 > 0.999);
    }

    #[test]
    fn every_truth_is_right_wrong_or_not_read() {
        let all = [outcome("AB12", "AB12", 0.9), outcome("AO12", "A012", 0.8), outcome("XY", "", 0.0)];
        let t = Tally::of(all.iter());
        assert_eq!((t.truths, t.exact, t.folded, t.wrong, t.no_read), (3, 1, 2, 1, 1));
    }

    #[test]
    fn the_threshold_takes_at_least_its_part() {
        let mut all: Vec<Outcome> = (0..20).map(|n| outcome("A1", "A1", 1.0 - n as f32 / 100.0)).collect();
        all[16].read = "B1".into();
        all[19].read = "B1".into();
        let a = Accept::of(&all);
        assert_eq!((a.accepted, a.wrong, a.referred), (17, 1, 3));
        assert_eq!(Accept::of(&[]).accepted, 0);
        // Where fewer are read at all, everything read is accepted.
        let few = [outcome("A1", "A1", 0.7), outcome("A2", "", 0.0)];
        assert_eq!((Accept::of(&few).accepted, Accept::of(&few).referred), (1, 1));
    }

    #[test]
    fn false_readings_are_counted_per_thousand() {
        let e = Empty::of(200, &[0.95, 0.6, 0.1], 0.55);
        assert!((e.per_1000_at_half - 10.0).abs() < 1e-9 && (e.per_1000_at_nine_tenths - 5.0).abs() < 1e-9);
        assert!((e.per_1000_accepted - 10.0).abs() < 1e-9);
    }
}
