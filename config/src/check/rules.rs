//! Rule files: gaps, conflicts and unknown names, in each set and between the sets of a site (T22).

use super::{Findings, written};
use crate::{LaneConfig, Problem, Site};
use gate_types::identity::Slot;
use gate_types::observation::ReadKind;
use gate_types::rules::{Check, CheckKind, OnFail, Profile, RuleMode, RuleSet};
use gate_types::{LaneId, NodeId};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is wrong with one rule set by itself.
pub(crate) fn rule_set(set: &RuleSet, file: &Path) -> Vec<Problem> {
    let mut f = Findings::of(file);
    if gate_types::DeviceId::new(set.id.clone()).is_err() {
        f.add(
            "id",
            format!("`{}`: 1 to 48 letters, digits, `-`, `_`, `.`; it stands in every record", set.id),
        );
    }
    if set.version == 0 {
        f.add("version", "0 is no version; count from 1 and raise it with every change");
    }
    f.filled("author", &set.author);
    for kind in CheckKind::NEEDED {
        if set.check(kind).is_none() {
            let text = format!("`{}` is missing: a vehicle would pass unjudged; add the check", kind.name());
            f.add("check", text);
        }
    }
    let mut seen = BTreeMap::new();
    for (n, check) in set.checks.iter().enumerate() {
        let at = format!("check[{n}]");
        f.unique(&mut seen, "the check", check.kind.name(), &format!("{at}.kind"));
        one(check, &format!("check[{}]", check.kind.name()), &mut f);
    }
    if set.mode == RuleMode::Shadow && set.profile == Profile::Closed {
        f.add("profile", "`closed` in shadow says nothing about any vehicle; choose another profile or mode");
    }
    f.found
}

fn one(check: &Check, at: &str, f: &mut Findings) {
    if check.on_fail == OnFail::Hold && !check.kind.passes_by_waiting() {
        let text = "`hold`, but waiting alone never makes this check pass: the vehicle would be referred all the \
                    same; write `refer`";
        f.add(format!("{at}.on_fail"), text);
    }
    let Check {
        kind,
        on_fail: _,
        required,
        factors_needed,
        expectation_odds,
        tolerance_share,
        tolerance_kg,
        empty_max_kg,
        grace_ms,
    } = check;
    let of = |name: &str, given: bool, owner: CheckKind, f: &mut Findings| {
        if given && *kind != owner {
            let text = format!("is a parameter of `{}`, not of `{}`; remove it", owner.name(), kind.name());
            f.add(format!("{at}.{name}"), text);
        }
    };
    of("factors_needed", factors_needed.is_some(), CheckKind::IdentityMatch, f);
    of("expectation_odds", expectation_odds.is_some(), CheckKind::IdentityMatch, f);
    of("tolerance_share", tolerance_share.is_some(), CheckKind::Weight, f);
    of("tolerance_kg", tolerance_kg.is_some(), CheckKind::Weight, f);
    of("empty_max_kg", empty_max_kg.is_some(), CheckKind::DeclaredEmpty, f);
    of("grace_ms", grace_ms.is_some(), CheckKind::Appointment, f);
    if *required && !has_a_fact(*kind) {
        f.add(format!("{at}.required"), "this check has no fact that could be left unstated; remove it");
    }
    if *factors_needed == Some(0) {
        let text = "0 would admit a vehicle that nothing identifies; ask for at least 1 (T13)";
        f.add(format!("{at}.factors_needed"), text);
    }
    if let Some(odds) = expectation_odds {
        f.within(&format!("{at}.expectation_odds"), *odds, 1.0, 100.0, "");
    }
    if let Some(share) = tolerance_share {
        f.within(&format!("{at}.tolerance_share"), *share, 0.0, 0.5, "");
    }
    if let Some(kg) = tolerance_kg {
        f.within(&format!("{at}.tolerance_kg"), *kg, 0.0, 20_000.0, "kg");
    }
    if let Some(kg) = empty_max_kg {
        f.within(&format!("{at}.empty_max_kg"), *kg, 0.0, 20_000.0, "kg");
    }
    if let Some(ms) = grace_ms {
        f.within(&format!("{at}.grace_ms"), *ms, 0, 86_400_000, "ms");
    }
}

/// The check looks at a fact that a mission may leave unstated.
fn has_a_fact(kind: CheckKind) -> bool {
    match kind {
        CheckKind::ReleaseExpiry
        | CheckKind::Weight
        | CheckKind::DeclaredEmpty
        | CheckKind::Adr
        | CheckKind::Seal
        | CheckKind::Scan
        | CheckKind::Tracking
        | CheckKind::GatePass
        | CheckKind::Appointment => true,
        CheckKind::Answer
        | CheckKind::IdentityConflict
        | CheckKind::IdentityMatch
        | CheckKind::TagPlate
        | CheckKind::Mission
        | CheckKind::CustomsStatus
        | CheckKind::Path
        | CheckKind::Conditions
        | CheckKind::WatchList
        | CheckKind::Devices => false,
    }
}

/// What is wrong between the rule sets of a site.
pub(crate) fn rule_sets(sets: &[(PathBuf, RuleSet)], site: &Site) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut names: BTreeMap<(&str, u32), &Path> = BTreeMap::new();
    for (n, (file, set)) in sets.iter().enumerate() {
        let mut f = Findings::of(file);
        for node in &set.scope.nodes {
            if site.node(node).is_none() {
                f.add(
                    "scope.nodes",
                    format!("the site has no node `{node}`; name its nodes, or leave it out"),
                );
            }
        }
        if let Some(first) = names.insert((&set.id, set.version), file) {
            let text = format!(
                "`{}` version {} stands already in {}: a record could not tell them apart; raise the version",
                set.id,
                set.version,
                first.display()
            );
            f.add("version", text);
        }
        if set.mode != RuleMode::Shadow {
            for (other_file, other) in sets.iter().take(n).filter(|(_, o)| o.mode != RuleMode::Shadow) {
                if let Some(place) = overlap(set, other, site) {
                    let text = format!(
                        "acts at {place}, and so does {}; let one act, narrow a scope, or set one to `shadow`",
                        other_file.display()
                    );
                    f.add("scope", text);
                }
            }
        }
        problems.extend(f.found);
    }
    problems
}

/// A place where both sets would act.
fn overlap(a: &RuleSet, b: &RuleSet, site: &Site) -> Option<String> {
    let node = site.nodes.iter().map(|n| &n.id).find(|n| {
        let here = |s: &RuleSet| s.scope.nodes.is_empty() || s.scope.nodes.contains(n);
        here(a) && here(b)
    })?;
    let lane = match (a.scope.lanes.as_slice(), b.scope.lanes.as_slice()) {
        ([], []) => return Some(format!("node {node}")),
        ([], lanes) | (lanes, []) => lanes.first(),
        (lanes, others) => lanes.iter().find(|l| others.contains(l)),
    };
    lane.map(|lane| format!("lane {lane}"))
}

/// What is wrong between the sets and the lanes of one node.
pub(super) fn of_node(node: &NodeId, lanes: &[LaneConfig], sets: &[(PathBuf, RuleSet)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, set) in sets {
        let mut f = Findings::of(file);
        // Only where a scope names this node alone can a lane be known as a stranger to it.
        if let [only] = set.scope.nodes.as_slice()
            && only == node
        {
            for lane in set.scope.lanes.iter().filter(|l| !lanes.iter().any(|known| known.id == **l)) {
                f.add("scope.lanes", format!("node {node} has no lane `{lane}`; name its lanes"));
            }
        }
        for lane in lanes.iter().filter(|l| set.scope.covers(node, &l.id)) {
            of_lane(set, lane, &mut f);
        }
        problems.extend(f.found);
    }
    problems
}

/// A check without its instrument, or an instrument without its check.
fn of_lane(set: &RuleSet, lane: &LaneConfig, f: &mut Findings) {
    let id: &LaneId = &lane.id;
    let reads = |kind: ReadKind| lane.cameras.iter().any(|c| c.kinds.contains(&kind));
    let demanded = |kind: CheckKind| set.check(kind).is_some_and(|c| c.required);
    let mut gap = |kind: CheckKind, instrument: &str| {
        let text = format!("lane {id} has no {instrument} for it; add one, or do not demand the check there");
        f.add(format!("check[{}]", kind.name()), text);
    };
    if demanded(CheckKind::Weight) && lane.scale.is_none() {
        gap(CheckKind::Weight, "scale");
    }
    if demanded(CheckKind::DeclaredEmpty) && lane.scale.is_none() {
        gap(CheckKind::DeclaredEmpty, "scale");
    }
    if demanded(CheckKind::Adr) && !reads(ReadKind::Adr) {
        gap(CheckKind::Adr, "camera that reads panels");
    }
    if demanded(CheckKind::GatePass) && lane.code_reader.is_none() && !lane.cameras.iter().any(|c| c.codes) {
        gap(CheckKind::GatePass, "code reader, nor a camera that reads codes,");
    }
    if set.check(CheckKind::TagPlate).is_some() && set.profile == Profile::Trusted && lane.reader.is_none() {
        gap(CheckKind::TagPlate, "tag reader");
    }
    if set.profile == Profile::Trusted {
        let tag = |s: &Slot| matches!(s, Slot::VehicleTag | Slot::ContainerTag);
        let (tags, others): (Vec<&Slot>, Vec<&Slot>) = lane.identity.slots.iter().partition(|s| tag(s));
        if tags.is_empty() || others.is_empty() {
            let text = format!(
                "`trusted` needs a tag and an optical slot, and lane {id} identifies by one kind only; add the \
                 other, or choose `{}`",
                written(&Profile::Standard)
            );
            f.add("profile", text);
        }
    }
    if let Some(needed) = set.check(CheckKind::IdentityMatch).and_then(|c| c.factors_needed)
        && usize::from(needed) > lane.identity.slots.len()
    {
        let text =
            format!("{needed} is more than the {} slots of lane {id}; lower it", lane.identity.slots.len());
        f.add("check[identity_match].factors_needed", text);
    }
    if lane.scale.is_some() && set.check(CheckKind::Weight).is_none() {
        let text = format!("no check uses the scale of lane {id}: add `weight`, or remove the scale (T22)");
        f.add("check", text);
    }
    if reads(ReadKind::Seal) && set.check(CheckKind::Seal).is_none() {
        let text =
            format!("no check uses the seals that lane {id} reads: add `seal`, or remove the kind (T22)");
        f.add("check", text);
    }
    if reads(ReadKind::Adr)
        && set.check(CheckKind::Adr).is_none()
        && !lane.identity.slots.contains(&Slot::Adr)
    {
        let text =
            format!("no check uses the panels that lane {id} reads: add `adr`, or remove the kind (T22)");
        f.add("check", text);
    }
}
