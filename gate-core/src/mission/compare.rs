//! One mission, one identity: what is read at a node compared with what the mission began with (B10, T27, T32,
//! T38, T44). A misread character is no drift; a conflict between strong readings is never averaged away.

use super::plan::Habits;
use crate::fusion::look_alike;
use gate_types::api::AlarmKind;
use gate_types::circumstances::{Circumstances, SealState};
use gate_types::decision::{CheckResult, Outcome};
use gate_types::identity::{Identity, Slot};
use gate_types::mission::{CustomsStatus, Direction, LegRef};
use gate_types::release::Expected;
use gate_types::rules::CheckKind;

/// A reading below this probability says nothing about another identity.
const SURE: f64 = 0.95;

/// What one pass of a mission told.
#[derive(Debug, Clone, Copy)]
pub struct PassTold<'a> {
    /// Where, and which way.
    pub leg: &'a LegRef,
    /// What was read.
    pub identity: &'a Identity,
    /// Customs' word at that moment.
    pub status: CustomsStatus,
    /// Where it had to report, if it had to.
    pub report_to: Option<&'a str>,
    /// What else was known of load and seal.
    pub circumstances: &'a Circumstances,
    /// The checks of the decision that let it pass; none where nobody decided.
    pub checks: Option<&'a [CheckResult]>,
    /// The checks that must have been made here.
    pub required: &'a [CheckKind],
    /// Its mission ends here by leaving the port.
    pub leaves: bool,
}

/// What differs at one pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The kind of alarm.
    pub kind: AlarmKind,
    /// Which fact, for the alarm's name: the same fact at the same pass is the same alarm.
    pub fact: String,
    /// In words, with both values.
    pub text: String,
    /// How probable it is that an officer is needed (0..1).
    pub suspicion: f64,
}

/// What a mission is held against: what was declared, and what its earlier passes showed where nothing was.
#[derive(Debug, Clone, Default)]
pub struct Reference {
    slots: Vec<(Slot, Vec<String>, String)>,
    weight: Option<(f64, String)>,
}

impl Reference {
    /// From what was declared.
    pub fn declared(expected: &Expected) -> Self {
        let mut slots = Vec::new();
        let mut known = |slot, values: Vec<String>| {
            if !values.is_empty() {
                slots.push((slot, values, "as declared".to_owned()));
            }
        };
        known(Slot::TractorPlate, expected.tractor_plate.iter().cloned().collect());
        known(Slot::TrailerPlate, expected.trailer_plate.iter().cloned().collect());
        known(Slot::VehicleTag, expected.vehicle_tag.iter().cloned().collect());
        known(Slot::Itu, expected.itus.clone());
        Self { slots, weight: None }
    }

    fn values(&self, slot: Slot) -> Option<(&[String], &str)> {
        self.slots.iter().find(|(s, _, _)| *s == slot).map(|(_, v, from)| (v.as_slice(), from.as_str()))
    }

    /// Compares one pass, then takes over what it shows for the first time.
    pub fn compare(&mut self, pass: &PassTold<'_>, habits: &Habits) -> Vec<Difference> {
        let mut found = Vec::new();
        for slot in [Slot::TractorPlate, Slot::TrailerPlate, Slot::Itu, Slot::Itu2, Slot::VehicleTag] {
            self.identity(slot, pass, &mut found);
        }
        self.seal(pass, &mut found);
        self.weight(pass, habits, &mut found);
        if pass.leaves && pass.status == CustomsStatus::Inspection {
            let place = pass.report_to.unwrap_or("the inspection");
            found.push(Difference {
                kind: AlarmKind::LeftWithoutReporting,
                fact: "report".into(),
                text: format!("it had to report to {place} and left the port by node {}", pass.leg.node),
                suspicion: 0.98,
            });
        }
        for check in pass.required {
            let made = pass.checks.is_some_and(|checks| {
                checks.iter().any(|c| c.check == *check && c.outcome != Outcome::NotApplicable)
            });
            if !made {
                let name = check.name();
                found.push(Difference {
                    kind: AlarmKind::RequiredCheckMissing,
                    fact: format!("check/{name}"),
                    text: format!("node {} demands the check `{name}`, and it was not made", pass.leg.node),
                    suspicion: 0.9,
                });
            }
        }
        found
    }

    fn identity(&mut self, slot: Slot, pass: &PassTold<'_>, found: &mut Vec<Difference>) {
        let Some(evidence) = pass.identity.slot(slot) else { return };
        let Some(best) = evidence.candidates.first() else { return };
        if best.probability < SURE || evidence.conflict || evidence.blind {
            return;
        }
        // A second unit stands beside the first: both are compared with all that is known.
        let base = if slot == Slot::Itu2 { Slot::Itu } else { slot };
        let Some((values, from)) = self.values(base) else {
            self.slots.push((base, vec![best.value.clone()], seen_at(pass.leg)));
            return;
        };
        // A unit's code has a check digit: there, another letter is another unit.
        let same = |known: &String| match base {
            Slot::TractorPlate | Slot::TrailerPlate => look_alike(known, &best.value),
            Slot::Itu
            | Slot::Itu2
            | Slot::VehicleTag
            | Slot::ContainerTag
            | Slot::Seal
            | Slot::Adr
            | Slot::GatePass => known.eq_ignore_ascii_case(&best.value),
        };
        if values.iter().any(same) {
            return;
        }
        // One character beside it is a misread, unless two sources say so or a check digit vouches for it.
        let settled = best.support.len() > 1 || base == Slot::Itu || base == Slot::VehicleTag;
        if !settled && values.iter().any(|known| one_apart(known, &best.value)) {
            return;
        }
        found.push(Difference {
            kind: AlarmKind::IdentityDrift,
            fact: format!("slot/{}", slot_name(slot)),
            text: format!(
                "{} {} was read at node {}, {} {from}",
                slot_name(slot),
                best.value,
                pass.leg.node,
                values.join(" and "),
            ),
            suspicion: best.probability.min(0.99),
        });
    }

    fn seal(&mut self, pass: &PassTold<'_>, found: &mut Vec<Difference>) {
        let mut tell = |text: String, suspicion| {
            found.push(Difference { kind: AlarmKind::SealChanged, fact: "seal".into(), text, suspicion });
        };
        if let Some(seal) = &pass.circumstances.seal
            && seal.state == SealState::Broken
        {
            tell(format!("the seal was reported broken at node {}", pass.leg.node), 0.97);
            return;
        }
        let declared = pass.circumstances.seal.as_ref().map(|s| s.numbers.clone()).filter(|n| !n.is_empty());
        let Some(evidence) = pass.identity.slot(Slot::Seal) else { return };
        let Some(best) = evidence.candidates.first().filter(|c| c.probability >= SURE) else { return };
        let known = declared.map(|n| (n, "as declared".to_owned()));
        let known = known.or_else(|| self.values(Slot::Seal).map(|(v, from)| (v.to_vec(), from.to_owned())));
        match known {
            None => self.slots.push((Slot::Seal, vec![best.value.clone()], seen_at(pass.leg))),
            Some((values, from)) if !values.iter().any(|v| v.eq_ignore_ascii_case(&best.value)) => tell(
                format!(
                    "seal {} was read at node {}, {} {from}",
                    best.value,
                    pass.leg.node,
                    values.join(" and ")
                ),
                best.probability.min(0.97),
            ),
            Some(_) => {}
        }
    }

    fn weight(&mut self, pass: &PassTold<'_>, habits: &Habits, found: &mut Vec<Difference>) {
        let Some(weight) = &pass.identity.weight else { return };
        let now_kg = weight.vehicle_gross_kg;
        let Some((first_kg, from)) = &self.weight else {
            self.weight = Some((now_kg, seen_at(pass.leg)));
            return;
        };
        let allowed_kg = (first_kg * habits.weight_share).max(habits.weight_kg);
        let drift_kg = now_kg - first_kg;
        if drift_kg.abs() > allowed_kg {
            found.push(Difference {
                kind: AlarmKind::WeightDrift,
                fact: "weight".into(),
                text: format!(
                    "{now_kg:.0} kg at node {}, {first_kg:.0} kg {from}: {drift_kg:+.0} kg, {allowed_kg:.0} kg are explained by scales and fuel",
                    pass.leg.node
                ),
                suspicion: (0.5 + 0.5 * (1.0 - allowed_kg / drift_kg.abs())).min(0.97),
            });
        }
    }
}

fn seen_at(leg: &LegRef) -> String {
    let way = match leg.direction {
        Direction::In => "in",
        Direction::Out => "out",
    };
    format!("at node {} ({way}) before", leg.node)
}

/// One character replaced, or one missing.
fn one_apart(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len() == b.len() {
        return a.iter().zip(&b).filter(|(x, y)| x != y).count() <= 1;
    }
    let (short, long) = if a.len() < b.len() { (&a, &b) } else { (&b, &a) };
    short.len() + 1 == long.len()
        && (0..long.len())
            .any(|k| long.iter().enumerate().filter(|(i, _)| *i != k).map(|(_, c)| c).eq(short.iter()))
}

fn slot_name(slot: Slot) -> &'static str {
    match slot {
        Slot::TractorPlate => "tractor plate",
        Slot::TrailerPlate => "trailer plate",
        Slot::Itu => "load unit",
        Slot::Itu2 => "second load unit",
        Slot::VehicleTag => "vehicle tag",
        Slot::ContainerTag => "container tag",
        Slot::Seal => "seal",
        Slot::Adr => "dangerous-goods panel",
        Slot::GatePass => "gate pass",
    }
}
