//! From failures to a verdict with its instruction, and to what would have admitted.

use super::failure::{Failure, Words, say};
use super::{Case, Judged, plain};
use gate_types::decision::{Basis, Needed};
use gate_types::mission::{CustomsStatus, InstructionKind};
use gate_types::rules::{OnFail, Profile, RuleMode, RuleSet};
use gate_types::verdict::{Instruction, Reason, ReasonCode, Verdict};

/// The verdict with its counterfactual.
pub(super) fn conclude(
    set: &RuleSet,
    mode: RuleMode,
    case: &Case<'_>,
    judged: &Judged,
) -> (Verdict, Vec<Needed>) {
    if let Basis::Operator { name, reason } = case.basis {
        return turned_back(name, reason);
    }
    if set.profile == Profile::Closed {
        return closed();
    }
    let needed = judged.failures.iter().map(needed).collect();
    match &judged.onward {
        Some(instruction) if judged.failures.is_empty() => admitted(set, mode, instruction),
        Some(_) | None => (refused(set, case, &judged.failures), needed),
    }
}

fn admitted(set: &RuleSet, mode: RuleMode, instruction: &Instruction) -> (Verdict, Vec<Needed>) {
    let (en, it) = match (mode, set.profile) {
        (RuleMode::Advisory, _) => ("the rules advise to admit", "le regole consigliano di ammettere"),
        (_, Profile::Attended) => ("the lane is attended", "la corsia è presidiata"),
        (RuleMode::Live | RuleMode::Shadow, Profile::Standard | Profile::Trusted | Profile::Closed) => {
            return (Verdict::Admit { instruction: instruction.clone() }, Vec::new());
        }
    };
    let said = say(
        format!("every check passed; {en}, and an operator confirms"),
        format!("tutti i controlli superati; {it}, conferma un operatore"),
    );
    alone(
        ReasonCode::OperatorMustConfirm,
        said,
        say("an operator's confirmation", "la conferma di un operatore"),
        InstructionKind::CallOperator,
    )
}

fn closed() -> (Verdict, Vec<Needed>) {
    alone(
        ReasonCode::LaneClosed,
        say("the lane's rules admit nobody", "le regole della corsia non ammettono nessuno"),
        say("another profile than `closed`", "un profilo diverso da `closed`"),
        InstructionKind::LaneClosed,
    )
}

fn turned_back(name: &str, why: &str) -> (Verdict, Vec<Needed>) {
    alone(
        ReasonCode::OperatorDecision,
        say(
            format!("{name} turned the vehicle back: {why}"),
            format!("{name} ha fatto tornare indietro il veicolo: {why}"),
        ),
        say("another decision of the operator", "un'altra decisione dell'operatore"),
        InstructionKind::TurnBack,
    )
}

/// A referral for one reason that no check gives.
fn alone(code: ReasonCode, said: Words, needed: Words, kind: InstructionKind) -> (Verdict, Vec<Needed>) {
    let reasons = vec![Reason { code, text: said.en, text_it: said.it }];
    let needed = Needed { check: None, code, needed: needed.en, needed_it: needed.it };
    (Verdict::Refer { reasons, instruction: plain(kind) }, vec![needed])
}

fn refused(set: &RuleSet, case: &Case<'_>, failures: &[Failure]) -> Verdict {
    let reasons: Vec<Reason> = failures.iter().map(Failure::reason).collect();
    let holds = |f: &Failure| {
        let on_fail = set.check(f.check).map_or(OnFail::Refer, |c| c.on_fail);
        f.waits && on_fail == OnFail::Hold
    };
    if reasons.is_empty() || !failures.iter().all(holds) {
        return Verdict::Refer { reasons, instruction: plain(InstructionKind::CallOperator) };
    }
    let report_to =
        case.facts.filter(|f| f.status == CustomsStatus::Inspection).and_then(|f| f.report_to.clone());
    let instruction = match report_to {
        Some(place) => {
            Instruction { kind: InstructionKind::ReportToInspection, next_node: None, place: Some(place) }
        }
        None => plain(InstructionKind::Wait),
    };
    Verdict::Hold { reasons, instruction }
}

fn needed(failure: &Failure) -> Needed {
    Needed {
        check: Some(failure.check),
        code: failure.code,
        needed: failure.needed.en.clone(),
        needed_it: failure.needed.it.clone(),
    }
}

/// True where better reading, and nothing else, can settle the reason.
pub fn settled_by_reading(code: ReasonCode) -> bool {
    match code {
        ReasonCode::NoIdentity
        | ReasonCode::IdentityTooWeak
        | ReasonCode::IdentityConflict
        | ReasonCode::IdentityMismatch
        | ReasonCode::NoMission
        | ReasonCode::MissionAmbiguous
        | ReasonCode::WeightUnknown
        | ReasonCode::WeightMismatch
        | ReasonCode::EmptinessMismatch
        | ReasonCode::AdrMismatch
        | ReasonCode::GatePassForeign
        | ReasonCode::GatePassExpired
        | ReasonCode::GatePassMismatch
        | ReasonCode::GatePassMissing => true,
        ReasonCode::AllChecksPassed
        | ReasonCode::CustomsHeld
        | ReasonCode::CustomsPending
        | ReasonCode::CustomsInspection
        | ReasonCode::CustomsRefused
        | ReasonCode::CustomsUnknown
        | ReasonCode::CentralSilent
        | ReasonCode::AnswerNotUsable
        | ReasonCode::WrongNode
        | ReasonCode::MissionEnded
        | ReasonCode::DeclarationMissing
        | ReasonCode::AccessPermissionMissing
        | ReasonCode::BoardingTicketMissing
        | ReasonCode::WrongBerth
        | ReasonCode::ExceptionNotAuthorised
        | ReasonCode::DeviceFault
        | ReasonCode::LaneClosed
        | ReasonCode::OperatorDecision
        | ReasonCode::ReleaseExpired
        | ReasonCode::PermitExpired
        | ReasonCode::PermitUsed
        | ReasonCode::PermitRevoked
        | ReasonCode::PermitTimeUnknown
        // Who shows a false pass or a used one is looked at, whatever he shows next.
        | ReasonCode::GatePassForged
        | ReasonCode::GatePassUsed
        | ReasonCode::TagPlateMismatch
        | ReasonCode::SealBroken
        | ReasonCode::SealMismatch
        | ReasonCode::ScanNotValidated
        | ReasonCode::ScanAlarm
        | ReasonCode::TrackingLost
        | ReasonCode::OutsideAppointment
        | ReasonCode::WatchListed
        | ReasonCode::FactMissing
        | ReasonCode::OperatorMustConfirm => false,
    }
}
