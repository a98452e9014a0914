//! A site like Bari, and a lane of its node 1.

use gate_core::policy::Issued;
use gate_core::spec::{CameraSpec, IdentityRule, LaneDevices, LaneSpec, LaneTimers, WeightRule};
use gate_types::circumstances::Circumstances;
use gate_types::identity::Slot;
use gate_types::mission::{
    Condition, CustomsStatus, DeclarationKind, DefinitiveStatus, Direction, InstructionKind, LegRef, LegRule,
    MissionConditions, MissionPath, PathKind, Process,
};
use gate_types::observation::{ReadKind, View};
use gate_types::release::{Expected, MissionFacts};
use gate_types::rules::RuleSet;
use gate_types::{BootEpoch, DeviceId, IotId, LaneId, MissionId, NodeId, PortId, ProcessId};
use std::collections::BTreeMap;
use std::sync::Arc;

pub fn node(n: &str) -> NodeId {
    NodeId::new(n).unwrap()
}

/// `1-in` as a leg reference.
pub fn leg(name: &str) -> LegRef {
    let (n, way) = name.split_once('-').unwrap();
    let direction = if way.starts_with("in") { Direction::In } else { Direction::Out };
    LegRef { node: node(n), direction }
}

pub fn legs(names: &[&str]) -> Vec<LegRef> {
    names.iter().map(|n| leg(n)).collect()
}

fn rule(name: &str, requires: &[Condition], instruction: InstructionKind) -> (String, LegRule) {
    let l = leg(name);
    let admit = vec![CustomsStatus::Released];
    (
        name.to_owned(),
        LegRule {
            node: l.node,
            direction: l.direction,
            admit,
            requires: requires.to_vec(),
            instruction,
            required_checks: vec![],
        },
    )
}

fn process(
    id: &str,
    declarations: &[DeclarationKind],
    rules: Vec<(String, LegRule)>,
    paths: &[(&str, PathKind, &[&str])],
    transparent: &[&str],
) -> Process {
    let mission_path = |(name, kind, legs): &(&str, PathKind, &[&str])| MissionPath {
        id: format!("{id}-{name}"),
        kind: *kind,
        legs: legs.iter().map(|l| (*l).to_owned()).collect(),
    };
    Process {
        id: ProcessId::new(id).unwrap(),
        name: id.into(),
        declarations: declarations.to_vec(),
        transparent: transparent.iter().map(|n| node(n)).collect(),
        definitive: DefinitiveStatus::Loaded,
        legs: rules.into_iter().collect::<BTreeMap<_, _>>(),
        paths: paths.iter().map(mission_path).collect(),
    }
}

/// The four processes with their 15 node sequences (requirements 1.4).
pub fn processes() -> Vec<Process> {
    use Condition::{AccessPermission, BerthHere, BoardingTicket, Declaration, ExceptionAuthorised};
    use Condition::{NoAccessPermission, NoBoardingTicket};
    use InstructionKind::{GoOn, GoToParking};
    use PathKind::{Exceptional, Normal};
    let imports = [DeclarationKind::Transit, DeclarationKind::Importation];
    let p1 = process(
        "P1",
        &[DeclarationKind::Export],
        vec![
            rule("1-in", &[], GoOn),
            rule("2-in", &[], GoOn),
            rule("3-in", &[NoAccessPermission], GoToParking),
            rule("3-out", &[AccessPermission], GoOn),
            rule("6-in", &[AccessPermission], GoOn),
        ],
        &[
            ("1-2-6", Normal, &["1-in", "2-in", "6-in"]),
            ("1-2-3-6", Normal, &["1-in", "2-in", "3-in", "3-out", "6-in"]),
        ],
        &[],
    );
    let at_berth = [BoardingTicket, BerthHere];
    let exceptional = [BoardingTicket, BerthHere, ExceptionAuthorised];
    let p2 = process(
        "P2",
        &[DeclarationKind::Export],
        vec![
            rule("1-in", &[], GoOn),
            rule("2-in", &[], GoOn),
            rule("3-in", &[NoBoardingTicket], GoToParking),
            rule("3-out", &[BoardingTicket], GoOn),
            rule("4-in", &at_berth, GoOn),
            rule("5-in", &at_berth, GoOn),
            rule("7-in", &exceptional, GoOn),
            rule("8-in", &exceptional, GoOn),
        ],
        &[
            ("1-2-4", Normal, &["1-in", "2-in", "4-in"]),
            ("1-2-5", Normal, &["1-in", "2-in", "5-in"]),
            ("1-2-3-4", Normal, &["1-in", "2-in", "3-in", "3-out", "4-in"]),
            ("1-2-3-5", Normal, &["1-in", "2-in", "3-in", "3-out", "5-in"]),
            ("1-2-7", Exceptional, &["1-in", "2-in", "7-in"]),
            ("1-2-8", Exceptional, &["1-in", "2-in", "8-in"]),
            ("1-2-3-7", Exceptional, &["1-in", "2-in", "3-in", "3-out", "7-in"]),
            ("1-2-3-8", Exceptional, &["1-in", "2-in", "3-in", "3-out", "8-in"]),
        ],
        &[],
    );
    let p3 = process(
        "P3",
        &imports,
        vec![rule("6-out", &[Declaration], GoOn), rule("1-out", &[], GoOn)],
        &[("6-1", Normal, &["6-out", "1-out"])],
        &["2", "3"],
    );
    let p4 = process(
        "P4",
        &imports,
        vec![
            rule("4-out", &[], GoOn),
            rule("5-out", &[], GoOn),
            rule("7-out", &[ExceptionAuthorised], GoOn),
            rule("8-out", &[ExceptionAuthorised], GoOn),
            rule("1-out", &[Declaration], GoOn),
        ],
        &[
            ("4-1", Normal, &["4-out", "1-out"]),
            ("5-1", Normal, &["5-out", "1-out"]),
            ("7-1", Exceptional, &["7-out", "1-out"]),
            ("8-1", Exceptional, &["8-out", "1-out"]),
        ],
        &["2", "3"],
    );
    vec![p1, p2, p3, p4]
}

pub fn conditions() -> MissionConditions {
    MissionConditions {
        access_permission: true,
        boarding_ticket: true,
        declaration: Some(DeclarationKind::Export),
        berth: None,
        exception: None,
    }
}

pub const TRACTOR: &str = "AB123CD";
pub const TRAILER: &str = "XA456YZ";

pub fn facts() -> MissionFacts {
    MissionFacts {
        mission: MissionId::new("M-1").unwrap(),
        iot_id: IotId(uuid::Uuid::from_u128(7)),
        process: ProcessId::new("P1").unwrap(),
        status: CustomsStatus::Released,
        holds: Vec::new(),
        report_to: None,
        conditions: conditions(),
        progress: Vec::new(),
        ended: false,
        expected: Expected {
            tractor_plate: Some(TRACTOR.into()),
            trailer_plate: Some(TRAILER.into()),
            itus: vec!["CSQU3054383".into()],
            vehicle_tag: Some("3414abcd".into()),
            tare_kg: Some(15_000.0),
            declared_cargo_kg: Some(20_000.0),
        },
        language: Some("it".into()),
        circumstances: Circumstances::default(),
    }
}

pub fn identity_rule() -> IdentityRule {
    IdentityRule {
        slots: vec![Slot::TractorPlate, Slot::TrailerPlate, Slot::Itu, Slot::VehicleTag],
        factors_wanted: 2,
        factors_needed: 2,
        read_threshold: 0.8,
    }
}

pub fn weight_rule() -> WeightRule {
    WeightRule { required: true, tolerance_share: 0.05, tolerance_kg: 500.0, interval_kg: 0.0 }
}

fn device(name: &str) -> DeviceId {
    DeviceId::new(format!("n1-in-1.{name}")).unwrap()
}

pub fn spec(live: bool, weighed: bool) -> LaneSpec {
    let camera = |name: &str, view, kinds: &[ReadKind]| CameraSpec {
        id: device(name),
        view,
        kinds: kinds.to_vec(),
        codes: false,
        confusions: None,
    };
    LaneSpec {
        port: PortId::new("ITBRI").unwrap(),
        node: node("1"),
        lane: LaneId::new("n1-in-1").unwrap(),
        direction: Direction::In,
        live,
        advisory: false,
        acting: Arc::new(Issued::new(RuleSet::built_in())),
        beside: Arc::default(),
        identity: identity_rule(),
        weight: weighed.then(weight_rule),
        timers: LaneTimers {
            presence_ms: 300,
            identify_ms: 4_000,
            inputs_stale_ms: 1_000,
            decision_valid_ms: 5_000,
            raise_ms: 3_000,
            lower_ms: 4_000,
            clear_ms: 1_000,
            pass_ms: 30_000,
            between_loops_ms: 3_000,
            trailer_gap_ms: 1_500,
            loop_stuck_ms: 60_000,
        },
        ask_again_ms: 2_000,
        devices: LaneDevices {
            io: device("io"),
            exit_io: None,
            cameras: vec![
                camera("front", View::Front, &[ReadKind::Plate]),
                camera("rear", View::Rear, &[ReadKind::Plate, ReadKind::Container]),
                camera("side", View::Side, &[ReadKind::Container]),
            ],
            reader: Some(device("reader")),
            scale: weighed.then(|| device("scale")),
            code_reader: Some(device("codes")),
            scale_inside: false,
        },
        processes: Arc::new(processes()),
        epoch: BootEpoch(1),
        next_pass: 1,
    }
}

/// The same lane as a two-barrier lock.
pub fn lock_spec() -> LaneSpec {
    let mut spec = spec(true, false);
    spec.devices.exit_io = Some(device("exit"));
    spec
}
