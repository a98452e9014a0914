//! The arm is rising: its limit switch has to prove it in time.
//!
//! A raise whose outcome is unknown is never repeated: the sensors decide. One that provably did not move
//! the arm (its write acknowledged, or its outcome lost with the daemon; the lower limit switch active in
//! every image since) is given up once: central is asked anew, so that a second pulse has a recorded
//! decision of its own (I1, I2).

use super::faults::{part, raise};
use super::pass::after_down;
use super::state::{Cause, State};
use super::{Lane, ask};
use gate_types::Mono;
use gate_types::entry::Authority;
use gate_types::fault::FaultKind;
use gate_types::observation::ArmPosition;

pub(super) fn step(lane: &mut Lane, since: Mono) -> Option<State> {
    let limit = lane.spec.timers.raise_ms;
    let over = lane.mono().since_ms(since) >= limit;
    match lane.arm() {
        ArmPosition::Up => return Some(State::Passing { since: lane.mono() }),
        ArmPosition::Down if !lane.spec.live => return Some(after_down(lane)),
        ArmPosition::Down | ArmPosition::Between | ArmPosition::Contradictory | ArmPosition::Unknown => {}
    }
    if !over || !lane.spec.live {
        return None;
    }
    let text = format!("the arm did not reach its upper end within {limit} ms; look at the barrier");
    raise(lane, FaultKind::ArmNotRaised, part(lane, "arm"), text);
    if let Some(pass) = &mut lane.pass {
        pass.raise_open = false;
    }
    Some(give_up(lane).unwrap_or(State::Faulted { cause: Cause::NotRaised }))
}

/// Begins anew where the raise provably did not move the arm and the vehicle stands there still. What an
/// operator let pass is the operator's to repeat.
fn give_up(lane: &mut Lane) -> Option<State> {
    let stands = lane.here.approach.is_on() && lane.here.under.is_off() && !lane.closed;
    let held_down = lane.here.arm_held_down && lane.arm() == ArmPosition::Down;
    let now = lane.mono();
    let pass = lane.pass.as_mut()?;
    let by_decision = pass.raised_by == Some(Authority::Decision);
    let told = pass.raise_written || pass.restored;
    if !(held_down && stands && by_decision && told) || pass.raise_given_up {
        return None;
    }
    pass.raise_given_up = true;
    pass.go = None;
    if pass.restored {
        pass.begin_anew(now);
        return Some(State::Identifying { since: now });
    }
    ask::ask(lane);
    Some(State::Deciding)
}
