//! A missed read is not a deviation: how probable each explanation is, and what moves it.

use crate::port::{driven, followed, plan, port};
use crate::site::{leg, processes};
use gate_core::mission::{Cause, Corroboration, Habits, PassSeen, Plan, follow};
use gate_types::api::{AlarmKind, SkippedLeg};

/// P1 by 1-2-6 with node 2 unseen; `minutes` from node 1 to node 6.
fn skipped(minutes: i64) -> Vec<PassSeen> {
    let all = processes();
    let mut passes = driven(&all[0], &all[0].paths[0]);
    passes.remove(1);
    passes[1].at_ms = passes[0].at_ms + minutes * 60_000;
    passes
}

fn node_2(passes: &[PassSeen], known: Corroboration) -> (SkippedLeg, f64) {
    let all = processes();
    let told = follow(&plan(&all[0]), &[], passes, |node, from_ms, to_ms| {
        assert_eq!((node.as_str(), from_ms, to_ms), ("2", passes[0].at_ms, passes[1].at_ms));
        known
    });
    let [finding] = told.findings.as_slice() else { panic!("{:?}", told.findings) };
    assert_eq!((finding.kind, &finding.cause), (AlarmKind::SkippedNode, &Cause::Leg("2-in".into())));
    let [one] = finding.skipped.as_slice() else { panic!("{finding:?}") };
    assert_eq!(one.leg, leg("2-in"));
    let sum = one.missed_read + one.other_way + one.other_vehicle;
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    assert!((finding.suspicion - (1.0 - one.missed_read)).abs() < 1e-9);
    (one.clone(), finding.suspicion)
}

#[test]
fn in_the_usual_time_it_is_a_missed_read() {
    let (why, suspicion) = node_2(&skipped(6), Corroboration::default());
    assert!(why.missed_read > 0.99, "{why:?}");
    assert!(suspicion < 0.01);
}

#[test]
fn a_vehicle_without_identity_there_supports_the_missed_read_and_its_absence_does_not() {
    let passes = skipped(6);
    let of = |unidentified| node_2(&passes, Corroboration { unidentified, in_fault: false }).1;
    let (one, unknown, none) = (of(Some(1)), of(None), of(Some(0)));
    assert!(one < unknown && unknown < none, "{one} {unknown} {none}");
    assert!(none > 10.0 * unknown, "where every vehicle was identified, it did not pass there: {none}");
}

#[test]
fn a_camera_in_fault_explains_much() {
    let passes = skipped(6);
    let whole = node_2(&passes, Corroboration { unidentified: Some(0), in_fault: false }).1;
    let fault = node_2(&passes, Corroboration { unidentified: Some(0), in_fault: true }).1;
    assert!(fault < whole / 3.0, "{fault} {whole}");
}

#[test]
fn hours_later_somebody_else_may_carry_the_identity() {
    let soon = node_2(&skipped(6), Corroboration::default()).0;
    let late = node_2(&skipped(600), Corroboration::default()).0;
    assert!(late.other_vehicle > 100.0 * soon.other_vehicle, "{soon:?} {late:?}");
    assert!(late.other_vehicle > 0.5, "{late:?}");
}

#[test]
fn a_bad_reader_is_believed_less() {
    let all = processes();
    let suspicion = |read_rate| {
        let plan = Plan::new(&all[0], port(Habits { read_rate, ..Habits::default() })).unwrap();
        follow(&plan, &[], &skipped(6), |_, _, _| Corroboration { unidentified: Some(0), in_fault: false })
            .findings[0]
            .suspicion
    };
    assert!(suspicion(0.80) < suspicion(0.97) && suspicion(0.97) < suspicion(0.995));
}

#[test]
fn a_skipped_node_that_turns_up_late_corrects_the_same_alarm() {
    let all = processes();
    let plan = plan(&all[0]);
    let mut passes = driven(&all[0], &all[0].paths[0]);
    passes.swap(1, 2);
    let (a, b) = (passes[1].at_ms, passes[2].at_ms);
    (passes[1].at_ms, passes[2].at_ms) = (b, a);
    let before = followed(&plan, &passes[..2]).findings;
    let after = followed(&plan, &passes).findings;
    assert_eq!((before[0].kind, after[0].kind), (AlarmKind::SkippedNode, AlarmKind::WrongOrder));
    assert_eq!(before[0].cause, after[0].cause, "one alarm, told better");
    assert_eq!((before.len(), after.len()), (1, 1));
}

#[test]
fn an_event_that_comes_an_hour_late_leaves_no_alarm() {
    let all = processes();
    let plan = plan(&all[0]);
    let passes = driven(&all[0], &all[0].paths[0]);
    let without = [passes[0].clone(), passes[2].clone()];
    assert_eq!(followed(&plan, &without).findings.len(), 1);
    assert!(followed(&plan, &passes).findings.is_empty());
}
