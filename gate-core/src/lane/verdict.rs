//! Verdicts and where they lead.

use super::answer::CENTRAL;
use super::faults;
use super::state::State;
use super::{Lane, Pass};
use crate::policy::{self, RULES, settled_by_reading};
use gate_types::Mono;
use gate_types::entry::{Authority, EntryBody};
use gate_types::fault::FaultKind;
use gate_types::verdict::Verdict;

/// A referred vehicle's release is asked again this many times slower than a held one's.
const REFERRED_PATIENCE: u64 = 3;

/// Takes a verdict that is good until `until`. A referral is left only where nothing but reading was
/// wrong and what was read has changed since; otherwise a person decides, or the vehicle turns back.
pub(super) fn take(lane: &mut Lane, verdict: Verdict, until: Mono) -> State {
    if stays_referred(lane) {
        if let Verdict::Refer { .. } = verdict {
            decide(lane, &verdict);
        }
        return referred(lane);
    }
    decide(lane, &verdict);
    match verdict {
        Verdict::Admit { instruction } => {
            if let Some(pass) = &mut lane.pass {
                pass.go = Some(instruction);
                if lane.spec.live {
                    lane.interlock.grant(pass.id.clone(), until, Authority::Decision);
                }
            }
            State::Deciding
        }
        Verdict::Hold { .. } => State::Held { next_ask: lane.mono().plus_ms(lane.spec.ask_again_ms) },
        Verdict::Refer { .. } => {
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

/// Central is silent: the vehicle is held, a referred one stays referred.
pub(super) fn silent(lane: &mut Lane, why: &str) -> State {
    let text = format!("central does not answer: {why}; vehicles are held until it does");
    faults::raise(lane, FaultKind::CentralDown, CENTRAL.to_owned(), text);
    take(lane, policy::central_silent(why), Mono::default())
}

/// Central's answer cannot be used: as if it were silent, without blaming the link.
pub(super) fn unusable(lane: &mut Lane, why: &str) -> State {
    take(lane, policy::answer_not_usable(why), Mono::default())
}

/// Records a decision, unless it says the same as the one before, and shows it to the driver. An Admit
/// is always recorded: a raise rests on it (I1).
fn decide(lane: &mut Lane, verdict: &Verdict) {
    let Some(pass) = &mut lane.pass else { return };
    let changed = pass.verdict.as_ref() != Some(verdict);
    pass.verdict = Some(verdict.clone());
    if changed || verdict.admits() {
        let body = EntryBody::Decided {
            identity: pass.identity.clone(),
            mission: pass.facts.clone(),
            verdict: verdict.clone(),
            rules: RULES.to_owned(),
        };
        lane.record(body);
    }
    lane.show(verdict.instruction().clone());
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
