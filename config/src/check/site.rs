//! The site file: nodes, roads, and each process by [`super::paths`].

use super::{Findings, paths};
use crate::{Problem, Site};
use gate_types::NodeId;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The open ends of a port: names of places, not of nodes.
const ENDS: [&str; 2] = ["land", "quay"];

/// Which nodes roads join, whatever lies between.
pub(super) struct Reach<'a> {
    roads: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Reach<'a> {
    fn of(site: &'a Site) -> Self {
        let mut roads: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let inside = |place: &str| !ENDS.contains(&place);
        for road in site.roads.iter().filter(|r| inside(&r.from) && inside(&r.to)) {
            roads.entry(&road.from).or_default().insert(&road.to);
            roads.entry(&road.to).or_default().insert(&road.from);
        }
        Self { roads }
    }
    /// True when roads lead from one node to the other.
    pub(super) fn joins(&self, from: &NodeId, to: &NodeId) -> bool {
        let mut seen = BTreeSet::from([from.as_str()]);
        let mut open = vec![from.as_str()];
        while let Some(place) = open.pop() {
            if place == to.as_str() {
                return true;
            }
            for next in self.roads.get(place).into_iter().flatten() {
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        false
    }
}

/// Everything that is wrong with a site.
pub(crate) fn site(site: &Site, file: &Path) -> Vec<Problem> {
    let mut f = Findings::of(file);
    f.filled("name", &site.name);
    f.filled("language", &site.language);
    if let Some(valid_s) = site.permits_valid_s {
        f.within("permits_valid_s", valid_s, 60, 86_400, "seconds");
    }
    nodes(site, &mut f);
    roads(site, &mut f);
    if site.processes.is_empty() {
        f.add("process", "no process is described; a vehicle without one cannot pass; add [[process]]");
    }
    let reach = Reach::of(site);
    let mut processes = BTreeMap::new();
    let mut path_ids = BTreeMap::new();
    for (n, process) in site.processes.iter().enumerate() {
        let at = format!("process[{}]", process.id);
        f.unique(&mut processes, "the process", process.id.as_str(), &format!("process[{n}].id"));
        paths::process(process, &at, site, &reach, &mut path_ids, &mut f);
    }
    f.found
}

fn nodes(site: &Site, f: &mut Findings) {
    if site.nodes.is_empty() {
        f.add("node", "no node is described; add [[node]]");
    }
    let mut seen = BTreeMap::new();
    for (n, node) in site.nodes.iter().enumerate() {
        let at = format!("node[{}]", node.id);
        if seen.contains_key(node.id.as_str()) {
            f.add(
                format!("node[{n}].id"),
                format!("the node `{}` is described twice; give each its own id", node.id),
            );
        }
        seen.insert(node.id.as_str(), n);
        if ENDS.contains(&node.id.as_str()) {
            f.add(&at, "`land` and `quay` are the open ends of the port; name the node otherwise");
        }
        f.filled(&format!("{at}.name"), &node.name);
        f.within(&format!("{at}.map.x"), node.map.x, 0.0, 1000.0, "");
        f.within(&format!("{at}.map.y"), node.map.y, 0.0, 1000.0, "");
    }
}

fn roads(site: &Site, f: &mut Findings) {
    let known: BTreeSet<&str> = site.nodes.iter().map(|n| n.id.as_str()).collect();
    let mut seen = BTreeMap::new();
    for (n, road) in site.roads.iter().enumerate() {
        let at = format!("road[{n}]");
        if !known.contains(road.from.as_str()) && !ENDS.contains(&road.from.as_str()) {
            f.add(format!("{at}.from"), format!("no node `{}`; name a node, `land` or `quay`", road.from));
        }
        if !known.contains(road.to.as_str()) {
            f.add(format!("{at}.to"), format!("no node `{}`; name a node", road.to));
        }
        if road.from == road.to {
            f.add(&at, format!("leads from `{0}` to `{0}`; name two ends", road.from));
        }
        let (a, b) = (road.from.as_str().min(&road.to), road.from.as_str().max(&road.to));
        f.unique(&mut seen, "the road", &format!("{a} - {b}"), &at);
        f.within(&format!("{at}.drive_s"), road.drive_s, 1, 7_200, "seconds");
    }
}
