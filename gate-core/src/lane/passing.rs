//! The arm is up for this vehicle.

use super::Lane;
use super::lock::{self, Stage};
use super::pass::after_down;
use super::state::State;
use crate::effect::LightColour;
use gate_types::Mono;
use gate_types::entry::Authority;
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
    // The lamp of the entry arm is for those outside.
    lane.light(if lane.stage == Stage::Back { LightColour::Red } else { LightColour::Green });
}

pub(super) fn step(lane: &mut Lane, since: Mono) -> Option<State> {
    if !lane.spec.live && lane.arm() == ArmPosition::Down {
        return Some(after_down(lane));
    }
    let now = lane.mono();
    let between_ms = lane.spec.timers.between_loops_ms;
    // Where an operator lets somebody out of a lock whom the loop before the arm does not see, the loop says
    // nothing about his having gone.
    let unseen = lock::holds(lane) && now.since_ms(since) < lane.spec.timers.pass_ms;
    let gone = lane.here.approach.off_for(now, between_ms) && lane.here.under.off_for(now, between_ms);
    let gone =
        gone && !(unseen && lane.pass.as_ref().is_some_and(|p| p.raised_by != Some(Authority::Decision)));
    match &lane.pass {
        None => Some(State::Clearing),
        Some(pass) if pass.left_seen || (!pass.under_seen && gone) => Some(State::Clearing),
        Some(_) => None,
    }
}
