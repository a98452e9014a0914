//! What runs, for those who look at it: gates by node, central, the port.

use super::people::{Central, SharedPort};
use anyhow::Context as _;
use gate_types::NodeId;
use gate_types::console::{LaneState, LaneView, Metrics};
use std::time::Duration;

/// One gate's console.
#[derive(Debug, Clone)]
pub struct Gate {
    /// The node.
    pub node: NodeId,
    /// `http://IP:PORT`.
    pub base: String,
    /// Cameras of its lanes.
    pub cameras: Vec<String>,
}

/// Everything that runs.
#[derive(Clone)]
pub struct Hub {
    /// The site's name.
    pub site: config::Site,
    /// The seed.
    pub seed: u64,
    /// The port.
    pub port: SharedPort,
    /// The gates.
    pub gates: Vec<Gate>,
    /// Central.
    pub central: Central,
    /// A client.
    pub http: reqwest::Client,
}

impl Hub {
    async fn fetch(&self, gate: &Gate, path: &str) -> anyhow::Result<bytes::Bytes> {
        let what = || format!("gate {} at {}{path}", gate.node, gate.base);
        let request = self.http.get(format!("{}{path}", gate.base)).timeout(Duration::from_secs(5));
        let answer = request.send().await.with_context(what)?.error_for_status().with_context(what)?;
        answer.bytes().await.with_context(what)
    }
    /// The lanes of one gate as it shows them.
    pub async fn lanes(&self, gate: &Gate) -> anyhow::Result<Vec<LaneView>> {
        let body = self.fetch(gate, "/api/v1/lanes").await?;
        serde_json::from_slice(&body).with_context(|| format!("gate {}: its lanes", gate.node))
    }
    /// The figures of one gate.
    pub async fn metrics(&self, gate: &Gate) -> anyhow::Result<Metrics> {
        let body = self.fetch(gate, "/api/v1/metrics").await?;
        serde_json::from_slice(&body).with_context(|| format!("gate {}: its metrics", gate.node))
    }
    /// The last frame of a camera.
    pub async fn frame(&self, camera: &str) -> anyhow::Result<bytes::Bytes> {
        let gate = self.gates.iter().find(|g| g.cameras.iter().any(|c| c == camera));
        self.fetch(gate.context("no such camera")?, &format!("/api/v1/frames/{camera}")).await
    }
    /// What keeps the lanes from working, in words; empty when all are ready.
    pub async fn unready(&self) -> Vec<String> {
        let mut waits = Vec::new();
        for gate in &self.gates {
            match self.lanes(gate).await {
                Ok(lanes) => {
                    for lane in lanes {
                        if lane.state == LaneState::Starting {
                            waits.push(format!("{} starts", lane.lane));
                        }
                        waits.extend(lane.faults.iter().map(|f| format!("{}: {}", f.device, f.text)));
                    }
                }
                Err(error) => waits.push(format!("{error:#}")),
            }
        }
        waits
    }
    /// All lanes idle, every recorded event acknowledged by central.
    pub async fn settled(&self) -> anyhow::Result<bool> {
        for gate in &self.gates {
            let idle = |l: &LaneView| l.pass.is_none() && l.state != LaneState::Lowering;
            let metrics = self.metrics(gate).await?;
            if metrics.acknowledged != metrics.events || !self.lanes(gate).await?.iter().all(idle) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
