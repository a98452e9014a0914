//! B14, B41: the 15 sequences pass without an alarm, and every single step beside them raises the right one.

use crate::oracle::right_alarm;
use crate::port::{driven, each_path, followed, plan, timed};
use crate::site::leg;
use gate_core::mission::PassSeen;
use gate_types::api::AlarmKind;
use gate_types::mission::{LegRef, MissionPath, Process};
use std::collections::BTreeMap;

#[test]
fn b14_all_fifteen_sequences_pass_without_an_alarm() {
    let mut sequences = 0;
    each_path(|process, path| {
        sequences += 1;
        let passes = driven(process, path);
        for seen in 0..=passes.len() {
            let told = followed(&plan(process), &passes[..seen]);
            assert!(told.findings.is_empty(), "{} after {seen}: {:?}", path.id, told.findings);
            assert_eq!(told.finished, seen == passes.len(), "{} after {seen}", path.id);
            let steps: Vec<LegRef> = told.steps.into_iter().map(|s| s.leg).collect();
            let legs: Vec<LegRef> = passes[..seen].iter().map(|p| p.leg.clone()).collect();
            assert_eq!(steps, legs);
        }
    });
    assert_eq!(sequences, 15);
}

/// Every leg that a port with these nodes knows: eight of Bari and one more, both ways.
fn all_legs() -> Vec<LegRef> {
    (1..=9).flat_map(|n| [leg(&format!("{n}-in")), leg(&format!("{n}-out"))]).collect()
}

/// Every single-step mutation of a driven path: a leg left out (but the last, which only the clock can miss),
/// put in, put in the place of another, passed twice, two swapped.
fn mutations(process: &Process, path: &MissionPath) -> Vec<(String, Vec<PassSeen>)> {
    let whole = driven(process, path);
    let mut all = Vec::new();
    let at_of = |k: usize| whole.get(k).or(whole.last()).map(|p| p.conditions.clone()).unwrap();
    for k in 0..whole.len() {
        if k + 1 < whole.len() {
            let mut one = whole.clone();
            one.remove(k);
            all.push((format!("without {}", k + 1), timed(one)));
            let mut one = whole.clone();
            one.swap(k, k + 1);
            all.push((format!("{} and {} swapped", k + 1, k + 2), timed(one)));
        }
        for other in all_legs().into_iter().filter(|l| *l != whole[k].leg) {
            let mut one = whole.clone();
            one[k].leg = other.clone();
            all.push((format!("{}-{:?} instead of {}", other.node, other.direction, k + 1), timed(one)));
        }
    }
    for k in 0..=whole.len() {
        for other in all_legs() {
            let mut one = whole.clone();
            let name = format!("{}-{:?} put in before {}", other.node, other.direction, k + 1);
            one.insert(k, PassSeen { leg: other, at_ms: 0, conditions: at_of(k) });
            all.push((name, timed(one)));
        }
    }
    all
}

#[test]
fn b41_every_single_step_mutation_raises_the_right_alarm_and_no_other() {
    let mut counts: BTreeMap<Option<AlarmKind>, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    each_path(|process, path| {
        let plan = plan(process);
        for (name, passes) in mutations(process, path) {
            let right = match right_alarm(process, &passes) {
                Ok(right) => right,
                Err(why) => panic!("{} {name}: {why}", path.id),
            };
            *counts.entry(right).or_default() += 1;
            let told = followed(&plan, &passes);
            let kinds: Vec<AlarmKind> = told.findings.iter().map(|f| f.kind).collect();
            if kinds != right.into_iter().collect::<Vec<_>>() {
                let legs: Vec<String> =
                    passes.iter().map(|p| format!("{}{:?}", p.leg.node, p.leg.direction)).collect();
                wrong.push(format!(
                    "{} {name} {}: right {right:?}, raised {kinds:?}",
                    path.id,
                    legs.join(" ")
                ));
            }
            for finding in &told.findings {
                assert!(finding.text.contains(&format!("process {}", process.id)), "{}", finding.text);
                assert!(finding.text.contains("observed node"), "{}", finding.text);
            }
        }
    });
    assert!(wrong.is_empty(), "{} wrong of {counts:?}:\n{}", wrong.len(), wrong.join("\n"));
    for kind in [
        AlarmKind::SkippedNode,
        AlarmKind::WrongOrder,
        AlarmKind::UnexpectedNode,
        AlarmKind::Deviation,
        AlarmKind::DuplicateIdentity,
    ] {
        assert!(counts.get(&Some(kind)).is_some_and(|n| *n >= 14), "{kind:?}: {counts:?}");
    }
    println!("{counts:?}");
}

/// A judgement is corrected by later passes; at no time are there two alarms for one step.
#[test]
fn no_step_of_a_mutation_ever_shows_two_alarms() {
    let mut wrong = Vec::new();
    each_path(|process, path| {
        let plan = plan(process);
        for (name, passes) in mutations(process, path) {
            for seen in 1..=passes.len() {
                let told = followed(&plan, &passes[..seen]);
                if told.findings.len() > 1 {
                    let kinds: Vec<AlarmKind> = told.findings.iter().map(|f| f.kind).collect();
                    wrong.push(format!("{} {name} after {seen}: {kinds:?}", path.id));
                }
            }
        }
    });
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
