//! Central was asked; or the vehicle is admitted and the interlock still has to clear the raise.

use super::lock::{self, Stage};
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
    if lane.here.may_rise && lane.arm() != ArmPosition::Down {
        // The raise that was given up moves the arm after all: nothing more is commanded.
        return Some(State::Raising { since: now });
    }
    let id = lane.pass.as_ref()?.id.clone();
    if lane.here.interlock.granted_until(&id).is_none() {
        if let Some(next) = by_operator_alone(lane) {
            return Some(next);
        }
        let pass = lane.pass.as_ref()?;
        let shadow_admitted = !lane.spec.live && pass.go.is_some();
        if pass.asked.is_none() && !shadow_admitted {
            ask::ask(lane);
            return None;
        }
        return ask::give_up(lane);
    }
    match lock::clear_raise(lane, &id, now) {
        Ok((cleared, authority)) => {
            let pass = lane.pass.as_mut()?;
            pass.raised_by = Some(authority.clone());
            pass.revoked = false;
            pass.raise_open = true;
            pass.raise_written = false;
            lane.here.may_rise = true;
            lane.here.arm_held_down = true;
            if authority == Authority::Decision {
                permits::use_up(lane);
            }
            lane.record(EntryBody::RaiseCommanded { authority });
            lane.effects.push_back(Effect::Actuate(cleared));
            Some(State::Raising { since: now })
        }
        Err(RaiseRefusal::Expired | RaiseRefusal::NoAuthority) => {
            if let Some(next) = by_operator_alone(lane) {
                return Some(next);
            }
            ask::ask(lane);
            None
        }
        Err(
            RaiseRefusal::InputsUnknown
            | RaiseRefusal::NobodyThere
            | RaiseRefusal::ZoneOccupied
            | RaiseRefusal::ArmNotDown
            | RaiseRefusal::InOtherHands
            | RaiseRefusal::BarrierFault
            | RaiseRefusal::OtherArmNotDown
            | RaiseRefusal::LockOccupied
            | RaiseRefusal::WayBackOccupied,
        ) => None,
    }
}

/// In a lock central is not asked about a vehicle that an operator sends back, nor about two vehicles.
fn by_operator_alone(lane: &mut Lane) -> Option<State> {
    if lane.stage == Stage::Back {
        return Some(lock::inside_again(lane));
    }
    let followed = lane.stage == Stage::Exit && lane.pass.as_ref().is_some_and(|p| p.followed);
    followed.then(|| State::Enclosed { since: lane.mono() })
}
