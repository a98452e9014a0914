//! Taking up work again: after a start, a fault, local hands or a closure. The sensors decide, and a
//! grant from before is gone (I7).

use super::Lane;
use super::faults::{part, raise};
use super::lock::{self, Stage};
use super::pass::{Pass, close};
use super::state::{Cause, State};
use crate::input::RestoredPass;
use gate_types::Stamp;
use gate_types::entry::{EntryBody, PassOutcome};
use gate_types::fault::FaultKind;
use gate_types::observation::ArmPosition;

/// The pass as its entries tell it. Stamps of the run before mean nothing on this monotonic clock.
pub(super) fn rebuild(restored: RestoredPass, now: Stamp) -> (Pass, Stage) {
    let mut stage = Stage::Entry;
    let mut pass = Pass::new(restored.pass, now);
    pass.restored = true;
    pass.noted = u32::try_from(restored.entries.len()).unwrap_or(u32::MAX);
    for entry in restored.entries {
        match entry.body {
            EntryBody::PassOpened { .. } => pass.opened.wall_ms = entry.at.wall_ms,
            EntryBody::Decided { identity, mission, verdict, .. } => {
                pass.identity = identity;
                pass.facts = mission;
                pass.revoked |= pass.raised_by.is_some() && !verdict.admits();
                pass.verdict = Some(verdict);
            }
            EntryBody::RaiseCommanded { authority } => {
                pass.raise_given_up = pass.raised_by.is_some();
                pass.raised_by = Some(authority);
                pass.raise_open = true;
                pass.revoked = false;
                pass.up_seen = false;
                pass.lower_permitted = false;
                pass.down_recorded = false;
            }
            EntryBody::ArmConfirmedUp {} => pass.up_seen = true,
            EntryBody::VehicleUnder {} => pass.under_seen = true,
            EntryBody::VehicleLeft {} => pass.left_seen = true,
            EntryBody::VehicleWentBack {} => {
                pass.left_seen = true;
                pass.went_back = true;
            }
            EntryBody::VehicleEnclosed {} => {
                stage = Stage::Exit;
                pass.cross_anew();
                pass.verdict = None;
            }
            EntryBody::VehicleSentBack {} => {
                stage = Stage::Back;
                pass.cross_anew();
            }
            EntryBody::LowerPermitted { .. } => pass.lower_permitted = true,
            EntryBody::ArmConfirmedDown {} => pass.down_recorded = true,
            EntryBody::FaultRaised { fault } if fault.kind == FaultKind::ArmNotRaised => {
                pass.raise_open = false;
                pass.raise_failed = true;
            }
            EntryBody::FaultCleared { fault } if fault.kind == FaultKind::ArmNotRaised => {
                pass.raise_failed = false;
            }
            EntryBody::DaemonStarted { .. }
            | EntryBody::DaemonStopped {}
            | EntryBody::OpticalRead { .. }
            | EntryBody::TagRead { .. }
            | EntryBody::WeightRead { .. }
            | EntryBody::GatePassShown { .. }
            | EntryBody::ReleaseAsked { .. }
            | EntryBody::ReleaseAnswered { .. }
            | EntryBody::ReleaseRefused { .. }
            | EntryBody::RulesLoaded { .. }
            | EntryBody::ArmMovedUncommanded { .. }
            | EntryBody::LocalHands { .. }
            | EntryBody::PassClosed { .. }
            | EntryBody::FaultRaised { .. }
            | EntryBody::FaultCleared { .. }
            | EntryBody::OperatorAct { .. }
            | EntryBody::Corrected { .. }
            | EntryBody::Erased { .. } => {}
        }
    }
    (pass, stage)
}

/// Where the sensors say that the lane is.
pub(super) fn resume(lane: &mut Lane) -> State {
    if lane.closed && !lock::holds(lane) {
        return State::Closed;
    }
    let arm = lane.arm();
    let now = lane.mono();
    let Some(pass) = &mut lane.pass else {
        return match arm {
            ArmPosition::Down => State::Idle,
            // An arm that stands open for nobody is closed when the zone is proven free.
            ArmPosition::Up | ArmPosition::Between if lane.spec.live => State::Clearing,
            ArmPosition::Up | ArmPosition::Between => State::Idle,
            ArmPosition::Contradictory | ArmPosition::Unknown => State::Faulted { cause: Cause::Barrier },
        };
    };
    let ours = pass.is_raised_for() || pass.under_seen || !lane.spec.live;
    match arm {
        ArmPosition::Down => resume_down(lane),
        ArmPosition::Up if ours => {
            lane.here.may_rise = true;
            State::Passing { since: now }
        }
        ArmPosition::Between if pass.lower_permitted => {
            lane.here.arm_end = Some(ArmPosition::Up);
            lane.here.may_rise = true;
            lane.here.may_fall = true;
            State::Lowering { since: now }
        }
        ArmPosition::Between if ours => {
            lane.here.may_rise = true;
            State::Raising { since: now }
        }
        ArmPosition::Up | ArmPosition::Between => State::Clearing,
        ArmPosition::Contradictory | ArmPosition::Unknown => State::Faulted { cause: Cause::Barrier },
    }
}

fn resume_down(lane: &mut Lane) -> State {
    let (now, occupied) = (lane.now, lane.here.approach.is_on());
    let Some(pass) = &mut lane.pass else { return State::Idle };
    if pass.has_moved() {
        if pass.restored && !pass.down_recorded {
            pass.down_recorded = true;
            lane.record(EntryBody::ArmConfirmedDown {});
        }
        return State::Clearing;
    }
    if pass.raise_open && !pass.revoked && occupied && lane.spec.live {
        // What became of the raise is not known: the arm has its time to tell before anybody asks again.
        lane.here.may_rise = true;
        lane.here.arm_held_down = true;
        return State::Raising { since: now.mono_ms };
    }
    if lane.stage == Stage::Back {
        return lock::inside_again(lane);
    }
    if lane.stage == Stage::Exit {
        if pass.restored {
            pass.begin_anew(now.mono_ms);
        }
        let sent_back = pass.is_sent_back();
        return if sent_back {
            State::Referred { next_ask: now.mono_ms }
        } else {
            State::Enclosed { since: now.mono_ms }
        };
    }
    if pass.restored && !occupied {
        return close(lane, PassOutcome::Interrupted);
    }
    if pass.restored && pass.raise_failed {
        let text = "the arm did not rise before the daemon started anew; look at the barrier".to_owned();
        raise(lane, FaultKind::ArmNotRaised, part(lane, "arm"), text);
        return State::Faulted { cause: Cause::NotRaised };
    }
    if pass.restored {
        pass.begin_anew(now.mono_ms);
    }
    let sent_back = pass.is_sent_back();
    if sent_back {
        return State::Referred { next_ask: now.mono_ms };
    }
    State::Identifying { since: now.mono_ms }
}
