//! Closed by an operator, or by the fire input until a person opens the lane again.

use super::pass::turned_back;
use super::state::State;
use super::{Lane, restore};

pub(super) fn step(lane: &mut Lane) -> Option<State> {
    if !lane.closed {
        return Some(restore::resume(lane));
    }
    if lane.pass.is_some() {
        // Closing the pass leads back to this state.
        turned_back(lane);
    }
    None
}
