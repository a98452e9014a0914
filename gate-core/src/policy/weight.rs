//! Measured against declared weight, with the instrument's own uncertainty (T27, D30).

use super::failure::{Failure, not_stated, say};
use super::table::Found;
use super::{Case, Law};
use gate_types::circumstances::TareSource;
use gate_types::decision::WeightFinding;
use gate_types::release::MissionFacts;
use gate_types::rules::{Check, CheckKind};
use gate_types::verdict::ReasonCode;

/// Goods up to this weight count as none where the rules name no other, kilograms.
const EMPTY_MAX_KG: f64 = 1_500.0;

/// The uncertainty in service of a class III instrument with verification interval `e`: twice the error
/// allowed at verification, which is 0.5 e up to 500 e, 1 e up to 2000 e and 1.5 e beyond (OIML R76, 3.5).
pub(super) fn uncertainty_kg(gross_kg: f64, interval_kg: f64) -> f64 {
    if interval_kg.is_nan() || interval_kg <= 0.0 {
        return 0.0;
    }
    let intervals = gross_kg / interval_kg;
    let steps = if intervals <= 500.0 {
        0.5
    } else if intervals <= 2_000.0 {
        1.0
    } else {
        1.5
    };
    2.0 * steps * interval_kg
}

/// The weight as it is judged; none where nothing was weighed.
pub(super) fn finding(law: &Law<'_>, case: &Case<'_>, facts: Option<&MissionFacts>) -> Option<WeightFinding> {
    let gross_kg = case.identity.weight.as_ref()?.vehicle_gross_kg;
    let expected = facts.map(|f| &f.expected);
    let tare_kg = expected.and_then(|e| e.tare_kg);
    let source = facts.and_then(|f| f.circumstances.tare_source).unwrap_or(TareSource::Declared);
    Some(WeightFinding {
        vehicle_gross_kg: gross_kg,
        uncertainty_kg: uncertainty_kg(gross_kg, law.weight.map_or(0.0, |w| w.interval_kg)),
        tare_kg,
        tare_source: tare_kg.map(|_| source),
        derived_cargo_gross_kg: tare_kg.map(|tare| gross_kg - tare),
        declared_cargo_kg: expected.and_then(|e| e.declared_cargo_kg),
    })
}

/// The check of weight; it does not apply where the lane has no rule or nothing is declared.
pub(super) fn against(law: &Law<'_>, check: Option<&Check>, case: &Case<'_>, facts: &MissionFacts) -> Found {
    let Some(rule) = law.weight else { return Found::NotApplicable };
    let demanded = rule.required || check.is_some_and(|c| c.required);
    let Some(weight) = &case.identity.weight else {
        if !demanded {
            return Found::NotApplicable;
        }
        let said = say(
            "the scale gave no stable, plausible weight",
            "la pesa non ha dato un peso stabile e plausibile",
        );
        let needed = say("a stable weight", "un peso stabile");
        return Found::one(Some(Failure::new(CheckKind::Weight, ReasonCode::WeightUnknown, said, needed)));
    };
    let expected = &facts.expected;
    let (Some(tare_kg), Some(cargo_kg)) = (expected.tare_kg, expected.declared_cargo_kg) else {
        let missing = check.is_some_and(|c| c.required);
        return if missing {
            Found::one(Some(not_stated(CheckKind::Weight, "tare and declared goods", "tara e merce")))
        } else {
            Found::NotApplicable
        };
    };
    let share = check.and_then(|c| c.tolerance_share).unwrap_or(rule.tolerance_share);
    let least_kg = check.and_then(|c| c.tolerance_kg).unwrap_or(rule.tolerance_kg);
    let (measured_kg, gross_kg) = (weight.vehicle_gross_kg, tare_kg + cargo_kg);
    let allowed_kg = (share * gross_kg).max(least_kg) + uncertainty_kg(measured_kg, rule.interval_kg);
    let difference_kg = (measured_kg - gross_kg).abs();
    if difference_kg <= allowed_kg {
        return Found::Passed;
    }
    let said = say(
        format!(
            "measured {measured_kg:.0} kg, declared {gross_kg:.0} kg (tare {tare_kg:.0} kg and goods {cargo_kg:.0} \
             kg); {difference_kg:.0} kg apart, {allowed_kg:.0} kg are allowed"
        ),
        format!(
            "misurati {measured_kg:.0} kg, dichiarati {gross_kg:.0} kg (tara {tare_kg:.0} kg e merce {cargo_kg:.0} \
             kg); differenza {difference_kg:.0} kg, ammessi {allowed_kg:.0} kg"
        ),
    );
    let (low, high) = (gross_kg - allowed_kg, gross_kg + allowed_kg);
    let needed = say(
        format!("a gross weight of {low:.0} to {high:.0} kg"),
        format!("un peso lordo da {low:.0} a {high:.0} kg"),
    );
    Found::one(Some(Failure::new(CheckKind::Weight, ReasonCode::WeightMismatch, said, needed)))
}

/// Declared empty weighs empty, declared loaded does not (T27).
pub(super) fn emptiness(
    law: &Law<'_>,
    check: Option<&Check>,
    case: &Case<'_>,
    facts: &MissionFacts,
) -> Found {
    let demanded = check.is_some_and(|c| c.required);
    let Some(empty) = facts.circumstances.declared_empty else {
        return if demanded {
            let failure = not_stated(CheckKind::DeclaredEmpty, "empty or loaded", "vuoto o carico");
            Found::one(Some(failure))
        } else {
            Found::NotApplicable
        };
    };
    let finding = finding(law, case, Some(facts));
    let Some((finding, goods_kg)) = finding.and_then(|f| f.derived_cargo_gross_kg.map(|kg| (f, kg))) else {
        return if demanded {
            let failure = not_stated(CheckKind::DeclaredEmpty, "measured weight and tare", "peso e tara");
            Found::one(Some(failure))
        } else {
            Found::NotApplicable
        };
    };
    let most_kg = check.and_then(|c| c.empty_max_kg).unwrap_or(EMPTY_MAX_KG) + finding.uncertainty_kg;
    let (is_empty, word, parola) = if empty {
        (goods_kg <= most_kg, "empty", "vuoto")
    } else {
        (goods_kg > most_kg, "loaded", "carico")
    };
    if is_empty {
        return Found::Passed;
    }
    let said = say(
        format!(
            "declared {word}, and {goods_kg:.0} kg of goods are measured; up to {most_kg:.0} kg count as none"
        ),
        format!(
            "dichiarato {parola}, ma la merce misurata è {goods_kg:.0} kg; fino a {most_kg:.0} kg vale vuoto"
        ),
    );
    let needed = if empty {
        say(format!("at most {most_kg:.0} kg of goods"), format!("al massimo {most_kg:.0} kg di merce"))
    } else {
        say(format!("more than {most_kg:.0} kg of goods"), format!("più di {most_kg:.0} kg di merce"))
    };
    Found::one(Some(Failure::new(CheckKind::DeclaredEmpty, ReasonCode::EmptinessMismatch, said, needed)))
}

#[cfg(test)]
mod tests {
    use super::uncertainty_kg;

    #[test]
    fn uncertainty_follows_the_steps_of_the_class() {
        assert_eq!(uncertainty_kg(35_000.0, 0.0), 0.0);
        assert_eq!(uncertainty_kg(35_000.0, f64::NAN), 0.0);
        assert_eq!(uncertainty_kg(10_000.0, 20.0), 20.0);
        assert_eq!(uncertainty_kg(10_020.0, 20.0), 40.0);
        assert_eq!(uncertainty_kg(40_020.0, 20.0), 60.0);
    }
}
