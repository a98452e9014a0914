//! The arm is up for this vehicle.

use super::Lane;
use super::pass::after_down;
use super::state::State;
use crate::effect::LightColour;
use gate_types::observation::ArmPosition;

pub(super) fn enter(lane: &mut Lane) {
    let Some(pass) = &lane.pass else { return };
    if pass.under_seen || !pass.is_raised_for() {
        lane.light(LightColour::Red);
        return;
    }
    if let Some(go) = pass.go.clone() {
        lane.show(go);
    }
    lane.light(LightColour::Green);
}

pub(super) fn step(lane: &mut Lane) -> Option<State> {
    if !lane.spec.live && lane.arm() == ArmPosition::Down {
        return Some(after_down(lane));
    }
    let now = lane.mono();
    let between_ms = lane.spec.timers.between_loops_ms;
    let gone = lane.approach.off_for(now, between_ms) && lane.under.off_for(now, between_ms);
    match &lane.pass {
        None => Some(State::Clearing),
        Some(pass) if pass.left_seen || (!pass.under_seen && gone) => Some(State::Clearing),
        Some(_) => None,
    }
}
