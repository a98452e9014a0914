//! What arm and vehicle really do, whatever the automaton expects: recorded in every state.

use super::Lane;
use super::faults::{clear, part, raise};
use super::state::{Cause, State, enter};
use crate::effect::LightColour;
use gate_types::entry::EntryBody;
use gate_types::fault::FaultKind;
use gate_types::observation::ArmPosition;

/// True where the daemon does not answer for the arm: people, fire, or another controller have it.
fn in_other_hands(lane: &Lane) -> bool {
    let inputs = lane.inputs();
    !lane.state.answers() || !lane.spec.live || inputs.fire.is_on() || inputs.local_key.is_on()
}

/// Follows the arm: proofs of its ends, and movements that nobody here commanded.
pub(super) fn arm(lane: &mut Lane) {
    let arm = lane.arm();
    match arm {
        ArmPosition::Unknown | ArmPosition::Contradictory => return,
        ArmPosition::Up | ArmPosition::Down | ArmPosition::Between => {}
    }
    let expected = match lane.arm_end {
        Some(ArmPosition::Down) => arm == ArmPosition::Down || lane.may_rise,
        Some(ArmPosition::Up) => arm == ArmPosition::Up || lane.may_fall,
        Some(ArmPosition::Between | ArmPosition::Contradictory | ArmPosition::Unknown) | None => true,
    };
    let device = part(lane, "arm");
    let known = lane.faults.stands(FaultKind::ArmMovedUncommanded, &device);
    if !expected && !known && !in_other_hands(lane) {
        lane.record(EntryBody::ArmMovedUncommanded { arm });
        let text = "the arm moved without a command; see who moved it and lower it".to_owned();
        raise(lane, FaultKind::ArmMovedUncommanded, device.clone(), text);
        enter(lane, State::Faulted { cause: Cause::Uncommanded });
    }
    match arm {
        ArmPosition::Up => {
            if lane.arm_end != Some(ArmPosition::Up) {
                clear(lane, FaultKind::ArmNotRaised, &device);
            }
            lane.arm_end = Some(ArmPosition::Up);
            if let Some(pass) = lane.pass.as_mut().filter(|p| !p.up_seen) {
                pass.up_seen = true;
                lane.record(EntryBody::ArmConfirmedUp {});
            }
        }
        ArmPosition::Down => {
            clear(lane, FaultKind::ArmNotLowered, &device);
            clear(lane, FaultKind::ArmMovedUncommanded, &device);
            if lane.under.is_off() {
                clear(lane, FaultKind::Tailgating, &part(lane, "loop_under"));
            }
            if lane.arm_end == Some(ArmPosition::Up) {
                lane.record(EntryBody::ArmConfirmedDown {});
                lane.may_rise = false;
            }
            lane.may_fall = false;
            lane.arm_end = Some(ArmPosition::Down);
        }
        ArmPosition::Between => {
            if !expected {
                lane.arm_end = None;
            }
        }
        ArmPosition::Unknown | ArmPosition::Contradictory => {}
    }
}

/// Follows the vehicle under an arm that is not down, and sees who follows it.
pub(super) fn vehicle(lane: &mut Lane) {
    let arm_away = match lane.arm() {
        ArmPosition::Up | ArmPosition::Between => true,
        ArmPosition::Down | ArmPosition::Contradictory | ArmPosition::Unknown => false,
    };
    let (now, presence_ms) = (lane.mono(), lane.spec.timers.presence_ms);
    let follower = match &mut lane.pass {
        Some(pass) if !pass.under_seen => {
            if lane.under.is_on() && (arm_away || lane.may_rise) {
                pass.under_seen = true;
                lane.record(EntryBody::VehicleUnder {});
                lane.light(LightColour::Red);
            }
            false
        }
        Some(pass) if !pass.left_seen => {
            if lane.under.off_for(now, presence_ms) {
                pass.left_seen = true;
                lane.record(EntryBody::VehicleLeft {});
            }
            false
        }
        Some(_) | None => lane.under.is_on() && arm_away,
    };
    if follower && lane.state.answers() && lane.spec.live {
        let text = "a vehicle went under the raised arm without a decision of its own".to_owned();
        raise(lane, FaultKind::Tailgating, part(lane, "loop_under"), text);
    }
}
