//! The roads of Bari, and missions that drive on them.

use crate::site::{leg, node, processes};
use gate_core::mission::{Corroboration, Followed, Habits, PassSeen, Plan, Port, PortNode, follow};
use gate_types::mission::{ExceptionGrant, LegRef, MissionConditions, MissionPath, PathKind, Process};
use std::sync::Arc;

pub const START_MS: i64 = 1_700_000_000_000;

/// Usual driving times in seconds.
const ROADS: [(&str, &str, i64); 12] = [
    ("1", "2", 90),
    ("2", "3", 60),
    ("2", "4", 120),
    ("2", "5", 150),
    ("2", "6", 180),
    ("2", "7", 210),
    ("2", "8", 150),
    ("3", "4", 120),
    ("3", "5", 150),
    ("3", "6", 210),
    ("3", "7", 210),
    ("3", "8", 120),
];

pub fn port(habits: Habits) -> Arc<Port> {
    let nodes =
        (1..=9).map(|n| PortNode { id: node(&n.to_string()), parking: n == 3, read_rate: None }).collect();
    Arc::new(Port::new(nodes, ROADS.iter().map(|(a, b, s)| (*a, *b, s * 1000)), habits))
}

pub fn plan(process: &Process) -> Plan {
    Plan::new(process, port(Habits::default())).unwrap()
}

/// The plan of `P1` to `P4`.
pub fn plan_of(id: &str) -> Plan {
    plan(processes().iter().find(|p| p.id.as_str() == id).unwrap())
}

/// Conditions under which `at`, a leg of `path`, is admissible.
pub fn facts_for(process: &Process, path: &MissionPath, at: &LegRef) -> MissionConditions {
    let to_parking = *at == leg("3-in");
    MissionConditions {
        access_permission: !to_parking,
        boarding_ticket: !to_parking,
        declaration: process.declarations.first().copied(),
        berth: process.legs_of(path).last().map(|l| l.node.clone()),
        exception: (path.kind == PathKind::Exceptional)
            .then(|| ExceptionGrant { reason: "quay works".into(), authorised_by: "Rossi".into() }),
    }
}

/// The passes of a mission that drives `path` as it should, ten minutes apart.
pub fn driven(process: &Process, path: &MissionPath) -> Vec<PassSeen> {
    let legs = process.legs_of(path);
    let seen = legs.iter().map(|l| {
        let at = LegRef { node: l.node.clone(), direction: l.direction };
        PassSeen { conditions: facts_for(process, path, &at), leg: at, at_ms: 0 }
    });
    timed(seen.collect())
}

/// The same passes, ten minutes apart.
pub fn timed(mut passes: Vec<PassSeen>) -> Vec<PassSeen> {
    for (k, pass) in passes.iter_mut().enumerate() {
        pass.at_ms = START_MS + 600_000 * i64::try_from(k).unwrap();
    }
    passes
}

pub fn followed(plan: &Plan, passes: &[PassSeen]) -> Followed {
    follow(plan, &[], passes, |_, _, _| Corroboration::default())
}

pub fn each_path(mut f: impl FnMut(&Process, &MissionPath)) {
    for process in processes() {
        for path in &process.paths {
            f(&process, path);
        }
    }
}
