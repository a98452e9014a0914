//! What truly happened, for the judge.

use super::arm::ArmAct;
use super::truck::Story;
use gate_types::{LaneId, MissionId};

/// How a visit of a lane ended in truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Drove through.
    Passed,
    /// Went back by the side that it came from.
    TurnedBack,
}

/// One truck before one arm.
#[derive(Debug, Clone, serde::Serialize)]
pub struct TrueVisit {
    /// The lane.
    pub lane: LaneId,
    /// Counts the visits of the lane from 1.
    pub number: u64,
    /// The truck.
    pub truck: u32,
    /// What is special about it.
    pub story: Story,
    /// Its mission, where it has one.
    pub mission: Option<MissionId>,
    /// The tractor's plate.
    pub tractor_plate: String,
    /// The trailer's plate.
    pub trailer_plate: String,
    /// The container.
    pub container: Option<String>,
    /// The tag.
    pub tag: Option<String>,
    /// True gross weight, kilograms.
    pub gross_kg: f64,
    /// The lane has a scale.
    pub weighed: bool,
    /// First loop on, wall clock, milliseconds.
    pub came_ms: i64,
    /// How it ended; none: not yet.
    pub ending: Option<Ending>,
    /// Last loop off, wall clock, milliseconds.
    pub left_ms: Option<i64>,
}

/// One act of one arm.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ArmRecord {
    /// The lane.
    pub lane: LaneId,
    /// Wall clock, milliseconds.
    pub at_ms: i64,
    /// What.
    pub act: ArmAct,
    /// The visit that was open then.
    pub visit: Option<u64>,
    /// It is the exit arm of a two-barrier lock.
    pub exit: bool,
}

/// Everything that happened.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Ledger {
    /// Visits in the order of their beginning.
    pub visits: Vec<TrueVisit>,
    /// Arm acts in order.
    pub arms: Vec<ArmRecord>,
    /// Missions that truly reached their destination, by process.
    pub finished: std::collections::BTreeMap<String, u64>,
    /// How often both arms of a lock were off their lower ends at once, by lane.
    pub both_up: std::collections::BTreeMap<String, u64>,
    /// Trucks that gave up though nothing was wrong with them.
    pub gave_up: u64,
}
