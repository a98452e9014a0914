//! What the arm and the people at it really do, whatever the automaton expects: recorded in every state.

use super::faults::{clear, part, raise};
use super::guard::all_known;
use super::state::{Cause, State, enter};
use super::{Lane, lock};
use gate_types::entry::EntryBody;
use gate_types::fault::FaultKind;
use gate_types::observation::ArmPosition;

/// True where the daemon does not answer for the arm: people, fire, or another controller have it.
fn in_other_hands(lane: &Lane) -> bool {
    let inputs = lane.inputs();
    !lane.state.answers() || !lane.spec.live || inputs.fire.is_on() || inputs.local_key.is_on()
}

/// Follows every arm of the lane. One that moved uncommanded stops the lane.
pub(super) fn arms(lane: &mut Lane) {
    let mut uncommanded = arm(lane);
    lock::aside(lane, |lane| uncommanded |= arm(lane));
    if uncommanded {
        enter(lane, State::Faulted { cause: Cause::Uncommanded });
    }
}

/// Follows the arm: proofs of its ends, and movements that nobody here commanded, which it tells of.
fn arm(lane: &mut Lane) -> bool {
    let arm = lane.arm();
    if arm != ArmPosition::Down {
        lane.here.arm_held_down = false;
    }
    match arm {
        ArmPosition::Unknown | ArmPosition::Contradictory => return false,
        ArmPosition::Up | ArmPosition::Down | ArmPosition::Between => {}
    }
    let expected = match lane.here.arm_end {
        Some(ArmPosition::Down) => arm == ArmPosition::Down || lane.here.may_rise,
        Some(ArmPosition::Up) => arm == ArmPosition::Up || lane.here.may_fall,
        Some(ArmPosition::Between | ArmPosition::Contradictory | ArmPosition::Unknown) | None => true,
    };
    let device = part(lane, "arm");
    let known = lane.faults.stands(FaultKind::ArmMovedUncommanded, &device);
    let uncommanded = !expected && !known && !in_other_hands(lane);
    if uncommanded {
        let exit = lane.here.is_exit();
        lane.record(EntryBody::ArmMovedUncommanded { arm, exit });
        let text = "the arm moved without a command; see who moved it and lower it".to_owned();
        raise(lane, FaultKind::ArmMovedUncommanded, device.clone(), text);
    }
    match arm {
        ArmPosition::Up => {
            if lane.here.arm_end != Some(ArmPosition::Up) {
                clear(lane, FaultKind::ArmNotRaised, &device);
            }
            lane.here.arm_end = Some(ArmPosition::Up);
            if let Some(pass) = lane.pass.as_mut().filter(|p| !p.up_seen && !lane.aside) {
                pass.up_seen = true;
                lane.record(EntryBody::ArmConfirmedUp {});
            }
        }
        ArmPosition::Down => {
            clear(lane, FaultKind::ArmNotLowered, &device);
            clear(lane, FaultKind::ArmMovedUncommanded, &device);
            let followed = lane.pass.as_ref().is_some_and(|p| p.followed);
            if lane.here.under.is_off() && !followed {
                clear(lane, FaultKind::Tailgating, &part(lane, "loop_under"));
            }
            if lane.here.arm_end == Some(ArmPosition::Up) {
                lane.record(EntryBody::ArmConfirmedDown {});
                lane.here.may_rise = false;
            }
            lane.here.may_fall = false;
            lane.here.arm_end = Some(ArmPosition::Down);
        }
        ArmPosition::Between => {
            if !expected {
                lane.here.arm_end = None;
            }
        }
        ArmPosition::Unknown | ArmPosition::Contradictory => {}
    }
    uncommanded
}

/// Records who has the lane and what the arm does meanwhile: a manual opening is never without a trace
/// (I11).
pub(super) fn hands(lane: &mut Lane) {
    let inputs = lane.inputs();
    if !all_known(&inputs) {
        return;
    }
    let (key, fire, arm) = (inputs.local_key.is_on(), inputs.fire.is_on(), inputs.arm());
    let held = key || fire;
    if (held || lane.here.hands.is_some()) && lane.here.hands != Some((key, fire, arm)) {
        let exit = lane.here.is_exit();
        lane.record(EntryBody::LocalHands { key, fire, arm, exit });
    }
    lane.here.hands = held.then_some((key, fire, arm));
}
