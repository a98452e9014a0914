//! What keeps a mission from passing a leg, with the reasons in words (B30-B33, B41).

use super::NextLeg;
use gate_types::NodeId;
use gate_types::mission::{
    Condition, CustomsStatus, DeclarationKind, Direction, LegRef, MissionConditions, Process,
};
use gate_types::verdict::{Reason, ReasonCode};

/// What keeps a leg from being passed; `status` none: not looked at.
pub(super) fn unmet(
    process: &Process,
    conditions: &MissionConditions,
    status: Option<CustomsStatus>,
    leg: &NextLeg<'_>,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if leg.is_exceptional() && conditions.exception.is_none() {
        reasons.push(reason(
            ReasonCode::ExceptionNotAuthorised,
            format!("node {} is for exceptional use, and no exception is authorised", leg.rule.node),
        ));
    }
    for condition in &leg.rule.requires {
        if !holds(process, conditions, *condition, &leg.rule.node) {
            reasons.push(missing(process, conditions, *condition, &leg.rule.node));
        }
    }
    if let Some(status) = status
        && !leg.rule.admit.contains(&status)
    {
        reasons.push(status_reason(status, &leg.rule.node));
    }
    reasons.dedup_by(|a, b| a.code == b.code);
    reasons
}

fn holds(process: &Process, facts: &MissionConditions, condition: Condition, node: &NodeId) -> bool {
    match condition {
        Condition::AccessPermission => facts.access_permission,
        Condition::NoAccessPermission => !facts.access_permission,
        Condition::BoardingTicket => facts.boarding_ticket,
        Condition::NoBoardingTicket => !facts.boarding_ticket,
        Condition::Declaration => facts.declaration.is_some_and(|d| process.declarations.contains(&d)),
        Condition::BerthHere => facts.berth.as_ref() == Some(node),
        Condition::ExceptionAuthorised => facts.exception.is_some(),
    }
}

fn missing(process: &Process, facts: &MissionConditions, condition: Condition, node: &NodeId) -> Reason {
    match condition {
        Condition::AccessPermission => {
            reason(ReasonCode::AccessPermissionMissing, format!("node {node} needs the access permission"))
        }
        Condition::NoAccessPermission => reason(
            ReasonCode::WrongNode,
            format!("node {node} is for transporters without access permission; this one holds it"),
        ),
        Condition::BoardingTicket => {
            reason(ReasonCode::BoardingTicketMissing, format!("node {node} needs the boarding ticket"))
        }
        Condition::NoBoardingTicket => reason(
            ReasonCode::WrongNode,
            format!("node {node} is for vehicles without boarding ticket; this one has it"),
        ),
        Condition::Declaration => {
            let kinds: Vec<&str> = process.declarations.iter().map(|d| declaration_name(*d)).collect();
            let lodged = facts
                .declaration
                .map_or("none is lodged".into(), |d| format!("`{}` is lodged", declaration_name(d)));
            reason(
                ReasonCode::DeclarationMissing,
                format!("node {node} needs a declaration ({}); {lodged}", kinds.join(" or ")),
            )
        }
        Condition::BerthHere => {
            let berth = facts.berth.as_ref().map_or("is not known".into(), |b| format!("lies at node {b}"));
            reason(ReasonCode::WrongBerth, format!("the ship {berth}, not at node {node}"))
        }
        Condition::ExceptionAuthorised => reason(
            ReasonCode::ExceptionNotAuthorised,
            format!("node {node} needs an authorised exception, and none is recorded"),
        ),
    }
}

fn declaration_name(kind: DeclarationKind) -> &'static str {
    match kind {
        DeclarationKind::Export => "export",
        DeclarationKind::Transit => "transit",
        DeclarationKind::Importation => "importation",
    }
}

pub(super) fn status_reason(status: CustomsStatus, node: &NodeId) -> Reason {
    let (code, word) = match status {
        CustomsStatus::Released => (ReasonCode::CustomsUnknown, "released, which this node does not admit"),
        CustomsStatus::Held => (ReasonCode::CustomsHeld, "held"),
        CustomsStatus::Inspection => (ReasonCode::CustomsInspection, "to be inspected first"),
        CustomsStatus::Pending => (ReasonCode::CustomsPending, "not decided yet"),
        CustomsStatus::Refused => (ReasonCode::CustomsRefused, "refused"),
        CustomsStatus::Unknown => (ReasonCode::CustomsUnknown, "not known"),
    };
    reason(code, format!("customs status at node {node}: {word}"))
}

/// "process P1 expects node 2 (in) next": the first half of every alarm's text (B41).
pub(super) fn expectation(
    process: &Process,
    conditions: &MissionConditions,
    progress: &[LegRef],
    next: &[NextLeg<'_>],
) -> String {
    let mut names: Vec<String> = next
        .iter()
        .filter(|n| !n.is_exceptional() || conditions.exception.is_some())
        .map(|n| describe(&n.rule.node, n.rule.direction))
        .collect();
    names.dedup();
    if names.is_empty() {
        let done: Vec<&str> = progress.iter().map(|l| l.node.as_str()).collect();
        return format!("process {} expects no further node after {}", process.id, done.join("-"));
    }
    format!("process {} expects {} next", process.id, names.join(" or "))
}

/// "node 6 (in)".
pub(super) fn describe(node: &NodeId, direction: Direction) -> String {
    let way = match direction {
        Direction::In => "in",
        Direction::Out => "out",
    };
    format!("node {node} ({way})")
}

pub(super) fn reason(code: ReasonCode, text: String) -> Reason {
    Reason { code, text }
}
