//! What a gate's console shows of its lanes: `GET /api/v1/lanes` gives a list of [`LaneView`],
//! `GET /api/v1/stream` server-sent events with one [`LaneView`] each, `GET /api/v1/frames/{camera}`
//! the last frame (JPEG), `GET /api/v1/metrics` the [`Metrics`].

use crate::fault::Fault;
use crate::id::{LaneId, NodeId, PassId};
use crate::identity::Identity;
use crate::mission::Direction;
use crate::observation::{ArmPosition, LaneInputs, OpticalRead};
use crate::release::MissionFacts;
use crate::verdict::{Instruction, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The lane automaton's state in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaneState {
    /// Started; inputs not read yet.
    Starting,
    /// Nobody there.
    Idle,
    /// A vehicle stands on the first loop and is being read.
    Identifying,
    /// Central was asked.
    Deciding,
    /// Held; the lane asks again by itself.
    Held,
    /// Referred to an operator.
    Referred,
    /// Between the arms of a two-barrier lock, the entry arm down behind it.
    Enclosed,
    /// The arm is rising.
    Raising,
    /// The vehicle may pass.
    Passing,
    /// The vehicle has left; the zone is being proven clear.
    Clearing,
    /// The arm is lowering.
    Lowering,
    /// A fault keeps the lane from working.
    Faulted,
    /// The key switch or the fire input has the lane.
    Local,
    /// Closed by an operator.
    Closed,
}

/// One lane as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaneView {
    /// The node.
    pub node: NodeId,
    /// The lane.
    pub lane: LaneId,
    /// Its direction.
    pub direction: Direction,
    /// The automaton's state.
    pub state: LaneState,
    /// The open pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<PassId>,
    /// Inputs.
    pub inputs: LaneInputs,
    /// The arm, proven by limit switches.
    pub arm: ArmPosition,
    /// Inputs at the exit arm of a two-barrier lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_inputs: Option<LaneInputs>,
    /// What is known of the vehicle.
    pub identity: Identity,
    /// The last reads with their boxes, by camera.
    #[serde(default)]
    pub reads: BTreeMap<String, Vec<OpticalRead>>,
    /// The weight that the scale shows, kilograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_kg: Option<f64>,
    /// The mission's facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mission: Option<Box<MissionFacts>>,
    /// The last verdict of this pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What the sign shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction: Option<Instruction>,
    /// The sign's lines as sent.
    #[serde(default)]
    pub sign: Vec<String>,
    /// Standing faults.
    pub faults: Vec<Fault>,
    /// Cameras of the lane, in order, for the frames.
    pub cameras: Vec<String>,
}

/// Percentiles of a measured time, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Percentiles {
    /// How many were measured.
    pub count: u64,
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Largest.
    pub max: f64,
}

/// The daemon's own figures.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Metrics {
    /// From the last needed input to the moment at which the raise command had left for the wire.
    pub decision_latency_ms: Percentiles,
    /// As above, to the remote I/O's acknowledgement of the command.
    #[serde(default)]
    pub decision_acknowledged_ms: Percentiles,
    /// One durable journal commit.
    pub fsync_ms: Percentiles,
    /// Raw samples of both, milliseconds, newest 4096, for pooling over nodes.
    #[serde(default)]
    pub decision_samples_ms: Vec<f64>,
    /// As above.
    #[serde(default)]
    pub fsync_samples_ms: Vec<f64>,
    /// Entries in the journal.
    pub entries: u64,
    /// Event entries in the journal (those that travel).
    pub events: u64,
    /// Events that central has acknowledged.
    pub acknowledged: u64,
    /// Events that the broker has acknowledged.
    pub published: u64,
    /// The last entry that a signed head covers.
    #[serde(default)]
    pub signed: u64,
    /// The last entry that central's receipt covers.
    #[serde(default)]
    pub anchored: u64,
    /// Bodies erased since the start.
    #[serde(default)]
    pub erased: u64,
    /// Passes closed, by outcome.
    pub passes: BTreeMap<String, u64>,
    /// Arm commands and confirmations: `raised`, `confirmed`, `lowered`, `unexplained`.
    pub arms: BTreeMap<String, u64>,
    /// Passes that were held at some time, by the first reason of their first Hold.
    pub held: BTreeMap<String, u64>,
    /// Passes that were referred at some time, by the first reason of their first Refer.
    pub referred: BTreeMap<String, u64>,
}
