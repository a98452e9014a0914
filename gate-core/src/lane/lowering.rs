//! The arm is lowering by the barrier's own controller. Presence ends the permission's proof: the zone
//! has to be proven free again.

use super::Lane;
use super::faults::{part, raise};
use super::pass::after_down;
use super::state::{Cause, State};
use crate::interlock::zone_is_free;
use gate_types::Mono;
use gate_types::fault::FaultKind;
use gate_types::observation::ArmPosition;

pub(super) fn step(lane: &mut Lane, since: Mono) -> Option<State> {
    if lane.arm() == ArmPosition::Down {
        return Some(after_down(lane));
    }
    if !zone_is_free(&lane.inputs()) {
        return Some(State::Clearing);
    }
    let limit = lane.spec.timers.lower_ms;
    if lane.mono().since_ms(since) < limit {
        return None;
    }
    let text = format!("the arm did not reach its lower end within {limit} ms; look at the barrier");
    raise(lane, FaultKind::ArmNotLowered, part(lane, "arm"), text);
    Some(State::Faulted { cause: Cause::NotLowered })
}
