//! Observations on their way into the lane: only configured devices count, and evidence only for the
//! vehicle that stands there.

use super::barrier::Barrier;
use super::faults::{self, clear, part, raise};
use super::guard::all_known;
use super::pass::MAX_EVIDENCE_ENTRIES;
use super::state::State;
use super::{Lane, Pass, lock};
use crate::interlock::zone_is_free;
use gate_types::entry::EntryBody;
use gate_types::fault::FaultKind;
use gate_types::gate_pass::ShownPass;
use gate_types::identity::Slot;
use gate_types::observation::{Health, LaneInputs, Observation, Observed, OpticalRead, TagRead, WeightRead};
use gate_types::{DeviceId, Mono};

/// A change of probability below this is not recorded anew.
const SAME_PROBABILITY: f64 = 0.1;

pub(super) fn observed(lane: &mut Lane, observation: Observation) {
    let Observation { device, at, what } = observation;
    let at = at.mono_ms.min(lane.mono());
    match what {
        Observed::Inputs(inputs) => saw_inputs(lane, &device, inputs, at),
        Observed::Read(read) => saw_text(lane, &device, read, at),
        Observed::Tag(tag) => saw_tag(lane, &device, tag, at),
        Observed::Weight(weight) => saw_weight(lane, &device, weight, at),
        // A code is the shell's to look into: a gate pass among them comes as an input of its own.
        Observed::Code(_) => {}
        Observed::Health(health) => saw_health(lane, &device, health),
    }
}

/// The outcome of writing a command. Acknowledged is not moved: see `raising`. A failed write is a fault at once; whether the arm moves is told
/// by its limit switches alone, so the state waits for them or for its time limit.
pub(super) fn arm_written(lane: &mut Lane, ok: bool, why: &str) {
    if ok {
        if let Some(pass) = lane.pass.as_mut() {
            pass.raise_written |= pass.raise_open;
        }
        return;
    }
    let (kind, what) = match lane.state {
        State::Raising { .. } => (FaultKind::ArmNotRaised, "raise"),
        State::Lowering { .. } => (FaultKind::ArmNotLowered, "lower"),
        State::Starting
        | State::Idle
        | State::Identifying { .. }
        | State::Deciding
        | State::Held { .. }
        | State::Referred { .. }
        | State::Enclosed { .. }
        | State::Passing { .. }
        | State::Clearing
        | State::Faulted { .. }
        | State::Local
        | State::Closed => return,
    };
    let device = part(lane, "arm");
    raise(lane, kind, device, format!("the command to {what} could not be written: {why}"));
}

fn saw_inputs(lane: &mut Lane, device: &DeviceId, inputs: LaneInputs, at: Mono) {
    let Some(barrier) = barrier_of(lane, device) else { return };
    if all_known(&inputs) {
        barrier.io_down = None;
    }
    barrier.interlock.see(inputs, at);
}

/// The barrier behind a remote I/O.
fn barrier_of<'a>(lane: &'a mut Lane, device: &DeviceId) -> Option<&'a mut Barrier> {
    std::iter::once(&mut lane.here).chain(lane.other.as_mut()).find(|b| b.io == *device)
}

fn saw_health(lane: &mut Lane, device: &DeviceId, health: Health) {
    let is_io = barrier_of(lane, device).is_some();
    let name = device.to_string();
    match health {
        Health::Up => {
            if let Some(barrier) = barrier_of(lane, device) {
                barrier.io_down = None;
            } else {
                clear(lane, FaultKind::DeviceDown, &name);
            }
            clear(lane, FaultKind::DeviceDegraded, &name);
        }
        Health::Down { why } => {
            clear(lane, FaultKind::DeviceDegraded, &name);
            if let Some(barrier) = barrier_of(lane, device) {
                barrier.io_down = Some(why);
                barrier.interlock.lose();
            } else {
                raise(lane, FaultKind::DeviceDown, name, why);
            }
        }
        Health::Degraded { why } => {
            if !is_io {
                clear(lane, FaultKind::DeviceDown, &name);
            }
            faults::raise(lane, FaultKind::DeviceDegraded, name, why);
        }
    }
}

/// The pass that takes evidence stamped `at`: only while its vehicle stands there undecided, and never
/// what was seen before it came.
fn taker(lane: &mut Lane, at: Mono) -> Option<&mut Pass> {
    if !lane.state.deals() || lane.here.interlock.granted_any() {
        return None;
    }
    lane.pass.as_mut().filter(|p| at >= p.opened.mono_ms)
}

/// What a person says stands there; recorded by the caller.
pub(super) fn take_entry(lane: &mut Lane, slot: Slot, value: String) {
    let now = lane.mono();
    let threshold = lane.spec.identity.read_threshold;
    let Some(pass) = taker(lane, now) else { return };
    pass.evidence.add_entry(slot, value);
    let Some(pass) = &mut lane.pass else { return };
    pass.identity = pass.evidence.fuse_with(threshold, &lane.confusions);
}

fn saw_text(lane: &mut Lane, device: &DeviceId, read: OpticalRead, at: Mono) {
    let camera = lane.spec.devices.cameras.iter().find(|c| c.id == *device);
    let Some(view) = camera.filter(|c| c.kinds.contains(&read.kind)).map(|c| c.view) else { return };
    let Some(pass) = taker(lane, at) else { return };
    pass.evidence.add_read(device.as_str(), view, &read, at);
    let source = format!("{device}/{:?}", read.kind);
    let (text, p) = (read.text.clone(), f64::from(read.confidence));
    let body = EntryBody::OpticalRead { device: device.to_string(), read };
    taken(lane, source, text, p, body);
}

fn saw_tag(lane: &mut Lane, device: &DeviceId, tag: TagRead, at: Mono) {
    if lane.spec.devices.reader.as_ref() != Some(device) {
        return;
    }
    let Some(pass) = taker(lane, at) else { return };
    pass.evidence.add_tag(device.as_str(), &tag);
    let (source, text) = (format!("{device}/{}", tag.epc), tag.epc.clone());
    let body = EntryBody::TagRead { device: device.to_string(), tag };
    taken(lane, source, text, 1.0, body);
}

/// A gate pass for the vehicle that stands there.
pub(super) fn shown(lane: &mut Lane, device: &DeviceId, shown: ShownPass) {
    let devices = &lane.spec.devices;
    let by_camera = devices.cameras.iter().any(|c| c.id == *device && c.codes);
    if devices.code_reader.as_ref() != Some(device) && !by_camera {
        return;
    }
    let now = lane.mono();
    let Some(pass) = taker(lane, now) else { return };
    pass.evidence.add_pass(device.as_str(), &shown, now);
    let text = match &shown {
        ShownPass::Valid { id, .. } => id.clone(),
        ShownPass::Refused { why, .. } => why.clone(),
    };
    let body = EntryBody::GatePassShown { device: device.to_string(), shown };
    taken(lane, device.to_string(), text, 1.0, body);
}

fn saw_weight(lane: &mut Lane, device: &DeviceId, weight: WeightRead, at: Mono) {
    if lane.spec.devices.scale.as_ref() != Some(device) {
        return;
    }
    lane.weight_kg = weight.gross_kg.is_finite().then_some(weight.gross_kg);
    if lane.other.is_some() && lock::holds(lane) != lane.spec.devices.scale_inside {
        // It weighs where this vehicle is not: whoever stands there is another one.
        return;
    }
    let inputs = lane.inputs();
    if !zone_is_free(&inputs) || !inputs.fully_on_platform() {
        // A vehicle that reaches under the arm or over an edge is not on the platform with all its axles, or
        // another one is there as well.
        return;
    }
    let Some(pass) = taker(lane, at) else { return };
    if !pass.evidence.add_weight(device.as_str(), &weight, at) {
        return;
    }
    // A weight is recorded anew when its hundreds of kilograms change.
    let text = format!("{:.0}", weight.gross_kg / 100.0);
    let body = EntryBody::WeightRead { device: device.to_string(), weight };
    taken(lane, device.to_string(), text, 1.0, body);
}

/// Fuses anew, and records what is a distinct change, within the pass's limit.
fn taken(lane: &mut Lane, source: String, text: String, p: f64, body: EntryBody) {
    let threshold = lane.spec.identity.read_threshold;
    let Some(pass) = &mut lane.pass else { return };
    pass.identity = pass.evidence.fuse_with(threshold, &lane.confusions);
    let known = pass.recorded.get(&(source.clone(), text.clone()));
    let is_new = known.is_none_or(|k| (p - k).abs() >= SAME_PROBABILITY);
    if !is_new || pass.entries >= MAX_EVIDENCE_ENTRIES {
        return;
    }
    pass.entries += 1;
    pass.recorded.insert((source, text), p);
    lane.record(body);
}
