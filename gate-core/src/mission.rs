//! Progress along mission paths (B10-B16, B30-B41). Paths are data; this is the only code that reads
//! them, for the gate and for central alike. Total and pure.
//!
//! A path is possible when what was passed so far is a prefix of its legs. Exceptional paths admit
//! only with a recorded authorisation (B33).

mod reasons;

use gate_types::NodeId;
use gate_types::api::AlarmKind;
use gate_types::mission::{
    CustomsStatus, Direction, InstructionKind, LegRef, LegRule, MissionConditions, MissionPath, PathKind,
    Process,
};
use gate_types::verdict::Reason;
use reasons::{describe, expectation, status_reason, unmet, wrong_node};

/// A leg that may come next, on one of the possible paths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NextLeg<'a> {
    /// The leg's rule.
    pub rule: &'a LegRule,
    /// The path on which it is next.
    pub path: &'a MissionPath,
    /// It is the destination of that path (B11).
    pub last: bool,
}

impl NextLeg<'_> {
    /// Where and which way.
    pub fn leg(&self) -> LegRef {
        LegRef { node: self.rule.node.clone(), direction: self.rule.direction }
    }
    /// The path needs a recorded exception.
    pub fn is_exceptional(&self) -> bool {
        self.path.kind == PathKind::Exceptional
    }
    fn is_at(&self, node: &NodeId, direction: Direction) -> bool {
        self.rule.node == *node && self.rule.direction == direction
    }
}

/// What a leg check finds.
#[derive(Debug, Clone, PartialEq)]
pub enum LegCheck {
    /// The mission may pass here.
    Admitted {
        /// What the driver is told; the place of an inspection is the caller's to add.
        instruction: InstructionKind,
        /// Where to drive next; none behind the destination.
        next: Option<LegRef>,
        /// This leg is the destination.
        finishes: bool,
    },
    /// It may not, and why: at least one reason.
    Refused {
        /// Why.
        reasons: Vec<Reason>,
    },
}

/// What an observed pass means for a mission.
#[derive(Debug, Clone, PartialEq)]
pub enum Advance {
    /// The leg was the next one and its conditions held: append it to the progress.
    Advanced {
        /// The destination is reached (B11).
        finished: bool,
    },
    /// No path names this node now, but the process declares that passing it is no deviation.
    Transparent,
    /// An alarm (B14, B41).
    Deviation {
        /// Which.
        kind: AlarmKind,
        /// Process, expected next nodes and observed node in words.
        text: String,
    },
}

/// The legs that may come next after `progress`, over all paths, in the order of the process's paths.
/// Exceptional paths are included and marked; conditions are not looked at. A leg that is next on
/// several paths appears once for each kind of path (and once as destination).
pub fn next_legs<'a>(process: &'a Process, progress: &[LegRef]) -> Vec<NextLeg<'a>> {
    let mut next: Vec<NextLeg<'a>> = Vec::new();
    for path in &process.paths {
        let legs = process.legs_of(path);
        let Some((rule, rest)) = remainder(&legs, progress).and_then(<[&LegRule]>::split_first) else {
            continue;
        };
        let leg = NextLeg { rule, path, last: rest.is_empty() };
        let known =
            next.iter().any(|n| n.rule == leg.rule && n.path.kind == leg.path.kind && n.last == leg.last);
        if !known {
            next.push(leg);
        }
    }
    next
}

/// May this mission pass `node` in `direction` now? `conditions` and `status` are central's word at
/// this moment (B16: asked at every node).
pub fn check(
    process: &Process,
    conditions: &MissionConditions,
    status: CustomsStatus,
    progress: &[LegRef],
    node: &NodeId,
    direction: Direction,
) -> LegCheck {
    let next = next_legs(process, progress);
    let here: Vec<&NextLeg<'_>> = next.iter().filter(|n| n.is_at(node, direction)).collect();
    if here.is_empty() {
        return check_elsewhere(process, conditions, status, progress, node, direction, &next);
    }
    let mut best: Option<Vec<Reason>> = None;
    for leg in here {
        let reasons = unmet(process, conditions, Some(status), leg);
        if reasons.is_empty() {
            return admitted(process, conditions, status, progress, leg);
        }
        if best.as_ref().is_none_or(|b| reasons.len() < b.len()) {
            best = Some(reasons);
        }
    }
    LegCheck::Refused { reasons: best.unwrap_or_default() }
}

/// What a pass through `observed` means. Give the conditions as they were when the gate decided: a
/// ticket that is bought behind the gate does not make the way to the parking a deviation.
pub fn advance(
    process: &Process,
    conditions: &MissionConditions,
    progress: &[LegRef],
    observed: &LegRef,
) -> Advance {
    let next = next_legs(process, progress);
    let here: Vec<&NextLeg<'_>> =
        next.iter().filter(|n| n.is_at(&observed.node, observed.direction)).collect();
    let mut why: Option<Vec<Reason>> = None;
    let mut advanced: Option<bool> = None;
    for leg in &here {
        let reasons = unmet(process, conditions, None, leg);
        if reasons.is_empty() {
            advanced = Some(advanced.unwrap_or(false) || leg.last);
        } else if why.as_ref().is_none_or(|w| reasons.len() < w.len()) {
            why = Some(reasons);
        }
    }
    if let Some(finished) = advanced {
        return Advance::Advanced { finished };
    }
    let expectation = expectation(process, conditions, progress, &next);
    let seen = describe(&observed.node, observed.direction);
    let deviation = |kind, tail: String| Advance::Deviation {
        kind,
        text: format!("{expectation}; observed {seen}: {tail}"),
    };
    if let Some(reasons) = why {
        let texts: Vec<String> = reasons.into_iter().map(|r| r.text).collect();
        return deviation(AlarmKind::Deviation, texts.join("; "));
    }
    if process.transparent.contains(&observed.node) {
        return Advance::Transparent;
    }
    if let Some(skipped) = skipped_before(process, conditions, progress, observed) {
        let names: Vec<String> = skipped.iter().map(|l| describe(&l.node, l.direction)).collect();
        return deviation(AlarmKind::SkippedNode, format!("{} was skipped", names.join(", ")));
    }
    let known_node = process.paths.iter().any(|p| process.legs_of(p).iter().any(|l| l.node == observed.node));
    if known_node {
        deviation(AlarmKind::WrongOrder, "the node is on a path of the process, but not now".into())
    } else {
        deviation(AlarmKind::UnexpectedNode, "no path of the process names this node".into())
    }
}

/// The part of a path that is still to be driven; none where the progress is not its beginning.
fn remainder<'l, 'a>(legs: &'l [&'a LegRule], progress: &[LegRef]) -> Option<&'l [&'a LegRule]> {
    let passed = legs.get(..progress.len())?;
    let is_prefix = passed
        .iter()
        .zip(progress)
        .all(|(leg, done)| leg.node == done.node && leg.direction == done.direction);
    if is_prefix { legs.get(progress.len()..) } else { None }
}

/// A node that is no next leg: transparent, or the wrong one.
fn check_elsewhere(
    process: &Process,
    conditions: &MissionConditions,
    status: CustomsStatus,
    progress: &[LegRef],
    node: &NodeId,
    direction: Direction,
    next: &[NextLeg<'_>],
) -> LegCheck {
    let under_way = !progress.is_empty() && !next.is_empty();
    if under_way && process.transparent.contains(node) {
        // Passing through asks for the customs word of the legs ahead, not for their conditions.
        if next.iter().any(|n| n.rule.admit.contains(&status)) {
            let (instruction, next) = onward(process, conditions, status, progress);
            return LegCheck::Admitted { instruction, next, finishes: false };
        }
        return LegCheck::Refused { reasons: vec![status_reason(status, node)] };
    }
    LegCheck::Refused { reasons: vec![wrong_node(process, conditions, progress, next, node, direction)] }
}

fn admitted(
    process: &Process,
    conditions: &MissionConditions,
    status: CustomsStatus,
    progress: &[LegRef],
    leg: &NextLeg<'_>,
) -> LegCheck {
    let mut after = progress.to_vec();
    after.push(leg.leg());
    let (instruction, next) = if leg.last {
        let kind = if status == CustomsStatus::Inspection {
            InstructionKind::ReportToInspection
        } else {
            InstructionKind::Finish
        };
        (kind, None)
    } else {
        onward(process, conditions, status, &after)
    };
    LegCheck::Admitted { instruction, next, finishes: leg.last }
}

/// What the driver is told after `progress`: the first next leg whose conditions hold now, else the
/// first one at all, whose own gate will then say what is missing.
fn onward(
    process: &Process,
    conditions: &MissionConditions,
    status: CustomsStatus,
    progress: &[LegRef],
) -> (InstructionKind, Option<LegRef>) {
    let next = next_legs(process, progress);
    let open = next.iter().find(|n| unmet(process, conditions, None, n).is_empty());
    let Some(leg) = open.or_else(|| next.iter().find(|n| !n.is_exceptional())).or(next.first()) else {
        return (InstructionKind::Finish, None);
    };
    let instruction = if status == CustomsStatus::Inspection {
        InstructionKind::ReportToInspection
    } else {
        leg.rule.instruction
    };
    (instruction, Some(leg.leg()))
}

/// The legs that were left out if `observed` is the next one but some, on a path that is possible.
fn skipped_before(
    process: &Process,
    conditions: &MissionConditions,
    progress: &[LegRef],
    observed: &LegRef,
) -> Option<Vec<LegRef>> {
    let mut shortest: Option<Vec<LegRef>> = None;
    for path in &process.paths {
        if path.kind == PathKind::Exceptional && conditions.exception.is_none() {
            continue;
        }
        let legs = process.legs_of(path);
        let Some(rest) = remainder(&legs, progress) else { continue };
        let found = rest.iter().position(|l| l.node == observed.node && l.direction == observed.direction);
        if let Some(at) = found.filter(|at| *at > 0)
            && shortest.as_ref().is_none_or(|s| at < s.len())
        {
            shortest = Some(
                rest.iter()
                    .take(at)
                    .map(|l| LegRef { node: l.node.clone(), direction: l.direction })
                    .collect(),
            );
        }
    }
    shortest
}
