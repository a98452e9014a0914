//! A gate whose lanes lose no time: the container code alone is needed, the timers are short, and every lane
//! has its own remote I/O and a camera that shows its own container.

use crate::{
    Block, Camera, Central, Gate, NodeFile, Stand, binary, container_only, drive_through, released_import,
    root, until,
};
use gate_types::console::{LaneState, Metrics};
use std::path::Path;
use std::process::Command;

/// The shipped lane that quick lanes are copies of.
const PATTERN: &str = "n1-out-1";

/// One lane of a quick gate.
pub struct QuickLane {
    /// Its name.
    pub id: String,
    /// Its remote I/O.
    pub block: Block,
    /// The code of the container that its camera shows.
    pub code: String,
    /// Its camera.
    pub camera: Camera,
}

/// Central and the gate of node 1 with quick lanes outwards, idle and without faults.
pub struct QuickGate {
    /// The gate.
    pub gate: Gate,
    /// Central.
    pub central: Central,
    /// Its lanes.
    pub lanes: Vec<QuickLane>,
    /// The folder with all state and logs; the gate's state is in `state`.
    pub stand: Stand,
}

impl QuickGate {
    /// A gate with so many lanes, `n1-out-1` and on.
    pub async fn start(lanes: usize) -> Self {
        Self::edited(lanes, |_| {}).await
    }
    /// As [`QuickGate::start`], with the node file changed by `edit`.
    pub async fn edited(lanes: usize, edit: impl FnOnce(&mut toml::Table)) -> Self {
        let stand = Stand::new();
        let central = Central::start(stand.path()).await;
        let mut file = NodeFile::bari("1", &central, &stand.path().join("state"));
        let lanes = quick_lanes(&mut file, lanes, stand.path()).await;
        edit(&mut file.0);
        let gate = Gate::start(&central, "1", &file, stand.path()).await;
        let quick = Self { gate, central, lanes, stand };
        for lane in &quick.lanes {
            let idle = |l: &gate_types::console::LaneView| l.state == LaneState::Idle && l.faults.is_empty();
            quick.gate.lane_until(&lane.id, "an idle lane without faults", 60, idle).await;
        }
        quick
    }
    /// A released import drives out by the first lane; the gate's figures once central has acknowledged the end
    /// of that pass.
    pub async fn pass_with_receipt(&self) -> Metrics {
        let QuickLane { id, block, code, .. } = self.lanes.first().unwrap();
        self.central.create(&released_import(code)).await;
        block.loops(true, false);
        drive_through(&self.gate, block, id).await;
        until("central's receipt for the end of the pass", 30, || async {
            let metrics: Metrics = self.gate.get("/api/v1/metrics").await;
            (metrics.anchored == metrics.entries).then_some(metrics)
        })
        .await
    }
}

/// Puts quick lanes into a node file, in the place of its own.
pub async fn quick_lanes(file: &mut NodeFile, count: usize, folder: &Path) -> Vec<QuickLane> {
    let all = file.0["lane"].as_array().unwrap();
    let pattern = all.iter().find(|l| l["id"].as_str() == Some(PATTERN)).unwrap();
    let pattern = toml::to_string(pattern).unwrap();
    let points = root().join("config/points/neutral.toml").display().to_string();
    let (mut tables, mut lanes) = (Vec::new(), Vec::new());
    for (n, (picture, code)) in containers(folder, count).into_iter().enumerate() {
        let id = format!("n1-out-{}", n + 1);
        let mut table: toml::Table = pattern.replace(PATTERN, &id).parse().unwrap();
        let (block, camera) = (Block::start().await, Camera::start(picture).await);
        container_only(&mut table, &block, &camera);
        table["io"].as_table_mut().unwrap().insert("points".into(), points.clone().into());
        let timers = table["timers"].as_table_mut().unwrap();
        timers.insert("presence_ms".into(), 60.into());
        timers.insert("clear_ms".into(), 150.into());
        tables.push(toml::Value::Table(table));
        lanes.push(QuickLane { id, block, code, camera });
    }
    file.0.insert("lane".into(), tables.into());
    lanes
}

/// Rendered side views of containers, each with its code.
fn containers(folder: &Path, count: usize) -> Vec<(Vec<u8>, String)> {
    let out = folder.join("pictures");
    let render = Command::new(binary("varco-sim"))
        .args(["render", "--seed", "5", "--count", "16", "--out"])
        .arg(&out)
        .output()
        .unwrap();
    assert!(render.status.success());
    let truth = std::fs::read_to_string(out.join("truth.csv")).unwrap();
    let views = truth.lines().filter(|l| l.contains("-side.jpg") && l.contains("horizontal"));
    let found: Vec<_> = views
        .take(count)
        .map(|line| {
            let mut fields = line.split(',');
            let picture = std::fs::read(out.join(fields.next().unwrap())).unwrap();
            (picture, fields.next().unwrap().to_owned())
        })
        .collect();
    assert_eq!(found.len(), count, "too few horizontal side views were rendered");
    found
}
