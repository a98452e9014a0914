//! The gate pass in the driver's hand: it holds or it does not, and it is for the mission that was found (T13).
//! A pass that does not hold admits nobody; one that holds is a fact beside the others.

use super::Case;
use super::failure::{Failure, say};
use super::table::Found;
use gate_types::gate_pass::PassFault;
use gate_types::identity::{RefusedPass, Slot};
use gate_types::release::MissionFacts;
use gate_types::rules::{Check, CheckKind};
use gate_types::verdict::ReasonCode;

/// A pass was shown, whether it holds or not.
pub(super) fn is_shown(case: &Case<'_>) -> bool {
    case.identity.refused_pass.is_some() || case.identity.slot(Slot::GatePass).is_some()
}

pub(super) fn judge(check: Option<&Check>, case: &Case<'_>, facts: Option<&MissionFacts>) -> Found {
    if let Some(refused) = &case.identity.refused_pass {
        return Found::one(Some(does_not_hold(refused)));
    }
    let Some(shown) = case.identity.slot(Slot::GatePass) else {
        return match check.filter(|c| c.required && facts.is_some()) {
            Some(_) => Found::one(Some(missing())),
            None => Found::NotApplicable,
        };
    };
    let missions: Vec<&str> = shown.candidates.iter().map(|c| c.value.as_str()).collect();
    let found = facts.map(|f| f.mission.as_str());
    if !shown.conflict && found.is_none_or(|found| missions == [found]) {
        return Found::Passed;
    }
    let missions = missions.join(", ");
    let found = found.unwrap_or_default();
    let said = say(
        format!("the gate pass shown is for {missions}, the vehicle is that of {found}"),
        format!("il lasciapassare esibito è per {missions}, il veicolo è quello di {found}"),
    );
    let needed = say("one gate pass, for this mission", "un solo lasciapassare, per questa missione");
    let said = if found.is_empty() {
        say(
            format!("gate passes of several missions were shown: {missions}"),
            format!("esibiti lasciapassare di più missioni: {missions}"),
        )
    } else {
        said
    };
    Found::one(Some(Failure::new(CheckKind::GatePass, ReasonCode::GatePassMismatch, said, needed)))
}

fn does_not_hold(refused: &RefusedPass) -> Failure {
    let (code, it) = match refused.fault {
        PassFault::Forged => {
            (ReasonCode::GatePassForged, "non è firmato dal sistema centrale di questo porto")
        }
        PassFault::Foreign => (ReasonCode::GatePassForeign, "vale per un altro porto o varco"),
        PassFault::Expired => (ReasonCode::GatePassExpired, "non è valido in questo momento"),
        PassFault::Used => (ReasonCode::GatePassUsed, "è già stato usato"),
    };
    let said = say(
        format!("the gate pass shown does not hold: {}", refused.why),
        format!("il lasciapassare esibito {it}"),
    );
    let needed = say(
        "an unused gate pass that central signed for this gate and this time",
        "un lasciapassare non usato, firmato per questo varco e questo momento",
    );
    Failure::new(CheckKind::GatePass, code, said, needed)
}

fn missing() -> Failure {
    let said = say("no gate pass was shown", "nessun lasciapassare esibito");
    let needed = say("a gate pass shown to the reader", "un lasciapassare esibito al lettore");
    Failure::new(CheckKind::GatePass, ReasonCode::GatePassMissing, said, needed).waiting()
}
