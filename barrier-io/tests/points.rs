//! The shipped neutral point map, its polarities, and what a wrong map is told.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use barrier_io::PointMap;
use gate_types::observation::{ArmPosition, LaneInputs, Level};
use std::path::PathBuf;

fn neutral_path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../config/points/neutral.toml")
}

fn neutral() -> PointMap {
    PointMap::load(&neutral_path()).unwrap()
}

#[test]
fn every_single_input_comes_back_as_it_was_written() {
    let map = neutral();
    for mask in 0u16..256 {
        let level = |bit: u16| {
            if mask >> bit & 1 == 1 { Level::On } else { Level::Off }
        };
        let inputs = LaneInputs {
            loop_approach: level(0),
            loop_under: level(1),
            curtain: level(2),
            limit_up: level(3),
            limit_down: level(4),
            local_key: level(5),
            fire: level(6),
            barrier_fault: level(7),
            ..LaneInputs::default()
        };
        let decoded = map.decode(&map.encode(&inputs, mask ^ 0xabcd)).unwrap();
        assert_eq!((decoded.inputs, decoded.life), (inputs, mask ^ 0xabcd));
    }
}

#[test]
fn an_all_zero_block_reads_as_the_dangerous_level() {
    let inputs = neutral().decode(&[0, 0]).unwrap().inputs;
    for on in [
        inputs.loop_approach,
        inputs.loop_under,
        inputs.curtain,
        inputs.local_key,
        inputs.fire,
        inputs.barrier_fault,
    ] {
        assert_eq!(on, Level::On);
    }
    assert_eq!(inputs.arm(), ArmPosition::Between);
}

#[test]
fn a_block_of_another_length_is_no_block() {
    assert!(neutral().decode(&[0]).is_none());
    assert!(neutral().decode(&[0, 0, 0]).is_none());
}

#[test]
fn an_absent_input_is_not_fitted() {
    let text = std::fs::read_to_string(neutral_path()).unwrap();
    let without: String =
        text.lines().filter(|l| !l.starts_with("curtain")).map(|l| format!("{l}\n")).collect();
    let map = PointMap::parse(&without).unwrap();
    assert_eq!(map.decode(&[0, 0]).unwrap().inputs.curtain, Level::NotFitted);
    assert_eq!(map.unknown().curtain, Level::NotFitted);
    assert_eq!(map.unknown().fire, Level::Unknown);
}

#[test]
fn all_problems_of_a_map_are_told_at_once() {
    let text = std::fs::read_to_string(neutral_path())
        .unwrap()
        .replace("life_register = 1", "life_register = 2")
        .replace("register = 0, bit = 1,", "register = 0, bit = 0,")
        .replace("register = 0, bit = 3,", "register = 7, bit = 30,")
        .replace("permit_lower = 1", "permit_lower = 0")
        .replace("pulse_ms = 300", "pulse_ms = 30000");
    let told = PointMap::parse(&text).unwrap_err().to_string();
    for place in [
        "inputs.life_register",
        "inputs.points.loop_under",
        "inputs.points.limit_up: register 7",
        "bit 30",
        "outputs.permit_lower",
        "outputs.pulse_ms",
    ] {
        assert!(told.contains(place), "{place} is missing in:\n{told}");
    }
}

#[test]
fn an_unknown_key_names_its_line() {
    let text = format!("surplus = 1\n{}", std::fs::read_to_string(neutral_path()).unwrap());
    let told = PointMap::parse(&text).unwrap_err().to_string();
    assert!(told.contains("line 1") && told.contains("surplus"), "{told}");
    let missing = PointMap::load(&PathBuf::from("/nonexistent/points.toml")).unwrap_err().to_string();
    assert!(missing.contains("/nonexistent/points.toml"), "{missing}");
}
