//! The arm is rising: its limit switch has to prove it in time.

use super::Lane;
use super::faults::{part, raise};
use super::pass::after_down;
use super::state::{Cause, State};
use gate_types::Mono;
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
    Some(State::Faulted { cause: Cause::NotRaised })
}
