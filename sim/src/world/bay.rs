//! Where a lane's world meets its devices: what they can sense, and what they were told.

use super::truck::Card;
use gate_types::LaneId;
use gate_types::observation::{LaneInputs, Level};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::watch;

/// A vehicle before the arm.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Counts the visits of the lane from 1.
    pub number: u64,
    /// What can be seen of it.
    pub card: Arc<Card>,
    /// It stands at the stop line.
    pub standing: bool,
    /// Since when it stands or rolls.
    pub since: Instant,
}

/// What a lane block's coils were told, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pulse {
    /// Rising edge of the raise coil.
    Raise,
    /// Rising edge of the lower coil.
    Lower,
}

/// The parts that wires change or show.
#[derive(Debug, Clone)]
pub struct Panel {
    /// Inputs of the remote I/O.
    pub inputs: LaneInputs,
    /// Coil edges that the arm has not seen yet.
    pub pulses: Vec<Pulse>,
    /// Green lamp.
    pub green: bool,
    /// What the sign shows.
    pub sign: Vec<String>,
    /// When the sign heard something last.
    pub sign_heard: Option<Instant>,
}

/// One lane as its devices have it.
#[derive(Debug)]
pub struct Bay {
    /// The lane.
    pub lane: LaneId,
    /// Seeds everything random of this lane.
    pub seed: u64,
    /// The vehicle before the arm.
    pub vehicle: watch::Sender<Option<Visit>>,
    /// The exit arm of a two-barrier lock, with a block of its own.
    pub exit: Option<Arc<Bay>>,
    panel: Mutex<Panel>,
}

impl Bay {
    /// An empty lane with its arm down.
    pub fn new(lane: LaneId, seed: u64) -> Arc<Self> {
        Self::beside(lane, seed, None)
    }
    /// An empty two-barrier lock with both arms down.
    pub fn lock(lane: LaneId, seed: u64) -> Arc<Self> {
        let exit = Self::new(lane.clone(), seed);
        Self::beside(lane, seed, Some(exit))
    }
    fn beside(lane: LaneId, seed: u64, exit: Option<Arc<Self>>) -> Arc<Self> {
        let inputs = LaneInputs {
            loop_approach: Level::Off,
            loop_under: Level::Off,
            curtain: Level::Off,
            limit_up: Level::Off,
            limit_down: Level::On,
            local_key: Level::Off,
            fire: Level::Off,
            barrier_fault: Level::Off,
            ..LaneInputs::default()
        };
        let panel = Panel { inputs, pulses: Vec::new(), green: false, sign: Vec::new(), sign_heard: None };
        Arc::new(Self { lane, seed, vehicle: watch::channel(None).0, exit, panel: Mutex::new(panel) })
    }
    /// The panel; held for a moment only, never across an await.
    pub fn panel(&self) -> MutexGuard<'_, Panel> {
        self.panel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
