//! Which alarm is the right one, found by trying every single edit of every admissible path; slow, plain, and
//! without a line of the follower.

use crate::site::leg;
use gate_core::mission::{LegCheck, PassSeen, check, next_legs};
use gate_types::api::AlarmKind;
use gate_types::mission::{CustomsStatus, Direction, LegRef, Process};

/// The right alarm of passes that may differ from an admissible path by one step; none where they do not differ.
pub fn right_alarm(process: &Process, passes: &[PassSeen]) -> Result<Option<AlarmKind>, String> {
    let kept: Vec<&PassSeen> = passes.iter().filter(|p| !process.transparent.contains(&p.leg.node)).collect();
    let legs: Vec<LegRef> = kept.iter().map(|p| p.leg.clone()).collect();
    let paths: Vec<Vec<LegRef>> = process
        .paths
        .iter()
        .map(|path| {
            let legs = process.legs_of(path);
            legs.iter().map(|l| LegRef { node: l.node.clone(), direction: l.direction }).collect()
        })
        .collect();
    let held = |path: &[LegRef], passes: &[&PassSeen]| legs_hold(process, path, passes);
    // The beginning of a path is no alarm: what is missing, only the clock can tell.
    if paths.iter().any(|path| path.starts_with(&legs) && held(path, &kept)) {
        return Ok(None);
    }
    if paths.iter().any(|path| without_a_run(path, &legs) && held(path, &kept)) {
        return Ok(Some(AlarmKind::SkippedNode));
    }
    if paths.iter().any(|path| swapped(path, &legs) && held(path, &kept)) {
        return Ok(Some(AlarmKind::WrongOrder));
    }
    let without = |k: usize| {
        let mut rest = kept.clone();
        rest.remove(k);
        rest
    };
    // What fits when it is seen, fits; of two passes that exclude each other the later one is too many.
    for (k, pass) in kept.iter().enumerate().rev() {
        let rest = without(k);
        let fits = |path: &&Vec<LegRef>| rest.iter().map(|p| &p.leg).eq(path.iter()) && held(path, &rest);
        if paths.iter().any(|path| fits(&path)) {
            return Ok(Some(kind_of(process, &legs[..k], pass)));
        }
    }
    for path in &paths {
        for (k, pass) in kept.iter().enumerate() {
            let same = path.len() == legs.len() && path[..k] == legs[..k] && path[k + 1..] == legs[k + 1..];
            if same && held(path, &without(k)) {
                let kind = kind_of(process, &legs[..k], pass);
                let last = k + 1 == legs.len();
                return Ok(Some(if last || kind == AlarmKind::DuplicateIdentity {
                    kind
                } else {
                    AlarmKind::Deviation
                }));
            }
        }
    }
    Err(format!("{legs:?} is more than one step from every path"))
}

/// Each of the passes, as a leg of this path, held its conditions.
fn legs_hold(process: &Process, path: &[LegRef], passes: &[&PassSeen]) -> bool {
    passes.iter().all(|pass| {
        let at = path.iter().position(|l| *l == pass.leg).unwrap();
        let found = check(
            process,
            &pass.conditions,
            CustomsStatus::Released,
            &path[..at],
            &pass.leg.node,
            pass.leg.direction,
        );
        matches!(found, LegCheck::Admitted { .. })
    })
}

/// The path, or its beginning, without one leg or without some legs on end; what follows them is there.
fn without_a_run(path: &[LegRef], legs: &[LegRef]) -> bool {
    (legs.len() + 1..=path.len()).any(|end| {
        let missing = end - legs.len();
        (0..legs.len()).any(|k| path[..k] == legs[..k] && path[k + missing..end] == legs[k..])
    })
}

fn swapped(path: &[LegRef], legs: &[LegRef]) -> bool {
    (1..path.len()).any(|k| {
        let mut other = path.to_vec();
        other.swap(k - 1, k);
        other == legs
    })
}

/// What a pass is that does not belong where it was seen.
fn kind_of(process: &Process, before: &[LegRef], pass: &PassSeen) -> AlarmKind {
    let back = LegRef {
        node: pass.leg.node.clone(),
        direction: match pass.leg.direction {
            Direction::In => Direction::Out,
            Direction::Out => Direction::In,
        },
    };
    let last_way = before.iter().rev().find(|l| **l == pass.leg || **l == back);
    let named = |n: &LegRef| process.legs.values().any(|l| l.node == n.node);
    if last_way == Some(&pass.leg) && named(&pass.leg) {
        return AlarmKind::DuplicateIdentity;
    }
    if next_legs(process, before).iter().any(|n| n.leg() == pass.leg) {
        return AlarmKind::Deviation;
    }
    if named(&pass.leg) { AlarmKind::WrongOrder } else { AlarmKind::UnexpectedNode }
}

#[test]
fn the_oracle_knows_a_missing_run() {
    let path = ["1-in", "2-in", "3-in", "3-out", "6-in"].map(leg);
    assert!(without_a_run(&path, &["1-in", "2-in", "6-in"].map(leg)));
    assert!(without_a_run(&path, &["2-in", "3-in", "3-out", "6-in"].map(leg)));
    assert!(!without_a_run(&path, &["1-in", "3-in", "6-in"].map(leg)), "two gaps");
    assert!(!without_a_run(&path, &["1-in", "2-in", "3-in"].map(leg)), "the last are missing");
    assert!(without_a_run(&path, &["1-in", "2-in", "3-out"].map(leg)), "a beginning with a gap");
}
