//! Passes a second through fusion and decision in memory, on one core: six statements of four cameras, a
//! reader and a scale are fused, the mission is found among 500 expected ones, and the built-in rule set
//! decides, with its full record. Part of `make bench`; the bar is 20,000 a second.
#![allow(clippy::unwrap_used, reason = "a tool for measuring fails by panicking")]

use gate_core::fusion::{Evidence, Expectations, Resolution};
use gate_core::policy::{Case, Issued, Law, basis_of, decide};
use gate_types::Mono;
use gate_types::identity::Slot;
use gate_types::iso6346::check_digit;
use gate_types::mission::{
    CustomsStatus, DefinitiveStatus, Direction, InstructionKind, LegRule, MissionConditions, MissionPath,
    PathKind, Process,
};
use gate_types::observation::{
    CheckDigit, OpticalRead, PixelBox, ReadKind, StableSource, TagRead, TagRole, View, WeightRange,
    WeightRead,
};
use gate_types::release::{Expected, Finding, MissionFacts};
use gate_types::rules::{IdentityRule, RuleMode, RuleSet, WeightRule};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const MISSIONS: usize = 500;
const BAR: f64 = 20_000.0;
/// The best of this many rounds counts: others may use the machine meanwhile.
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(700);

fn plate(n: usize, letter: char) -> String {
    format!("{letter}B{:03}{letter}Z", n % 1000)
}

fn code(n: usize) -> String {
    let body = format!("MSCU{n:06}");
    format!("{body}{}", check_digit(&body).unwrap())
}

fn process() -> Process {
    let leg = |node: &str| LegRule {
        node: node.parse().unwrap(),
        direction: Direction::In,
        admit: vec![CustomsStatus::Released],
        requires: vec![],
        instruction: InstructionKind::GoOn,
        required_checks: vec![],
    };
    let path = MissionPath {
        id: "P1-1-2-6".into(),
        kind: PathKind::Normal,
        legs: vec!["1".into(), "2".into(), "6".into()],
    };
    Process {
        id: "P1".parse().unwrap(),
        name: "Export".into(),
        declarations: vec![],
        transparent: vec![],
        definitive: DefinitiveStatus::Loaded,
        legs: BTreeMap::from([("1".into(), leg("1")), ("2".into(), leg("2")), ("6".into(), leg("6"))]),
        paths: vec![path],
    }
}

fn mission(n: usize) -> MissionFacts {
    MissionFacts {
        mission: format!("M-{n:06}").parse().unwrap(),
        iot_id: gate_types::IotId(uuid::Uuid::from_u128(n as u128)),
        process: "P1".parse().unwrap(),
        status: CustomsStatus::Released,
        holds: vec![],
        report_to: None,
        conditions: MissionConditions {
            access_permission: true,
            boarding_ticket: true,
            declaration: None,
            berth: None,
            exception: None,
        },
        progress: vec![],
        ended: false,
        expected: Expected {
            tractor_plate: Some(plate(n, 'A')),
            trailer_plate: Some(plate(n, 'X')),
            itus: vec![code(n)],
            vehicle_tag: Some(format!("3414{n:08x}")),
            tare_kg: Some(15_000.0),
            declared_cargo_kg: Some(20_000.0),
        },
        language: None,
        circumstances: Default::default(),
    }
}

fn read(kind: ReadKind, view: View, text: &str, confidence: f32) -> OpticalRead {
    OpticalRead {
        kind,
        view,
        text: text.to_owned(),
        raw_text: text.to_owned(),
        confidence,
        check_digit: CheckDigit::None,
        region: None,
        type_code: None,
        alternatives: vec![],
        at: PixelBox { x: 0.0, y: 0.0, w: 1.0, h: 1.0 },
        frame_sha256: String::new(),
    }
}

/// The six statements about one vehicle.
struct Seen {
    optical: [(&'static str, View, OpticalRead); 4],
    tag: TagRead,
    weight: WeightRead,
}

fn seen(n: usize) -> Seen {
    let (p, c) = (ReadKind::Plate, ReadKind::Container);
    Seen {
        optical: [
            ("front", View::Front, read(p, View::Front, &plate(n, 'A'), 0.96)),
            ("rear", View::Rear, read(p, View::Rear, &plate(n, 'X'), 0.93)),
            ("side", View::Side, read(c, View::Side, &code(n), 0.95)),
            ("rear", View::Rear, read(c, View::Rear, &code(n), 0.9)),
        ],
        tag: TagRead {
            epc: format!("3414{n:08x}"),
            uri: None,
            role: TagRole::Vehicle,
            antenna: 1,
            rssi_dbm: -50,
            seen_count: 9,
        },
        weight: WeightRead {
            gross_kg: 35_100.0,
            stable: true,
            stable_source: StableSource::Indicator,
            range: WeightRange::InRange,
            alibi: None,
            raw: String::new(),
        },
    }
}

fn main() {
    let missions: Vec<MissionFacts> = (0..MISSIONS).map(mission).collect();
    let expected = Expectations::new(missions.iter().map(|m| &m.expected));
    let vehicles: Vec<Seen> = (0..MISSIONS).map(seen).collect();
    let (acting, processes, node) = (Issued::new(RuleSet::built_in()), vec![process()], "1".parse().unwrap());
    let rule = IdentityRule {
        slots: vec![Slot::TractorPlate, Slot::TrailerPlate, Slot::Itu, Slot::VehicleTag],
        factors_wanted: 3,
        factors_needed: 2,
        read_threshold: 0.6,
    };
    let weight = WeightRule { required: true, tolerance_share: 0.04, tolerance_kg: 400.0, interval_kg: 20.0 };
    let law = Law {
        acting: &acting,
        beside: &[],
        mode: RuleMode::Live,
        identity: &rule,
        weight: Some(&weight),
        processes: &processes,
        node: &node,
        direction: Direction::In,
    };
    let pass = |n: usize| {
        let vehicle = &vehicles[n];
        let mut evidence = Evidence::default();
        for (device, view, read) in &vehicle.optical {
            evidence.add_read(device, *view, read, Mono(1));
        }
        evidence.add_tag("reader", &vehicle.tag);
        evidence.add_weight("scale", &vehicle.weight, Mono(2));
        let identity = evidence.fuse(rule.read_threshold);
        let Resolution::One { mission, matched } = expected.resolve(&identity, 0.5) else { return false };
        let finding = Finding::Mission { facts: Box::new(missions[mission].clone()), matched };
        let (basis, facts) = basis_of("n", 1_700_000_000_000, &finding);
        let case = Case { identity: &identity, basis: &basis, facts: facts.as_deref(), down: &[] };
        decide(&law, &case).verdict.admits()
    };
    assert!((0..MISSIONS).all(pass), "every vehicle of the bench is admitted");
    let mut best = 0.0f64;
    for _ in 0..ROUNDS {
        let (started, mut passes) = (Instant::now(), 0usize);
        while started.elapsed() < ROUND {
            (0..100).for_each(|n| assert!(pass((passes + n) % MISSIONS)));
            passes += 100;
        }
        best = best.max(passes as f64 / started.elapsed().as_secs_f64());
    }
    let word = if best >= BAR { "ok" } else { "MISSED" };
    println!(
        "fusion + decision in memory, one core, six statements, {MISSIONS} expected missions: {best:.0} passes/s \
         (bar {BAR:.0}, {:.1}x): {word}",
        best / BAR
    );
    if best < BAR {
        std::process::exit(1);
    }
}
