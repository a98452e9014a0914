//! The daemon's own figures: latency samples and counts of what it has recorded since its start.

use gate_types::PassId;
use gate_types::console::{Metrics, Percentiles};
use gate_types::entry::{Entry, EntryBody, PassOutcome};
use gate_types::verdict::{Reason, Verdict};
use journal::Stats;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Newest samples kept.
const RING: usize = 4_096;

#[derive(Debug, Default)]
struct Counts {
    latency_ms: VecDeque<f64>,
    acknowledged_ms: VecDeque<f64>,
    passes: BTreeMap<String, u64>,
    arms: BTreeMap<String, u64>,
    held: BTreeMap<String, u64>,
    referred: BTreeMap<String, u64>,
    /// Open passes that count in `held` or `referred` already: each pass counts once in each.
    counted_held: BTreeSet<PassId>,
    counted_referred: BTreeSet<PassId>,
}

/// Shared by the lanes, read by the console.
#[derive(Debug, Default)]
pub struct Meter(Mutex<Counts>);

impl Meter {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// One decision's way from its last needed input to the raise command: when it had left for the wire,
    /// and when it was acknowledged.
    pub fn decision(&self, left: Duration, acknowledged: Duration) {
        let mut counts = self.counts();
        keep(&mut counts.latency_ms, left);
        keep(&mut counts.acknowledged_ms, acknowledged);
    }
    /// Counts entries that are durable.
    pub fn recorded(&self, entries: &[Entry]) {
        let mut counts = self.counts();
        for entry in entries {
            counts.record(entry);
        }
    }
    /// The figures now.
    pub fn read(&self, journal: Stats) -> Metrics {
        let counts = self.counts();
        let decision_samples_ms: Vec<f64> = counts.latency_ms.iter().copied().collect();
        let acknowledged: Vec<f64> = counts.acknowledged_ms.iter().copied().collect();
        Metrics {
            decision_acknowledged_ms: percentiles(&acknowledged),
            decision_latency_ms: percentiles(&decision_samples_ms),
            fsync_ms: percentiles(&journal.fsync_samples_ms),
            decision_samples_ms,
            fsync_samples_ms: journal.fsync_samples_ms,
            entries: journal.entries,
            events: journal.events,
            acknowledged: journal.acknowledged,
            published: journal.published,
            signed: journal.signed,
            anchored: journal.anchored,
            erased: journal.erased,
            passes: counts.passes.clone(),
            arms: counts.arms.clone(),
            held: counts.held.clone(),
            referred: counts.referred.clone(),
        }
    }
}

impl Counts {
    fn record(&mut self, entry: &Entry) {
        match &entry.body {
            EntryBody::RaiseCommanded { .. } => add(&mut self.arms, "raised"),
            EntryBody::ArmConfirmedUp {} => add(&mut self.arms, "confirmed"),
            EntryBody::LowerPermitted { .. } => add(&mut self.arms, "lowered"),
            EntryBody::ArmMovedUncommanded { .. } => add(&mut self.arms, "unexplained"),
            EntryBody::Decided { verdict, .. } => {
                if let Some(pass) = &entry.pass {
                    self.verdict(pass, verdict);
                }
            }
            EntryBody::PassClosed { summary } => {
                add(
                    &mut self.passes,
                    match summary.outcome {
                        PassOutcome::Passed => "passed",
                        PassOutcome::TurnedBack => "turned_back",
                        PassOutcome::Interrupted => "interrupted",
                    },
                );
                if let Some(pass) = &entry.pass {
                    self.counted_held.remove(pass);
                    self.counted_referred.remove(pass);
                }
            }
            EntryBody::DaemonStarted { .. }
            | EntryBody::DaemonStopped {}
            | EntryBody::PassOpened { .. }
            | EntryBody::OpticalRead { .. }
            | EntryBody::TagRead { .. }
            | EntryBody::WeightRead { .. }
            | EntryBody::GatePassShown { .. }
            | EntryBody::ReleaseAsked { .. }
            | EntryBody::ReleaseAnswered { .. }
            | EntryBody::ReleaseRefused { .. }
            | EntryBody::RulesLoaded { .. }
            | EntryBody::VehicleUnder {}
            | EntryBody::VehicleLeft {}
            | EntryBody::VehicleWentBack {}
            | EntryBody::VehicleEnclosed {}
            | EntryBody::VehicleSentBack {}
            | EntryBody::LocalHands { .. }
            | EntryBody::ArmConfirmedDown {}
            | EntryBody::FaultRaised { .. }
            | EntryBody::FaultCleared { .. }
            | EntryBody::OperatorAct { .. }
            | EntryBody::Corrected { .. }
            | EntryBody::Erased { .. } => {}
        }
    }
    fn verdict(&mut self, pass: &PassId, verdict: &Verdict) {
        match verdict {
            Verdict::Admit { .. } => {}
            Verdict::Hold { reasons, .. } => {
                if self.counted_held.insert(pass.clone()) {
                    add(&mut self.held, &code(reasons));
                }
            }
            Verdict::Refer { reasons, .. } => {
                if self.counted_referred.insert(pass.clone()) {
                    add(&mut self.referred, &code(reasons));
                }
            }
        }
    }
}

fn keep(ring: &mut VecDeque<f64>, took: Duration) {
    if ring.len() == RING {
        ring.pop_front();
    }
    ring.push_back(took.as_secs_f64() * 1_000.0);
}

fn add(counts: &mut BTreeMap<String, u64>, key: &str) {
    match counts.get_mut(key) {
        Some(n) => *n += 1,
        None => {
            counts.insert(key.to_owned(), 1);
        }
    }
}

/// The stable code of the first reason.
fn code(reasons: &[Reason]) -> String {
    reasons
        .first()
        .and_then(|reason| serde_json::to_value(reason.code).ok())
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_else(|| "NO_REASON".to_owned())
}

/// Nearest-rank percentiles.
fn percentiles(samples: &[f64]) -> Percentiles {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let rank = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    };
    Percentiles {
        count: sorted.len() as u64,
        p50: at(0.5),
        p99: at(0.99),
        max: sorted.last().copied().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gate_types::identity::Identity;
    use gate_types::mission::InstructionKind;
    use gate_types::verdict::{Instruction, ReasonCode};
    use gate_types::{LaneId, Stamp};

    #[test]
    fn percentiles_are_nearest_rank() {
        let samples: Vec<f64> = (1..=100).map(f64::from).collect();
        let p = percentiles(&samples);
        assert_eq!((p.count, p.p50, p.p99, p.max), (100, 50.0, 99.0, 100.0));
        assert_eq!(percentiles(&[]).p99, 0.0);
    }

    #[test]
    fn a_pass_counts_once_for_each_kind_of_verdict() {
        let lane = LaneId::new("n1-in-1").unwrap();
        let decided = |code| Entry {
            lane: Some(lane.clone()),
            pass: Some(PassId { lane: lane.clone(), number: 1 }),
            at: Stamp::default(),
            body: EntryBody::Decided {
                identity: Identity::default(),
                mission: None,
                verdict: Verdict::Hold {
                    reasons: vec![Reason { code, text: "t".into(), text_it: String::new() }],
                    instruction: Instruction { kind: InstructionKind::Wait, next_node: None, place: None },
                },
                rules: "1".into(),
                record: None,
            },
        };
        let meter = Meter::default();
        meter.recorded(&[decided(ReasonCode::CustomsPending), decided(ReasonCode::CustomsHeld)]);
        let metrics = meter.read(Stats::default());
        assert_eq!(metrics.held, BTreeMap::from([("CUSTOMS_PENDING".to_owned(), 1)]));
        for _ in 0..RING + 9 {
            meter.decision(Duration::from_millis(2), Duration::from_millis(3));
        }
        assert_eq!(meter.read(Stats::default()).decision_acknowledged_ms.p50, 3.0);
        assert_eq!(meter.read(Stats::default()).decision_samples_ms.len(), RING);
    }
}
