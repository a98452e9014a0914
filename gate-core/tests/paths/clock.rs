//! Late, lost, too long in the parking, and too fast.

use crate::port::{START_MS, driven, followed, plan, plan_of, timed};
use crate::site::{leg, processes};
use gate_core::mission::{Due, PassSeen, due};
use gate_types::api::AlarmKind;

fn minutes(n: i64) -> i64 {
    n * 60_000
}

fn p1() -> Vec<PassSeen> {
    let all = processes();
    driven(&all[0], &all[0].paths[0])
}

fn kind(due: &Due) -> Option<AlarmKind> {
    due.finding.as_ref().map(|f| f.kind)
}

#[test]
fn a_vehicle_that_vanishes_is_late_and_then_lost_under_one_cause() {
    let plan = plan_of("P1");
    let passes = p1();
    let at = passes[1].at_ms;
    let look = |now| due(&plan, &[], &passes[..2], None, now);
    assert_eq!(kind(&look(at)), None);
    let late_ms = look(at).next_ms.unwrap();
    assert_eq!(
        late_ms,
        at + 3 * 180_000 + minutes(15),
        "three times the usual way to node 6 and a quarter of an hour"
    );
    assert_eq!(kind(&look(late_ms - 1)), None);
    let late = look(late_ms);
    assert_eq!(kind(&late), Some(AlarmKind::Late));
    let lost_ms = late.next_ms.unwrap();
    let lost = look(lost_ms);
    assert_eq!(kind(&lost), Some(AlarmKind::Lost));
    assert_eq!(lost.next_ms, None);
    assert_eq!(late.finding.as_ref().map(|f| &f.cause), lost.finding.as_ref().map(|f| &f.cause));
    let text = lost.finding.unwrap().text;
    assert!(text.contains("process P1 expects node 3 (in) or node 6 (in) next"), "{text}");
    assert!(text.contains("last seen at node 2 (in)"), "{text}");
}

#[test]
fn a_mission_at_its_destination_is_never_late_nor_one_before_its_departure() {
    let plan = plan_of("P1");
    let passes = p1();
    assert_eq!(due(&plan, &[], &passes, None, i64::MAX / 2), Due::default());
    assert_eq!(due(&plan, &[], &[], None, i64::MAX / 2), Due::default());
    let due_ms = Some(START_MS);
    assert_eq!(kind(&due(&plan, &[], &[], due_ms, START_MS + minutes(14))), None);
    assert_eq!(kind(&due(&plan, &[], &[], due_ms, START_MS + minutes(15))), Some(AlarmKind::Late));
}

#[test]
fn in_the_parking_only_the_stay_is_bounded() {
    let plan = plan_of("P1");
    let all = processes();
    let passes = driven(&all[0], &all[0].paths[1]);
    let parked = due(&plan, &[], &passes[..3], None, passes[2].at_ms + minutes(600));
    assert_eq!(kind(&parked), None);
    let over = due(&plan, &[], &passes[..3], None, parked.next_ms.unwrap());
    assert_eq!(kind(&over), Some(AlarmKind::Overstay));
    let out = due(&plan, &[], &passes[..4], None, passes[3].at_ms + minutes(60));
    assert_eq!(kind(&out), Some(AlarmKind::Late), "behind the parking the clock runs again");
}

#[test]
fn imported_legs_start_no_clock_and_count_as_passed() {
    let plan = plan_of("P1");
    let imported = [leg("1-in"), leg("2-in")];
    assert_eq!(due(&plan, &imported, &[], None, i64::MAX / 2), Due::default());
    let passes = p1();
    let told = gate_core::mission::follow(&plan, &imported, &passes[2..], |_, _, _| Default::default());
    assert!(told.finished && told.findings.is_empty(), "{told:?}");
}

#[test]
fn nobody_drives_three_minutes_in_forty_seconds() {
    let all = processes();
    let plan = plan(&all[0]);
    let mut passes = p1();
    passes[2].at_ms = passes[1].at_ms + 40_000;
    let told = followed(&plan, &passes);
    assert_eq!(told.findings.iter().map(|f| f.kind).collect::<Vec<_>>(), [AlarmKind::ImpossibleTransit]);
    passes[2].at_ms = passes[1].at_ms + 62_000;
    assert!(
        followed(&plan, &passes).findings.is_empty(),
        "quick, and two seconds for the clocks of two gates"
    );
}

#[test]
fn a_clone_at_another_gate_leaves_the_true_vehicle_on_its_way() {
    let all = processes();
    let plan = plan(&all[1]);
    let mut passes = driven(&all[1], &all[1].paths[0]);
    let clone = PassSeen {
        leg: leg("5-in"),
        at_ms: passes[1].at_ms + 20_000,
        conditions: passes[2].conditions.clone(),
    };
    passes.insert(2, clone);
    let told = followed(&plan, &passes);
    assert_eq!(told.findings.iter().map(|f| f.kind).collect::<Vec<_>>(), [AlarmKind::ImpossibleTransit]);
    assert!(told.finished, "node 4 was reached all the same");
    assert!(followed(&plan, &timed(passes)).findings.iter().all(|f| f.kind == AlarmKind::Deviation));
}
