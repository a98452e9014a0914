//! When time alone changes something.

use super::faults::START_GRACE_MS;
use super::state::State;
use super::{Lane, ask};
use gate_types::Mono;

/// The earliest moment after now at which a condition of the lane may become true by time alone. What
/// was due up to now has been dealt with, so that a deadline never lies in the past.
pub(super) fn next(lane: &Lane) -> Option<Mono> {
    let timers = &lane.spec.timers;
    let mut due: Vec<Mono> = Vec::with_capacity(16);
    for barrier in std::iter::once(&lane.here).chain(&lane.other) {
        due.extend(barrier.interlock.stale_at());
        for presence in [barrier.approach, barrier.under, barrier.curtain] {
            due.push(presence.lasts_at(timers.presence_ms));
            due.push(presence.lasts_at(timers.loop_stuck_ms));
            due.extend(presence.rests_at());
        }
    }
    if let Some(other) = &lane.other {
        due.extend(other.interlock.free_at());
        due.extend(other.put_down.map(|at| at.plus_ms(timers.lower_ms)));
    }
    due.push(lane.here.under.lasts_at(timers.trailer_gap_ms));
    if let Some(pass) = &lane.pass {
        due.extend(pass.asked.as_ref().map(|a| a.at.plus_ms(ask::give_up_ms(lane))));
        due.extend(pass.last_asked.map(|at| at.plus_ms(ask::REASK_MS)));
        due.extend(lane.here.interlock.granted_until(&pass.id));
    }
    match lane.state {
        State::Starting => due.extend(lane.started.map(|at| at.plus_ms(START_GRACE_MS))),
        State::Identifying { since } => due.push(since.plus_ms(timers.identify_ms)),
        State::Held { next_ask } | State::Referred { next_ask } => due.push(next_ask),
        State::Enclosed { since } => due.push(since.plus_ms(timers.pass_ms)),
        State::Raising { since } => due.push(since.plus_ms(timers.raise_ms)),
        State::Passing { since } => {
            due.push(since.plus_ms(timers.pass_ms));
            due.push(lane.here.approach.lasts_at(timers.between_loops_ms));
            due.push(lane.here.under.lasts_at(timers.between_loops_ms));
        }
        State::Clearing => due.extend(lane.here.interlock.free_at()),
        State::Lowering { since } => due.push(since.plus_ms(timers.lower_ms)),
        State::Idle | State::Deciding | State::Faulted { .. } | State::Local | State::Closed => {}
    }
    due.into_iter().filter(|at| *at > lane.mono()).min()
}
