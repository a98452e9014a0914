//! The leg of the mission path: its reasons, each under the check that it belongs to.

use super::Law;
use super::failure::{Failure, Words, say};
use crate::mission::{LegCheck, check, next_legs};
use gate_types::mission::{CustomsStatus, InstructionKind, Process};
use gate_types::release::MissionFacts;
use gate_types::rules::CheckKind;
use gate_types::verdict::{Instruction, Reason, ReasonCode};

/// What keeps the mission from this leg, or what the driver is told behind it.
pub(super) fn judge(law: &Law<'_>, facts: &MissionFacts) -> (Vec<Failure>, Option<Instruction>) {
    if facts.ended {
        return (Vec::new(), None);
    }
    let Some(process) = law.processes.iter().find(|p| p.id == facts.process) else {
        let said = say(
            format!("this gate's site file has no process {}", facts.process),
            format!("il file del sito di questo varco non ha il processo {}", facts.process),
        );
        let needed = say("a process of this site", "un processo di questo sito");
        let failure = Failure::new(CheckKind::Mission, ReasonCode::AnswerNotUsable, said, needed);
        return (vec![failure], None);
    };
    match check(process, &facts.conditions, facts.status, &facts.progress, law.node, law.direction) {
        LegCheck::Admitted { instruction, next, .. } => {
            let inspect = instruction == InstructionKind::ReportToInspection;
            let place = facts.report_to.clone().filter(|_| inspect);
            (Vec::new(), Some(Instruction { kind: instruction, next_node: next.map(|n| n.node), place }))
        }
        LegCheck::Refused { reasons } => {
            (reasons.into_iter().map(|r| failure(law, process, facts, r)).collect(), None)
        }
    }
}

fn failure(law: &Law<'_>, process: &Process, facts: &MissionFacts, reason: Reason) -> Failure {
    let (check, waits) = belongs(reason.code);
    let needed = needed(law, process, facts, reason.code);
    let mut said = Words { en: reason.text, it: reason.text_it };
    if reason.code == ReasonCode::CustomsHeld && !facts.holds.is_empty() {
        let holds: Vec<String> =
            facts.holds.iter().map(|h| format!("{}: {}", h.authority, h.reason)).collect();
        let holds = format!(" ({})", holds.join("; "));
        said.en.push_str(&holds);
        said.it.push_str(&holds);
    }
    if let (ReasonCode::CustomsInspection, Some(place)) = (reason.code, &facts.report_to) {
        said.en.push_str(&format!(" at {place}"));
        said.it.push_str(&format!(" presso {place}"));
    }
    let failure = Failure::new(check, reason.code, said, needed);
    if waits { failure.waiting() } else { failure }
}

/// The check that a leg's reason belongs to, and whether waiting can help (B40).
fn belongs(code: ReasonCode) -> (CheckKind, bool) {
    match code {
        ReasonCode::CustomsHeld
        | ReasonCode::CustomsPending
        | ReasonCode::CustomsInspection
        | ReasonCode::CustomsUnknown => (CheckKind::CustomsStatus, true),
        ReasonCode::CustomsRefused => (CheckKind::CustomsStatus, false),
        ReasonCode::AccessPermissionMissing
        | ReasonCode::BoardingTicketMissing
        | ReasonCode::DeclarationMissing => (CheckKind::Conditions, true),
        ReasonCode::WrongBerth => (CheckKind::Conditions, false),
        ReasonCode::WrongNode | ReasonCode::ExceptionNotAuthorised => (CheckKind::Path, false),
        // A leg gives none of these; each would ask for a person.
        ReasonCode::AllChecksPassed
        | ReasonCode::NoIdentity
        | ReasonCode::IdentityTooWeak
        | ReasonCode::IdentityConflict
        | ReasonCode::IdentityMismatch
        | ReasonCode::MissionAmbiguous
        | ReasonCode::NoMission
        | ReasonCode::CentralSilent
        | ReasonCode::AnswerNotUsable
        | ReasonCode::MissionEnded
        | ReasonCode::WeightUnknown
        | ReasonCode::WeightMismatch
        | ReasonCode::DeviceFault
        | ReasonCode::LaneClosed
        | ReasonCode::OperatorDecision
        | ReasonCode::ReleaseExpired
        | ReasonCode::PermitExpired
        | ReasonCode::PermitUsed
        | ReasonCode::PermitRevoked
        | ReasonCode::PermitTimeUnknown
        | ReasonCode::GatePassForged
        | ReasonCode::GatePassForeign
        | ReasonCode::GatePassExpired
        | ReasonCode::GatePassUsed
        | ReasonCode::GatePassMismatch
        | ReasonCode::GatePassMissing
        | ReasonCode::TagPlateMismatch
        | ReasonCode::EmptinessMismatch
        | ReasonCode::AdrMismatch
        | ReasonCode::SealBroken
        | ReasonCode::SealMismatch
        | ReasonCode::ScanNotValidated
        | ReasonCode::ScanAlarm
        | ReasonCode::TrackingLost
        | ReasonCode::OutsideAppointment
        | ReasonCode::WatchListed
        | ReasonCode::FactMissing
        | ReasonCode::OperatorMustConfirm => (CheckKind::Path, false),
    }
}

fn needed(law: &Law<'_>, process: &Process, facts: &MissionFacts, code: ReasonCode) -> Words {
    let node = law.node;
    if belongs(code).0 == CheckKind::CustomsStatus {
        let here = process.legs.values().find(|l| l.node == *node && l.direction == law.direction);
        let admit: Vec<&str> = here.map(|l| l.admit.iter().map(|s| status(*s)).collect()).unwrap_or_default();
        let admit = if admit.is_empty() { "released".to_owned() } else { admit.join(" | ") };
        return say(format!("customs status {admit}"), format!("stato doganale {admit}"));
    }
    if code == ReasonCode::AccessPermissionMissing {
        return say("the access permission", "il permesso di accesso");
    }
    if code == ReasonCode::BoardingTicketMissing {
        return say("the boarding ticket", "il biglietto d'imbarco");
    }
    if code == ReasonCode::WrongBerth {
        return say(format!("the ship at node {node}"), format!("la nave al nodo {node}"));
    }
    if code == ReasonCode::DeclarationMissing {
        let kinds: Vec<String> =
            process.declarations.iter().map(|d| format!("{d:?}").to_lowercase()).collect();
        let kinds = kinds.join(" | ");
        return say(format!("a declaration: {kinds}"), format!("una dichiarazione: {kinds}"));
    }
    if code == ReasonCode::ExceptionNotAuthorised {
        return say(
            "an authorised exception, with reason and name",
            "un'eccezione autorizzata, con motivo e nome",
        );
    }
    let mut names: Vec<String> = next_legs(process, &facts.progress)
        .iter()
        .filter(|n| !n.is_exceptional() || facts.conditions.exception.is_some())
        .map(|n| n.rule.node.to_string())
        .collect();
    names.dedup();
    let names = names.join(" | ");
    say(format!("a pass at node {names}"), format!("un passaggio al nodo {names}"))
}

fn status(status: CustomsStatus) -> &'static str {
    match status {
        CustomsStatus::Released => "released",
        CustomsStatus::Held => "held",
        CustomsStatus::Inspection => "inspection",
        CustomsStatus::Pending => "pending",
        CustomsStatus::Refused => "refused",
        CustomsStatus::Unknown => "unknown",
    }
}
