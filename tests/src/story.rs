//! What several stories start from.

use crate::{Block, Camera, NodeFile, binary};
use gate_types::api::NewMission;
use gate_types::mission::{CustomsStatus, DeclarationKind, Direction, LegRef, MissionConditions};
use gate_types::release::Expected;
use gate_types::{NodeId, ProcessId};
use std::process::Command;

/// A released export of one container by container ship (P1) whose transporter has the access permission.
pub fn released_export(code: &str) -> NewMission {
    NewMission {
        idempotency_key: format!("export-{code}"),
        process: ProcessId::new("P1").unwrap(),
        mrns: Vec::new(),
        expected: Expected { itus: vec![code.to_owned()], ..Expected::default() },
        status: CustomsStatus::Released,
        holds: Vec::new(),
        report_to: None,
        conditions: MissionConditions {
            access_permission: true,
            boarding_ticket: false,
            declaration: Some(DeclarationKind::Export),
            berth: None,
            exception: None,
        },
        language: None,
        imported_progress: Vec::new(),
    }
}

/// Keeps one lane of a node file and makes it one that needs the container code alone.
pub fn container_lane(file: &mut NodeFile, lane: &str, block: &Block, camera: &Camera) {
    container_only(file.only_lane(lane), block, camera);
}

/// A lane that needs the container code alone: remote I/O and one side camera, nothing else.
pub fn container_only(lane: &mut toml::Table, block: &Block, camera: &Camera) {
    for gone in ["weight", "scale", "reader", "sign"] {
        lane.remove(gone);
    }
    lane["io"].as_table_mut().unwrap().insert("endpoint".into(), block.endpoint().into());
    let identity: toml::Table =
        "slots = ['itu']\nfactors_wanted = 1\nfactors_needed = 1\nread_threshold = 0.6".parse().unwrap();
    lane.insert("identity".into(), identity.into());
    let cameras = lane["camera"].as_array_mut().unwrap();
    cameras.retain(|c| c["view"].as_str() == Some("side"));
    cameras[0].as_table_mut().unwrap().insert("endpoint".into(), camera.endpoint().into());
}

/// A declared and released import by container ship (P3) that has left its dock: node 1 outwards ends it.
pub fn released_import(code: &str) -> NewMission {
    let mut mission = released_export(code);
    mission.idempotency_key = format!("import-{code}");
    mission.process = ProcessId::new("P3").unwrap();
    mission.conditions.declaration = Some(DeclarationKind::Importation);
    mission.imported_progress = vec![LegRef { node: NodeId::new("6").unwrap(), direction: Direction::Out }];
    mission
}

/// A rendered side view and the code on it.
pub fn rendered(folder: &std::path::Path) -> (Vec<u8>, String) {
    let out = folder.join("pictures");
    let render = Command::new(binary("varco-sim"))
        .args(["render", "--seed", "5", "--count", "6", "--out"])
        .arg(&out)
        .output()
        .unwrap();
    assert!(render.status.success());
    let truth = std::fs::read_to_string(out.join("truth.csv")).unwrap();
    let line = truth.lines().find(|l| l.contains("-side.jpg") && l.contains("horizontal")).unwrap();
    let mut fields = line.split(',');
    let file = fields.next().unwrap();
    (std::fs::read(out.join(file)).unwrap(), fields.next().unwrap().to_owned())
}
