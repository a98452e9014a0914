//! Measured against declared weight (T27).

use super::{Case, reason};
use gate_types::release::Expected;
use gate_types::verdict::{Reason, ReasonCode};

/// The reasons that weight gives; none where the lane has no rule or nothing is declared.
pub(super) fn against(case: &Case<'_>, expected: &Expected) -> Option<Reason> {
    let rule = case.weight?;
    let Some(weight) = &case.identity.weight else {
        let text = "the scale gave no stable, plausible weight".to_owned();
        return rule.required.then(|| reason(ReasonCode::WeightUnknown, text));
    };
    let (tare_kg, cargo_kg) = (expected.tare_kg?, expected.declared_cargo_kg?);
    let gross_kg = tare_kg + cargo_kg;
    let allowed_kg = (rule.tolerance_share * gross_kg).max(rule.tolerance_kg);
    let difference_kg = (weight.vehicle_gross_kg - gross_kg).abs();
    if difference_kg <= allowed_kg {
        return None;
    }
    let text = format!(
        "measured {:.0} kg, declared {gross_kg:.0} kg (tare {tare_kg:.0} kg and goods {cargo_kg:.0} kg); \
         {difference_kg:.0} kg apart, {allowed_kg:.0} kg are allowed",
        weight.vehicle_gross_kg
    );
    Some(reason(ReasonCode::WeightMismatch, text))
}
