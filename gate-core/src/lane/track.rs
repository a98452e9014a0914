//! What the arm and the people at it really do, whatever the automaton expects: recorded in every state.

use super::Lane;
use super::faults::{clear, part, raise};
use super::guard::all_known;
use super::state::{Cause, State, enter};
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
    if arm != ArmPosition::Down {
        lane.arm_held_down = false;
    }
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

/// Records who has the lane and what the arm does meanwhile: a manual opening is never without a trace
/// (I11).
pub(super) fn hands(lane: &mut Lane) {
    let inputs = lane.inputs();
    if !all_known(&inputs) {
        return;
    }
    let (key, fire, arm) = (inputs.local_key.is_on(), inputs.fire.is_on(), inputs.arm());
    let held = key || fire;
    if (held || lane.hands.is_some()) && lane.hands != Some((key, fire, arm)) {
        lane.record(EntryBody::LocalHands { key, fire, arm });
    }
    lane.hands = held.then_some((key, fire, arm));
}
