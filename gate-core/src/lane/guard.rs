//! Conditions that stop a lane from any state.

use super::Lane;
use super::lock::{self, Stage};
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

/// Every fitted input of the lane is freshly read.
pub(super) fn lane_known(lane: &Lane) -> bool {
    all_known(&lane.inputs()) && lane.other.as_ref().is_none_or(|o| all_known(&o.inputs(lane.mono())))
}

/// The inputs allow the lane to work. A fault of the exit barrier lets nobody into a lock, and somebody who
/// is in it out by the entry.
pub(super) fn is_sound(lane: &Lane) -> bool {
    let here = sound(&lane.inputs());
    let other = lane.other.as_ref().map(|o| o.inputs(lane.mono()));
    here && other.is_none_or(|mut other| {
        if lane.stage != Stage::Entry {
            other.barrier_fault = Level::Off;
        }
        sound(&other)
    })
}

/// Fire alarm or key switch at one of the lane's arms.
pub(super) fn in_hands(lane: &Lane) -> (bool, bool) {
    let images = [Some(lane.inputs()), lane.other.as_ref().map(|o| o.inputs(lane.mono()))];
    let any = |level: fn(&LaneInputs) -> Level| images.iter().flatten().any(|i| level(i).is_on());
    (any(|i| i.fire), any(|i| i.local_key))
}

fn sound(inputs: &LaneInputs) -> bool {
    let arm = match inputs.arm() {
        ArmPosition::Up | ArmPosition::Down | ArmPosition::Between => true,
        ArmPosition::Contradictory | ArmPosition::Unknown => false,
    };
    all_known(inputs) && arm && !inputs.barrier_fault.may_be_on()
}

pub(super) fn is_faulted(lane: &Lane) -> bool {
    matches!(lane.state, State::Faulted { .. })
}

/// Where a condition leads that outranks the state's own business.
pub(super) fn step(lane: &mut Lane) -> Option<State> {
    if lane.state == State::Starting {
        return None;
    }
    if !lane_known(lane) {
        return (!is_faulted(lane)).then_some(State::Faulted { cause: Cause::Inputs });
    }
    let (fire, key) = in_hands(lane);
    if fire {
        // After a fire a person opens the lane again.
        lane.closed = true;
    }
    if fire || key {
        return (lane.state != State::Local).then_some(State::Local);
    }
    if !is_sound(lane) {
        return (!is_faulted(lane)).then_some(State::Faulted { cause: Cause::Barrier });
    }
    if lock::is_open_behind(lane) {
        return Some(State::Clearing);
    }
    None
}
