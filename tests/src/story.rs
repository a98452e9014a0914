//! What several stories start from.

use crate::{Block, Camera, Central, Gate, NodeFile, Stand, binary, until};
use gate_types::api::NewMission;
use gate_types::console::{LaneState, LaneView};
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
        circumstances: Default::default(),
    }
}

/// The lane of node 1 that stories with one lane use.
pub const LANE: &str = "n1-in-1";

/// Central and the gate of node 1 with the one lane [`LANE`], which needs the container code alone.
pub struct ContainerLane {
    /// The gate.
    pub gate: Gate,
    /// Central.
    pub central: Central,
    /// The lane's remote I/O.
    pub block: Block,
    /// The lane's side camera.
    pub camera: Camera,
    /// The folder with all state and logs.
    pub stand: Stand,
}

impl ContainerLane {
    /// A lane whose camera shows `picture`, idle and without faults.
    pub async fn start(picture: Vec<u8>) -> Self {
        Self::edited(Camera::start(picture).await, |_| {}).await
    }
    /// As [`ContainerLane::start`], with the lane's part of the node file changed by `edit`.
    pub async fn edited(camera: Camera, edit: impl FnOnce(&mut toml::Table)) -> Self {
        let stand = Stand::new();
        let central = Central::start(stand.path()).await;
        let block = Block::start().await;
        let mut file = NodeFile::bari("1", &central, &stand.path().join("state"));
        container_lane(&mut file, LANE, &block, &camera);
        edit(file.only_lane(LANE));
        let gate = Gate::start(&central, "1", &file, stand.path()).await;
        let lane = Self { gate, central, block, camera, stand };
        lane.until("an idle lane without faults", 20, |l| l.state == LaneState::Idle && l.faults.is_empty())
            .await;
        lane
    }
    /// Waits until the lane satisfies a condition.
    pub async fn until(&self, what: &str, limit_s: u64, holds: impl Fn(&LaneView) -> bool) -> LaneView {
        self.gate.lane_until(LANE, what, limit_s, holds).await
    }
    /// Waits for a decision that admits.
    pub async fn admit(&self) -> LaneView {
        self.until("an Admit", 30, |l| l.verdict.as_ref().is_some_and(|v| v.admits())).await
    }
    /// Drives the admitted vehicle through.
    pub async fn drive_through(&self) -> LaneView {
        drive_through(&self.gate, &self.block, LANE).await
    }
}

/// Drives an admitted vehicle under the risen arm and away; the lane's view when the pass has ended.
pub async fn drive_through(gate: &Gate, block: &Block, lane: &str) -> LaneView {
    until("the arm to rise", 10, || async { (block.arm() >= 1.0).then_some(()) }).await;
    let lowers = block.lowers();
    block.loops(true, true);
    gate.lane_until(lane, "the vehicle under the arm", 10, |l| l.inputs.loop_under.is_on()).await;
    block.loops(false, true);
    gate.lane_until(lane, "the first loop free", 10, |l| !l.inputs.loop_approach.is_on()).await;
    assert_eq!((block.arm(), block.lowers()), (1.0, lowers), "never lowered on a vehicle (I3)");
    block.loops(false, false);
    let view = gate.lane_until(lane, "the pass to end", 20, |l| l.pass.is_none()).await;
    assert_eq!(block.arm(), 0.0);
    view
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

/// A rendered side view and the code on it, for a test that has no folder yet.
pub fn side_view() -> (Vec<u8>, String) {
    rendered(tempfile::tempdir().unwrap().path())
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

/// A grey picture without anything on it, as of a covered lens by day.
pub fn grey_picture() -> Vec<u8> {
    std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/data/grey.jpg")).unwrap()
}

/// Two rendered views of different places.
pub fn two_places() -> [Vec<u8>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let first = rendered(folder.path()).0;
    let files = std::fs::read_dir(folder.path().join("pictures")).unwrap().map(|f| f.unwrap().path());
    let other = files.filter(|f| f.to_string_lossy().ends_with("-front.jpg")).min().unwrap();
    [first, std::fs::read(other).unwrap()]
}
