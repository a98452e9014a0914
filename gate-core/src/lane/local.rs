//! The key switch or the fire input has the lane: the daemon only watches.

use super::state::State;
use super::{Lane, guard, restore};

pub(super) fn step(lane: &mut Lane) -> Option<State> {
    let over = guard::is_sound(lane) && guard::in_hands(lane) == (false, false);
    over.then(|| restore::resume(lane))
}
