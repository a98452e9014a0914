//! One process: its legs, and that each path can be driven under its conditions (B12 to B15, B30 to B34).

use super::site::Reach;
use super::{Findings, repeated, written};
use crate::Site;
use gate_types::mission::{Condition, LegRule, MissionPath, PathKind, Process};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn process(
    process: &Process,
    at: &str,
    site: &Site,
    reach: &Reach<'_>,
    path_ids: &mut BTreeMap<String, String>,
    f: &mut Findings,
) {
    f.filled(&format!("{at}.name"), &process.name);
    for (name, leg) in &process.legs {
        self::leg(leg, &format!("{at}.legs.{name}"), process, site, f);
    }
    for node in &process.transparent {
        let place = format!("{at}.transparent");
        if site.node(node).is_none() {
            f.add(&place, format!("no node `{node}`; name a node of the site"));
        } else if process.legs.values().any(|l| l.node == *node) {
            f.add(&place, format!("node `{node}` is a leg of this process as well; it is one or the other"));
        }
    }
    if process.paths.is_empty() {
        f.add(format!("{at}.paths"), "no path is described; add [[process.paths]]");
    }
    for (n, path) in process.paths.iter().enumerate() {
        let place = format!("{at}.paths[{n}]");
        f.filled(&format!("{place}.id"), &path.id);
        f.unique(path_ids, "the path", &path.id, &format!("{place}.id"));
        if let Some(first) = process.paths[..n].iter().position(|p| p.legs == path.legs) {
            f.add(format!("{place}.legs"), format!("the same legs as paths[{first}]; remove one of the two"));
        }
        self::path(path, &place, process, site, reach, f);
    }
    let used: BTreeSet<&String> = process.paths.iter().flat_map(|p| &p.legs).collect();
    for name in process.legs.keys().filter(|name| !used.contains(name)) {
        f.add(format!("{at}.legs.{name}"), "no path uses this leg; use it or remove it");
    }
}

fn leg(leg: &LegRule, at: &str, process: &Process, site: &Site, f: &mut Findings) {
    if site.node(&leg.node).is_none() {
        f.add(format!("{at}.node"), format!("no node `{}`; name a node of the site", leg.node));
    }
    if leg.admit.is_empty() {
        f.add(
            format!("{at}.admit"),
            "no customs status admits here; list at least one, such as \"released\"",
        );
    }
    for status in repeated(&leg.admit) {
        f.add(format!("{at}.admit"), format!("`{}` stands twice; list it once", written(&status)));
    }
    let place = format!("{at}.requires");
    for condition in repeated(&leg.requires) {
        f.add(&place, format!("`{}` stands twice; list it once", written(&condition)));
    }
    for (yes, no) in [
        (Condition::AccessPermission, Condition::NoAccessPermission),
        (Condition::BoardingTicket, Condition::NoBoardingTicket),
    ] {
        if leg.requires.contains(&yes) && leg.requires.contains(&no) {
            let text = format!("`{}` and `{}` never hold together; remove one", written(&yes), written(&no));
            f.add(&place, text);
        }
    }
    if leg.requires.contains(&Condition::Declaration) && process.declarations.is_empty() {
        f.add(
            &place,
            "`declaration` is demanded, but the process accepts no kind; list them in `declarations`",
        );
    }
}

fn path(path: &MissionPath, at: &str, process: &Process, site: &Site, reach: &Reach<'_>, f: &mut Findings) {
    if path.legs.is_empty() {
        f.add(format!("{at}.legs"), "no legs; name at least the departure's and the destination's");
    }
    let mut legs: Vec<(String, &LegRule)> = Vec::new();
    for (n, name) in path.legs.iter().enumerate() {
        let place = format!("{at}.legs[{n}]");
        match process.legs.get(name) {
            Some(rule) => legs.push((place, rule)),
            None => {
                let known: Vec<&str> = process.legs.keys().map(String::as_str).collect();
                f.add(place, format!("no leg `{name}` in this process; it has {}", known.join(", ")));
            }
        }
    }
    for pair in legs.windows(2) {
        let [(_, from), (place, to)] = pair else { continue };
        let both_known = site.node(&from.node).is_some() && site.node(&to.node).is_some();
        if from.node == to.node && from.direction == to.direction {
            f.add(
                place,
                format!("node `{}` is passed twice in the same direction; name the other one", to.node),
            );
        } else if both_known && !reach.joins(&from.node, &to.node) {
            f.add(
                place,
                format!("no road leads from node `{}` to node `{}`; add a [[road]]", from.node, to.node),
            );
        }
    }
    let authorised = |leg: &LegRule| leg.requires.contains(&Condition::ExceptionAuthorised);
    let exceptional = |leg: &LegRule| site.node(&leg.node).is_some_and(|n| n.exceptional);
    match path.kind {
        PathKind::Normal => {
            for (place, leg) in &legs {
                if exceptional(leg) {
                    let text = format!(
                        "node `{}` is for exceptional use; make the path exceptional (B33)",
                        leg.node
                    );
                    f.add(place, text);
                } else if authorised(leg) {
                    f.add(place, "this leg demands `exception_authorised`; a normal path cannot (B33)");
                }
            }
        }
        PathKind::Exceptional => match legs.iter().rev().find(|(_, leg)| exceptional(leg)) {
            Some((place, leg)) if !authorised(leg) => {
                let text = format!(
                    "the leg at exceptional node `{}` must require `exception_authorised` (B33)",
                    leg.node
                );
                f.add(place, text);
            }
            Some(_) => {}
            None if !legs.iter().any(|(_, leg)| authorised(leg)) => {
                f.add(at, "an exceptional path needs a leg that requires `exception_authorised` (B33)");
            }
            None => {}
        },
    }
}
