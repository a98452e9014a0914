//! A fault keeps the lane from working. It ends by itself only where the sensors prove that it is over.

use super::lock::{self, Stage};
use super::pass::{close, turned_back};
use super::state::{Cause, State};
use super::{Lane, guard, restore};
use gate_types::entry::PassOutcome;
use gate_types::observation::ArmPosition;

pub(super) fn step(lane: &mut Lane, cause: Cause) -> Option<State> {
    if !guard::is_sound(lane) {
        gone(lane);
        return None;
    }
    match cause {
        Cause::Inputs | Cause::Barrier => {
            // What the lamp was told meanwhile may never have reached it.
            lane.here.light = None;
            if let Some(other) = &mut lane.other {
                other.light = None;
            }
            Some(restore::resume(lane))
        }
        Cause::Uncommanded | Cause::NotLowered => lock::is_settled(lane).then(|| restore::resume(lane)),
        Cause::NotRaised => not_raised(lane),
    }
}

/// A broken barrier holds nobody: the pass of a vehicle that was not let through ends when it has gone.
fn gone(lane: &mut Lane) {
    let (now, presence_ms) = (lane.mono(), lane.spec.timers.presence_ms);
    let free = lane.here.approach.off_for(now, presence_ms) && lane.here.under.off_for(now, presence_ms);
    let Some(pass) = lane.pass.as_ref().filter(|p| p.raised_by.is_none() && !p.up_seen) else { return };
    let passed = pass.under_seen && !pass.went_back;
    if lane.other.is_some() && (passed || lane.stage != Stage::Entry) {
        if free && passed && lane.stage == Stage::Entry {
            lock::enclose(lane);
        } else if free && passed {
            lock::after_lowering(lane);
            if lane.stage == Stage::Exit {
                close(lane, PassOutcome::Passed);
            }
        }
        return;
    }
    if free && lane.spec.live {
        close(lane, if passed { PassOutcome::Passed } else { PassOutcome::TurnedBack });
    }
}

/// The arm comes up late after all, or the vehicle goes; else an operator has to act.
fn not_raised(lane: &mut Lane) -> Option<State> {
    let left = lane.pass.as_ref().is_some_and(|p| p.left_seen);
    if lane.arm() == ArmPosition::Up || lock::both_obeyed(lane) {
        return Some(restore::resume(lane));
    }
    if left && lane.arm() == ArmPosition::Between {
        return Some(State::Clearing);
    }
    if lane.pass.is_some() {
        // The pass ends with the vehicle; the fault stays.
        turned_back(lane);
    }
    None
}
