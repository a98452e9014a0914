//! Held: the lane asks again by itself, because central's word may change (B40).

use super::pass::{shadow_moves, turned_back};
use super::state::State;
use super::{Lane, ask};
use gate_types::Mono;

pub(super) fn step(lane: &mut Lane, next_ask: Mono) -> Option<State> {
    if let Some(next) = turned_back(lane).or_else(|| shadow_moves(lane)) {
        return Some(next);
    }
    if let Some(next) = ask::give_up(lane) {
        return Some(next);
    }
    let due = lane.mono() >= next_ask;
    ask::again(lane, due);
    None
}
