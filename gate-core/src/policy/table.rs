//! The table: each check of a rule set against a case, in one fixed order.

use super::failure::{Failure, say};
use super::{Case, Judged, Law, circumstances, gate_pass, identity, leg, weight};
use gate_types::decision::{Basis, CheckResult, Outcome, PermitFault};
use gate_types::release::MissionFacts;
use gate_types::rules::{Check, CheckKind, RuleSet};
use gate_types::verdict::ReasonCode;

/// What one check found.
pub(super) enum Found {
    Passed,
    NotApplicable,
    Failed(Vec<Failure>),
}

impl Found {
    /// Passed unless something failed.
    pub(super) fn of(failures: Vec<Failure>) -> Self {
        if failures.is_empty() { Found::Passed } else { Found::Failed(failures) }
    }
    pub(super) fn one(failure: Option<Failure>) -> Self {
        Self::of(failure.into_iter().collect())
    }
}

/// Judges a case by one rule set. `expecting`: the expectation may help a reading, if the rules allow it.
pub(super) fn judge(set: &RuleSet, law: &Law<'_>, case: &Case<'_>, expecting: bool) -> Judged {
    let odds = if expecting { identity::odds(set) } else { 1.0 };
    let facts = case.facts;
    let seen = facts.map(|f| identity::against(law, set, case, f, odds));
    let (leg, onward) = match facts {
        Some(facts) => leg::judge(law, facts),
        None => (Vec::new(), None),
    };
    let mut judged = Judged {
        failures: Vec::new(),
        checks: Vec::new(),
        matched: seen.as_ref().map(|s| s.matched.clone()).unwrap_or_default(),
        helped: seen.as_ref().map(|s| s.helped.clone()).unwrap_or_default(),
        weight: weight::finding(law, case, facts),
        onward,
    };
    for kind in CheckKind::ALL {
        // A check that every rule set needs judges also where a file left it out.
        let check = set.check(kind);
        let judges =
            CheckKind::NEEDED.contains(&kind) || (kind == CheckKind::GatePass && gate_pass::is_shown(case));
        if check.is_none() && !judges {
            continue;
        }
        let found = one(kind, check, law, case, facts, seen.as_ref(), &leg);
        let outcome = match &found {
            Found::Passed => Outcome::Passed,
            Found::NotApplicable => Outcome::NotApplicable,
            Found::Failed(_) => Outcome::Failed,
        };
        judged.checks.push(CheckResult { check: kind, outcome });
        if let Found::Failed(failures) = found {
            judged.failures.extend(failures);
        }
    }
    judged
}

fn one(
    kind: CheckKind,
    check: Option<&Check>,
    law: &Law<'_>,
    case: &Case<'_>,
    facts: Option<&MissionFacts>,
    seen: Option<&identity::Seen>,
    leg: &[Failure],
) -> Found {
    let of_leg = || match facts {
        Some(_) => Found::of(leg.iter().filter(|f| f.check == kind).cloned().collect()),
        None => Found::NotApplicable,
    };
    match kind {
        CheckKind::Answer => answer(case),
        CheckKind::IdentityConflict => {
            if case.basis.is_answered() {
                Found::of(identity::conflicts(law, case))
            } else {
                Found::NotApplicable
            }
        }
        CheckKind::IdentityMatch => match (case.basis, seen) {
            (Basis::Unread { identify_ms }, _) => Found::one(Some(identity::nothing(*identify_ms))),
            (Basis::Nothing { .. }, _) => Found::one(identity::unread(law, case)),
            (_, Some(seen)) => Found::of(seen.failures.clone()),
            (_, None) => Found::NotApplicable,
        },
        CheckKind::TagPlate => match facts {
            Some(facts) => identity::tag_against_plate(law, case, facts),
            None => Found::NotApplicable,
        },
        CheckKind::GatePass => gate_pass::judge(check, case, facts),
        CheckKind::Mission => mission(case, facts, leg),
        CheckKind::Path | CheckKind::Conditions | CheckKind::CustomsStatus => of_leg(),
        CheckKind::Weight => match facts {
            Some(facts) => weight::against(law, check, case, facts),
            None => Found::NotApplicable,
        },
        CheckKind::DeclaredEmpty => match facts {
            Some(facts) => weight::emptiness(law, check, case, facts),
            None => Found::NotApplicable,
        },
        CheckKind::ReleaseExpiry
        | CheckKind::Adr
        | CheckKind::Seal
        | CheckKind::Scan
        | CheckKind::Tracking
        | CheckKind::Appointment
        | CheckKind::WatchList => match facts {
            Some(facts) => circumstances::judge(kind, check, law, case, facts),
            None => Found::NotApplicable,
        },
        CheckKind::Devices => devices(case),
    }
}

fn answer(case: &Case<'_>) -> Found {
    let silent = |why: &str| {
        let said = say(
            format!("central gave no answer: {why}"),
            format!("nessuna risposta dal sistema centrale: {why}"),
        );
        let needed = say(
            "central's answer, or an unexpired, unused permit for this unit and node",
            "la risposta del sistema centrale, o un permesso valido e non usato per questa unità e questo nodo",
        );
        Failure::new(CheckKind::Answer, ReasonCode::CentralSilent, said, needed)
    };
    match case.basis {
        Basis::Mission { .. } | Basis::Permit { .. } if case.facts.is_none() => {
            let said = say("central's word names a mission without its facts", "missione senza i suoi dati");
            let needed = say("the mission's facts", "i dati della missione");
            Found::one(Some(Failure::new(CheckKind::Answer, ReasonCode::AnswerNotUsable, said, needed)))
        }
        Basis::Mission { .. } | Basis::Permit { .. } | Basis::Ambiguous { .. } | Basis::Nothing { .. } => {
            Found::Passed
        }
        Basis::Silent { why } => Found::one(Some(silent(why).waiting())),
        Basis::NotUsable { why } => {
            let said = say(
                format!("central's answer is not usable: {why}"),
                format!("la risposta del sistema centrale non è utilizzabile: {why}"),
            );
            let needed = say(
                "an answer that central signed for this question",
                "una risposta firmata dal sistema centrale per questa domanda",
            );
            let failure = Failure::new(CheckKind::Answer, ReasonCode::AnswerNotUsable, said, needed);
            Found::one(Some(failure.waiting()))
        }
        Basis::PermitRefused { permit, fault, why } => {
            Found::of(vec![silent(why).waiting(), refused_permit(permit, *fault)])
        }
        Basis::Unread { .. } | Basis::Operator { .. } => Found::NotApplicable,
    }
}

fn refused_permit(permit: &str, fault: PermitFault) -> Failure {
    let (code, en, it, waits) = match fault {
        PermitFault::Expired => (ReasonCode::PermitExpired, "has expired", "è scaduto", true),
        PermitFault::NotYetValid => {
            (ReasonCode::PermitExpired, "is not valid yet", "non è ancora valido", true)
        }
        PermitFault::Used => (ReasonCode::PermitUsed, "was used before", "è già stato usato", false),
        PermitFault::Revoked => (ReasonCode::PermitRevoked, "was revoked", "è stato revocato", false),
        PermitFault::TimeUnknown => (
            ReasonCode::PermitTimeUnknown,
            "cannot be dated: central's clock was not heard since the start",
            "non è databile: dall'avvio non si conosce l'ora del sistema centrale",
            false,
        ),
    };
    let said = say(format!("permit {permit} {en}"), format!("il permesso {permit} {it}"));
    let needed =
        say("an unexpired, unused permit that can be dated", "un permesso valido, non usato e databile");
    let failure = Failure::new(CheckKind::Answer, code, said, needed);
    if waits { failure.waiting() } else { failure }
}

fn mission(case: &Case<'_>, facts: Option<&MissionFacts>, leg: &[Failure]) -> Found {
    let needed = say(
        "exactly one mission under way for what was read",
        "una sola missione in corso per ciò che è letto",
    );
    let failed = |code, en: String, it: String| {
        Found::one(Some(Failure::new(CheckKind::Mission, code, say(en, it), needed)))
    };
    match (case.basis, facts) {
        (Basis::Ambiguous { missions, .. }, _) => {
            let names: Vec<&str> = missions.iter().map(|m| m.as_str()).collect();
            let names = names.join(", ");
            failed(
                ReasonCode::MissionAmbiguous,
                format!("what was read fits several missions: {names}"),
                format!("ciò che è stato letto corrisponde a più missioni: {names}"),
            )
        }
        (Basis::Nothing { near, .. }, _) => {
            let mut en = "central knows no mission for what was read".to_owned();
            let mut it = "il sistema centrale non conosce missioni per ciò che è stato letto".to_owned();
            if !near.is_empty() {
                en.push_str(&format!("; near ones: {}", near.join(", ")));
                it.push_str(&format!("; simili: {}", near.join(", ")));
            }
            failed(ReasonCode::NoMission, en, it)
        }
        (_, Some(facts)) if facts.ended => failed(
            ReasonCode::MissionEnded,
            format!("mission {} has ended", facts.mission),
            format!("la missione {} è conclusa", facts.mission),
        ),
        (_, Some(_)) => Found::of(leg.iter().filter(|f| f.check == CheckKind::Mission).cloned().collect()),
        (_, None) => Found::NotApplicable,
    }
}

fn devices(case: &Case<'_>) -> Found {
    if !case.basis.is_answered() {
        return Found::NotApplicable;
    }
    let down = case.down.join(", ");
    let failure = (!case.down.is_empty()).then(|| {
        let said = say(
            format!("devices of this lane are down: {down}"),
            format!("dispositivi di questa corsia non funzionanti: {down}"),
        );
        let needed = say(format!("{down} working"), format!("{down} funzionanti"));
        Failure::new(CheckKind::Devices, ReasonCode::DeviceFault, said, needed).waiting()
    });
    Found::one(failure)
}
