//! Closed by an operator, or by the fire input until a person opens the lane again.

use super::pass::turned_back;
use super::state::State;
use super::{Lane, lock, restore};

pub(super) fn step(lane: &mut Lane) -> Option<State> {
    if !lane.closed {
        return Some(restore::resume(lane));
    }
    lane.pass.as_ref()?;
    // Closing the pass leads back to this state; a vehicle that went into a lock is dealt with first.
    turned_back(lane).filter(|_| lock::holds(lane))
}
