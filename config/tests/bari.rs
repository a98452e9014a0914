//! The shipped site of Bari against the requirements (B1.3, B1.4, B30 to B41).

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use config::{Loaded, NodeKind, Site, load_node, load_site};
use gate_types::NodeId;
use gate_types::mission::{
    Condition, CustomsStatus, DeclarationKind, DefinitiveStatus, Direction, InstructionKind, LegRule,
    PathKind, Process,
};
use std::collections::BTreeSet;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sites/bari")
}

fn site() -> Site {
    load_site(&folder().join("site.toml")).unwrap_or_else(|problems| panic!("{problems}"))
}

fn node(number: usize) -> Loaded {
    load_node(&folder().join(format!("nodes/node-{number}.toml")))
        .unwrap_or_else(|problems| panic!("{problems}"))
}

fn process<'a>(site: &'a Site, id: &str) -> &'a Process {
    site.processes.iter().find(|p| p.id.as_str() == id).unwrap()
}

/// (process, kind, node sequence) of every path.
fn sequences(site: &Site) -> BTreeSet<(String, bool, String)> {
    let mut all = BTreeSet::new();
    for process in &site.processes {
        for path in &process.paths {
            let nodes: Vec<String> = process.node_sequence(path).iter().map(NodeId::to_string).collect();
            let exceptional = path.kind == PathKind::Exceptional;
            assert_eq!(
                path.id,
                format!("{}-{}", process.id, nodes.join("-")),
                "a path is named after its nodes"
            );
            assert!(all.insert((process.id.to_string(), exceptional, nodes.join("-"))), "{} twice", path.id);
        }
    }
    all
}

#[test]
fn exactly_the_fifteen_admissible_sequences() {
    let normal = [
        ("P1", "1-2-6"),
        ("P1", "1-2-3-6"),
        ("P2", "1-2-4"),
        ("P2", "1-2-5"),
        ("P2", "1-2-3-4"),
        ("P2", "1-2-3-5"),
        ("P3", "6-1"),
        ("P4", "4-1"),
        ("P4", "5-1"),
    ];
    let exceptional = [
        ("P2", "1-2-7"),
        ("P2", "1-2-8"),
        ("P2", "1-2-3-7"),
        ("P2", "1-2-3-8"),
        ("P4", "7-1"),
        ("P4", "8-1"),
    ];
    let expected: BTreeSet<_> = normal
        .iter()
        .map(|(p, s)| (p.to_string(), false, s.to_string()))
        .chain(exceptional.iter().map(|(p, s)| (p.to_string(), true, s.to_string())))
        .collect();
    assert_eq!(expected.len(), 15);
    assert_eq!(sequences(&site()), expected);
}

#[test]
fn the_eight_nodes_of_the_source() {
    let site = site();
    let kinds: Vec<_> = site.nodes.iter().map(|n| (n.id.as_str(), n.kind, n.exceptional)).collect();
    assert_eq!(
        kinds,
        vec![
            ("1", NodeKind::CustomsGate, false),
            ("2", NodeKind::PortGate, false),
            ("3", NodeKind::Parking, false),
            ("4", NodeKind::FacilityGate, false),
            ("5", NodeKind::FacilityGate, false),
            ("6", NodeKind::FacilityGate, false),
            ("7", NodeKind::FacilityGate, true),
            ("8", NodeKind::FacilityGate, true),
        ]
    );
    assert!(site.assumptions.iter().any(|a| a.contains("lane counts")), "assumed lane counts are said");
}

fn has(leg: &LegRule, condition: Condition) -> bool {
    leg.requires.contains(&condition)
}

fn admits(leg: &LegRule, statuses: &[CustomsStatus]) -> bool {
    leg.admit.iter().collect::<BTreeSet<_>>() == statuses.iter().collect::<BTreeSet<_>>()
}

const ON_THE_WAY: [CustomsStatus; 3] =
    [CustomsStatus::Released, CustomsStatus::Pending, CustomsStatus::Inspection];

#[test]
fn p1_goes_to_the_parking_only_without_access_permission() {
    let site = site();
    let p1 = process(&site, "P1");
    assert!(admits(&p1.legs["gate-in"], &ON_THE_WAY) && p1.legs["gate-in"].requires.is_empty());
    let parking = &p1.legs["parking-in"];
    assert!(has(parking, Condition::NoAccessPermission));
    assert_eq!(parking.instruction, InstructionKind::GoToParking);
    for name in ["parking-out", "dock-in"] {
        assert!(has(&p1.legs[name], Condition::AccessPermission), "B40: {name}");
        assert!(admits(&p1.legs[name], &[CustomsStatus::Released]), "{name}");
    }
}

#[test]
fn p2_boards_with_a_ticket_where_the_ship_lies() {
    let site = site();
    let p2 = process(&site, "P2");
    assert!(has(&p2.legs["parking-in"], Condition::NoBoardingTicket));
    assert_eq!(p2.legs["parking-in"].instruction, InstructionKind::GoToParking);
    assert!(has(&p2.legs["parking-out"], Condition::BoardingTicket), "B40");
    for leg in p2.legs.values().filter(|l| ["4", "5", "7", "8"].contains(&l.node.as_str())) {
        assert!(has(leg, Condition::BoardingTicket) && has(leg, Condition::BerthHere), "B34: {}", leg.node);
        assert!(admits(leg, &[CustomsStatus::Released]));
        let exceptional = ["7", "8"].contains(&leg.node.as_str());
        assert_eq!(has(leg, Condition::ExceptionAuthorised), exceptional, "B33: {}", leg.node);
    }
}

#[test]
fn the_declaration_gates_node_6_in_p3_and_node_1_in_p4() {
    let site = site();
    let (p3, p4) = (process(&site, "P3"), process(&site, "P4"));
    assert!(has(&p3.legs["dock-out"], Condition::Declaration), "B31");
    assert!(!has(&p3.legs["gate-out"], Condition::Declaration), "B31: not merged");
    assert!(has(&p4.legs["gate-out"], Condition::Declaration), "B31");
    assert!(admits(&p4.legs["gate-out"], &[CustomsStatus::Released]));
    for leg in p4.legs.values().filter(|l| l.node.as_str() != "1") {
        assert!(!has(leg, Condition::Declaration) && admits(leg, &ON_THE_WAY), "B30: {}", leg.node);
        assert!(has(leg, Condition::BerthHere), "B34: {}", leg.node);
        let exceptional = ["7", "8"].contains(&leg.node.as_str());
        assert_eq!(has(leg, Condition::ExceptionAuthorised), exceptional, "B33: {}", leg.node);
    }
}

#[test]
fn kinds_of_declaration_transparent_nodes_and_ends() {
    let site = site();
    for (id, declarations, definitive, transparent) in [
        ("P1", vec![DeclarationKind::Export], DefinitiveStatus::Loaded, vec![]),
        ("P2", vec![DeclarationKind::Export], DefinitiveStatus::Loaded, vec![]),
        (
            "P3",
            vec![DeclarationKind::Transit, DeclarationKind::Importation],
            DefinitiveStatus::Exited,
            vec!["2", "3"],
        ),
        (
            "P4",
            vec![DeclarationKind::Transit, DeclarationKind::Importation],
            DefinitiveStatus::Exited,
            vec!["2", "3"],
        ),
    ] {
        let process = process(&site, id);
        assert_eq!(process.declarations, declarations, "B32: {id}");
        assert_eq!(process.definitive, definitive, "B11: {id}");
        let through: Vec<&str> = process.transparent.iter().map(NodeId::as_str).collect();
        assert_eq!(through, transparent, "{id}");
        for leg in process.legs.values() {
            for never in [CustomsStatus::Held, CustomsStatus::Refused, CustomsStatus::Unknown] {
                assert!(!leg.admit.contains(&never), "{id} node {} admits {never:?}", leg.node);
            }
        }
    }
}

#[test]
fn every_node_file_has_its_lanes_and_devices() {
    let mut lanes = 0;
    for number in 1..=8 {
        let loaded = node(number);
        assert_eq!(loaded.node.node.as_str(), number.to_string());
        for direction in [Direction::In, Direction::Out] {
            let wanted = if number <= 2 { 2 } else { 1 };
            assert_eq!(loaded.node.lanes.iter().filter(|l| l.direction == direction).count(), wanted);
        }
        for lane in &loaded.node.lanes {
            lanes += 1;
            assert_eq!(lane.cameras.len(), 3, "{}", lane.id);
            assert!(lane.reader.is_some() && lane.sign.is_some(), "{}", lane.id);
            assert_eq!(lane.scale.is_some(), [1, 2, 6].contains(&number), "{}", lane.id);
            assert!(lane.io.points.is_file(), "{}", lane.io.points.display());
            assert!(lane.id.as_str().starts_with(&format!("n{number}-")));
        }
    }
    assert_eq!(lanes, 20);
}
