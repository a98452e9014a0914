//! One lane: its use, its rule of identity against its devices (T13, T22), its times.

use super::{Findings, devices, repeated, written};
use crate::{IdentityRule, LaneConfig, LaneMode, LaneTimers, NodeConfig, Site};
use gate_types::identity::Slot;
use gate_types::observation::{ReadKind, View};

pub(super) fn lane(lane: &LaneConfig, at: &str, node: &NodeConfig, site: Option<&Site>, f: &mut Findings) {
    if let Some(site) = site.filter(|s| s.node(&node.node).is_some()) {
        let used = site.processes.iter().any(|p| {
            p.transparent.contains(&node.node)
                || p.legs.values().any(|l| l.node == node.node && l.direction == lane.direction)
        });
        if !used {
            let way = written(&lane.direction);
            let text = format!(
                "no process passes node `{}` {way}wards; correct the direction or the paths",
                node.node
            );
            f.add(format!("{at}.direction"), text);
        }
    }
    identity(&lane.identity, &format!("{at}.identity"), f);
    uses(lane, at, f);
    weight(lane, at, f);
    timers(&lane.timers, &format!("{at}.timers"), f);
    devices::of_lane(lane, at, f);
    if lane.exit_io.is_some() && lane.mode == LaneMode::Shadow {
        f.add(
            format!("{at}.mode"),
            "a two-barrier lock cannot be shadowed: which arm another controller raises next is not told; use \
             advisory, or describe each arm as a lane of its own",
        );
    }
    let slowest = std::iter::once(&lane.io).chain(&lane.exit_io).map(|io| io.poll_ms).max().unwrap_or(0);
    if lane.timers.inputs_stale_ms < 2 * slowest {
        let text = format!(
            "{} ms is less than two polls of {} ms: inputs would be unknown between polls; raise it or poll faster",
            lane.timers.inputs_stale_ms, slowest
        );
        f.add(format!("{at}.timers.inputs_stale_ms"), text);
    }
}

fn identity(rule: &IdentityRule, at: &str, f: &mut Findings) {
    let slots = u8::try_from(rule.slots.len()).unwrap_or(u8::MAX);
    if rule.slots.is_empty() {
        f.add(format!("{at}.slots"), "nothing identifies a vehicle here; list at least one slot");
    }
    for slot in repeated(&rule.slots) {
        f.add(format!("{at}.slots"), format!("`{}` stands twice; list it once", written(&slot)));
    }
    if rule.factors_needed == 0 {
        f.add(
            format!("{at}.factors_needed"),
            "0 would admit a vehicle that nothing identifies; ask for at least 1 (T13)",
        );
    }
    for (name, wanted) in [("factors_needed", rule.factors_needed), ("factors_wanted", rule.factors_wanted)] {
        if wanted > slots {
            f.add(
                format!("{at}.{name}"),
                format!("{wanted} is more than the {slots} slots; lower it or add slots"),
            );
        }
    }
    if rule.factors_wanted < rule.factors_needed {
        let text =
            format!("{} is less than factors_needed {}; raise it", rule.factors_wanted, rule.factors_needed);
        f.add(format!("{at}.factors_wanted"), text);
    }
    f.within(&format!("{at}.read_threshold"), rule.read_threshold, 0.5, 1.0, "");
}

/// The slot that a camera's reading of a kind fills.
fn slot_of_read(view: View, kind: ReadKind) -> Option<Slot> {
    match (kind, view) {
        (ReadKind::Plate, View::Front) => Some(Slot::TractorPlate),
        (ReadKind::Plate, View::Rear) => Some(Slot::TrailerPlate),
        (ReadKind::Plate, View::Side | View::Top) => None,
        (ReadKind::Container, View::Front | View::Rear | View::Side | View::Top) => Some(Slot::Itu),
        (ReadKind::Adr, View::Front | View::Rear | View::Side | View::Top) => Some(Slot::Adr),
        (ReadKind::Seal, View::Front | View::Rear | View::Side | View::Top) => Some(Slot::Seal),
    }
}

/// Every instrument serves a slot, and every slot has an instrument (T22).
fn uses(lane: &LaneConfig, at: &str, f: &mut Findings) {
    let slots = &lane.identity.slots;
    let mut filled: Vec<Slot> = Vec::new();
    for (n, camera) in lane.cameras.iter().enumerate() {
        let place = format!("{at}.camera[{n}].kinds");
        if camera.kinds.is_empty() {
            f.add(&place, "nothing is looked for on its frames; list kinds or remove the camera (T22)");
        }
        for kind in repeated(&camera.kinds) {
            f.add(&place, format!("`{}` stands twice; list it once", written(&kind)));
        }
        let pushes = camera.endpoint.starts_with("push:");
        if camera.kinds.contains(&ReadKind::Seal) && !pushes {
            f.add(
                &place,
                "the workers read no seals; list `seal` for a camera that pushes them (push:///...)",
            );
        }
        if camera.codes && pushes {
            let text = "codes are read by the workers; a camera that pushes has none, remove it";
            f.add(format!("{at}.camera[{n}].codes"), text);
        }
        for kind in &camera.kinds {
            let (kind_name, view) = (written(kind), written(&camera.view));
            match slot_of_read(camera.view, *kind) {
                None => {
                    f.add(&place, format!("a {view} camera's `{kind_name}` fills no slot; remove it (T22)"))
                }
                // Panels and seals are judged by the rule set's own checks, which the rule files are asked for.
                Some(slot @ (Slot::Adr | Slot::Seal)) if !slots.contains(&slot) => {}
                Some(slot) if !slots.contains(&slot) => {
                    let text = format!(
                        "`{kind_name}` at the {view} fills slot `{}`, which this lane does not use; add the slot or \
                         remove the kind (T22)",
                        written(&slot)
                    );
                    f.add(&place, text);
                }
                Some(slot) => filled.push(slot),
            }
        }
    }
    if lane.reader.is_some() {
        let tags = [Slot::VehicleTag, Slot::ContainerTag];
        filled.extend(tags);
        if !slots.iter().any(|s| tags.contains(s)) {
            let text =
                "no identity slot uses the reader; add `vehicle_tag` or `container_tag`, or remove it (T22)";
            f.add(format!("{at}.reader"), text);
        }
    }
    if lane.code_reader.is_some() || lane.cameras.iter().any(|c| c.codes) {
        filled.push(Slot::GatePass);
    }
    for slot in slots.iter().filter(|s| !filled.contains(s)) {
        let text =
            format!("no instrument of this lane fills `{}`; add one or remove the slot", written(slot));
        f.add(format!("{at}.identity.slots"), text);
    }
}

fn weight(lane: &LaneConfig, at: &str, f: &mut Findings) {
    match (&lane.weight, &lane.scale) {
        (None, Some(_)) => {
            f.add(
                format!("{at}.scale"),
                "nothing judges its weight; add [lane.weight] or remove the scale (T22)",
            );
        }
        (Some(_), None) => {
            f.add(
                format!("{at}.weight"),
                "there is no scale to weigh with; add [lane.scale] or remove the rule",
            );
        }
        (None, None) | (Some(_), Some(_)) => {}
    }
    if let Some(rule) = &lane.weight {
        f.within(&format!("{at}.weight.tolerance_share"), rule.tolerance_share, 0.0, 0.5, "");
        f.within(&format!("{at}.weight.tolerance_kg"), rule.tolerance_kg, 0.0, 20_000.0, "kg");
    }
}

fn timers(t: &LaneTimers, at: &str, f: &mut Findings) {
    for (name, value, least, most) in [
        ("presence_ms", t.presence_ms, 20, 10_000),
        ("identify_ms", t.identify_ms, 100, 120_000),
        ("inputs_stale_ms", t.inputs_stale_ms, 100, 5_000),
        ("decision_valid_ms", t.decision_valid_ms, 100, 60_000),
        ("raise_ms", t.raise_ms, 100, 60_000),
        ("lower_ms", t.lower_ms, 100, 60_000),
        ("clear_ms", t.clear_ms, 50, 30_000),
        ("pass_ms", t.pass_ms, 1_000, 600_000),
        ("between_loops_ms", t.between_loops_ms, 500, 60_000),
        ("trailer_gap_ms", t.trailer_gap_ms, 300, 30_000),
        ("loop_stuck_ms", t.loop_stuck_ms, 1_000, 3_600_000),
    ] {
        f.within(&format!("{at}.{name}"), value, least, most, "ms");
    }
}
