//! The key switch or the fire input has the lane: the daemon only watches.

use super::state::State;
use super::{Lane, guard, restore};

pub(super) fn step(lane: &mut Lane) -> Option<State> {
    let inputs = lane.inputs();
    let over = guard::is_sound(lane) && !inputs.fire.may_be_on() && !inputs.local_key.may_be_on();
    over.then(|| restore::resume(lane))
}
