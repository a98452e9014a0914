//! The states, and what happens on entering one.

use super::{
    Lane, clearing, closed, deciding, enclosed, faulted, held, identifying, idle, local, lowering, passing,
    raising, referred, starting,
};
use crate::effect::LightColour;
use crate::policy::plain;
use gate_types::Mono;
use gate_types::console::LaneState;
use gate_types::mission::InstructionKind;

/// Why a lane stands in [`State::Faulted`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The inputs are not known.
    Inputs,
    /// Limit switches contradict each other, or the barrier reports a fault.
    Barrier,
    /// The arm moved without a command of ours.
    Uncommanded,
    /// The arm did not rise.
    NotRaised,
    /// The arm did not come down.
    NotLowered,
}

/// The automaton's state with what only this state needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Starting,
    Idle,
    Identifying { since: Mono },
    Deciding,
    Held { next_ask: Mono },
    Referred { next_ask: Mono },
    Enclosed { since: Mono },
    Raising { since: Mono },
    Passing { since: Mono },
    Clearing,
    Lowering { since: Mono },
    Faulted { cause: Cause },
    Local,
    Closed,
}

impl State {
    pub(super) fn name(self) -> LaneState {
        match self {
            State::Starting => LaneState::Starting,
            State::Idle => LaneState::Idle,
            State::Identifying { .. } => LaneState::Identifying,
            State::Deciding => LaneState::Deciding,
            State::Held { .. } => LaneState::Held,
            State::Referred { .. } => LaneState::Referred,
            State::Enclosed { .. } => LaneState::Enclosed,
            State::Raising { .. } => LaneState::Raising,
            State::Passing { .. } => LaneState::Passing,
            State::Clearing => LaneState::Clearing,
            State::Lowering { .. } => LaneState::Lowering,
            State::Faulted { .. } => LaneState::Faulted,
            State::Local => LaneState::Local,
            State::Closed => LaneState::Closed,
        }
    }
    /// A vehicle stands before the lowered arm and is being dealt with.
    pub(super) fn deals(self) -> bool {
        match self {
            State::Identifying { .. }
            | State::Deciding
            | State::Held { .. }
            | State::Referred { .. }
            | State::Enclosed { .. } => true,
            State::Starting
            | State::Idle
            | State::Raising { .. }
            | State::Passing { .. }
            | State::Clearing
            | State::Lowering { .. }
            | State::Faulted { .. }
            | State::Local
            | State::Closed => false,
        }
    }
    /// The lane answers for the arm: a movement that it did not command is a fault then. Not while it
    /// starts (what the arm did before is not known) and not while a person holds it by the local key.
    pub(super) fn answers(self) -> bool {
        match self {
            State::Starting | State::Local => false,
            State::Idle
            | State::Identifying { .. }
            | State::Deciding
            | State::Held { .. }
            | State::Referred { .. }
            | State::Enclosed { .. }
            | State::Raising { .. }
            | State::Passing { .. }
            | State::Clearing
            | State::Lowering { .. }
            | State::Faulted { .. }
            | State::Closed => true,
        }
    }
    /// Since when the arm stands open for the vehicle; none where it does not.
    pub(super) fn passing_since(self) -> Option<Mono> {
        match self {
            State::Passing { since } => Some(since),
            State::Starting
            | State::Idle
            | State::Identifying { .. }
            | State::Deciding
            | State::Held { .. }
            | State::Referred { .. }
            | State::Enclosed { .. }
            | State::Raising { .. }
            | State::Clearing
            | State::Lowering { .. }
            | State::Faulted { .. }
            | State::Local
            | State::Closed => None,
        }
    }
}

/// Where the present state leads now; none: it stays.
pub(super) fn step(lane: &mut Lane) -> Option<State> {
    match lane.state {
        State::Starting => starting::step(lane),
        State::Idle => idle::step(lane),
        State::Identifying { since } => identifying::step(lane, since),
        State::Deciding => deciding::step(lane),
        State::Held { next_ask } => held::step(lane, next_ask),
        State::Referred { next_ask } => referred::step(lane, next_ask),
        State::Enclosed { since } => enclosed::step(lane, since),
        State::Raising { since } => raising::step(lane, since),
        State::Passing { since } => passing::step(lane, since),
        State::Clearing => clearing::step(lane),
        State::Lowering { since } => lowering::step(lane, since),
        State::Faulted { cause } => faulted::step(lane, cause),
        State::Local => local::step(lane),
        State::Closed => closed::step(lane),
    }
}

/// Enters a state: lamp, sign and watching follow. Leaving the states that deal with a vehicle takes a
/// grant and an open question back; that never lowers anything.
pub(super) fn enter(lane: &mut Lane, next: State) {
    if !next.deals() {
        lane.here.interlock.withdraw();
        if let Some(pass) = &mut lane.pass {
            pass.asked = None;
        }
    }
    let (from, to) = (lane.state.name(), next.name());
    if from != to {
        lane.moves.push((from, to));
    }
    lane.state = next;
    match next {
        State::Starting => {}
        State::Idle => {
            lane.light(LightColour::Red);
            lane.watch(false);
            lane.show(plain(InstructionKind::Wait));
        }
        State::Identifying { .. } => {
            if let Some(pass) = &mut lane.pass {
                pass.go = None;
            }
            lane.light(LightColour::Red);
            lane.show(plain(InstructionKind::Wait));
            lane.watch(true);
        }
        State::Deciding => {}
        State::Held { .. } | State::Referred { .. } => {
            // A raise from before has no authority any more: if the arm moves now, it is a fault.
            lane.here.may_rise = false;
            if let Some(pass) = &mut lane.pass {
                pass.revoked = pass.raised_by.is_some();
            }
            lane.light(LightColour::Red);
            lane.watch(true);
        }
        State::Enclosed { .. } => {
            lane.light(LightColour::Red);
            lane.watch(true);
            let alone = lane.pass.as_ref().is_some_and(|p| !p.followed);
            lane.show(plain(if alone { InstructionKind::Wait } else { InstructionKind::CallOperator }));
        }
        State::Raising { .. } => lane.watch(false),
        State::Passing { .. } => {
            lane.watch(false);
            passing::enter(lane);
        }
        State::Clearing => {
            lane.light(LightColour::Red);
            lane.watch(false);
            lane.show(plain(InstructionKind::Wait));
        }
        State::Lowering { .. } => lane.light(LightColour::Red),
        State::Faulted { .. } | State::Local => {
            lane.light(LightColour::Red);
            lane.watch(false);
            let kind =
                if lane.pass.is_some() { InstructionKind::CallOperator } else { InstructionKind::LaneClosed };
            lane.show(plain(kind));
        }
        State::Closed => {
            lane.light(LightColour::Red);
            lane.watch(false);
            lane.show(plain(InstructionKind::LaneClosed));
        }
    }
}
