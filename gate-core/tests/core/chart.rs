//! The state chart is the automaton, and the page is the chart.

use crate::{properties, stories};
use gate_core::lane::chart::{ALWAYS, MOVES, STATES, allows, name, page};
use gate_types::console::LaneState;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn the_page_is_the_chart() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/lane-states.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, page()).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(written, page(), "{}: run with UPDATE=1", file.display());
}

/// Stories and random sequences go exactly the ways of the chart: no other, and all of them.
#[test]
fn every_move_of_the_chart_happens() {
    let mut seen = stories::moves();
    seen.extend(properties::moves());
    let tell = |m: &(LaneState, LaneState)| format!("{} to {}", name(m.0), name(m.1));
    let strange: Vec<_> = seen.iter().filter(|m| !allows(m.0, m.1)).map(tell).collect();
    assert!(strange.is_empty(), "not in the chart: {strange:?}");
    let always = STATES
        .iter()
        .filter(|(s, _)| *s != LaneState::Starting)
        .flat_map(|(from, _)| ALWAYS.iter().map(|(to, _)| (*from, *to)).filter(|(from, to)| from != to));
    let chart: BTreeSet<_> = MOVES.iter().map(|m| (m.from, m.to)).chain(always).collect();
    let never: Vec<_> = chart.difference(&seen).map(tell).collect();
    assert!(never.is_empty(), "in the chart, and never seen: {never:?}");
}

#[test]
fn no_move_is_told_twice() {
    let told: BTreeSet<_> = MOVES.iter().map(|m| (m.from, m.to)).collect();
    assert_eq!(told.len(), MOVES.len());
    assert!(MOVES.iter().all(|m| m.from == LaneState::Starting || ALWAYS.iter().all(|(s, _)| *s != m.to)));
}
