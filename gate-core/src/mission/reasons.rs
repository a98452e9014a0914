//! What keeps a mission from passing a leg, with the reasons in words (B30-B33, B41).

use super::NextLeg;
use gate_types::NodeId;
use gate_types::mission::{
    Condition, CustomsStatus, DeclarationKind, Direction, LegRef, LegRule, MissionConditions, Process,
};
use gate_types::verdict::{Reason, ReasonCode};

/// What keeps a leg from being passed; `status` none: not looked at; `exceptional`: on exceptional paths alone.
pub(super) fn unmet(
    process: &Process,
    conditions: &MissionConditions,
    status: Option<CustomsStatus>,
    rule: &LegRule,
    exceptional: bool,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if exceptional && conditions.exception.is_none() {
        reasons.push(reason(
            ReasonCode::ExceptionNotAuthorised,
            format!("node {} is for exceptional use, and no exception is authorised", rule.node),
            format!("il nodo {} è per uso eccezionale, e nessuna eccezione è autorizzata", rule.node),
        ));
    }
    for condition in &rule.requires {
        if !holds(process, conditions, *condition, &rule.node) {
            reasons.push(missing(process, conditions, *condition, &rule.node));
        }
    }
    if let Some(status) = status
        && !rule.admit.contains(&status)
    {
        reasons.push(status_reason(status, &rule.node));
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
        Condition::AccessPermission => reason(
            ReasonCode::AccessPermissionMissing,
            format!("node {node} needs the access permission"),
            format!("il nodo {node} richiede il permesso di accesso"),
        ),
        Condition::NoAccessPermission => reason(
            ReasonCode::WrongNode,
            format!("node {node} is for transporters without access permission; this one holds it"),
            format!("il nodo {node} è per trasportatori senza permesso di accesso; questo lo possiede"),
        ),
        Condition::BoardingTicket => reason(
            ReasonCode::BoardingTicketMissing,
            format!("node {node} needs the boarding ticket"),
            format!("il nodo {node} richiede il biglietto d'imbarco"),
        ),
        Condition::NoBoardingTicket => reason(
            ReasonCode::WrongNode,
            format!("node {node} is for vehicles without boarding ticket; this one has it"),
            format!("il nodo {node} è per veicoli senza biglietto d'imbarco; questo lo possiede"),
        ),
        Condition::Declaration => {
            let names = |name: fn(DeclarationKind) -> &'static str, or: &str| {
                process.declarations.iter().map(|d| name(*d)).collect::<Vec<_>>().join(or)
            };
            let lodged = facts
                .declaration
                .map_or("none is lodged".into(), |d| format!("`{}` is lodged", declaration_name(d)));
            let presentata = facts
                .declaration
                .map_or("nessuna presentata".into(), |d| format!("presentata: {}", dichiarazione(d)));
            reason(
                ReasonCode::DeclarationMissing,
                format!("node {node} needs a declaration ({}); {lodged}", names(declaration_name, " or ")),
                format!(
                    "il nodo {node} richiede una dichiarazione ({}); {presentata}",
                    names(dichiarazione, " o ")
                ),
            )
        }
        Condition::BerthHere => {
            let berth = facts.berth.as_ref().map_or("is not known".into(), |b| format!("lies at node {b}"));
            let banchina = facts.berth.as_ref().map_or("è sconosciuta".into(), |b| format!("è al nodo {b}"));
            reason(
                ReasonCode::WrongBerth,
                format!("the ship {berth}, not at node {node}"),
                format!("la posizione della nave {banchina}, non al nodo {node}"),
            )
        }
        Condition::ExceptionAuthorised => reason(
            ReasonCode::ExceptionNotAuthorised,
            format!("node {node} needs an authorised exception, and none is recorded"),
            format!("il nodo {node} richiede un'eccezione autorizzata, e nessuna è registrata"),
        ),
    }
}

fn dichiarazione(kind: DeclarationKind) -> &'static str {
    match kind {
        DeclarationKind::Export => "esportazione",
        DeclarationKind::Transit => "transito",
        DeclarationKind::Importation => "importazione",
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
    let (code, word, parola) = match status {
        CustomsStatus::Released => (
            ReasonCode::CustomsUnknown,
            "released, which this node does not admit",
            "svincolato, non ammesso a questo nodo",
        ),
        CustomsStatus::Held => (ReasonCode::CustomsHeld, "held", "bloccato"),
        CustomsStatus::Inspection => {
            (ReasonCode::CustomsInspection, "to be inspected first", "da ispezionare prima")
        }
        CustomsStatus::Pending => (ReasonCode::CustomsPending, "not decided yet", "non ancora deciso"),
        CustomsStatus::Refused => (ReasonCode::CustomsRefused, "refused", "rifiutato"),
        CustomsStatus::Unknown => (ReasonCode::CustomsUnknown, "not known", "sconosciuto"),
    };
    reason(
        code,
        format!("customs status at node {node}: {word}"),
        format!("stato doganale al nodo {node}: {parola}"),
    )
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

/// The sentence of a node that is not the next one, in both languages.
pub(super) fn wrong_node(
    process: &Process,
    conditions: &MissionConditions,
    progress: &[LegRef],
    next: &[NextLeg<'_>],
    node: &NodeId,
    direction: Direction,
) -> Reason {
    let expected = expectation(process, conditions, progress, next);
    let mut names: Vec<String> = next
        .iter()
        .filter(|n| !n.is_exceptional() || conditions.exception.is_some())
        .map(|n| descrivi(&n.rule.node, n.rule.direction))
        .collect();
    names.dedup();
    let attesi = if names.is_empty() { "nessun altro nodo".to_owned() } else { names.join(" o ") };
    reason(
        ReasonCode::WrongNode,
        format!("{expected}; observed {}", describe(node, direction)),
        format!("il processo {} attende {attesi}; osservato {}", process.id, descrivi(node, direction)),
    )
}

/// "nodo 6 (entrata)".
fn descrivi(node: &NodeId, direction: Direction) -> String {
    let way = match direction {
        Direction::In => "entrata",
        Direction::Out => "uscita",
    };
    format!("nodo {node} ({way})")
}

pub(super) fn reason(code: ReasonCode, text: String, text_it: String) -> Reason {
    Reason { code, text, text_it }
}
