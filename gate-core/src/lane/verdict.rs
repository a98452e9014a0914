//! Verdicts and where they lead.

use super::answer::CENTRAL;
use super::state::State;
use super::{Lane, Pass};
use super::{faults, permits};
use crate::policy::{self, Case, Decision, settled_by_reading};
use gate_types::Mono;
use gate_types::decision::Basis;
use gate_types::entry::{Authority, EntryBody};
use gate_types::fault::{Fault, FaultKind};
use gate_types::verdict::Verdict;

/// A referred vehicle's release is asked again this many times slower than a held one's.
const REFERRED_PATIENCE: u64 = 3;

/// Decides the open pass on what stands for central's word, for an Admit good until `until`. A referral is
/// left only where nothing but reading was wrong and what was read has changed since; otherwise a person
/// decides, or the vehicle turns back.
pub(super) fn take(lane: &mut Lane, basis: &Basis, until: Mono) -> State {
    let Some(decision) = decided(lane, basis) else { return lane.state };
    let verdict = decision.verdict.clone();
    if stays_referred(lane) {
        if let Verdict::Refer { .. } = verdict {
            decide(lane, decision);
        }
        return referred(lane);
    }
    decide(lane, decision);
    match verdict {
        Verdict::Admit { instruction } => {
            if let Some(pass) = &mut lane.pass {
                pass.go = Some(instruction);
                if lane.spec.live {
                    lane.here.interlock.grant(pass.id.clone(), until, Authority::Decision);
                }
            }
            State::Deciding
        }
        Verdict::Hold { .. } => {
            withdraw(lane);
            State::Held { next_ask: lane.mono().plus_ms(lane.spec.ask_again_ms) }
        }
        Verdict::Refer { .. } => {
            withdraw(lane);
            let threshold = lane.spec.identity.read_threshold;
            if let Some(pass) = &mut lane.pass {
                let known = pass.known(threshold);
                pass.asked_on.get_or_insert_with(|| known.clone());
                pass.referred_on = Some(known);
            }
            referred(lane)
        }
    }
}

/// A later word that does not admit takes back an earlier one that did, as long as the arm was not
/// commanded on it.
fn withdraw(lane: &mut Lane) {
    lane.here.interlock.withdraw();
    if let Some(pass) = &mut lane.pass {
        pass.go = None;
    }
}

/// The decision of the lane's rules about the open pass.
fn decided(lane: &Lane, basis: &Basis) -> Option<Decision> {
    let pass = lane.pass.as_ref()?;
    let devices = &lane.spec.devices;
    let ios = [Some(&devices.io), devices.exit_io.as_ref()];
    let is_io = |name: &str| ios.iter().flatten().any(|io| io.as_str() == name);
    let is_down = |f: &Fault| f.kind == FaultKind::DeviceDown && !is_io(&f.device);
    let down: Vec<String> = lane.faults.list().into_iter().filter(is_down).map(|f| f.device).collect();
    let case = Case { identity: &pass.identity, basis, facts: pass.facts.as_deref(), down: &down };
    Some(policy::decide(&lane.spec.law(), &case))
}

/// Central is silent: the vehicle is held, a referred one stays referred.
pub(super) fn silent(lane: &mut Lane, why: &str) -> State {
    let text = format!("central does not answer: {why}; vehicles are held until it does");
    faults::raise(lane, FaultKind::CentralDown, CENTRAL.to_owned(), text);
    let until = lane.mono().plus_ms(lane.spec.timers.decision_valid_ms);
    let basis = permits::instead(lane, why);
    take(lane, &basis, until)
}

/// Central's answer cannot be used: as if it were silent, without blaming the link.
pub(super) fn unusable(lane: &mut Lane, why: &str) -> State {
    take(lane, &Basis::NotUsable { why: why.to_owned() }, Mono::default())
}

/// Records a decision, unless it says the same as the one before, and shows it to the driver. An Admit
/// is always recorded: a raise rests on it (I1).
fn decide(lane: &mut Lane, decision: Decision) {
    let Some(pass) = &mut lane.pass else { return };
    let Decision { verdict, mut record } = decision;
    let changed = pass.verdict.as_ref() != Some(&verdict);
    pass.verdict = Some(verdict.clone());
    let instruction = verdict.instruction().clone();
    if changed || verdict.admits() {
        record.rests_on.clone_from(&pass.rests_on);
        let body = EntryBody::Decided {
            identity: pass.identity.clone(),
            mission: pass.facts.clone(),
            verdict,
            rules: record.rule_set.to_string(),
            record: Some(Box::new(record)),
        };
        lane.record(body);
    }
    lane.show(instruction);
}

fn referred(lane: &Lane) -> State {
    let patience = lane.spec.ask_again_ms.saturating_mul(REFERRED_PATIENCE);
    State::Referred { next_ask: lane.mono().plus_ms(patience) }
}

fn stays_referred(lane: &Lane) -> bool {
    let State::Referred { .. } = lane.state else { return false };
    let threshold = lane.spec.identity.read_threshold;
    !lane.pass.as_ref().is_some_and(|p| reading_may_settle(p, threshold))
}

fn reading_may_settle(pass: &Pass, threshold: f64) -> bool {
    let only_reading =
        pass.verdict.as_ref().is_some_and(|v| v.reasons().iter().all(|r| settled_by_reading(r.code)));
    let changed = pass.referred_on.as_ref().is_none_or(|k| pass.known(threshold).differs(k));
    only_reading && changed
}
