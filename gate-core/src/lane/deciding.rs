//! Central was asked; or the vehicle is admitted and the interlock still has to clear the raise.

use super::pass::{shadow_moves, turned_back};
use super::state::State;
use super::{Lane, ask, permits};
use crate::effect::Effect;
use crate::interlock::RaiseRefusal;
use gate_types::entry::{Authority, EntryBody};
use gate_types::observation::ArmPosition;

pub(super) fn step(lane: &mut Lane) -> Option<State> {
    if let Some(next) = turned_back(lane).or_else(|| shadow_moves(lane)) {
        return Some(next);
    }
    let now = lane.mono();
    if lane.may_rise && lane.arm() != ArmPosition::Down {
        // The raise that was given up moves the arm after all: nothing more is commanded.
        return Some(State::Raising { since: now });
    }
    let pass = lane.pass.as_mut()?;
    if lane.interlock.granted_until(&pass.id).is_none() {
        let shadow_admitted = !lane.spec.live && pass.go.is_some();
        if pass.asked.is_none() && !shadow_admitted {
            ask::ask(lane);
            return None;
        }
        return ask::give_up(lane);
    }
    match lane.interlock.clear_raise(&pass.id, now) {
        Ok((cleared, authority)) => {
            pass.raised_by = Some(authority.clone());
            pass.revoked = false;
            pass.raise_open = true;
            pass.raise_written = false;
            lane.may_rise = true;
            lane.arm_held_down = true;
            if authority == Authority::Decision {
                permits::use_up(lane);
            }
            lane.record(EntryBody::RaiseCommanded { authority });
            lane.effects.push_back(Effect::Actuate(cleared));
            Some(State::Raising { since: now })
        }
        Err(RaiseRefusal::Expired | RaiseRefusal::NoAuthority) => {
            ask::ask(lane);
            None
        }
        Err(
            RaiseRefusal::InputsUnknown
            | RaiseRefusal::NobodyThere
            | RaiseRefusal::ZoneOccupied
            | RaiseRefusal::ArmNotDown
            | RaiseRefusal::InOtherHands
            | RaiseRefusal::BarrierFault,
        ) => None,
    }
}
