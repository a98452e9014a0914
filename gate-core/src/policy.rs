//! Identity, answer and weight to a verdict: a table without memory. Nothing admits by default; a
//! verdict is Refer where any reason asks for a person, else Hold where any reason may pass by
//! itself, else Admit.

mod identity;
mod weight;

use crate::mission::{LegCheck, check};
use crate::spec::{IdentityRule, WeightRule};
use gate_types::NodeId;
use gate_types::identity::Identity;
use gate_types::mission::{CustomsStatus, Direction, InstructionKind, Process};
use gate_types::release::{Finding, MissionFacts};
use gate_types::verdict::{Instruction, Reason, ReasonCode, Verdict};

/// Version of this rule set; stands in every recorded decision.
pub const RULES: &str = "varco-rules/1";

/// From this probability a candidate that is not what the mission expects is a contradiction.
pub const CONTRADICTION: f64 = 0.9;

/// What a decision looks at, beside central's answer.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The lane's rule for identity.
    pub rule: &'a IdentityRule,
    /// The lane's rule for weight.
    pub weight: Option<&'a WeightRule>,
    /// What was read.
    pub identity: &'a Identity,
    /// The site's process types.
    pub processes: &'a [Process],
    /// The lane's node.
    pub node: &'a NodeId,
    /// The lane's direction.
    pub direction: Direction,
}

/// Judges one case on a usable answer.
pub fn judge(case: &Case<'_>, finding: &Finding) -> Verdict {
    match finding {
        Finding::Mission { facts, .. } => judge_mission(case, facts),
        Finding::Ambiguous { missions } => {
            let names: Vec<&str> = missions.iter().map(|m| m.as_str()).collect();
            let text = format!("what was read fits several missions: {}", names.join(", "));
            let mut reasons = identity::conflicts(case);
            reasons.push(reason(ReasonCode::MissionAmbiguous, text));
            refer(reasons)
        }
        Finding::Nothing { near } => {
            let mut reasons = identity::conflicts(case);
            reasons.extend(identity::unread(case));
            let mut text = "central knows no mission for what was read".to_owned();
            if !near.is_empty() {
                text.push_str(&format!("; near ones: {}", near.join(", ")));
            }
            reasons.push(reason(ReasonCode::NoMission, text));
            refer(reasons)
        }
    }
}

fn judge_mission(case: &Case<'_>, facts: &MissionFacts) -> Verdict {
    let mut reasons = identity::conflicts(case);
    reasons.extend(identity::against(case, &facts.expected));
    reasons.extend(weight::against(case, &facts.expected));
    let mut onward = None;
    if facts.ended {
        let text = format!("mission {} has ended", facts.mission);
        reasons.push(reason(ReasonCode::MissionEnded, text));
    } else if let Some(process) = case.processes.iter().find(|p| p.id == facts.process) {
        let leg = check(process, &facts.conditions, facts.status, &facts.progress, case.node, case.direction);
        match leg {
            LegCheck::Admitted { instruction, next, .. } => {
                let place =
                    facts.report_to.clone().filter(|_| instruction == InstructionKind::ReportToInspection);
                onward = Some(Instruction { kind: instruction, next_node: next.map(|n| n.node), place });
            }
            LegCheck::Refused { reasons: why } => reasons.extend(why.into_iter().map(|r| in_words(r, facts))),
        }
    } else {
        let text = format!("this gate's site file has no process {}", facts.process);
        reasons.push(reason(ReasonCode::AnswerNotUsable, text));
    }
    match onward {
        Some(instruction) if reasons.is_empty() => Verdict::Admit { instruction },
        Some(_) | None => conclude(reasons, facts),
    }
}

/// Adds who holds the goods and where to report.
fn in_words(mut why: Reason, facts: &MissionFacts) -> Reason {
    if why.code == ReasonCode::CustomsHeld && !facts.holds.is_empty() {
        let holds: Vec<String> =
            facts.holds.iter().map(|h| format!("{}: {}", h.authority, h.reason)).collect();
        why.text.push_str(&format!(" ({})", holds.join("; ")));
    }
    if let (ReasonCode::CustomsInspection, Some(place)) = (why.code, &facts.report_to) {
        why.text.push_str(&format!(" at {place}"));
    }
    why
}

fn conclude(reasons: Vec<Reason>, facts: &MissionFacts) -> Verdict {
    if reasons.is_empty() || reasons.iter().any(|r| !passes_by_itself(r.code)) {
        return refer(reasons);
    }
    let inspect = facts.status == CustomsStatus::Inspection && facts.report_to.is_some();
    let instruction = if inspect {
        Instruction {
            kind: InstructionKind::ReportToInspection,
            next_node: None,
            place: facts.report_to.clone(),
        }
    } else {
        plain(InstructionKind::Wait)
    };
    Verdict::Hold { reasons, instruction }
}

/// True where waiting can help, because central's word may change without anybody at the lane (B40).
fn passes_by_itself(code: ReasonCode) -> bool {
    match code {
        ReasonCode::CustomsHeld
        | ReasonCode::CustomsPending
        | ReasonCode::CustomsInspection
        | ReasonCode::CustomsUnknown
        | ReasonCode::CentralSilent
        | ReasonCode::AccessPermissionMissing
        | ReasonCode::BoardingTicketMissing
        | ReasonCode::DeclarationMissing => true,
        ReasonCode::AllChecksPassed
        | ReasonCode::NoIdentity
        | ReasonCode::IdentityTooWeak
        | ReasonCode::IdentityConflict
        | ReasonCode::IdentityMismatch
        | ReasonCode::MissionAmbiguous
        | ReasonCode::NoMission
        | ReasonCode::CustomsRefused
        | ReasonCode::AnswerNotUsable
        | ReasonCode::WrongNode
        | ReasonCode::MissionEnded
        | ReasonCode::WrongBerth
        | ReasonCode::ExceptionNotAuthorised
        | ReasonCode::WeightUnknown
        | ReasonCode::WeightMismatch
        | ReasonCode::DeviceFault
        | ReasonCode::LaneClosed
        | ReasonCode::OperatorDecision => false,
    }
}

/// True where better reading, and nothing else, can settle the reason.
pub fn settled_by_reading(code: ReasonCode) -> bool {
    matches!(
        code,
        ReasonCode::NoIdentity
            | ReasonCode::IdentityTooWeak
            | ReasonCode::IdentityConflict
            | ReasonCode::IdentityMismatch
            | ReasonCode::NoMission
            | ReasonCode::MissionAmbiguous
            | ReasonCode::WeightUnknown
            | ReasonCode::WeightMismatch
    )
}

/// Nothing could be read.
pub fn no_identity(identify_ms: u64) -> Verdict {
    let text = format!("no identifier could be read within {identify_ms} ms");
    refer(vec![reason(ReasonCode::NoIdentity, text)])
}

/// Central gave no answer.
pub fn central_silent(why: &str) -> Verdict {
    hold(reason(ReasonCode::CentralSilent, format!("central gave no answer: {why}")))
}

/// Central's answer cannot be used; the lane asks again.
pub fn answer_not_usable(why: &str) -> Verdict {
    hold(reason(ReasonCode::AnswerNotUsable, format!("central's answer is not usable: {why}")))
}

/// An operator sends the vehicle back.
pub fn turned_back(name: &str, why: &str) -> Verdict {
    let text = format!("{name} turned the vehicle back: {why}");
    Verdict::Refer {
        reasons: vec![reason(ReasonCode::OperatorDecision, text)],
        instruction: plain(InstructionKind::TurnBack),
    }
}

/// An instruction without node and place.
pub fn plain(kind: InstructionKind) -> Instruction {
    Instruction { kind, next_node: None, place: None }
}

fn hold(why: Reason) -> Verdict {
    Verdict::Hold { reasons: vec![why], instruction: plain(InstructionKind::Wait) }
}

fn refer(reasons: Vec<Reason>) -> Verdict {
    Verdict::Refer { reasons, instruction: plain(InstructionKind::CallOperator) }
}

fn reason(code: ReasonCode, text: String) -> Reason {
    Reason { code, text }
}
