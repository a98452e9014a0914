//! The policy table, row by row.

use crate::fusion::{read, weight};
use crate::site::{TRACTOR, TRAILER, facts, identity_rule, node, processes, weight_rule};
use gate_core::fusion::Evidence;
use gate_core::policy::{Case, Issued, Law, basis_of, decide};
use gate_types::identity::Identity;
use gate_types::mission::{CustomsStatus, Direction, InstructionKind};
use gate_types::observation::{ReadKind, View};
use gate_types::release::{Finding, Hold, MissionFacts};
use gate_types::rules::{RuleMode, RuleSet};
use gate_types::verdict::{ReasonCode, Verdict};
use gate_types::{Mono, ProcessId};

fn seen(front: &str, rear: &str, gross_kg: Option<f64>) -> Identity {
    let mut e = Evidence::default();
    let plate = |v, t: &str| read(ReadKind::Plate, v, t, 0.97, &[]);
    if !front.is_empty() {
        e.add_read("front", View::Front, &plate(View::Front, front), Mono(0));
    }
    if !rear.is_empty() {
        e.add_read("rear", View::Rear, &plate(View::Rear, rear), Mono(0));
    }
    if let Some(kg) = gross_kg {
        e.add_weight("scale", &weight(kg, true), Mono(0));
    }
    e.fuse(0.8)
}

fn verdict(identity: &Identity, finding: &Finding, weighed: bool) -> Verdict {
    let rule = weight_rule();
    let issued = Issued::new(RuleSet::built_in());
    let law = Law {
        acting: &issued,
        beside: &[],
        mode: RuleMode::Live,
        identity: &identity_rule(),
        weight: weighed.then_some(&rule),
        processes: &processes(),
        node: &node("1"),
        direction: Direction::In,
    };
    let (basis, facts) = basis_of("n", 0, finding);
    let case = Case { identity, basis: &basis, facts: facts.as_deref(), down: &[] };
    decide(&law, &case).verdict
}

fn mission(change: impl FnOnce(&mut MissionFacts)) -> Finding {
    let mut facts = facts();
    change(&mut facts);
    Finding::Mission { facts: Box::new(facts), matched: vec![TRACTOR.into()] }
}

/// `admit`, or `hold`/`refer` with the codes.
fn short(verdict: &Verdict) -> (&'static str, Vec<ReasonCode>) {
    let word = match verdict {
        Verdict::Admit { .. } => "admit",
        Verdict::Hold { .. } => "hold",
        Verdict::Refer { .. } => "refer",
    };
    (word, verdict.reasons().iter().map(|r| r.code).collect())
}

#[test]
fn the_table() {
    use ReasonCode::*;
    let good = seen(TRACTOR, TRAILER, Some(35_100.0));
    let status = |s| mission(|f| f.status = s);
    let rows: Vec<(&str, Identity, Finding, &str, Vec<ReasonCode>)> = vec![
        ("all well", good.clone(), mission(|_| {}), "admit", vec![]),
        (
            "O for 0 in a plate",
            seen("AB123CD", "XA4S6YZ", Some(35_100.0)),
            mission(|_| {}),
            "refer",
            vec![IdentityTooWeak],
        ),
        ("folded glyphs", seen("ABI23CD", TRAILER, Some(35_100.0)), mission(|_| {}), "admit", vec![]),
        ("one factor", seen(TRACTOR, "", Some(35_100.0)), mission(|_| {}), "refer", vec![IdentityTooWeak]),
        (
            "another trailer",
            seen(TRACTOR, "ZZ999ZZ", Some(35_100.0)),
            mission(|_| {}),
            "refer",
            vec![IdentityMismatch, IdentityTooWeak],
        ),
        ("held", good.clone(), status(CustomsStatus::Held), "hold", vec![CustomsHeld]),
        ("pending", good.clone(), status(CustomsStatus::Pending), "hold", vec![CustomsPending]),
        ("unknown", good.clone(), status(CustomsStatus::Unknown), "hold", vec![CustomsUnknown]),
        ("inspection", good.clone(), status(CustomsStatus::Inspection), "hold", vec![CustomsInspection]),
        ("refused", good.clone(), status(CustomsStatus::Refused), "refer", vec![CustomsRefused]),
        ("ended", good.clone(), mission(|f| f.ended = true), "refer", vec![MissionEnded]),
        (
            "elsewhere",
            good.clone(),
            mission(|f| f.progress = crate::site::legs(&["1-in"])),
            "refer",
            vec![WrongNode],
        ),
        (
            "unknown process",
            good.clone(),
            mission(|f| f.process = ProcessId::new("P9").unwrap()),
            "refer",
            vec![AnswerNotUsable],
        ),
        ("no weight", seen(TRACTOR, TRAILER, None), mission(|_| {}), "refer", vec![WeightUnknown]),
        ("too heavy", seen(TRACTOR, TRAILER, Some(37_000.0)), mission(|_| {}), "refer", vec![WeightMismatch]),
        ("within tolerance", seen(TRACTOR, TRAILER, Some(36_700.0)), mission(|_| {}), "admit", vec![]),
        (
            "no mission",
            good.clone(),
            Finding::Nothing { near: vec!["AB123CO".into()] },
            "refer",
            vec![NoMission],
        ),
        ("ambiguous", good.clone(), Finding::Ambiguous { missions: vec![] }, "refer", vec![MissionAmbiguous]),
        (
            "a hold does not hide a referral",
            seen(TRACTOR, TRAILER, Some(39_000.0)),
            status(CustomsStatus::Pending),
            "refer",
            vec![WeightMismatch, CustomsPending],
        ),
    ];
    for (name, identity, finding, word, codes) in rows {
        let found = verdict(&identity, &finding, true);
        assert_eq!(short(&found), (word, codes), "{name}: {found:?}");
        assert!(found.reasons().iter().all(|r| !r.text.is_empty()));
    }
}

#[test]
fn strong_sources_that_disagree_refer() {
    let mut e = Evidence::default();
    for (device, text) in [("front", TRACTOR), ("front-2", "EF456GH")] {
        e.add_read(device, View::Front, &read(ReadKind::Plate, View::Front, text, 0.97, &[]), Mono(0));
    }
    e.add_read("rear", View::Rear, &read(ReadKind::Plate, View::Rear, TRAILER, 0.97, &[]), Mono(0));
    let found = verdict(&e.fuse(0.8), &mission(|_| {}), false);
    assert!(found.reasons().iter().any(|r| r.code == ReasonCode::IdentityConflict), "{found:?}");
}

#[test]
fn a_weaker_contradiction_does_not_block() {
    let mut e = Evidence::default();
    e.add_read("front", View::Front, &read(ReadKind::Plate, View::Front, TRACTOR, 0.97, &[]), Mono(0));
    e.add_read("rear", View::Rear, &read(ReadKind::Plate, View::Rear, TRAILER, 0.97, &[]), Mono(0));
    e.add_read("side", View::Side, &read(ReadKind::Container, View::Side, "MSCU0000005", 0.7, &[]), Mono(0));
    assert!(verdict(&e.fuse(0.8), &mission(|_| {}), false).admits());
}

#[test]
fn the_texts_name_who_holds_and_where_to_report() {
    let good = seen(TRACTOR, TRAILER, Some(35_000.0));
    let held = verdict(
        &good,
        &mission(|f| {
            f.status = CustomsStatus::Held;
            f.holds = vec![Hold { authority: "customs".into(), reason: "documents".into() }];
        }),
        true,
    );
    assert!(held.reasons()[0].text.contains("customs: documents"), "{held:?}");
    let inspect = verdict(
        &good,
        &mission(|f| {
            f.status = CustomsStatus::Inspection;
            f.report_to = Some("shed 4".into());
        }),
        true,
    );
    assert_eq!(inspect.instruction().kind, InstructionKind::ReportToInspection);
    assert_eq!(inspect.instruction().place.as_deref(), Some("shed 4"));
}
