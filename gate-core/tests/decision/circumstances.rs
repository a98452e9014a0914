//! Every combination of what central may state beside status and conditions, demanded and not.

use crate::cases::{NOW, Whole, read};
use gate_types::circumstances::{
    Appointment, ScanState, SealFact, SealState, TareSource, TrackingState, WatchMark,
};
use gate_types::identity::Slot;
use gate_types::rules::{CheckKind, OnFail};
use gate_types::verdict::{ReasonCode, Verdict};

/// Facts that a mission may leave unstated.
const DEMANDED: [CheckKind; 6] = [
    CheckKind::ReleaseExpiry,
    CheckKind::DeclaredEmpty,
    CheckKind::Seal,
    CheckKind::Scan,
    CheckKind::Tracking,
    CheckKind::Appointment,
];

/// Applies choice `n` of `of` facts and gives the codes that it should cause, with whether waiting helps.
type Fact = fn(&mut Whole, usize) -> Option<(ReasonCode, bool)>;

fn expiry(w: &mut Whole, n: usize) -> Option<(ReasonCode, bool)> {
    w.facts().circumstances.release_expires_ms = [None, Some(NOW + 1), Some(NOW)][n];
    [Some((ReasonCode::FactMissing, false)), None, Some((ReasonCode::ReleaseExpired, true))][n]
}
fn scan(w: &mut Whole, n: usize) -> Option<(ReasonCode, bool)> {
    use ScanState::{Alarm, ImageReady, NotOrdered, Ordered, Validated};
    w.facts().circumstances.scan =
        [None, Some(NotOrdered), Some(Ordered), Some(ImageReady), Some(Validated), Some(Alarm)][n];
    [
        Some((ReasonCode::FactMissing, false)),
        None,
        Some((ReasonCode::ScanNotValidated, true)),
        Some((ReasonCode::ScanNotValidated, true)),
        None,
        Some((ReasonCode::ScanAlarm, false)),
    ][n]
}
fn seal(w: &mut Whole, n: usize) -> Option<(ReasonCode, bool)> {
    let fact = |state| Some(SealFact { numbers: vec!["AA01".into()], state });
    use SealState::{Broken, Intact, Unknown};
    w.facts().circumstances.seal = [None, fact(Intact), fact(Broken), fact(Unknown), fact(Intact)][n].clone();
    if n == 4 {
        w.identity.slots.push(read(Slot::Seal, "bb02", 0.97));
    }
    [
        Some((ReasonCode::FactMissing, false)),
        None,
        Some((ReasonCode::SealBroken, false)),
        Some((ReasonCode::FactMissing, false)),
        Some((ReasonCode::SealMismatch, false)),
    ][n]
}
fn tracking(w: &mut Whole, n: usize) -> Option<(ReasonCode, bool)> {
    w.facts().circumstances.tracking =
        [None, Some(TrackingState::Live), Some(TrackingState::Lost), Some(TrackingState::NotFitted)][n];
    [
        Some((ReasonCode::FactMissing, false)),
        None,
        Some((ReasonCode::TrackingLost, true)),
        Some((ReasonCode::FactMissing, false)),
    ][n]
}
fn appointment(w: &mut Whole, n: usize) -> Option<(ReasonCode, bool)> {
    let window = |from, until| Some(Appointment { from_ms: NOW + from, until_ms: NOW + until });
    w.facts().circumstances.appointment =
        [None, window(-1, 1), window(10_000, 20_000), window(-20_000, -10_000)][n];
    [
        Some((ReasonCode::FactMissing, false)),
        None,
        Some((ReasonCode::OutsideAppointment, true)),
        Some((ReasonCode::OutsideAppointment, false)),
    ][n]
}
fn empty(w: &mut Whole, n: usize) -> Option<(ReasonCode, bool)> {
    w.facts().circumstances.tare_source = Some(TareSource::Measured);
    w.facts().circumstances.declared_empty = [None, Some(false), Some(true)][n];
    [Some((ReasonCode::FactMissing, false)), None, Some((ReasonCode::EmptinessMismatch, false))][n]
}
fn watch(w: &mut Whole, n: usize) -> Option<(ReasonCode, bool)> {
    if n == 1 {
        w.facts().circumstances.watch.push(WatchMark { list: "police".into(), reason: "stolen".into() });
    }
    [None, Some((ReasonCode::WatchListed, false))][n]
}

#[test]
fn every_combination_of_circumstances() {
    let facts: [(Fact, usize); 7] =
        [(expiry, 3), (scan, 6), (seal, 5), (tracking, 4), (appointment, 4), (empty, 3), (watch, 2)];
    let all: usize = facts.iter().map(|f| f.1).product();
    let mut admitted = 0;
    for demanded in [false, true] {
        for number in 0..all {
            let mut w = Whole::good();
            for check in &mut w.set.checks {
                check.required = demanded && DEMANDED.contains(&check.kind);
            }
            let mut rest = number;
            let mut wanted: Vec<(ReasonCode, bool)> = Vec::new();
            for (apply, of) in facts {
                let caused = apply(&mut w, rest % of);
                wanted.extend(caused.filter(|(code, _)| demanded || *code != ReasonCode::FactMissing));
                rest /= of;
            }
            let decision = w.decide();
            let mut codes: Vec<ReasonCode> = decision.verdict.reasons().iter().map(|r| r.code).collect();
            let mut codes_wanted: Vec<ReasonCode> = wanted.iter().map(|c| c.0).collect();
            codes.sort();
            codes_wanted.sort();
            assert_eq!(codes, codes_wanted, "case {number}, demanded {demanded}");
            match decision.verdict {
                Verdict::Admit { .. } => {
                    admitted += 1;
                    assert!(wanted.is_empty());
                }
                Verdict::Hold { .. } => assert!(wanted.iter().all(|c| c.1)),
                Verdict::Refer { .. } => assert!(wanted.iter().any(|c| !c.1)),
            }
            let finding = decision.record.weight.unwrap();
            assert_eq!(finding.derived_cargo_gross_kg, Some(35_100.0 - 15_000.0));
            assert_eq!(finding.tare_source, Some(TareSource::Measured));
        }
    }
    println!("{} cases, {admitted} admit", 2 * all);
    assert!(admitted > 0);
}

#[test]
fn panels_are_the_declared_ones() {
    type Row<'a> = (Option<&'a [&'a str]>, Option<&'a str>, bool, Option<ReasonCode>);
    let rows: [Row<'_>; 9] = [
        (None, Some("33/1203"), false, None),
        (None, Some("33/1203"), true, Some(ReasonCode::FactMissing)),
        (Some(&[]), None, true, None),
        (Some(&[]), Some("33/1203"), false, Some(ReasonCode::AdrMismatch)),
        (Some(&["33/1203"]), Some("33/1203"), true, None),
        (Some(&["UN 1203"]), Some("33/1203"), true, None),
        (Some(&["1202"]), Some("33/1203"), false, Some(ReasonCode::AdrMismatch)),
        (Some(&["33/1203"]), None, false, None),
        (Some(&["33/1203"]), None, true, Some(ReasonCode::FactMissing)),
    ];
    for (declared, panel, required, wanted) in rows {
        let mut w = Whole::good();
        w.facts().circumstances.dangerous_goods =
            declared.map(|list| list.iter().map(|g| (*g).to_owned()).collect());
        w.identity.slots.extend(panel.map(|text| read(Slot::Adr, text, 0.9)));
        w.set.checks.iter_mut().find(|c| c.kind == CheckKind::Adr).unwrap().required = required;
        let codes: Vec<ReasonCode> = w.decide().verdict.reasons().iter().map(|r| r.code).collect();
        assert_eq!(codes, wanted.into_iter().collect::<Vec<_>>(), "{declared:?} {panel:?} {required}");
    }
}

#[test]
fn on_fail_holds_only_what_can_pass_by_waiting() {
    let mut w = Whole::good();
    w.facts().circumstances.scan = Some(ScanState::Ordered);
    assert!(matches!(w.decide().verdict, Verdict::Hold { .. }));
    w.set.checks.iter_mut().find(|c| c.kind == CheckKind::Scan).unwrap().on_fail = OnFail::Refer;
    assert!(matches!(w.decide().verdict, Verdict::Refer { .. }));
    let mut w = Whole::good();
    w.facts().circumstances.watch.push(WatchMark { list: "l".into(), reason: "r".into() });
    w.set.checks.iter_mut().for_each(|c| c.on_fail = OnFail::Hold);
    assert!(matches!(w.decide().verdict, Verdict::Refer { .. }));
    // A set without a check that every set needs judges it all the same.
    let mut w = Whole::good();
    w.set.checks.clear();
    w.facts().status = gate_types::mission::CustomsStatus::Held;
    assert!(matches!(w.decide().verdict, Verdict::Refer { .. }));
}

#[test]
fn devices_that_are_down_hold_where_the_rules_ask_for_them() {
    let mut w = Whole::good();
    w.down = vec!["n1-in-1.front".into()];
    assert!(w.decide().verdict.admits(), "the built-in set does not ask");
    w.set.checks.push(gate_types::rules::Check::of(CheckKind::Devices, OnFail::Hold));
    assert!(matches!(w.decide().verdict, Verdict::Hold { .. }));
}
