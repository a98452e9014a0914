//! Nobody there.

use super::pass::open;
use super::state::State;
use super::{Lane, lock};
use gate_types::observation::ArmPosition;

pub(super) fn step(lane: &mut Lane) -> Option<State> {
    if lane.closed {
        return Some(State::Closed);
    }
    if let Some(next) = lock::found(lane) {
        return Some(next);
    }
    let stands = lane.here.approach.on_for(lane.mono(), lane.spec.timers.presence_ms);
    (stands && lane.arm() == ArmPosition::Down).then(|| open(lane))
}
