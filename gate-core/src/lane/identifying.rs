//! A vehicle stands on the approach loop and is being read.

use super::pass::{shadow_moves, turned_back};
use super::state::State;
use super::{Lane, ask, lock, verdict};
use gate_types::Mono;
use gate_types::decision::Basis;

pub(super) fn step(lane: &mut Lane, since: Mono) -> Option<State> {
    if let Some(next) = turned_back(lane).or_else(|| shadow_moves(lane)) {
        return Some(next);
    }
    let pass = lane.pass.as_ref()?;
    let rule = &lane.spec.identity;
    let is_read = |slot| pass.identity.best(slot).is_some_and(|c| c.probability >= rule.read_threshold);
    let read = rule.slots.iter().filter(|s| is_read(**s)).count();
    let devices = &lane.spec.devices;
    let weighs_here = lane.other.is_none() || lock::holds(lane) == devices.scale_inside;
    let weighed = lane.spec.weight.is_none()
        || devices.scale.is_none()
        || !weighs_here
        || pass.identity.weight.is_some();
    let enough = read >= usize::from(rule.factors_wanted) && read > 0 && weighed;
    let over = lane.mono().since_ms(since) >= lane.spec.timers.identify_ms;
    if enough || (over && !pass.identity.slots.is_empty()) {
        ask::ask(lane);
        return Some(State::Deciding);
    }
    let now = lane.mono();
    let basis = Basis::Unread { identify_ms: lane.spec.timers.identify_ms };
    over.then(|| verdict::take(lane, &basis, now))
}
