//! How probable each explanation of a node without a read is. A missed read is not a deviation: with reads
//! of 97 % one truck in nine is missed at one of four nodes at least, and an officer who is sent after each
//! of them soon looks after none.

use super::plan::{Plan, Port};

/// Spread of driving times: standard deviation of their logarithm.
const SPREAD: f64 = 0.6;
/// What a gate takes, added to each usual driving time, milliseconds.
const AT_GATE_MS: f64 = 60_000.0;
/// Over how long somebody else with the same identity may turn up, milliseconds.
const CLONE_SPAN_MS: f64 = 43_200_000.0;
/// No road leads around the node: what is left of a deviation is a map that lacks a road.
const NO_WAY_AROUND: f64 = 0.05;
/// Every vehicle between the two passes was identified at the node, and this one was not among them.
const ALL_IDENTIFIED: f64 = 0.02;
/// Share of reads missed by a node whose devices were in fault meanwhile.
const IN_FAULT: f64 = 0.5;

/// What else is known of a node during a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Corroboration {
    /// Vehicles that went through without an identity or without a mission; none: not known.
    pub unidentified: Option<u32>,
    /// A camera or reader there was in fault.
    pub in_fault: bool,
}

/// The legs around an unseen one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gap {
    /// Where the vehicle was seen before, and when.
    pub(super) before: Option<(u16, i64)>,
    /// Where it was not seen.
    pub(super) node: u16,
    /// Where it was seen next, and when.
    pub(super) after: (u16, i64),
}

/// The probabilities of a missed read, of another way, and of another vehicle with the same identity; their sum is 1.
pub(super) fn explain(plan: &Plan, gap: Gap, known: Corroboration) -> (f64, f64, f64) {
    let port = plan.port();
    let missed_rate = if known.in_fault { IN_FAULT } else { 1.0 - port.read_rate(gap.node) };
    let mut missed = missed_rate
        * match known.unidentified {
            None => 1.0,
            Some(0) => ALL_IDENTIFIED,
            Some(_) => 4.0,
        };
    let (mut deviation, mut clone) = (port.habits.deviations, port.habits.clones);
    if let Some((from, from_ms)) = gap.before {
        let waits = [from, gap.node].iter().any(|n| port.node(*n).is_some_and(|n| n.parking));
        let taken = as_ms(gap.after.1 - from_ms);
        let around = port.around_ms(from, gap.after.0, gap.node);
        if !waits {
            let through =
                as_ms(usual(port, from, gap.node).saturating_add(usual(port, gap.node, gap.after.0)));
            missed *= density(taken, through + 2.0 * AT_GATE_MS);
            deviation *=
                density(taken, as_ms(around.unwrap_or_else(|| usual(port, from, gap.after.0))) + AT_GATE_MS);
            clone *= 1.0 / CLONE_SPAN_MS;
        }
        if around.is_none() {
            deviation *= NO_WAY_AROUND;
        }
    }
    let sum = missed + deviation + clone;
    if sum > 0.0 { (missed / sum, deviation / sum, clone / sum) } else { (0.0, 0.0, 1.0) }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of years are exact in f64")]
fn as_ms(ms: i64) -> f64 {
    ms as f64
}

/// Ten minutes where the map knows no road.
fn usual(port: &Port, from: u16, to: u16) -> i64 {
    port.usual_ms(from, to).unwrap_or(600_000)
}

/// Log-normal density of a driving time with the given median, per millisecond.
fn density(taken_ms: f64, median_ms: f64) -> f64 {
    if taken_ms <= 0.0 {
        return 0.0;
    }
    let z = (taken_ms / median_ms).ln() / SPREAD;
    (-z * z / 2.0).exp() / (taken_ms * SPREAD * std::f64::consts::TAU.sqrt())
}
