//! Started: nothing is commanded before the inputs have been read (I7).

use super::state::{Cause, State};
use super::{Lane, guard, restore};

pub(super) fn step(lane: &mut Lane) -> Option<State> {
    let inputs = lane.inputs();
    if !guard::all_known(&inputs) {
        return None;
    }
    if let Some(restored) = lane.restored.take() {
        lane.pass = Some(restore::rebuild(restored, lane.now));
    }
    if inputs.fire.is_on() || inputs.local_key.is_on() {
        return Some(State::Local);
    }
    if !guard::is_sound(lane) {
        return Some(State::Faulted { cause: Cause::Barrier });
    }
    Some(restore::resume(lane))
}
