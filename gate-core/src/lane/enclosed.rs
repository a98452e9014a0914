//! Between the arms of a two-barrier lock, both down: the lane waits for the vehicle at the loop before the
//! exit arm. Where a second vehicle came in behind the first, only an operator goes on from here.

use super::Lane;
use super::faults::{clear, part, raise};
use super::pass::turned_back;
use super::state::State;
use gate_types::Mono;
use gate_types::fault::FaultKind;

pub(super) fn step(lane: &mut Lane, since: Mono) -> Option<State> {
    if let Some(next) = turned_back(lane) {
        return Some(next);
    }
    let (now, timers) = (lane.mono(), lane.spec.timers);
    let device = part(lane, "loop_approach");
    if lane.here.approach.on_for(now, timers.presence_ms) {
        clear(lane, FaultKind::LoopSilent, &device);
        let followed = lane.pass.as_ref().is_some_and(|p| p.followed);
        return (!followed).then_some(State::Identifying { since: now });
    }
    if now.since_ms(since) >= timers.pass_ms {
        let text = format!(
            "a vehicle is between the arms and the loop before the exit arm has not seen it for {} ms; look at the \
             lane: let it out onwards or back, or open the lane if nobody is there",
            timers.pass_ms
        );
        raise(lane, FaultKind::LoopSilent, device, text);
    }
    None
}
