//! Referred to an operator. The lane goes on reading and asking, so that the operator sees the newest
//! facts; what it may take by itself is for `verdict::take` to say.

use super::pass::{shadow_moves, turned_back};
use super::state::State;
use super::{Lane, ask};
use gate_types::Mono;
use gate_types::verdict::ReasonCode;

pub(super) fn step(lane: &mut Lane, next_ask: Mono) -> Option<State> {
    if let Some(next) = turned_back(lane).or_else(|| shadow_moves(lane)) {
        return Some(next);
    }
    if let Some(next) = ask::give_up(lane) {
        return Some(next);
    }
    let verdict = lane.pass.as_ref().and_then(|p| p.verdict.as_ref())?;
    if verdict.reasons().iter().any(|r| r.code == ReasonCode::OperatorDecision) {
        return None;
    }
    let due = lane.mono() >= next_ask;
    ask::again(lane, due);
    None
}
