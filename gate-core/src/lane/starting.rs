//! Started: nothing is commanded before the inputs have been read (I7).

use super::state::{Cause, State};
use super::{Lane, guard, lock, restore};

pub(super) fn step(lane: &mut Lane) -> Option<State> {
    if !guard::lane_known(lane) {
        return None;
    }
    if let Some(restored) = lane.restored.take() {
        let (pass, stage) = restore::rebuild(restored, lane.now);
        lane.pass = Some(pass);
        if lane.other.is_some() {
            lock::to(lane, stage);
        }
    }
    if guard::in_hands(lane) != (false, false) {
        return Some(State::Local);
    }
    if !guard::is_sound(lane) {
        return Some(State::Faulted { cause: Cause::Barrier });
    }
    Some(restore::resume(lane))
}
