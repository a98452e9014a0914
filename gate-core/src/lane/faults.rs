//! The standing faults: raised once when a condition begins, cleared once when it ends (I12).

use super::Lane;
use super::guard;
use super::lock::Stage;
use super::state::State;
use gate_types::entry::EntryBody;
use gate_types::fault::{Fault, FaultKind};
use gate_types::observation::{ArmPosition, Level};
use std::collections::BTreeMap;

/// How long a start may take before unread inputs are a fault, milliseconds (I8).
pub(super) const START_GRACE_MS: u64 = 5_000;

/// Standing faults by kind and device.
#[derive(Debug, Default)]
pub(super) struct Faults {
    standing: BTreeMap<(FaultKind, String), Fault>,
}

impl Faults {
    pub(super) fn list(&self) -> Vec<Fault> {
        self.standing.values().cloned().collect()
    }
    pub(super) fn stands(&self, kind: FaultKind, device: &str) -> bool {
        self.standing.contains_key(&(kind, device.to_owned()))
    }
}

/// Raises a fault unless it stands.
pub(super) fn raise(lane: &mut Lane, kind: FaultKind, device: String, text: String) {
    let key = (kind, device.clone());
    if lane.faults.standing.contains_key(&key) {
        return;
    }
    let fault = Fault { kind, device, text };
    lane.faults.standing.insert(key, fault.clone());
    lane.record(EntryBody::FaultRaised { fault });
}

/// Clears a fault if it stands.
pub(super) fn clear(lane: &mut Lane, kind: FaultKind, device: &str) {
    if let Some(fault) = lane.faults.standing.remove(&(kind, device.to_owned())) {
        lane.record(EntryBody::FaultCleared { fault });
    }
}

fn follow(lane: &mut Lane, kind: FaultKind, device: String, condition: Option<String>) {
    match condition {
        Some(text) => raise(lane, kind, device, text),
        None => clear(lane, kind, &device),
    }
}

/// The device name of a part of the lane's I/O.
pub(super) fn part(lane: &Lane, part: &str) -> String {
    format!("{}.{part}", lane.here.io)
}

/// Faults that follow from the inputs alone.
pub(super) fn watch(lane: &mut Lane) {
    let io = lane.here.io.to_string();
    let lost = io_lost(lane);
    follow(lane, FaultKind::DeviceDown, io, lost);
    let inputs = lane.inputs();
    match inputs.arm() {
        ArmPosition::Contradictory => {
            let text = "both limit switches are active; check the switches and their wiring".to_owned();
            raise(lane, FaultKind::LimitsContradict, part(lane, "arm"), text);
        }
        ArmPosition::Up | ArmPosition::Down | ArmPosition::Between => {
            clear(lane, FaultKind::LimitsContradict, &part(lane, "arm"));
        }
        ArmPosition::Unknown => {}
    }
    let switches = [
        (
            inputs.fire,
            FaultKind::FireOpen,
            "fire",
            "the fire input is active; open the lane again when it is over",
        ),
        (
            inputs.barrier_fault,
            FaultKind::DeviceDown,
            "barrier",
            "the barrier's own controller reports a fault; look at its display",
        ),
    ];
    for (level, kind, name, text) in switches {
        let device = part(lane, name);
        match level {
            Level::On => raise(lane, kind, device, text.to_owned()),
            Level::Off | Level::NotFitted => clear(lane, kind, &device),
            Level::Unknown => {}
        }
    }
    loops(lane);
}

fn io_lost(lane: &Lane) -> Option<String> {
    if let Some(why) = &lane.here.io_down {
        return Some(why.clone());
    }
    let started = lane.started.unwrap_or_default();
    let fresh = lane.here.interlock.is_fresh(lane.mono());
    if fresh && guard::all_known(&lane.inputs()) {
        return None;
    }
    let grace_over = lane.state != State::Starting || lane.mono().since_ms(started) >= START_GRACE_MS;
    let text = if fresh {
        "some inputs of the lane are not known; check the point map and the remote I/O".to_owned()
    } else {
        format!("no inputs within {} ms; check the remote I/O and its link", lane.spec.timers.inputs_stale_ms)
    };
    grace_over.then_some(text)
}

fn loops(lane: &mut Lane) {
    let now = lane.mono();
    let limit = lane.spec.timers.loop_stuck_ms;

    let under = lane.here.under.on_for(now, limit).then(|| {
        format!(
            "the loop under the arm is active for more than {limit} ms; the arm stays up, look at the lane"
        )
    });
    if under.is_some() || lane.here.under.is_off() {
        follow(lane, FaultKind::LoopStuck, part(lane, "loop_under"), under);
    }

    approach_stuck(lane);

    let alone = lane.here.under.is_off() && lane.here.curtain.on_for(now, limit);
    let curtain = alone.then(|| {
        format!("the curtain is interrupted for more than {limit} ms; the arm stays up, look at the lane")
    });
    if curtain.is_some() || lane.here.curtain.is_off() {
        follow(lane, FaultKind::LoopStuck, part(lane, "curtain"), curtain);
    }

    let mut loops = vec![(lane.here.under, "loop_under")];
    if lane.stage != Stage::Back {
        loops.push((lane.here.approach, "loop_approach"));
    }
    for (presence, name) in loops {
        let chatter = presence.chatters().then(|| {
            "the loop changes faster than vehicles do; it proves nothing until it rests, check it".to_owned()
        });
        follow(lane, FaultKind::LoopChatter, part(lane, name), chatter);
    }
    if lane.here.under.is_on() {
        clear(lane, FaultKind::LoopSilent, &part(lane, "loop_under"));
    }
    intruders(lane);
}

/// The loop before the arm. Where a lock is busy at its other arm, a vehicle may wait at this one for long;
/// on the way back the presence is that of the loop between the arms.
fn approach_stuck(lane: &mut Lane) {
    if lane.stage == Stage::Back || (lane.aside && lane.stage != Stage::Entry) {
        return;
    }
    let (now, limit) = (lane.mono(), lane.spec.timers.loop_stuck_ms);
    let unread =
        lane.aside || lane.pass.as_ref().is_none_or(|p| p.identity.slots.is_empty() && p.raised_by.is_none());
    let idle = !lane.aside && lane.pass.as_ref().is_some_and(|p| !p.under_seen);
    let raised_for_ms = lane.state.passing_since().map(|since| now.since_ms(since));
    let waits = idle && raised_for_ms.is_some_and(|ms| ms >= lane.spec.timers.pass_ms);
    let approach = if waits && lane.here.approach.is_on() {
        Some(format!("nobody drives under the raised arm for more than {} ms", lane.spec.timers.pass_ms))
    } else if unread && lane.here.approach.on_for(now, limit) {
        Some(format!("the approach loop is active for more than {limit} ms and nothing can be read there"))
    } else {
        None
    };
    if approach.is_some() || lane.here.approach.is_off() || !unread && !waits {
        follow(lane, FaultKind::LoopStuck, part(lane, "loop_approach"), approach);
    }
}

/// Somebody behind the lowered arm: from the wrong side, or past it.
fn intruders(lane: &mut Lane) {
    let device = part(lane, "loop_under");
    let stands = |lane: &Lane, kind| lane.faults.stands(kind, &part(lane, "loop_under"));
    if lane.here.under.is_off() {
        clear(lane, FaultKind::WrongWay, &device);
        clear(lane, FaultKind::RunThrough, &device);
        return;
    }
    let arm_closed = match lane.arm() {
        ArmPosition::Down | ArmPosition::Contradictory => true,
        ArmPosition::Up | ArmPosition::Between | ArmPosition::Unknown => false,
    };
    let moved = !lane.aside
        && lane.pass.as_ref().is_some_and(|p| p.up_seen || (p.under_seen && p.raised_by.is_some()));
    let expected = !arm_closed || lane.here.may_rise || moved || !lane.state.answers();
    if expected || !lane.spec.live || !lane.here.under.is_on() || lane.here.under.chatters() {
        return;
    }
    if stands(lane, FaultKind::WrongWay) || stands(lane, FaultKind::RunThrough) {
        return;
    }
    if lane.pass.is_some() && !lane.aside {
        let text = "a vehicle is behind the arm that was not raised for the one before it: it went through, \
                    or comes from the wrong side; look at the lane"
            .to_owned();
        raise(lane, FaultKind::RunThrough, device, text);
    } else {
        let text = "a vehicle came onto the loop behind the lowered arm".to_owned();
        raise(lane, FaultKind::WrongWay, device, text);
    }
}
