//! The vehicle has left: the zone is being proven free, then lowering is permitted (I3).

use super::Lane;
use super::pass::after_down;
use super::state::State;
use crate::effect::Effect;
use gate_types::entry::EntryBody;
use gate_types::observation::ArmPosition;

pub(super) fn step(lane: &mut Lane) -> Option<State> {
    if lane.arm() == ArmPosition::Down {
        return lane.here.under.is_off().then(|| after_down(lane));
    }
    if lane.pass.as_ref().is_some_and(|p| p.under_seen && !p.left_seen) {
        return Some(State::Passing { since: lane.mono() });
    }
    if !lane.spec.live || lane.here.under.chatters() {
        return None;
    }
    let (cleared, inputs) = lane.here.interlock.clear_lower(lane.mono()).ok()?;
    if let Some(pass) = &mut lane.pass {
        pass.lower_permitted = true;
    }
    lane.here.may_fall = true;
    lane.record(EntryBody::LowerPermitted { inputs });
    lane.effects.push_back(Effect::Actuate(cleared));
    Some(State::Lowering { since: lane.mono() })
}
