//! What a lane is: the part of its configuration that the decision rests on.

use crate::policy::{Issued, Law};
use gate_types::confusion::ConfusionTable;
use gate_types::mission::{Direction, Process};
use gate_types::observation::{ReadKind, View};
use gate_types::rules::{LaneRules, RuleMode};
use gate_types::{BootEpoch, DeviceId, LaneId, NodeId, PortId};
use std::sync::Arc;

pub use gate_types::rules::{IdentityRule, WeightRule};

/// One lane as its automaton needs it. Validated by the configuration check before it gets here.
#[derive(Debug, Clone)]
pub struct LaneSpec {
    /// The port.
    pub port: PortId,
    /// The node that the lane belongs to.
    pub node: NodeId,
    /// The lane.
    pub lane: LaneId,
    /// The way it leads.
    pub direction: Direction,
    /// True: moves the arm. False (shadow): decides and records, writes nothing to arm and lamps.
    pub live: bool,
    /// True: what the rules would admit, an operator admits.
    pub advisory: bool,
    /// The rule set that acts here.
    pub acting: Arc<Issued>,
    /// Rule sets whose decisions are recorded beside.
    pub beside: Arc<Vec<Issued>>,
    /// What identifies a vehicle here.
    pub identity: IdentityRule,
    /// How weight is judged; none: not at all.
    pub weight: Option<WeightRule>,
    /// Times.
    pub timers: LaneTimers,
    /// How often a held vehicle's release is asked again, milliseconds.
    pub ask_again_ms: u64,
    /// The devices whose observations count.
    pub devices: LaneDevices,
    /// The site's process types.
    pub processes: Arc<Vec<Process>>,
    /// The journal's start counter: part of every nonce.
    pub epoch: BootEpoch,
    /// The number of the next pass; never one that was used before.
    pub next_pass: u64,
}

impl LaneSpec {
    /// What the lane's decisions may do.
    pub fn mode(&self) -> RuleMode {
        match (self.live, self.advisory) {
            (false, _) => RuleMode::Shadow,
            (true, true) => RuleMode::Advisory,
            (true, false) => RuleMode::Live,
        }
    }
    /// What the lane decides by.
    pub fn law(&self) -> Law<'_> {
        Law {
            acting: &self.acting,
            beside: &self.beside,
            mode: self.mode(),
            identity: &self.identity,
            weight: self.weight.as_ref(),
            processes: &self.processes,
            node: &self.node,
            direction: self.direction,
        }
    }
    /// The same as the journal keeps it.
    pub fn rules(&self) -> LaneRules {
        LaneRules {
            node: self.node.clone(),
            direction: self.direction,
            mode: self.mode(),
            acting: self.acting.set.clone(),
            beside: self.beside.iter().map(|issued| issued.set.clone()).collect(),
            identity: self.identity.clone(),
            weight: self.weight,
            processes: self.processes.to_vec(),
            confusions: self.devices.cameras.iter().filter_map(CameraSpec::own_confusions).collect(),
        }
    }
}

/// The times of a lane, milliseconds; the names are those of the node file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneTimers {
    /// Presence shorter than this is no vehicle; absence shorter than this is no departure.
    pub presence_ms: u64,
    /// Longest reading before a decision is taken with what is there.
    pub identify_ms: u64,
    /// Inputs older than this are unknown.
    pub inputs_stale_ms: u64,
    /// How long an Admit may wait for its raise command.
    pub decision_valid_ms: u64,
    /// The arm reaches its upper end within this.
    pub raise_ms: u64,
    /// The arm reaches its lower end within this.
    pub lower_ms: u64,
    /// The zone must be free this long, freshly, before lowering is permitted.
    pub clear_ms: u64,
    /// A raised arm that nobody drives under is a fault after this.
    pub pass_ms: u64,
    /// A vehicle before the raised arm that is on neither loop for this long has not gone through.
    pub between_loops_ms: u64,
    /// Without a curtain: the loop under the arm free for up to this, while something stands on the first
    /// loop, is the gap before a trailer and no departure.
    pub trailer_gap_ms: u64,
    /// A loop that stays active longer than this is reported stuck.
    pub loop_stuck_ms: u64,
}

/// The devices of a lane that its automaton listens to.
#[derive(Debug, Clone, PartialEq)]
pub struct LaneDevices {
    /// The remote I/O of barrier, loops and lamps.
    pub io: DeviceId,
    /// The remote I/O of the exit arm: the lane is a two-barrier lock. Its first loop lies between the arms.
    /// Never together with shadow mode.
    pub exit_io: Option<DeviceId>,
    /// Cameras.
    pub cameras: Vec<CameraSpec>,
    /// The RFID reader.
    pub reader: Option<DeviceId>,
    /// The weighing indicator.
    pub scale: Option<DeviceId>,
    /// The scale lies between the arms of a two-barrier lock; else before the entry arm.
    pub scale_inside: bool,
    /// The barcode reader to which drivers show gate passes.
    pub code_reader: Option<DeviceId>,
}

/// One camera.
#[derive(Debug, Clone, PartialEq)]
pub struct CameraSpec {
    /// Device name.
    pub id: DeviceId,
    /// The side of the vehicle that it sees.
    pub view: View,
    /// What is read on its frames.
    pub kinds: Vec<ReadKind>,
    /// Gate passes that it sees count as well.
    pub codes: bool,
    /// What misreading costs on it; the built-in table where absent.
    pub confusions: Option<ConfusionTable>,
}

impl CameraSpec {
    fn own_confusions(&self) -> Option<(String, ConfusionTable)> {
        Some((self.id.to_string(), self.confusions.clone()?))
    }
}
