//! What the vehicle really does around the arm, whatever the automaton expects: recorded in every state.
//!
//! Loops see metal, not vehicles. Onwards or back is told by the order in which the two loops become
//! free; a gap between tractor and trailer by its length, or by the curtain, which sees the drawbar.

use super::faults::{clear, part, raise};
use super::lock::Stage;
use super::{Lane, Pass};
use crate::effect::LightColour;
use gate_types::entry::EntryBody;
use gate_types::fault::FaultKind;
use gate_types::observation::{ArmPosition, Level};

/// How the vehicle left the loop under the arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Departure {
    Onwards,
    Back,
    /// Something stands on the first loop and has never left it: this vehicle backed out, or another one
    /// stands close behind it.
    Unclear,
}

/// Follows the vehicle under an arm that is not down, and sees who follows it.
pub(super) fn follow(lane: &mut Lane) {
    let follower = match &lane.pass {
        Some(pass) if !pass.under_seen => {
            came_under(lane);
            false
        }
        Some(pass) if !pass.left_seen => {
            if let Some(departure) = departed(lane, pass) {
                left(lane, departure);
            }
            onwards(lane);
            false
        }
        Some(_) | None => lane.here.under.is_on() && arm_away(lane),
    };
    if follower && lane.state.answers() && lane.spec.live && !lane.here.under.chatters() {
        let text = "a vehicle went under the raised arm without a decision of its own".to_owned();
        raise(lane, FaultKind::Tailgating, part(lane, "loop_under"), text);
        let into_lock = lane.other.is_some() && lane.stage == Stage::Entry;
        if let Some(pass) = lane.pass.as_mut() {
            pass.followed |= into_lock;
        }
    }
    if lane.here.approach.off_for(lane.mono(), lane.spec.timers.presence_ms) {
        clear(lane, FaultKind::PassageUnclear, &part(lane, "loop_approach"));
    }
}

fn arm_away(lane: &Lane) -> bool {
    match lane.arm() {
        ArmPosition::Up | ArmPosition::Between => true,
        ArmPosition::Down | ArmPosition::Contradictory | ArmPosition::Unknown => false,
    }
}

/// The vehicle comes under the arm.
fn came_under(lane: &mut Lane) {
    let (now, presence_ms) = (lane.mono(), lane.spec.timers.presence_ms);
    let may_pass = arm_away(lane) || lane.here.may_rise;
    // It left the first loop while it was on the second one, under an arm that was not raised for it.
    let through = !may_pass
        && lane.spec.live
        && lane.here.under.on_for(now, presence_ms)
        && lane.here.approach.off_for(now, presence_ms)
        && lane.here.approach.since() > lane.here.under.since()
        && !lane.here.under.chatters();
    // Somebody is in the curtain long after the first loop became free: the second one does not see him.
    let unseen = may_pass
        && lane.spec.live
        && lane.here.under.is_off()
        && lane.here.curtain.on_for(now, presence_ms)
        && lane.here.approach.off_for(now, lane.spec.timers.between_loops_ms);
    if unseen {
        let text = "the curtain sees a vehicle that the loop under the arm does not; check the loop";
        raise(lane, FaultKind::LoopSilent, part(lane, "loop_under"), text.to_owned());
    }
    if !through && !unseen && (!lane.here.under.is_on() || !may_pass) {
        return;
    }
    let approach_free = lane.here.approach.is_off();
    let Some(pass) = &mut lane.pass else { return };
    pass.under_seen = true;
    pass.onwards = approach_free;
    lane.record(EntryBody::VehicleUnder {});
    lane.light(LightColour::Red);
}

/// The vehicle is off the first loop while it is on the second one: whoever comes onto the first loop now
/// is another one.
fn onwards(lane: &mut Lane) {
    let free = lane.here.approach.off_for(lane.mono(), lane.spec.timers.presence_ms);
    let on = lane.here.under.is_on();
    if let Some(pass) = lane.pass.as_mut().filter(|p| p.under_seen && free && on) {
        pass.onwards = true;
    }
}

fn departed(lane: &Lane, pass: &Pass) -> Option<Departure> {
    let (now, timers) = (lane.mono(), &lane.spec.timers);
    let free = lane.here.under.off_for(now, timers.presence_ms)
        && lane.here.curtain.off_for(now, timers.presence_ms);
    if !free || lane.here.under.chatters() {
        return None;
    }
    if lane.here.approach.chatters() {
        return Some(Departure::Unclear);
    }
    if lane.here.approach.off_for(now, timers.presence_ms) {
        let back = !pass.onwards && lane.here.approach.since() > lane.here.under.since();
        return Some(if back { Departure::Back } else { Departure::Onwards });
    }
    if pass.onwards {
        return Some(Departure::Onwards);
    }
    // Something stands on the first loop: perhaps the trailer of this vehicle.
    let fitted = lane.inputs().curtain != Level::NotFitted;
    (fitted || lane.here.under.off_for(now, timers.trailer_gap_ms)).then_some(Departure::Unclear)
}

fn left(lane: &mut Lane, departure: Departure) {
    if let Some(pass) = &mut lane.pass {
        pass.left_seen = true;
        pass.went_back = departure == Departure::Back;
    }
    match departure {
        Departure::Onwards => lane.record(EntryBody::VehicleLeft {}),
        Departure::Back => lane.record(EntryBody::VehicleWentBack {}),
        Departure::Unclear => {
            lane.record(EntryBody::VehicleLeft {});
            let text = "the first loop does not tell whether the vehicle under the arm went on or back, or \
                        whether another one stands close behind it; look at the lane"
                .to_owned();
            raise(lane, FaultKind::PassageUnclear, part(lane, "loop_approach"), text);
        }
    }
}
