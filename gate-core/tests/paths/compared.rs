//! One mission, one identity: drift, seals, weights, inspections, required checks (T27, T32, T38, T44).

use crate::site::leg;
use gate_core::mission::{Habits, PassTold, Reference};
use gate_types::api::AlarmKind;
use gate_types::circumstances::{Circumstances, SealFact, SealState};
use gate_types::decision::{CheckResult, Outcome};
use gate_types::identity::{Candidate, GrossWeight, Identity, Slot, SlotEvidence};
use gate_types::mission::{CustomsStatus, LegRef};
use gate_types::release::Expected;
use gate_types::rules::CheckKind;

struct Pass {
    leg: LegRef,
    identity: Identity,
    status: CustomsStatus,
    circumstances: Circumstances,
    checks: Option<Vec<CheckResult>>,
    required: Vec<CheckKind>,
    leaves: bool,
}

fn pass(at: &str) -> Pass {
    Pass {
        leg: leg(at),
        identity: Identity::default(),
        status: CustomsStatus::Released,
        circumstances: Circumstances::default(),
        checks: None,
        required: Vec::new(),
        leaves: false,
    }
}

impl Pass {
    fn read(mut self, slot: Slot, value: &str, probability: f64, sources: usize) -> Self {
        let support = (0..sources).map(|k| format!("camera-{k}")).collect();
        let candidates = vec![Candidate { value: value.into(), probability, support }];
        self.identity.slots.push(SlotEvidence {
            slot,
            candidates,
            conflict: false,
            blind: false,
            sources: Vec::new(),
        });
        self
    }
    fn weighing(mut self, kg: f64) -> Self {
        self.identity.weight =
            Some(GrossWeight { vehicle_gross_kg: kg, device: "scale".into(), alibi: None });
        self
    }
    fn told(&self, reference: &mut Reference) -> Vec<(AlarmKind, String)> {
        let told = PassTold {
            leg: &self.leg,
            identity: &self.identity,
            status: self.status,
            report_to: Some("shed 12"),
            circumstances: &self.circumstances,
            checks: self.checks.as_deref(),
            required: &self.required,
            leaves: self.leaves,
        };
        reference.compare(&told, &Habits::default()).into_iter().map(|d| (d.kind, d.text)).collect()
    }
}

fn kinds(found: &[(AlarmKind, String)]) -> Vec<AlarmKind> {
    found.iter().map(|(kind, _)| *kind).collect()
}

fn declared() -> Reference {
    Reference::declared(&Expected {
        tractor_plate: Some("AB123CD".into()),
        itus: vec!["CSQU3054383".into()],
        ..Expected::default()
    })
}

#[test]
fn b10_another_vehicle_or_unit_than_the_mission_s_is_a_drift_and_a_misread_is_not() {
    let drift = |slot, value: &str, probability, sources| {
        kinds(&pass("2-in").read(slot, value, probability, sources).told(&mut declared()))
    };
    assert_eq!(drift(Slot::TractorPlate, "AB123CD", 0.99, 2), []);
    assert_eq!(drift(Slot::TractorPlate, "XY987ZT", 0.99, 2), [AlarmKind::IdentityDrift]);
    assert_eq!(drift(Slot::TractorPlate, "XY987ZT", 0.80, 2), [], "not sure enough to accuse anybody");
    assert_eq!(drift(Slot::TractorPlate, "AB128CD", 0.99, 1), [], "one camera, one character");
    assert_eq!(
        drift(Slot::TractorPlate, "AB128CD", 0.99, 2),
        [AlarmKind::IdentityDrift],
        "two cameras agree"
    );
    assert_eq!(drift(Slot::TractorPlate, "A8123CD", 0.99, 2), [], "B and 8 look alike");
    assert_eq!(drift(Slot::Itu, "CSQU3054383", 0.99, 1), []);
    assert_eq!(drift(Slot::Itu, "CSQU3054399", 0.99, 1), [AlarmKind::IdentityDrift]);
    assert_eq!(drift(Slot::Itu2, "CSQU3054383", 0.99, 1), [], "the unit may be seen in the second place");
}

#[test]
fn what_was_not_declared_is_taken_over_from_the_departure_node() {
    let mut reference = declared();
    assert!(pass("1-in").read(Slot::TrailerPlate, "XA111BB", 0.99, 1).told(&mut reference).is_empty());
    let later = pass("6-in").read(Slot::TrailerPlate, "ZZ999AA", 0.99, 1).told(&mut reference);
    assert_eq!(kinds(&later), [AlarmKind::IdentityDrift]);
    assert!(later[0].1.contains("ZZ999AA") && later[0].1.contains("XA111BB at node 1 (in)"), "{later:?}");
}

#[test]
fn t44_a_seal_that_changes_between_nodes_or_breaks() {
    let mut reference = declared();
    assert!(pass("1-in").read(Slot::Seal, "IT004711", 0.99, 1).told(&mut reference).is_empty());
    assert!(pass("2-in").read(Slot::Seal, "it004711", 0.99, 1).told(&mut reference).is_empty());
    let changed = pass("6-in").read(Slot::Seal, "IT009999", 0.99, 1).told(&mut reference);
    assert_eq!(kinds(&changed), [AlarmKind::SealChanged]);
    let mut broken = pass("6-in");
    broken.circumstances.seal = Some(SealFact { numbers: vec!["IT004711".into()], state: SealState::Broken });
    assert_eq!(kinds(&broken.told(&mut reference)), [AlarmKind::SealChanged]);
    let mut declared_other = pass("6-in").read(Slot::Seal, "IT004711", 0.99, 1);
    declared_other.circumstances.seal =
        Some(SealFact { numbers: vec!["IT5".into()], state: SealState::Intact });
    assert_eq!(
        kinds(&declared_other.told(&mut reference)),
        [AlarmKind::SealChanged],
        "the declaration counts first"
    );
}

#[test]
fn t27_the_weight_drifts_beyond_scales_and_fuel() {
    let drift = |first: f64, then: f64| {
        let mut reference = declared();
        assert!(pass("1-in").weighing(first).told(&mut reference).is_empty());
        kinds(&pass("6-in").weighing(then).told(&mut reference))
    };
    assert_eq!(drift(20_000.0, 20_380.0), [], "2 %");
    assert_eq!(drift(20_000.0, 20_420.0), [AlarmKind::WeightDrift]);
    assert_eq!(drift(20_000.0, 17_500.0), [AlarmKind::WeightDrift]);
    assert_eq!(drift(8_000.0, 8_290.0), [], "300 kg at least");
}

#[test]
fn t32_leaving_without_having_reported() {
    let mut leaving = pass("1-out");
    leaving.status = CustomsStatus::Inspection;
    assert!(leaving.told(&mut declared()).is_empty(), "still inside");
    leaving.leaves = true;
    let told = leaving.told(&mut declared());
    assert_eq!(kinds(&told), [AlarmKind::LeftWithoutReporting]);
    assert!(told[0].1.contains("shed 12"), "{told:?}");
}

#[test]
fn t38_a_required_check_that_was_not_made() {
    let mut one = pass("6-out");
    one.required = vec![CheckKind::Scan];
    assert_eq!(
        kinds(&one.told(&mut declared())),
        [AlarmKind::RequiredCheckMissing],
        "an operator let it pass"
    );
    let with = |outcome| Some(vec![CheckResult { check: CheckKind::Scan, outcome }]);
    one.checks = with(Outcome::NotApplicable);
    assert_eq!(kinds(&one.told(&mut declared())), [AlarmKind::RequiredCheckMissing]);
    one.checks = with(Outcome::Passed);
    assert!(one.told(&mut declared()).is_empty());
}
