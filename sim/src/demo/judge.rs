//! Holds the records against the truth.

use super::people::Stored;
use super::summary::{Counts, Reads, Summary, Times};
use crate::world::arm::ArmAct;
use crate::world::ledger::{Ending, Ledger, TrueVisit};
use gate_types::LaneId;
use gate_types::api::{AlarmView, EventCounts, MissionView};
use gate_types::console::Metrics;
use gate_types::entry::{Authority, EntryBody, PassOutcome, PassSummary};
use gate_types::identity::{Identity, Slot};
use std::collections::{BTreeMap, BTreeSet};

/// A recorded pass belongs to a visit when it was opened within this time of the first loop's edge, or later while
/// the vehicle stood there.
const SAME_MS: i64 = 2_500;
/// A pulse follows its record within this time.
const PULSE_MS: i64 = 3_000;
/// A scale reading is right within this.
const SCALE_KG: f64 = 40.0;

/// Everything that was recorded.
pub struct Records {
    /// Central's events.
    pub events: Vec<Stored>,
    /// Central's missions.
    pub missions: Vec<MissionView>,
    /// Central's alarms.
    pub alarms: Vec<AlarmView>,
    /// Central's counts.
    pub counts: EventCounts,
    /// The gates' figures by node.
    pub metrics: Vec<(String, Metrics)>,
}

struct Pass<'a> {
    number: u64,
    summary: &'a PassSummary,
}

/// The verdict over a run.
pub fn judge(truth: &Ledger, records: &Records, seed: u64, seconds: f64) -> Summary {
    let mut s = Summary { seed, seconds, gave_up: truth.gave_up, ..Summary::default() };
    let lanes: BTreeSet<&LaneId> = truth
        .visits
        .iter()
        .map(|v| &v.lane)
        .chain(records.events.iter().filter_map(|e| e.event.entry.lane.as_ref()))
        .collect();
    for lane in lanes {
        passes(&mut s, lane, truth, records);
        arms(&mut s, lane, truth, records);
    }
    for alarm in &records.alarms {
        let name = serde_json::to_value(alarm.kind).ok().and_then(|v| v.as_str().map(str::to_owned));
        *s.alarms.entry(name.unwrap_or_default()).or_default() += 1;
    }
    for mission in records.missions.iter().filter(|m| m.definitive.is_some()) {
        s.missions.completed += 1;
        *s.missions.by_process.entry(mission.process.to_string()).or_default() += 1;
    }
    for (lane, times) in &truth.both_up {
        s.disagreements.push(format!("{lane}: both arms of the lock were up {times} times"));
    }
    s.missions.truth = truth.finished.clone();
    events(&mut s, records);
    s
}

fn events(s: &mut Summary, records: &Records) {
    let (mut decision, mut fsync) = (Vec::new(), Vec::new());
    for (node, m) in &records.metrics {
        s.events.recorded += m.events;
        s.events.acknowledged += m.acknowledged;
        s.events.published += m.published;
        let stored = records.counts.by_node.get(node).copied().unwrap_or(0);
        s.events.lost += m.events.saturating_sub(stored);
        if stored != m.events {
            s.disagreements.push(format!("node {node}: {} events recorded, {stored} at central", m.events));
        }
        decision.extend(&m.decision_samples_ms);
        fsync.extend(&m.fsync_samples_ms);
        let add = |to: &mut Counts, from: &Counts| {
            from.iter().for_each(|(k, n)| *to.entry(k.clone()).or_default() += n)
        };
        add(&mut s.passes.held, &m.held);
        add(&mut s.passes.referred, &m.referred);
    }
    s.events.duplicated = records.counts.duplicated;
    s.events.redelivered = records.counts.redelivered;
    s.decision_latency_ms = Times::of(decision);
    s.fsync_ms = Times::of(fsync);
}

fn passes(s: &mut Summary, lane: &LaneId, truth: &Ledger, records: &Records) {
    let visits: Vec<&TrueVisit> = truth.visits.iter().filter(|v| v.lane == *lane).collect();
    let mut passes: Vec<Pass<'_>> = Vec::new();
    for stored in &records.events {
        let entry = &stored.event.entry;
        if let (EntryBody::PassClosed { summary }, Some(pass)) = (&entry.body, &entry.pass)
            && pass.lane == *lane
        {
            passes.push(Pass { number: pass.number, summary });
        }
    }
    passes.sort_by_key(|p| p.number);
    let mut numbers = passes.iter().map(|p| p.number).collect::<Vec<_>>();
    numbers.dedup();
    if numbers.len() != passes.len() {
        s.disagreements.push(format!("{lane}: a pass number was closed twice"));
    }
    let (mut v, mut p) = (0, 0);
    while v < visits.len() || p < passes.len() {
        match (visits.get(v), passes.get(p)) {
            (Some(visit), Some(pass)) => {
                let apart = pass.summary.opened_at_ms - visit.came_ms;
                // A gate that was not ready when the vehicle came records it late, but before it has left.
                let stay_ms = visit.left_ms.map_or(0, |left| left - visit.came_ms);
                if (-SAME_MS..=SAME_MS.max(stay_ms)).contains(&apart) {
                    compare(s, lane, visit, pass);
                    (v, p) = (v + 1, p + 1);
                } else if apart > 0 {
                    lost(s, lane, visit);
                    v += 1;
                } else {
                    invented(s, lane, pass);
                    p += 1;
                }
            }
            (Some(visit), None) => {
                lost(s, lane, visit);
                v += 1;
            }
            (None, Some(pass)) => {
                invented(s, lane, pass);
                p += 1;
            }
            (None, None) => break,
        }
    }
}

fn lost(s: &mut Summary, lane: &LaneId, visit: &TrueVisit) {
    s.passes.lost += 1;
    s.disagreements.push(format!(
        "{lane}: visit {} (truck {}, {:?}) is in no record",
        visit.number, visit.truck, visit.ending
    ));
}

fn invented(s: &mut Summary, lane: &LaneId, pass: &Pass<'_>) {
    s.passes.invented += 1;
    s.disagreements.push(format!("{lane}: pass {} is recorded, but no truck was there then", pass.number));
}

fn compare(s: &mut Summary, lane: &LaneId, visit: &TrueVisit, pass: &Pass<'_>) {
    let place = format!("{lane} visit {} pass {}", visit.number, pass.number);
    match (visit.ending, pass.summary.outcome) {
        (Some(Ending::Passed), PassOutcome::Passed) => s.passes.completed += 1,
        (Some(Ending::TurnedBack), PassOutcome::TurnedBack) => s.passes.turned_back += 1,
        (ending, outcome) => {
            s.disagreements.push(format!("{place}: in truth {ending:?}, recorded {outcome:?}"));
        }
    }
    let recorded = pass.summary.mission.as_ref().map(|m| &m.mission);
    match &pass.summary.raised_by {
        Some(Authority::Decision) => {
            s.passes.admitted += 1;
            if recorded != visit.mission.as_ref() {
                s.wrong_identity += 1;
                let text =
                    |m: Option<&gate_types::MissionId>| m.map_or("none".to_owned(), ToString::to_string);
                let (got, want) = (text(recorded), text(visit.mission.as_ref()));
                s.disagreements.push(format!("{place}: admitted as mission {got}, in truth {want}"));
            }
        }
        Some(Authority::Operator { .. }) => {}
        None => {
            if visit.ending == Some(Ending::Passed) {
                s.disagreements.push(format!("{place}: drove through without a recorded right"));
            }
        }
    }
    let id = &pass.summary.identity;
    let mut read = |kind: &'static str, slot: Slot, truth: Option<&str>| {
        let best = id.best(slot).map(|c| c.value.as_str());
        count(s, kind, &place, best, truth);
    };
    read("plate", Slot::TractorPlate, Some(&visit.tractor_plate));
    read("plate", Slot::TrailerPlate, Some(&visit.trailer_plate));
    read("container", Slot::Itu, visit.container.as_deref());
    read("tag", Slot::VehicleTag, visit.tag.as_deref());
    if visit.weighed {
        weight(s, &place, id, visit.gross_kg);
    }
}

fn count(s: &mut Summary, kind: &'static str, place: &str, best: Option<&str>, truth: Option<&str>) {
    let reads: &mut Reads = s.reads.entry(kind).or_default();
    match (best, truth) {
        (Some(best), Some(truth)) if best == truth => reads.right += 1,
        (Some(best), truth) => {
            reads.wrong += 1;
            s.misreads.push(format!("{place}: {kind} read {best}, in truth {}", truth.unwrap_or("none")));
        }
        (None, Some(truth)) => {
            reads.none += 1;
            s.misreads.push(format!("{place}: {kind} not read, in truth {truth}"));
        }
        (None, None) => {}
    }
}

fn weight(s: &mut Summary, place: &str, id: &Identity, gross_kg: f64) {
    let text = |kg: f64| format!("{kg:.0}");
    let truth = text(gross_kg);
    let best = id.weight.as_ref().map(|w| {
        let near = (w.vehicle_gross_kg - gross_kg).abs() <= SCALE_KG;
        if near { truth.clone() } else { text(w.vehicle_gross_kg) }
    });
    count(s, "weight", place, best.as_deref(), Some(&truth));
}

fn arms(s: &mut Summary, lane: &LaneId, truth: &Ledger, records: &Records) {
    let acts: Vec<_> = truth.arms.iter().filter(|a| a.lane == *lane).collect();
    let times = |wanted: fn(&EntryBody) -> bool| -> Vec<i64> {
        let of_lane = |e: &&Stored| e.event.entry.lane.as_ref() == Some(lane) && wanted(&e.event.entry.body);
        let mut all: Vec<i64> =
            records.events.iter().filter(of_lane).map(|e| e.event.entry.at.wall_ms.0).collect();
        all.sort_unstable();
        all
    };
    let mut commands = times(|b| matches!(b, EntryBody::RaiseCommanded { .. }));
    let lowers = times(|b| matches!(b, EntryBody::LowerPermitted { .. }));
    s.arms.confirmed += times(|b| matches!(b, EntryBody::ArmConfirmedUp {})).len() as u64;
    s.arms.lowered += times(|b| matches!(b, EntryBody::ArmConfirmedDown {})).len() as u64;
    let reported = times(|b| matches!(b, EntryBody::ArmMovedUncommanded { .. })).len() as u64;
    s.arms.unexplained += reported;
    if reported > 0 {
        s.disagreements
            .push(format!("{lane}: the gate reports {reported} movements that it did not command"));
    }
    let explained = |at: i64, by: &[i64]| by.iter().position(|c| at - c >= -50 && at - c <= PULSE_MS);
    let mut pulses: BTreeMap<&str, u64> = BTreeMap::new();
    for act in acts {
        match act.act {
            ArmAct::RaisePulse => match explained(act.at_ms, &commands) {
                Some(at) => {
                    commands.remove(at);
                    *pulses.entry("raise").or_default() += 1;
                }
                None => {
                    s.arms.unexplained += 1;
                    s.disagreements
                        .push(format!("{lane}: a raise pulse at {} ms without a recorded right", act.at_ms));
                }
            },
            ArmAct::LowerPulse => {
                if explained(act.at_ms, &lowers).is_none() {
                    s.arms.unexplained += 1;
                    s.disagreements
                        .push(format!("{lane}: a lower pulse at {} ms without a record", act.at_ms));
                }
            }
            ArmAct::StartedUp => s.arms.raised += 1,
            ArmAct::ReachedUp | ArmAct::StartedDown | ArmAct::ReachedDown => {}
            ArmAct::Guarded => {
                s.disagreements.push(format!("{lane}: the arm's own guard had to act at {} ms", act.at_ms))
            }
        }
    }
    s.arms.unmoved += commands.len() as u64;
    if !commands.is_empty() {
        s.disagreements.push(format!("{lane}: {} recorded raises never reached the arm", commands.len()));
    }
}
