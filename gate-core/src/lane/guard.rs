//! Conditions that stop a lane from any state.

use super::Lane;
use super::state::{Cause, State};
use gate_types::observation::{ArmPosition, LaneInputs, Level};

/// Every fitted input is freshly read.
pub(super) fn all_known(inputs: &LaneInputs) -> bool {
    let levels = [
        inputs.loop_approach,
        inputs.loop_under,
        inputs.curtain,
        inputs.limit_up,
        inputs.limit_down,
        inputs.local_key,
        inputs.fire,
        inputs.barrier_fault,
    ];
    !levels.contains(&Level::Unknown)
}

/// The inputs allow the lane to work.
pub(super) fn is_sound(lane: &Lane) -> bool {
    let inputs = lane.inputs();
    let arm = match inputs.arm() {
        ArmPosition::Up | ArmPosition::Down | ArmPosition::Between => true,
        ArmPosition::Contradictory | ArmPosition::Unknown => false,
    };
    all_known(&inputs) && arm && !inputs.barrier_fault.may_be_on()
}

pub(super) fn is_faulted(lane: &Lane) -> bool {
    matches!(lane.state, State::Faulted { .. })
}

/// Where a condition leads that outranks the state's own business.
pub(super) fn step(lane: &mut Lane) -> Option<State> {
    if lane.state == State::Starting {
        return None;
    }
    let inputs = lane.inputs();
    if !all_known(&inputs) {
        return (!is_faulted(lane)).then_some(State::Faulted { cause: Cause::Inputs });
    }
    if inputs.fire.is_on() {
        // After a fire a person opens the lane again.
        lane.closed = true;
    }
    if inputs.fire.is_on() || inputs.local_key.is_on() {
        return (lane.state != State::Local).then_some(State::Local);
    }
    if !is_sound(lane) {
        return (!is_faulted(lane)).then_some(State::Faulted { cause: Cause::Barrier });
    }
    None
}
