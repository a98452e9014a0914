//! Nobody there.

use super::Lane;
use super::pass::open;
use super::state::State;
use gate_types::observation::ArmPosition;

pub(super) fn step(lane: &mut Lane) -> Option<State> {
    if lane.closed {
        return Some(State::Closed);
    }
    let stands = lane.approach.on_for(lane.mono(), lane.spec.timers.presence_ms);
    (stands && lane.arm() == ArmPosition::Down).then(|| open(lane))
}
