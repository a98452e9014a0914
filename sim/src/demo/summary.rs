//! The summary of a run, as JSON.

use serde::Serialize;
use std::collections::BTreeMap;

/// Counts by name.
pub type Counts = BTreeMap<String, u64>;

/// Passes.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Passes {
    /// Drove through, in truth and in the records.
    pub completed: u64,
    /// Went through on the gate's own decision.
    pub admitted: u64,
    /// Held, by reason.
    pub held: Counts,
    /// Referred to an operator, by reason.
    pub referred: Counts,
    /// Turned back, in truth and in the records.
    pub turned_back: u64,
    /// In truth, but not in the records.
    pub lost: u64,
    /// In the records, but not in truth.
    pub invented: u64,
}

/// Missions that reached their destination.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Missions {
    /// All.
    pub completed: u64,
    /// By process.
    pub by_process: Counts,
    /// By process, in truth.
    pub truth: Counts,
}

/// Arm movements.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Arms {
    /// Arms that rose, in truth.
    pub raised: u64,
    /// Rises that the gates confirmed.
    pub confirmed: u64,
    /// Falls that the gates confirmed.
    pub lowered: u64,
    /// Movements without a recorded decision.
    pub unexplained: u64,
    /// Recorded decisions to raise without a movement.
    pub unmoved: u64,
}

/// Events.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Events {
    /// In the gates' journals.
    pub recorded: u64,
    /// Acknowledged to the gates.
    pub acknowledged: u64,
    /// Recorded, but not at central.
    pub lost: u64,
    /// Stored twice at central.
    pub duplicated: u64,
    /// Delivered again and recognised.
    pub redelivered: u64,
    /// Published over MQTT.
    pub published: u64,
}

/// Percentiles, milliseconds.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Times {
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// How many.
    pub count: usize,
}

impl Times {
    /// Percentiles of samples (nearest rank); zeros where there is none.
    pub fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let rank = |p: f64| {
            let at = ((p * samples.len() as f64).ceil() as usize).clamp(1, samples.len().max(1)) - 1;
            samples.get(at).map_or(0.0, |v| (v * 1000.0).round() / 1000.0)
        };
        Self { p50: rank(0.5), p99: rank(0.99), count: samples.len() }
    }
}

/// How often a kind of identifier was right.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Reads {
    /// The best candidate is the truth.
    pub right: u64,
    /// It is something else.
    pub wrong: u64,
    /// There was one, and nothing was read.
    pub none: u64,
}

/// The summary.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// Seed of the run.
    pub seed: u64,
    /// How long trucks came, seconds.
    pub seconds: f64,
    /// Passes.
    pub passes: Passes,
    /// Missions.
    pub missions: Missions,
    /// Arms.
    pub arms: Arms,
    /// Events.
    pub events: Events,
    /// Alarms by kind.
    pub alarms: Counts,
    /// From the last needed input to the raise command on the wire.
    pub decision_latency_ms: Times,
    /// One durable journal commit.
    pub fsync_ms: Times,
    /// Reads by kind.
    pub reads: BTreeMap<&'static str, Reads>,
    /// Raises for the wrong mission.
    pub wrong_identity: u64,
    /// Trucks that gave up though nothing was wrong with them.
    pub gave_up: u64,
    /// What world and records disagree about, in words; empty when they agree.
    pub disagreements: Vec<String>,
    /// Wrong and missing reads in detail, for those who improve the reading.
    pub misreads: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_take_the_nearest_rank() {
        let t = Times::of((1..=100).map(f64::from).collect());
        assert_eq!((t.p50, t.p99, t.count), (50.0, 99.0, 100));
        assert_eq!(Times::of(Vec::new()).p99, 0.0);
    }
}
