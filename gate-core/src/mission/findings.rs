//! What following a mission came to: its legs, and what an officer should know of them (B14, B41).

use super::explain::{Corroboration, Gap, explain};
use super::follow::{Follower, Guess, Mark, Why};
use super::plan::Plan;
use super::reasons::{describe, unmet};
use gate_types::NodeId;
use gate_types::api::{AlarmKind, SkippedLeg};
use gate_types::mission::{LegRef, MissionConditions};

/// One observed pass of a mission.
#[derive(Debug, Clone, PartialEq)]
pub struct PassSeen {
    /// Where, and which way.
    pub leg: LegRef,
    /// When, the gate's wall clock, milliseconds since 1970.
    pub at_ms: i64,
    /// The conditions as they were when the gate decided: a ticket that is bought behind the gate does not make
    /// the way to the parking a deviation (B40).
    pub conditions: MissionConditions,
}

/// One leg of the way as it is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub leg: LegRef,
    /// The pass that showed it, counted from 0; none where nobody saw it: missed, or passed before this port.
    pub seen: Option<usize>,
}

/// What gives rise to a finding: the same cause is the same alarm, though its kind may be corrected later.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The named leg of the process was not seen in its place.
    Leg(String),
    /// The pass of this number.
    Pass(usize),
    /// What should follow the named leg (empty: the departure) is overdue.
    After(String),
}

/// One finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Its kind now.
    pub kind: AlarmKind,
    /// What gives rise to it.
    pub cause: Cause,
    /// The observed node, or for something overdue the last one.
    pub node: NodeId,
    /// When it showed, milliseconds since 1970.
    pub at_ms: i64,
    /// Process, expected next nodes and observed node in words (B41).
    pub text: String,
    /// The nodes without a read, with the probability of each explanation.
    pub skipped: Vec<SkippedLeg>,
    /// How probable it is that an officer is needed: 1 minus the probability of mere missed reads.
    pub suspicion: f64,
}

/// A mission as its passes tell it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Followed {
    /// The legs of its path, in the order of the path.
    pub steps: Vec<Step>,
    /// The destination was seen (B11).
    pub finished: bool,
    /// What is not as it should be, in the order of the passes.
    pub findings: Vec<Finding>,
}

/// Follows a mission from its beginning. `passes` in the order of their times; `known` tells what else is known
/// of a node between two times.
pub fn follow(
    plan: &Plan,
    imported: &[LegRef],
    passes: &[PassSeen],
    known: impl Fn(&NodeId, i64, i64) -> Corroboration,
) -> Followed {
    follower(plan, imported, passes).followed(plan, passes, known)
}

/// The follower after `passes`.
pub(super) fn follower(plan: &Plan, imported: &[LegRef], passes: &[PassSeen]) -> Follower {
    let mut follower = Follower::after(plan, imported);
    for pass in passes {
        follower.see(plan, plan.seen(&pass.leg, pass.at_ms, plan.held(&pass.conditions)));
    }
    follower
}

impl Follower {
    /// The cheapest explanation of the passes given so far; `passes` are the same ones with their words.
    pub fn followed(
        &self,
        plan: &Plan,
        passes: &[PassSeen],
        known: impl Fn(&NodeId, i64, i64) -> Corroboration,
    ) -> Followed {
        let Some(best) = self.best() else { return Followed::default() };
        let steps = best.steps.iter().filter_map(|(at, event)| {
            let leg = plan.leg_ref(plan.branch(*at)?.place)?;
            Some(Step { leg, seen: event.map(usize::from) })
        });
        let finished = best.is_finished(plan);
        Followed {
            steps: steps.collect(),
            finished,
            findings: Teller { plan, follower: self, best, passes, known: &known }.findings(),
        }
    }

    /// The destination was seen (B11).
    pub fn is_finished(&self, plan: &Plan) -> bool {
        self.best().is_some_and(|best| best.is_finished(plan))
    }

    /// Nothing at all is out of the ordinary: the fast answer for most missions.
    pub fn is_clean(&self) -> bool {
        self.best().is_none_or(|best| best.marks.is_empty())
    }
}

impl Guess {
    pub(super) fn is_finished(&self, plan: &Plan) -> bool {
        plan.branch(self.at).is_some_and(|b| b.last)
    }
}

struct Teller<'a, K> {
    plan: &'a Plan,
    follower: &'a Follower,
    best: &'a Guess,
    passes: &'a [PassSeen],
    known: &'a K,
}

impl<K: Fn(&NodeId, i64, i64) -> Corroboration> Teller<'_, K> {
    fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        let mut gaps: Vec<(Option<u16>, u16)> = Vec::new();
        for mark in &self.best.marks {
            match *mark {
                Mark::Skipped { from, after, before, .. } => {
                    if !gaps.contains(&(after, before)) {
                        gaps.push((after, before));
                        self.gap(from, after, before, &mut findings);
                    }
                }
                Mark::Swapped { branch, event } => findings.extend(self.swapped(branch, event)),
                Mark::Stray { event, from, why } => findings.extend(self.stray(event, from, why)),
                Mark::Unmet { event, from, branch } => {
                    findings.extend(self.stray(event, from, Why::Unmet(branch)));
                }
                Mark::TooFast { event } => findings.extend(self.stray(event, 0, Why::TooFast)),
            }
        }
        findings.sort_by(|a, b| a.at_ms.cmp(&b.at_ms).then_with(|| a.cause.cmp(&b.cause)));
        findings.dedup_by(|b, a| a.cause == b.cause);
        findings
    }

    fn pass(&self, event: u16) -> Option<&PassSeen> {
        self.passes.get(usize::from(event))
    }

    /// Legs that nobody saw between two passes: one finding, or a part of the stray pass in the same gap, which
    /// then was driven to instead of them.
    fn gap(&self, from: u8, after: Option<u16>, before: u16, findings: &mut Vec<Finding>) {
        let Some(pass) = self.pass(before) else { return };
        let missing: Vec<u8> = self
            .best
            .marks
            .iter()
            .filter_map(|m| match *m {
                Mark::Skipped { branch, after: a, before: b, .. } => {
                    ((a, b) == (after, before)).then_some(branch)
                }
                Mark::Swapped { .. } | Mark::Stray { .. } | Mark::Unmet { .. } | Mark::TooFast { .. } => None,
            })
            .collect();
        let skipped: Vec<SkippedLeg> =
            missing.iter().filter_map(|b| self.skipped(*b, after, before)).collect();
        let names: Vec<String> = skipped.iter().map(|s| describe(&s.leg.node, s.leg.direction)).collect();
        let instead = findings.iter_mut().rev().find(|f| match f.cause {
            Cause::Pass(at) => at < usize::from(before) && after.is_none_or(|a| at > usize::from(a)),
            Cause::Leg(_) | Cause::After(_) => false,
        });
        if let Some(finding) = instead {
            finding.text = format!("{}; {} was not seen", finding.text, names.join(", "));
            finding.skipped = skipped;
            match finding.kind {
                AlarmKind::DuplicateIdentity | AlarmKind::ImpossibleTransit => {}
                _ => finding.kind = AlarmKind::Deviation,
            }
            return;
        }
        let Some(cause) = missing.first().and_then(|b| self.plan.leg_name(*b)) else { return };
        findings.push(Finding {
            kind: AlarmKind::SkippedNode,
            cause: Cause::Leg(cause.to_owned()),
            node: pass.leg.node.clone(),
            at_ms: pass.at_ms,
            text: self.text(from, pass, &format!("{} was skipped", names.join(", "))),
            suspicion: 1.0 - skipped.iter().map(|s| s.missed_read).product::<f64>(),
            skipped,
        });
    }

    fn skipped(&self, branch: u8, after: Option<u16>, before: u16) -> Option<SkippedLeg> {
        let place = self.plan.branch(branch)?.place;
        let leg = self.plan.leg_ref(place)?;
        let next = self.follower.event(before)?;
        let (node, next_node) = (self.plan.node_of(place)?, next.node?);
        let previous = after.and_then(|e| self.follower.event(e)).and_then(|e| Some((e.node?, e.at_ms)));
        let since = previous.map_or(next.at_ms - 3_600_000, |(_, at_ms)| at_ms);
        let known = (self.known)(&leg.node, since, next.at_ms);
        let gap = Gap { before: previous, node, after: (next_node, next.at_ms) };
        let (missed_read, other_way, other_vehicle) = explain(self.plan, gap, known);
        Some(SkippedLeg { leg, missed_read, other_way, other_vehicle })
    }

    fn swapped(&self, branch: u8, event: u16) -> Option<Finding> {
        let pass = self.pass(event)?;
        let tail = "it was passed after the nodes that follow it".to_owned();
        Some(Finding {
            kind: AlarmKind::WrongOrder,
            cause: Cause::Leg(self.plan.leg_name(branch)?.to_owned()),
            node: pass.leg.node.clone(),
            at_ms: pass.at_ms,
            text: format!(
                "process {}: observed {}: {tail}",
                self.plan.process().id,
                describe(&pass.leg.node, pass.leg.direction)
            ),
            skipped: Vec::new(),
            suspicion: 0.9,
        })
    }

    fn stray(&self, event: u16, from: u8, why: Why) -> Option<Finding> {
        let pass = self.pass(event)?;
        let (kind, tail, suspicion) = match why {
            Why::Foreign => {
                (AlarmKind::UnexpectedNode, "no path of the process names this node".to_owned(), 0.99)
            }
            Why::NotNow => {
                (AlarmKind::WrongOrder, "the node is on a path of the process, but not now".to_owned(), 0.95)
            }
            Why::Unmet(branch) => {
                let rule = self.plan.rule(branch)?;
                let exceptional = self.plan.asks_exception(branch);
                let reasons = unmet(self.plan.process(), &pass.conditions, None, rule, exceptional);
                let words: Vec<String> = reasons.into_iter().map(|r| r.text).collect();
                (AlarmKind::Deviation, words.join("; "), 0.98)
            }
            Why::Again => (
                AlarmKind::DuplicateIdentity,
                "it passed here the same way before and was not seen coming back; two vehicles may carry one identity"
                    .to_owned(),
                0.97,
            ),
            Why::TooFast => (
                AlarmKind::ImpossibleTransit,
                "no vehicle drives there in that time; two vehicles may carry one identity".to_owned(),
                0.97,
            ),
        };
        Some(Finding {
            kind,
            cause: Cause::Pass(usize::from(event)),
            node: pass.leg.node.clone(),
            at_ms: pass.at_ms,
            text: self.text(from, pass, &tail),
            skipped: Vec::new(),
            suspicion,
        })
    }

    /// Process, expected and observed in words.
    fn text(&self, from: u8, pass: &PassSeen, tail: &str) -> String {
        let expected = expected(self.plan, self.best, from, pass.conditions.exception.is_some());
        format!("{expected}; observed {}: {tail}", describe(&pass.leg.node, pass.leg.direction))
    }
}

/// "process P1 expects node 2 (in) next": the first half of every finding's text.
pub(super) fn expected(plan: &Plan, best: &Guess, from: u8, exception: bool) -> String {
    let mut legs: Vec<LegRef> = plan
        .children(from)
        .filter(|(at, _)| exception || !plan.asks_exception(*at))
        .filter_map(|(_, b)| plan.leg_ref(b.place))
        .collect();
    legs.sort();
    legs.dedup();
    let names: Vec<String> = legs.iter().map(|leg| describe(&leg.node, leg.direction)).collect();
    let process = &plan.process().id;
    if names.is_empty() {
        let done: Vec<String> = best
            .steps
            .iter()
            .filter_map(|(at, _)| plan.leg_ref(plan.branch(*at)?.place))
            .map(|leg| leg.node.to_string())
            .collect();
        return format!("process {process} expects no further node after {}", done.join("-"));
    }
    format!("process {process} expects {} next", names.join(" or "))
}
