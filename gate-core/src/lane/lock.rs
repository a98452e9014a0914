//! The two-barrier lock: an entry arm and an exit arm, and one vehicle between them at most.
//!
//! The lane works at one barrier at a time, [`Lane::here`]; the other one is only watched, and lowered if
//! somebody left it open. The exit arm is told to rise only with the entry arm proven down and on a decision
//! of its own; the entry arm only into an empty lock. Whoever is between the arms always has a way out that
//! an operator can give: onwards (`admit`) or back (`turn_back`), whether the loop between sees him or not;
//! where the inputs are lost, the key switches remain.

use super::barrier::Barrier;
use super::faults::{part, raise};
use super::pass::{self, after_down, close};
use super::state::State;
use super::{Lane, verdict};
use crate::effect::Effect;
use crate::interlock::{Cleared, RaiseRefusal, Way};
use crate::policy::plain;
use gate_types::decision::Basis;
use gate_types::entry::{Authority, EntryBody, PassOutcome};
use gate_types::fault::FaultKind;
use gate_types::mission::InstructionKind;
use gate_types::observation::ArmPosition;
use gate_types::{Mono, PassId};

/// Which arm the vehicle of the lane is dealt with at. A lane with one arm stays at the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Stage {
    /// Before the entry arm.
    #[default]
    Entry,
    /// Between the arms, on the way to the exit arm.
    Exit,
    /// Between the arms, on the way back to the entry arm.
    Back,
}

impl Stage {
    fn way(self) -> Way {
        match self {
            Stage::Entry => Way::In,
            Stage::Exit => Way::Out,
            Stage::Back => Way::Back,
        }
    }
}

/// The open pass is that of a vehicle between the arms.
pub(super) fn holds(lane: &Lane) -> bool {
    lane.pass.is_some() && lane.stage != Stage::Entry
}

/// Turns to the barrier of a stage.
pub(super) fn to(lane: &mut Lane, stage: Stage) {
    let at_exit = stage == Stage::Exit;
    if let Some(other) = lane.other.as_mut().filter(|o| o.is_exit() == at_exit) {
        std::mem::swap(&mut lane.here, other);
    }
    lane.stage = stage;
    follow(lane);
}

/// Follows the presence inputs of both barriers. On the way back the loop between the arms is the one before
/// the entry arm.
pub(super) fn follow(lane: &mut Lane) {
    let now = lane.mono();
    let own = lane.here.inputs(now).loop_approach;
    let between = lane.other.as_ref().map(|o| o.inputs(now).loop_approach);
    let before = match lane.stage {
        Stage::Entry | Stage::Exit => own,
        Stage::Back => between.unwrap_or(own),
    };
    lane.here.follow(before, now);
    if let (Some(other), Some(level)) = (&mut lane.other, between) {
        other.follow(level, now);
    }
}

/// Does something for the barrier that the lane is not busy at. What is recorded there belongs to no pass.
pub(super) fn aside(lane: &mut Lane, mut deed: impl FnMut(&mut Lane)) {
    let Some(other) = lane.other.take() else { return };
    let here = std::mem::replace(&mut lane.here, other);
    lane.other = Some(here);
    lane.aside = true;
    deed(lane);
    lane.aside = false;
    let Some(here) = lane.other.take() else { return };
    lane.other = Some(std::mem::replace(&mut lane.here, here));
}

/// Asks the interlock for the raise that the stage needs.
pub(super) fn clear_raise(
    lane: &mut Lane,
    pass: &PassId,
    now: Mono,
) -> Result<(Cleared, Authority), RaiseRefusal> {
    match &lane.other {
        // Seen under this arm already: nothing rises for it a second time (I2).
        Some(_) if lane.pass.as_ref().is_some_and(|p| p.under_seen) => Err(RaiseRefusal::ZoneOccupied),
        None => lane.here.interlock.clear_raise(pass, now),
        Some(other) => lane.here.interlock.clear_raise_beside(pass, now, &other.interlock, lane.stage.way()),
    }
}

/// Every arm is proven down.
pub(super) fn all_down(lane: &Lane) -> bool {
    let down = |barrier: &Barrier| barrier.inputs(lane.mono()).arm() == ArmPosition::Down;
    down(&lane.here) && lane.other.as_ref().is_none_or(down)
}

/// One of these faults stands at this arm.
fn stands_at(lane: &Lane, barrier: &Barrier, kinds: &[FaultKind]) -> bool {
    let arm = format!("{}.arm", barrier.io);
    kinds.iter().any(|kind| lane.faults.stands(*kind, &arm))
}

/// The exit arm has not done what it was told, and nobody has looked at it yet.
pub(super) fn exit_fails(lane: &Lane) -> bool {
    let exit = lane.other.as_ref().filter(|o| o.is_exit());
    exit.is_some_and(|exit| stands_at(lane, exit, &[FaultKind::ArmNotRaised, FaultKind::ArmNotLowered]))
}

/// Both arms of a lock have done by now what they were told.
pub(super) fn both_obeyed(lane: &Lane) -> bool {
    let fails = |b: &Barrier| stands_at(lane, b, &[FaultKind::ArmNotRaised, FaultKind::ArmNotLowered]);
    lane.other.as_ref().is_some_and(|other| !fails(other) && !fails(&lane.here))
}

/// The exit arm was left open, and the lane has turned to it: it is lowered before anything else.
pub(super) fn is_open_behind(lane: &Lane) -> bool {
    let away = match lane.arm() {
        ArmPosition::Up | ArmPosition::Between => true,
        ArmPosition::Down | ArmPosition::Contradictory | ArmPosition::Unknown => false,
    };
    holds(lane) && lane.stage == Stage::Exit && lane.state.deals() && away && !lane.here.may_rise
}

/// The arm that did what it should not is down again, whichever it was.
pub(super) fn is_settled(lane: &Lane) -> bool {
    let fails = |b: &Barrier| stands_at(lane, b, &[FaultKind::ArmMovedUncommanded, FaultKind::ArmNotLowered]);
    match &lane.other {
        None => lane.arm() == ArmPosition::Down,
        Some(other) => !fails(&lane.here) && !fails(other),
    }
}

/// The vehicle is between the arms and both are down: the exit's turn.
pub(super) fn enclose(lane: &mut Lane) -> State {
    lane.record(EntryBody::VehicleEnclosed {});
    to(lane, Stage::Exit);
    if let Some(pass) = &mut lane.pass {
        pass.cross_anew();
        pass.verdict = None;
    }
    State::Enclosed { since: lane.mono() }
}

/// A vehicle that no pass is open for stands between the arms.
pub(super) fn found(lane: &mut Lane) -> Option<State> {
    let (now, presence_ms) = (lane.mono(), lane.spec.timers.presence_ms);
    let stands = lane.other.as_ref().is_some_and(|o| o.approach.on_for(now, presence_ms));
    if !stands || !all_down(lane) {
        return None;
    }
    pass::open(lane);
    Some(enclose(lane))
}

/// What the lowered arm means for a vehicle of a lock; none: the same as in a lane with one arm.
pub(super) fn after_lowering(lane: &mut Lane) -> Option<State> {
    let between = lane.other.as_ref()?.approach.is_on();
    let before = lane.here.approach.is_off();
    let pass = lane.pass.as_mut()?;
    let unseen = pass.restored && pass.up_seen && !pass.went_back;
    let through = pass.under_seen && !pass.went_back;
    match lane.stage {
        Stage::Entry => {
            let inside = through || (before && (unseen || (between && pass.up_seen && !pass.went_back)));
            inside.then(|| enclose(lane))
        }
        Stage::Exit if through || (before && unseen) => None,
        Stage::Exit => {
            let sent_back = pass.is_sent_back();
            lane.record(EntryBody::VehicleEnclosed {});
            if let Some(pass) = &mut lane.pass {
                pass.cross_anew();
            }
            let now = lane.mono();
            Some(if sent_back { State::Referred { next_ask: now } } else { State::Enclosed { since: now } })
        }
        Stage::Back if through => {
            pass.cross_anew();
            to(lane, Stage::Entry);
            Some(State::Referred { next_ask: lane.mono() })
        }
        Stage::Back => Some(inside_again(lane)),
    }
}

/// A vehicle that was sent back and has not gone: an operator decides anew.
pub(super) fn inside_again(lane: &mut Lane) -> State {
    lane.record(EntryBody::VehicleEnclosed {});
    to(lane, Stage::Exit);
    if let Some(pass) = &mut lane.pass {
        pass.cross_anew();
    }
    State::Referred { next_ask: lane.mono() }
}

/// A vehicle between two lowered arms stays the lane's, whatever the loop between says, unless it was seen
/// to break out.
pub(super) fn broke_out(lane: &mut Lane) -> Option<State> {
    let moved = lane.pass.as_ref().is_some_and(|p| p.under_seen && p.left_seen);
    (moved && lane.arm() == ArmPosition::Down).then(|| after_down(lane))
}

/// An operator lets the vehicle out onwards: by the exit arm, whether the loop before it sees the vehicle
/// or not.
pub(super) fn grant_onwards(lane: &mut Lane, until: Mono, name: &str, reason: &str) {
    if lane.stage == Stage::Back {
        inside_again(lane);
    }
    grant(lane, until, name, reason);
}

/// An operator lets the vehicle out by the entry arm.
pub(super) fn send_back(lane: &mut Lane, name: &str, reason: &str) -> State {
    let now = lane.mono();
    let until = now.plus_ms(lane.spec.timers.decision_valid_ms);
    let basis = Basis::Operator { name: name.to_owned(), reason: reason.to_owned() };
    verdict::take(lane, &basis, now);
    lane.record(EntryBody::VehicleSentBack {});
    to(lane, Stage::Back);
    let go = plain(InstructionKind::TurnBack);
    if let Some(pass) = &mut lane.pass {
        pass.cross_anew();
        pass.go = Some(go);
    }
    grant(lane, until, name, reason);
    State::Deciding
}

fn grant(lane: &mut Lane, until: Mono, name: &str, reason: &str) {
    if let (Some(pass), true) = (&lane.pass, lane.spec.live) {
        lane.here.interlock.grant_way_out(pass.id.clone(), until, name, reason);
    }
}

/// An operator who has looked says that nobody is between the arms, and no sensor says otherwise.
pub(super) fn is_empty(lane: &mut Lane) -> Option<State> {
    let (now, presence_ms) = (lane.mono(), lane.spec.timers.presence_ms);
    let off = |b: &Barrier| b.under.off_for(now, presence_ms) && b.curtain.off_for(now, presence_ms);
    let exit = if lane.here.is_exit() { Some(&lane.here) } else { lane.other.as_ref() };
    let free = exit.is_some_and(|e| e.approach.off_for(now, presence_ms) && off(e));
    let free = free && off(&lane.here) && lane.other.as_ref().is_none_or(off);
    (holds(lane) && lane.state.deals() && free && all_down(lane))
        .then(|| close(lane, PassOutcome::Interrupted))
}

/// Lowers the arm that the lane is not busy at, if it was left open: once, and only over a free zone (I3).
pub(super) fn put_down(lane: &mut Lane) {
    let (now, limit) = (lane.mono(), lane.spec.timers.lower_ms);
    let at_work = lane.state.answers() && lane.state.name() != gate_types::console::LaneState::Faulted;
    let Some(other) = lane.other.as_mut() else { return };
    match other.inputs(now).arm() {
        ArmPosition::Up | ArmPosition::Between => {}
        ArmPosition::Down => {
            other.put_down = None;
            return;
        }
        ArmPosition::Contradictory | ArmPosition::Unknown => return,
    }
    if !at_work || !lane.spec.live {
        return;
    }
    match other.put_down {
        None => {
            if let Ok((cleared, inputs)) = other.interlock.clear_lower(now) {
                other.may_fall = true;
                other.put_down = Some(now);
                aside(lane, |lane| lane.record(EntryBody::LowerPermitted { inputs }));
                lane.effects.push_back(Effect::Actuate(cleared));
            }
        }
        Some(since) if now.since_ms(since) >= limit => {
            let text = format!("the arm did not reach its lower end within {limit} ms; look at the barrier");
            aside(lane, |lane| raise(lane, FaultKind::ArmNotLowered, part(lane, "arm"), text.clone()));
        }
        Some(_) => {}
    }
}
