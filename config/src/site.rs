//! The site file: nodes, roads, processes.

use gate_types::mission::Process;
use gate_types::{NodeId, PortId, ProcessId};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A port with its nodes and processes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// The port.
    pub port: PortId,
    /// For people.
    pub name: String,
    /// The site's own language (BCP 47), shown on every sign beside the driver's.
    pub language: String,
    /// What the site's source leaves open and this file assumes, in sentences.
    #[serde(default)]
    pub assumptions: Vec<String>,
    /// Rule files, relative to this file. A lane that none of them covers works by the built-in rule set.
    #[serde(default)]
    pub rules: Vec<PathBuf>,
    /// How long a permit lasts that central gives gates in advance, seconds, 60 to 86400; absent: none are
    /// given, and a silent central admits nobody.
    #[serde(default)]
    pub permits_valid_s: Option<u32>,
    /// The control points.
    #[serde(rename = "node")]
    pub nodes: Vec<NodeSpec>,
    /// Which points are joined by a road.
    #[serde(default, rename = "road")]
    pub roads: Vec<Road>,
    /// The process types with their admissible paths.
    #[serde(rename = "process")]
    pub processes: Vec<Process>,
}

impl Site {
    /// One node.
    pub fn node(&self, id: &NodeId) -> Option<&NodeSpec> {
        self.nodes.iter().find(|n| n.id == *id)
    }
    /// One process.
    pub fn process(&self, id: &ProcessId) -> Option<&Process> {
        self.processes.iter().find(|p| p.id == *id)
    }
}

/// What a node is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// Customs gate on the land side.
    CustomsGate,
    /// Port security gate.
    PortGate,
    /// Parking or buffer.
    Parking,
    /// Port facility gate at a wharf or dock.
    FacilityGate,
}

/// A place on the schematic map, in units of 0..=1000 from the upper left.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapPoint {
    /// To the right.
    pub x: f64,
    /// Downwards.
    pub y: f64,
}

/// One control point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSpec {
    /// Its number or name.
    pub id: NodeId,
    /// For people.
    pub name: String,
    /// What it is for.
    pub kind: NodeKind,
    /// Exceptional use only (B33).
    #[serde(default)]
    pub exceptional: bool,
    /// Where it stands on the schematic map.
    pub map: MapPoint,
}

/// Two points joined by a road; `land` and `quay` are the open ends of the port.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Road {
    /// One end: a node, or `land`.
    pub from: String,
    /// The other end: a node.
    pub to: String,
    /// Usual driving time, seconds.
    pub drive_s: u32,
}
