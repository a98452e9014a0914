//! The policy table, generated: every combination of identity, weight, status, leg, conditions, profile
//! and mode, against rules of the test's own; each refusal's counterfactual is tried.

use crate::cases::{Whole, answered, read};
use crate::site::{TRACTOR, TRAILER, legs};
use gate_core::policy::decide_again;
use gate_core::policy::{Issued, Law};
use gate_types::decision::{Basis, Outcome};
use gate_types::identity::Slot;
use gate_types::mission::CustomsStatus;
use gate_types::rules::{CheckKind, LaneRules, Profile, RuleMode};
use gate_types::verdict::{ReasonCode, Verdict};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Both,
    One,
    None,
    Contradiction,
    Conflict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weighed {
    NoRule,
    Good,
    Missing,
    Heavy,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    seen: Seen,
    weighed: Weighed,
    status: CustomsStatus,
    ended: bool,
    right_node: bool,
    permission: bool,
    profile: Profile,
    mode: RuleMode,
}

const STATUSES: [CustomsStatus; 6] = [
    CustomsStatus::Released,
    CustomsStatus::Held,
    CustomsStatus::Inspection,
    CustomsStatus::Pending,
    CustomsStatus::Refused,
    CustomsStatus::Unknown,
];

fn whole(row: Row) -> Whole {
    let mut w = Whole::good();
    let tractor = read(Slot::TractorPlate, TRACTOR, 0.97);
    w.identity.slots = match row.seen {
        Seen::Both => vec![tractor, read(Slot::TrailerPlate, TRAILER, 0.96)],
        Seen::One => vec![tractor],
        Seen::None => vec![],
        Seen::Contradiction => vec![tractor, read(Slot::TrailerPlate, "ZZ999ZZ", 0.95)],
        Seen::Conflict => {
            let mut trailer = read(Slot::TrailerPlate, TRAILER, 0.96);
            trailer.conflict = true;
            vec![tractor, trailer]
        }
    };
    match row.weighed {
        Weighed::NoRule => w.weight = None,
        Weighed::Good => {}
        Weighed::Missing => w.identity.weight = None,
        Weighed::Heavy => w.identity.weight.as_mut().unwrap().vehicle_gross_kg = 39_000.0,
    }
    let facts = w.facts();
    facts.status = row.status;
    facts.ended = row.ended;
    facts.conditions.access_permission = row.permission;
    if !row.right_node {
        facts.progress = legs(&["1-in"]);
    }
    w.set.profile = row.profile;
    w.mode = row.mode;
    w
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for seen in [Seen::Both, Seen::One, Seen::None, Seen::Contradiction, Seen::Conflict] {
        for weighed in [Weighed::NoRule, Weighed::Good, Weighed::Missing, Weighed::Heavy] {
            for status in STATUSES {
                for bits in 0..8u8 {
                    let (ended, right_node, permission) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
                    for profile in [Profile::Standard, Profile::Trusted, Profile::Attended, Profile::Closed] {
                        for mode in [RuleMode::Live, RuleMode::Advisory, RuleMode::Shadow] {
                            rows.push(Row {
                                seen,
                                weighed,
                                status,
                                ended,
                                right_node,
                                permission,
                                profile,
                                mode,
                            });
                        }
                    }
                }
            }
        }
    }
    rows
}

/// What the table should say, told anew: codes, each with whether waiting may help.
fn wanted(row: Row) -> Vec<(ReasonCode, bool)> {
    use ReasonCode as R;
    let mut codes = Vec::new();
    if row.profile == Profile::Closed {
        return vec![(R::LaneClosed, false)];
    }
    match row.seen {
        Seen::Both => {}
        Seen::One | Seen::None => codes.push((R::IdentityTooWeak, false)),
        Seen::Contradiction => codes.extend([(R::IdentityMismatch, false), (R::IdentityTooWeak, false)]),
        Seen::Conflict => codes.push((R::IdentityConflict, false)),
    }
    // Both plates are optical; a trusted lane wants a tag as well.
    if row.profile == Profile::Trusted && matches!(row.seen, Seen::Both | Seen::Conflict) {
        codes.push((R::IdentityTooWeak, false));
    }
    match row.weighed {
        Weighed::NoRule | Weighed::Good => {}
        Weighed::Missing => codes.push((R::WeightUnknown, false)),
        Weighed::Heavy => codes.push((R::WeightMismatch, false)),
    }
    if row.ended {
        codes.push((R::MissionEnded, false));
    } else if !row.right_node {
        codes.push((R::WrongNode, false));
    } else {
        if !row.permission {
            codes.push((R::AccessPermissionMissing, true));
        }
        match row.status {
            CustomsStatus::Released => {}
            CustomsStatus::Held => codes.push((R::CustomsHeld, true)),
            CustomsStatus::Inspection => codes.push((R::CustomsInspection, true)),
            CustomsStatus::Pending => codes.push((R::CustomsPending, true)),
            CustomsStatus::Unknown => codes.push((R::CustomsUnknown, true)),
            CustomsStatus::Refused => codes.push((R::CustomsRefused, false)),
        }
    }
    if codes.is_empty() && (row.mode == RuleMode::Advisory || row.profile == Profile::Attended) {
        codes.push((R::OperatorMustConfirm, false));
    }
    codes
}

/// Puts right what one check found.
fn repair(row: &mut Row, check: Option<CheckKind>) {
    match check {
        None => (row.profile, row.mode) = (Profile::Standard, RuleMode::Live),
        Some(CheckKind::IdentityConflict | CheckKind::IdentityMatch) => {
            row.seen = Seen::Both;
            row.profile = Profile::Standard;
        }
        Some(CheckKind::Weight) => row.weighed = Weighed::Good,
        Some(CheckKind::Mission) => row.ended = false,
        Some(CheckKind::Path) => row.right_node = true,
        Some(CheckKind::Conditions) => row.permission = true,
        Some(CheckKind::CustomsStatus) => row.status = CustomsStatus::Released,
        Some(other) => panic!("no row breaks {other:?}"),
    }
}

#[test]
fn every_row_of_the_table_is_as_the_rules_say() {
    let rows = rows();
    let mut admitted = 0;
    for row in &rows {
        let w = whole(*row);
        let decision = w.decide();
        let codes: Vec<ReasonCode> = decision.verdict.reasons().iter().map(|r| r.code).collect();
        let wanted = wanted(*row);
        assert_eq!(codes, wanted.iter().map(|c| c.0).collect::<Vec<_>>(), "{row:?}");
        match &decision.verdict {
            Verdict::Admit { .. } => {
                admitted += 1;
                assert!(wanted.is_empty());
            }
            Verdict::Hold { .. } => assert!(wanted.iter().all(|c| c.1) && !wanted.is_empty(), "{row:?}"),
            Verdict::Refer { .. } => assert!(wanted.iter().any(|c| !c.1), "{row:?}"),
        }
        for reason in decision.verdict.reasons() {
            assert!(!reason.text.is_empty() && !reason.text_it.is_empty(), "{reason:?}");
        }
        let needed: Vec<ReasonCode> = decision.record.would_admit.iter().map(|n| n.code).collect();
        assert_eq!(needed, codes, "each reason says what would have passed: {row:?}");
        assert!(decision.record.would_admit.iter().all(|n| !n.needed.is_empty() && !n.needed_it.is_empty()));
        let failed: BTreeSet<CheckKind> =
            decision.record.checks.iter().filter(|c| c.outcome == Outcome::Failed).map(|c| c.check).collect();
        let named: BTreeSet<CheckKind> = decision.record.would_admit.iter().filter_map(|n| n.check).collect();
        if row.profile != Profile::Closed {
            assert_eq!(failed, named, "{row:?}");
        }
    }
    println!("{} rows, {admitted} admit", rows.len());
    assert!(admitted > 0 && rows.len() == 5 * 4 * 6 * 8 * 4 * 3);
}

#[test]
fn what_would_have_admitted_admits_and_nothing_less_does() {
    let mut tried = 0;
    for row in rows().into_iter().filter(|r| r.mode != RuleMode::Shadow) {
        let decision = whole(row).decide();
        let checks: BTreeSet<Option<CheckKind>> =
            decision.record.would_admit.iter().map(|n| n.check).collect();
        for left_out in &checks {
            // One row's readings stand for both checks of identity: putting one right puts the other right.
            let reading = [Some(CheckKind::IdentityConflict), Some(CheckKind::IdentityMatch)];
            let same = reading.contains(left_out) && reading.iter().all(|c| checks.contains(c));
            if checks.len() > 1 && !same {
                let mut less = row;
                checks.iter().filter(|c| *c != left_out).for_each(|c| repair(&mut less, *c));
                assert!(!whole(less).decide().verdict.admits(), "{row:?} without {left_out:?}");
            }
        }
        // What a first refusal hides may refuse next: a closed lane, an ended mission, a wrong node.
        let mut fixed = row;
        for _ in 0..4 {
            let next = whole(fixed).decide();
            next.record.would_admit.iter().for_each(|n| repair(&mut fixed, n.check));
        }
        assert!(whole(fixed).decide().verdict.admits(), "{row:?} -> {fixed:?}");
        tried += 1;
    }
    println!("{tried} counterfactuals tried");
}

#[test]
fn words_that_are_no_mission_never_admit_whatever_else_is_right() {
    let bases = [
        (Basis::Ambiguous { nonce: "n".into(), missions: vec![] }, "refer", ReasonCode::MissionAmbiguous),
        (Basis::Nothing { nonce: "n".into(), near: vec![] }, "refer", ReasonCode::NoMission),
        (Basis::Silent { why: "timed out".into() }, "hold", ReasonCode::CentralSilent),
        (Basis::NotUsable { why: "wrong key".into() }, "hold", ReasonCode::AnswerNotUsable),
        (Basis::Unread { identify_ms: 6_000 }, "refer", ReasonCode::NoIdentity),
        (
            Basis::Operator { name: "Rossi".into(), reason: "papers".into() },
            "refer",
            ReasonCode::OperatorDecision,
        ),
    ];
    for row in rows().into_iter().filter(|r| r.profile != Profile::Closed) {
        for (basis, word, code) in &bases {
            let mut w = whole(row);
            w.basis = basis.clone();
            let verdict = w.decide().verdict;
            assert!(verdict.reasons().iter().any(|r| r.code == *code), "{basis:?} {row:?}");
            let found = if matches!(verdict, Verdict::Hold { .. }) { "hold" } else { "refer" };
            assert_eq!(found, *word, "{basis:?} {row:?} {verdict:?}");
        }
    }
    let mut bare = Whole::good();
    bare.facts = None;
    assert!(!bare.decide().verdict.admits(), "a mission without its facts admits nobody");
}

#[test]
fn a_recorded_decision_is_taken_again_byte_for_byte() {
    let (rule, processes, node) =
        (crate::site::identity_rule(), crate::site::processes(), crate::site::node("6"));
    for row in rows().into_iter().step_by(7) {
        let w = whole(row);
        let first = w.decide();
        let rules = LaneRules {
            node: node.clone(),
            direction: gate_types::mission::Direction::In,
            mode: w.mode,
            acting: w.set.clone(),
            beside: Vec::new(),
            identity: rule.clone(),
            weight: w.weight,
            processes: processes.clone(),
            confusions: BTreeMap::new(),
        };
        let (acting, beside) = Issued::of(&rules);
        let law = Law::of(&rules, &acting, &beside);
        let again = decide_again(&law, &w.identity, w.facts.as_ref(), &first.record);
        assert_eq!(format!("{again:?}"), format!("{first:?}"));
    }
}

#[test]
fn a_set_beside_is_recorded_and_changes_nothing() {
    let mut strict = Whole::good().set;
    strict.id = "strict".into();
    strict.mode = RuleMode::Shadow;
    strict.profile = Profile::Trusted;
    let alone = Whole::good().decide();
    let with = Whole::good().decide_beside(&[Issued::new(strict)]);
    assert_eq!(alone.verdict, with.verdict);
    assert!(with.verdict.admits());
    assert_eq!(with.record.beside.len(), 1);
    assert!(!with.record.beside[0].verdict.admits());
    assert_eq!(with.record.beside[0].rule_set.id, "strict");
}

#[test]
fn the_expectation_helps_only_where_rules_say_so_and_says_when_it_decided() {
    let mut w = Whole::good();
    w.identity.slots[1] = read(Slot::TrailerPlate, TRAILER, 0.7);
    assert!(!w.decide().verdict.admits());
    assert!(w.decide().record.expectation.is_none());
    let matching = w.set.checks.iter_mut().find(|c| c.kind == CheckKind::IdentityMatch).unwrap();
    matching.expectation_odds = Some(10.0);
    let decision = w.decide();
    assert!(decision.verdict.admits());
    let expectation = decision.record.expectation.unwrap();
    assert!(expectation.decisive && expectation.slots == [Slot::TrailerPlate]);
    w.basis = answered();
    w.identity.slots[1] = read(Slot::TrailerPlate, "ZZ999ZZ", 0.95);
    assert!(!w.decide().verdict.admits(), "no expectation makes another plate the right one");
}

#[test]
fn tag_and_plate_of_two_vehicles_are_a_finding() {
    let mut w = Whole::good();
    w.identity.slots[0] = read(Slot::TractorPlate, "ZZ999ZZ", 0.97);
    w.identity.slots.push(read(Slot::VehicleTag, "3414abcd", 0.98));
    let codes: Vec<ReasonCode> = w.decide().verdict.reasons().iter().map(|r| r.code).collect();
    assert!(codes.contains(&ReasonCode::TagPlateMismatch), "{codes:?}");
    w.set.profile = Profile::Trusted;
    w.identity.slots[0] = read(Slot::TractorPlate, TRACTOR, 0.97);
    assert!(w.decide().verdict.admits(), "trusted: a plate and a tag that both match");
}

#[test]
fn unsettled_letters_of_a_blind_group_identify_nothing() {
    let mut w = Whole::good();
    let mut unit = read(Slot::Itu, "CSQU3054383", 0.9);
    w.identity.slots[1] = unit.clone();
    assert!(w.decide().verdict.admits());
    unit.blind = true;
    w.identity.slots[1] = unit;
    let verdict = w.decide().verdict;
    assert!(!verdict.admits());
    assert!(verdict.reasons()[0].text.contains("check digit alone"), "{verdict:?}");
}
