//! What was read against what the mission expects (T13, T19, D29: never the plate alone).

use super::{CONTRADICTION, Case, reason};
use crate::fusion::look_alike;
use gate_types::identity::{Candidate, Slot};
use gate_types::plate::fold;
use gate_types::release::Expected;
use gate_types::verdict::{Reason, ReasonCode};

/// Strong sources that disagree, slot by slot.
pub(super) fn conflicts(case: &Case<'_>) -> Vec<Reason> {
    let slots = case.rule.slots.iter().filter_map(|s| case.identity.slot(*s));
    slots
        .filter(|s| s.conflict)
        .map(|s| {
            let seen: Vec<String> = s
                .candidates
                .iter()
                .take(3)
                .map(|c| format!("{} ({})", c.value, c.support.join(", ")))
                .collect();
            let text = format!("{}: strong sources disagree: {}", name(s.slot), seen.join(" / "));
            reason(ReasonCode::IdentityConflict, text)
        })
        .collect()
}

/// Too few slots read at all.
pub(super) fn unread(case: &Case<'_>) -> Option<Reason> {
    let read = case.rule.slots.iter().filter(|s| is_read(case, **s)).count();
    let needed = usize::from(case.rule.factors_needed);
    let text = format!("{read} of {needed} needed identifiers were read");
    (read < needed).then(|| reason(ReasonCode::IdentityTooWeak, text))
}

/// The slot's best candidate reaches the lane's threshold.
pub(super) fn is_read(case: &Case<'_>, slot: Slot) -> bool {
    case.identity.best(slot).is_some_and(|c| c.probability >= case.rule.read_threshold)
}

/// Matches and contradictions against the expected values.
pub(super) fn against(case: &Case<'_>, expected: &Expected) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut matches = 0usize;
    let mut open: Vec<String> = Vec::new();
    for slot in &case.rule.slots {
        let values = expected_values(*slot, expected);
        if values.is_empty() {
            open.push(format!("{}: none is expected", name(*slot)));
            continue;
        }
        let Some(evidence) = case.identity.slot(*slot) else {
            open.push(format!("{}: not read", name(*slot)));
            continue;
        };
        let strong = |c: &&Candidate| c.probability >= case.rule.read_threshold;
        let fits = |c: &Candidate| values.iter().any(|v| equal(*slot, &c.value, v));
        if evidence.candidates.iter().filter(strong).any(fits) {
            matches += 1;
            continue;
        }
        let Some(best) = evidence.candidates.first() else { continue };
        let alike = fits(best) || values.iter().any(|v| look_alike(&best.value, &canonical(*slot, v)));
        let seen = format!(
            "{}: read {} at {:.2}, expected {}",
            name(*slot),
            best.value,
            best.probability,
            values.join(" or ")
        );
        if best.probability >= CONTRADICTION && !alike {
            reasons.push(reason(ReasonCode::IdentityMismatch, seen));
        } else {
            open.push(seen);
        }
    }
    let needed = usize::from(case.rule.factors_needed);
    if matches < needed {
        let text = format!("{matches} of {needed} needed identifiers match ({})", open.join("; "));
        reasons.push(reason(ReasonCode::IdentityTooWeak, text));
    }
    reasons
}

/// What the mission expects in a slot. A rigid vehicle shows the same plate at its rear.
fn expected_values(slot: Slot, expected: &Expected) -> Vec<&str> {
    match slot {
        Slot::TractorPlate => expected.tractor_plate.as_deref().into_iter().collect(),
        Slot::TrailerPlate => {
            expected.trailer_plate.as_deref().or(expected.tractor_plate.as_deref()).into_iter().collect()
        }
        Slot::Itu => expected.itus.iter().map(String::as_str).collect(),
        Slot::VehicleTag => expected.vehicle_tag.as_deref().into_iter().collect(),
        Slot::ContainerTag | Slot::Adr => Vec::new(),
    }
}

/// Equal after putting both into canonical form; plates also after folding O, Q as 0 and I as 1.
fn equal(slot: Slot, read: &str, expected: &str) -> bool {
    let expected = canonical(slot, expected);
    match slot {
        Slot::TractorPlate | Slot::TrailerPlate => fold(read) == fold(&expected),
        Slot::Itu | Slot::VehicleTag | Slot::ContainerTag | Slot::Adr => read == expected,
    }
}

fn canonical(slot: Slot, value: &str) -> String {
    match slot {
        Slot::TractorPlate | Slot::TrailerPlate | Slot::Itu => {
            value.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
        }
        Slot::VehicleTag | Slot::ContainerTag => value.to_ascii_lowercase(),
        Slot::Adr => value.to_ascii_uppercase(),
    }
}

fn name(slot: Slot) -> &'static str {
    match slot {
        Slot::TractorPlate => "tractor plate",
        Slot::TrailerPlate => "trailer plate",
        Slot::Itu => "load unit",
        Slot::VehicleTag => "vehicle tag",
        Slot::ContainerTag => "container tag",
        Slot::Adr => "ADR panel",
    }
}
