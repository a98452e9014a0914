//! The node file: what concerns the whole daemon, and what its lanes must not share.

use super::{Findings, devices, lane, rules};
use crate::{LaneConfig, NodeConfig, Problem, Site};
use gate_types::rules::RuleSet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Everything that is wrong with a node; what needs the site is left out where the site could not be read.
pub(crate) fn node(
    node: &NodeConfig,
    site: Option<&Site>,
    sets: &[(PathBuf, RuleSet)],
    file: &Path,
) -> Vec<Problem> {
    let mut f = Findings::of(file);
    if let Some(site) = site.filter(|s| s.node(&node.node).is_none()) {
        let known: Vec<&str> = site.nodes.iter().map(|n| n.id.as_str()).collect();
        f.add("node", format!("the site has no node `{}`; it has {}", node.node, known.join(", ")));
    }
    if node.console.listen.parse::<SocketAddr>().is_err() {
        let text = format!("`{}` is not ADDRESS:PORT, such as 127.0.0.1:8080", node.console.listen);
        f.add("console.listen", text);
    }
    devices::central(&node.central.url, &mut f);
    f.within("central.timeout_ms", node.central.timeout_ms, 100, 60_000, "ms");
    f.within("central.ask_again_ms", node.central.ask_again_ms, 100, 600_000, "ms");
    if let Some(mqtt) = &node.mqtt {
        f.filled("mqtt.host", &mqtt.host);
        if mqtt.port == 0 {
            f.add("mqtt.port", "port 0 reaches no broker; name its port, 1883 by habit");
        }
    }
    match &node.ocr {
        Some(ocr) if ocr.command.as_os_str().is_empty() => {
            f.add("ocr.command", "is empty; name the vision worker")
        }
        Some(_) => {}
        None if node.lanes.iter().flat_map(|l| &l.cameras).any(|c| !c.endpoint.starts_with("push:")) => {
            f.add(
                "ocr",
                "there are cameras but no vision worker to read them; add [ocr] or remove the cameras",
            );
        }
        None => {}
    }
    let pushes = node.lanes.iter().flat_map(|l| &l.cameras).any(|c| c.endpoint.starts_with("push:"));
    match &node.push {
        Some(push) => f.filled("push.listen", &push.listen),
        None if pushes => f.add("push", "a camera pushes and nothing listens for it; add [push] with listen"),
        None => {}
    }
    if node.lanes.is_empty() {
        f.add("lane", "no lane is described; add [[lane]]");
    }
    let mut lanes = BTreeMap::new();
    for (n, lane) in node.lanes.iter().enumerate() {
        f.unique(&mut lanes, "the lane", lane.id.as_str(), &format!("lane[{n}].id"));
    }
    shared(&node.lanes, &mut f);
    for (n, lane) in node.lanes.iter().enumerate() {
        lane::lane(lane, &label(&node.lanes, n), node, site, &mut f);
    }
    f.found.extend(rules::of_node(&node.node, &node.lanes, sets));
    f.found
}

/// How a lane is called: by its name where that is its own, else by its number.
fn label(lanes: &[LaneConfig], n: usize) -> String {
    match lanes.get(n) {
        Some(lane) if lanes.iter().filter(|l| l.id == lane.id).count() == 1 => format!("lane[{}]", lane.id),
        Some(_) | None => format!("lane[{n}]"),
    }
}

/// Names that must be unique, and instruments that only one lane may have: an arm that two lanes command
/// would rise for the wrong vehicle.
fn shared(lanes: &[LaneConfig], f: &mut Findings) {
    let (mut devices, mut places) = (BTreeMap::new(), BTreeMap::new());
    for (n, lane) in lanes.iter().enumerate() {
        let at = label(lanes, n);
        let mut names = vec![(format!("{at}.io.id"), &lane.io.id)];
        names.extend(lane.exit_io.as_ref().map(|d| (format!("{at}.exit_io.id"), &d.id)));
        for (n, camera) in lane.cameras.iter().enumerate() {
            names.push((format!("{at}.camera[{n}].id"), &camera.id));
        }
        names.extend(lane.reader.as_ref().map(|d| (format!("{at}.reader.id"), &d.id)));
        names.extend(lane.scale.as_ref().map(|d| (format!("{at}.scale.id"), &d.id)));
        names.extend(lane.sign.as_ref().map(|d| (format!("{at}.sign.id"), &d.id)));
        names.extend(lane.code_reader.as_ref().map(|d| (format!("{at}.code_reader.id"), &d.id)));
        for (path, id) in names {
            f.unique(&mut devices, "the device", id.as_str(), &path);
        }
        let ios = [Some(("io", &lane.io)), lane.exit_io.as_ref().map(|io| ("exit_io", io))];
        for (name, io) in ios.into_iter().flatten() {
            let points = format!("{} with {}", io.endpoint, io.points.display());
            f.unique(&mut places, "the remote I/O", &points, &format!("{at}.{name}.endpoint"));
        }
        if let Some(scale) = &lane.scale {
            f.unique(&mut places, "the scale", &scale.endpoint, &format!("{at}.scale.endpoint"));
        }
        if let Some(reader) = &lane.code_reader {
            f.unique(&mut places, "the code reader", &reader.endpoint, &format!("{at}.code_reader.endpoint"));
        }
        if let Some(reader) = &lane.reader {
            for antenna in reader.antennas.iter().collect::<BTreeSet<_>>() {
                let key = format!("{} antenna {antenna}", reader.endpoint);
                f.unique(&mut places, "the reader", &key, &format!("{at}.reader.antennas"));
            }
        }
    }
}
