//! Identity, central's word and weight to a verdict: the checks of a rule set as a table without memory.
//! Nothing admits by default; a verdict is Refer where any failure asks for a person, else Hold where any
//! may pass by itself, else Admit. The same case gives the same decision, byte for byte (I6).

mod circumstances;
mod conclude;
mod failure;
mod gate_pass;
mod identity;
mod leg;
mod table;
mod weight;

pub mod permit;

pub use conclude::settled_by_reading;

use gate_types::NodeId;
use gate_types::decision::{Basis, Beside, CheckResult, DecisionRecord, Expectation, Matched, WeightFinding};
use gate_types::identity::Identity;
use gate_types::mission::{Direction, InstructionKind, Process};
use gate_types::release::{Finding, MissionFacts};
use gate_types::rules::{IdentityRule, LaneRules, RuleMode, RuleSet, RuleSetRef, WeightRule};
use gate_types::verdict::{Instruction, Verdict};

/// From this probability a candidate that is not what the mission expects is a contradiction.
pub const CONTRADICTION: f64 = 0.9;

/// A rule set with the name under which records hold it.
#[derive(Debug, Clone, PartialEq)]
pub struct Issued {
    /// The rule set.
    pub set: RuleSet,
    /// Its name, version and hash.
    pub reference: RuleSetRef,
}

impl Issued {
    /// Names a rule set once, so that no decision has to hash it again.
    pub fn new(set: RuleSet) -> Self {
        let reference = set.reference();
        Self { set, reference }
    }
    /// The rule sets that a lane's rules name: the acting one and those beside it.
    pub fn of(rules: &LaneRules) -> (Self, Vec<Self>) {
        (Self::new(rules.acting.clone()), rules.beside.iter().cloned().map(Self::new).collect())
    }
}

/// What a lane decides by.
#[derive(Debug, Clone, Copy)]
pub struct Law<'a> {
    /// The rule set that acts.
    pub acting: &'a Issued,
    /// Rule sets whose decisions are recorded beside.
    pub beside: &'a [Issued],
    /// The lane's own mode.
    pub mode: RuleMode,
    /// The lane's rule for identity.
    pub identity: &'a IdentityRule,
    /// The lane's rule for weight.
    pub weight: Option<&'a WeightRule>,
    /// The site's process types.
    pub processes: &'a [Process],
    /// The lane's node.
    pub node: &'a NodeId,
    /// The lane's direction.
    pub direction: Direction,
}

impl<'a> Law<'a> {
    /// A lane's rules as the journal holds them, under the given rule sets: its own by [`Issued::of`], or
    /// others for a comparison.
    pub fn of(rules: &'a LaneRules, acting: &'a Issued, beside: &'a [Issued]) -> Self {
        Self {
            acting,
            beside,
            mode: rules.mode,
            identity: &rules.identity,
            weight: rules.weight.as_ref(),
            processes: &rules.processes,
            node: &rules.node,
            direction: rules.direction,
        }
    }
}

/// What a decision looks at.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What was read.
    pub identity: &'a Identity,
    /// Central's word, or what stood in for it.
    pub basis: &'a Basis,
    /// The mission's facts, where central's word or a permit names one mission.
    pub facts: Option<&'a MissionFacts>,
    /// Devices of the lane that are down.
    pub down: &'a [String],
}

/// A verdict with its record; [`DecisionRecord::rests_on`] is the lane's to fill.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, and what would have admitted.
    pub record: DecisionRecord,
}

/// What one rule set makes of a case.
struct Judged {
    failures: Vec<failure::Failure>,
    checks: Vec<CheckResult>,
    matched: Vec<Matched>,
    /// Slots that match only with the expectation's help.
    helped: Vec<gate_types::identity::Slot>,
    weight: Option<WeightFinding>,
    onward: Option<Instruction>,
}

/// Decides a case under a lane's rules.
pub fn decide(law: &Law<'_>, case: &Case<'_>) -> Decision {
    let (verdict, mut record) = under(law.acting, law, case);
    record.beside = law
        .beside
        .iter()
        .map(|set| Beside { rule_set: set.reference.clone(), verdict: under(set, law, case).0 })
        .collect();
    Decision { verdict, record }
}

/// Takes a recorded decision again: the same rules give the same verdict and record, byte for byte.
pub fn decide_again(
    law: &Law<'_>,
    identity: &Identity,
    facts: Option<&MissionFacts>,
    recorded: &DecisionRecord,
) -> Decision {
    let case = Case { identity, basis: &recorded.basis, facts, down: &recorded.down };
    let mut decision = decide(law, &case);
    decision.record.rests_on.clone_from(&recorded.rests_on);
    decision
}

/// What one rule set decides.
fn under(issued: &Issued, law: &Law<'_>, case: &Case<'_>) -> (Verdict, DecisionRecord) {
    let set = &issued.set;
    // Facts of an earlier answer are no part of a case that no mission stands for.
    let case = &Case { facts: case.facts.filter(|_| case.basis.names_a_mission()), ..*case };
    // What a set that acts in shadow would do is of interest, not that it does nothing.
    let mode = if set.mode == RuleMode::Shadow { RuleMode::Live } else { set.mode.min(law.mode) };
    let judged = table::judge(set, law, case, true);
    let (verdict, would_admit) = conclude::conclude(set, mode, case, &judged);
    let odds = identity::odds(set);
    let expectation = (!judged.helped.is_empty()).then(|| {
        let without = table::judge(set, law, case, false);
        let alone = conclude::conclude(set, mode, case, &without).0;
        Expectation { odds, slots: judged.helped.clone(), decisive: verdict.admits() && !alone.admits() }
    });
    let record = DecisionRecord {
        rule_set: issued.reference.clone(),
        mode: set.mode.min(law.mode),
        basis: case.basis.clone(),
        down: case.down.to_vec(),
        rests_on: Vec::new(),
        checks: judged.checks,
        matched: judged.matched,
        would_admit,
        expectation,
        weight: judged.weight,
        beside: Vec::new(),
    };
    (verdict, record)
}

/// Central's usable answer as a basis, with the facts beside it; `central_now_ms` is central's clock.
pub fn basis_of(nonce: &str, central_now_ms: i64, finding: &Finding) -> (Basis, Option<Box<MissionFacts>>) {
    let nonce = nonce.to_owned();
    match finding {
        Finding::Mission { facts, matched } => {
            let matched = matched.clone();
            (Basis::Mission { nonce, central_now_ms, matched }, Some(facts.clone()))
        }
        Finding::Ambiguous { missions } => (Basis::Ambiguous { nonce, missions: missions.clone() }, None),
        Finding::Nothing { near } => (Basis::Nothing { nonce, near: near.clone() }, None),
    }
}

/// An instruction without node and place.
pub fn plain(kind: InstructionKind) -> Instruction {
    Instruction { kind, next_node: None, place: None }
}
