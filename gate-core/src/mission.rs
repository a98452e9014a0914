//! Progress along mission paths (B10-B16, B30-B41). Paths are data; this is the only code that reads
//! them, for the gate and for central alike. Total and pure.
//!
//! A path is possible when what was passed so far is a prefix of its legs. Exceptional paths admit
//! only with a recorded authorisation (B33).

mod compare;
mod due;
mod explain;
mod findings;
mod follow;
mod plan;
mod reasons;

pub use compare::{Difference, PassTold, Reference};
pub use due::{Due, due};
pub use explain::Corroboration;
pub use findings::{Cause, Finding, Followed, PassSeen, Step, follow};
pub use follow::{Follower, Seen};
pub use plan::{Habits, Held, Plan, PlanError, Port, PortNode};

use gate_types::NodeId;
use gate_types::mission::{
    CustomsStatus, Direction, InstructionKind, LegRef, LegRule, MissionConditions, MissionPath, PathKind,
    Process,
};
use gate_types::verdict::Reason;
use reasons::{status_reason, unmet, wrong_node};

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

/// The next legs whose own conditions hold now, whatever customs says.
pub fn open_legs(process: &Process, conditions: &MissionConditions, progress: &[LegRef]) -> Vec<LegRef> {
    let mut legs: Vec<LegRef> = next_legs(process, progress)
        .iter()
        .filter(|n| unmet(process, conditions, None, n.rule, n.is_exceptional()).is_empty())
        .map(NextLeg::leg)
        .collect();
    legs.sort();
    legs.dedup();
    legs
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
        let reasons = unmet(process, conditions, Some(status), leg.rule, leg.is_exceptional());
        if reasons.is_empty() {
            return admitted(process, conditions, status, progress, leg);
        }
        if best.as_ref().is_none_or(|b| reasons.len() < b.len()) {
            best = Some(reasons);
        }
    }
    LegCheck::Refused { reasons: best.unwrap_or_default() }
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
    let open = next.iter().find(|n| unmet(process, conditions, None, n.rule, n.is_exceptional()).is_empty());
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
