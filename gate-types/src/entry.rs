//! What the journal holds: one entry per fact, durable before anything that rests on it happens.

use crate::decision::DecisionRecord;
use crate::fault::Fault;
use crate::gate_pass::ShownPass;
use crate::id::{LaneId, PassId};
use crate::identity::{Identity, Slot};
use crate::mission::Direction;
use crate::observation::{ArmPosition, LaneInputs, OpticalRead, TagRead, WeightRead};
use crate::release::{MissionFacts, ReleaseRequest};
use crate::rules::LaneRules;
use crate::time::Stamp;
use crate::verdict::Verdict;
use serde::{Deserialize, Serialize};

/// One entry before the journal numbers and chains it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The lane; none for the node itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<LaneId>,
    /// The pass, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<PassId>,
    /// When, on both clocks.
    pub at: Stamp,
    /// What.
    #[serde(flatten)]
    pub body: EntryBody,
}

/// How a pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassOutcome {
    /// The vehicle went through: under a raised arm, or past one that was not raised for it.
    Passed,
    /// The vehicle left by the side that it came from.
    TurnedBack,
    /// The daemon started anew while the pass was open and the vehicle was gone.
    Interrupted,
}

/// Why the arm was commanded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "authority", rename_all = "snake_case")]
pub enum Authority {
    /// The recorded verdict of this pass.
    Decision,
    /// A person, by name and with a reason.
    Operator {
        /// Who.
        name: String,
        /// Why.
        reason: String,
    },
}

/// The summary of a finished pass: what central counts and what MQTT publishes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PassSummary {
    /// The lane's direction.
    pub direction: Direction,
    /// How it ended.
    pub outcome: PassOutcome,
    /// When the vehicle was first seen, wall clock, milliseconds.
    pub opened_at_ms: i64,
    /// What was read.
    pub identity: Identity,
    /// The mission's facts as last answered, where a mission was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mission: Option<Box<MissionFacts>>,
    /// The last verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Whether an arm went up for this pass, and on whose authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised_by: Option<Authority>,
}

/// The kinds of entry. `#[serde(tag = "kind")]`: a kind is never renamed; new fields are optional.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EntryBody {
    /// The daemon started.
    DaemonStarted {
        /// Version of the binary.
        version: String,
        /// SHA-256 of the configuration as loaded.
        config_sha256: String,
    },
    /// The daemon stopped in order.
    DaemonStopped {},
    /// A vehicle came onto the first loop.
    PassOpened {
        /// The lane's direction.
        direction: Direction,
    },
    /// An optical reading.
    OpticalRead {
        /// The camera.
        device: String,
        /// What it read.
        read: OpticalRead,
    },
    /// A tag.
    TagRead {
        /// The reader.
        device: String,
        /// The tag.
        tag: TagRead,
    },
    /// A stable weight, or why there is none.
    WeightRead {
        /// The scale.
        device: String,
        /// The telegram.
        weight: WeightRead,
    },
    /// A gate pass was shown: held and bound to this pass, or refused.
    GatePassShown {
        /// The code reader or camera.
        device: String,
        /// What became of it.
        shown: ShownPass,
    },
    /// Central was asked.
    ReleaseAsked {
        /// The question.
        request: ReleaseRequest,
    },
    /// Central answered, the signature holds and the answer is for this pass.
    ReleaseAnswered {
        /// The compact JWS as received: the evidence.
        signed: String,
    },
    /// An answer was refused, or none came.
    ReleaseRefused {
        /// The nonce of the question.
        nonce: String,
        /// Why.
        why: String,
    },
    /// A decision: what was known, what follows, by which rules.
    Decided {
        /// The fused identity.
        identity: Identity,
        /// The mission's facts, where known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mission: Option<Box<MissionFacts>>,
        /// The verdict.
        verdict: Verdict,
        /// Rule set and version, `varco-rules/1`.
        rules: String,
        /// What it rests on and what would have admitted; absent in entries of earlier versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<Box<DecisionRecord>>,
    },
    /// The rules that a lane decides by from here on: at every start, before its first pass.
    RulesLoaded {
        /// The rules, complete.
        rules: Box<LaneRules>,
    },
    /// The arm is about to be told to rise. Written before the command; one per decision (I1, I2).
    RaiseCommanded {
        /// By what right.
        authority: Authority,
    },
    /// The limit switch proves the upper end.
    ArmConfirmedUp {},
    /// The vehicle is under the arm.
    VehicleUnder {},
    /// The vehicle has left the second loop onwards.
    VehicleLeft {},
    /// The vehicle was on the second loop and has left it by the side that it came from.
    VehicleWentBack {},
    /// The vehicle stands between the arms of a two-barrier lock, the entry arm behind it is down. What this
    /// pass commands and proves from here on concerns the exit arm.
    VehicleEnclosed {},
    /// An operator sends the vehicle in a two-barrier lock back. What this pass commands and proves from here
    /// on concerns the entry arm.
    VehicleSentBack {},
    /// Lowering is about to be permitted, on these inputs (I3).
    LowerPermitted {
        /// The inputs that prove the clear zone.
        inputs: LaneInputs,
    },
    /// The limit switch proves the lower end.
    ArmConfirmedDown {},
    /// The arm moved without a command of this daemon.
    ArmMovedUncommanded {
        /// Where it is now.
        arm: ArmPosition,
        /// It is the exit arm of a two-barrier lock.
        #[serde(default, skip_serializing_if = "is_false")]
        exit: bool,
    },
    /// The key switch or the fire input took the lane or gave it back, or the arm moved meanwhile (I11).
    LocalHands {
        /// The key switch is on.
        key: bool,
        /// The fire input is active.
        fire: bool,
        /// Where the arm is.
        arm: ArmPosition,
        /// It is the exit arm of a two-barrier lock.
        #[serde(default, skip_serializing_if = "is_false")]
        exit: bool,
    },
    /// The pass ended.
    PassClosed {
        /// The summary.
        summary: Box<PassSummary>,
    },
    /// A fault began.
    FaultRaised {
        /// The fault.
        fault: Fault,
    },
    /// A fault ended.
    FaultCleared {
        /// The fault as it was raised.
        fault: Fault,
    },
    /// A person did something at the console.
    OperatorAct {
        /// Who.
        name: String,
        /// What: `admit`, `turn_back`, `close_lane`, `open_lane`.
        act: String,
        /// Why.
        reason: String,
    },
    /// A person looked and says what stands there: evidence of this pass, and what machines learn from.
    Corrected {
        /// Who.
        name: String,
        /// Which fact.
        slot: Slot,
        /// What stands there, canonical.
        value: String,
        /// Why.
        reason: String,
    },
    /// Bodies of old entries were erased; their commitments stay in the chain.
    Erased {
        /// The purpose whose time was over: `reads`, `decisions`.
        purpose: String,
        /// Entries older than this were meant, wall clock, milliseconds.
        before_ms: i64,
        /// How many were erased.
        entries: u64,
        /// The lowest of their numbers.
        first_seq: u64,
        /// The highest of their numbers.
        last_seq: u64,
    },
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// What an identity is fused from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Evidence<'a> {
    /// A camera read a text.
    Read(&'a str, &'a OpticalRead),
    /// A reader saw a tag.
    Tag(&'a str, &'a TagRead),
    /// A scale weighed.
    Weight(&'a str, &'a WeightRead),
    /// A gate pass was shown.
    Pass(&'a str, &'a ShownPass),
    /// A person said what stands there.
    Entered(Slot, &'a str),
}

impl EntryBody {
    /// The kind's stable name as it stands in the journal and in topics.
    pub fn kind(&self) -> &'static str {
        match self {
            EntryBody::DaemonStarted { .. } => "daemon_started",
            EntryBody::DaemonStopped {} => "daemon_stopped",
            EntryBody::PassOpened { .. } => "pass_opened",
            EntryBody::OpticalRead { .. } => "optical_read",
            EntryBody::TagRead { .. } => "tag_read",
            EntryBody::WeightRead { .. } => "weight_read",
            EntryBody::GatePassShown { .. } => "gate_pass_shown",
            EntryBody::ReleaseAsked { .. } => "release_asked",
            EntryBody::ReleaseAnswered { .. } => "release_answered",
            EntryBody::ReleaseRefused { .. } => "release_refused",
            EntryBody::Decided { .. } => "decided",
            EntryBody::RulesLoaded { .. } => "rules_loaded",
            EntryBody::RaiseCommanded { .. } => "raise_commanded",
            EntryBody::ArmConfirmedUp {} => "arm_confirmed_up",
            EntryBody::VehicleUnder {} => "vehicle_under",
            EntryBody::VehicleLeft {} => "vehicle_left",
            EntryBody::VehicleWentBack {} => "vehicle_went_back",
            EntryBody::VehicleEnclosed {} => "vehicle_enclosed",
            EntryBody::VehicleSentBack {} => "vehicle_sent_back",
            EntryBody::LowerPermitted { .. } => "lower_permitted",
            EntryBody::ArmConfirmedDown {} => "arm_confirmed_down",
            EntryBody::ArmMovedUncommanded { .. } => "arm_moved_uncommanded",
            EntryBody::LocalHands { .. } => "local_hands",
            EntryBody::PassClosed { .. } => "pass_closed",
            EntryBody::FaultRaised { .. } => "fault_raised",
            EntryBody::FaultCleared { .. } => "fault_cleared",
            EntryBody::OperatorAct { .. } => "operator_act",
            EntryBody::Corrected { .. } => "corrected",
            EntryBody::Erased { .. } => "erased",
        }
    }
    /// What the entry adds to the identity of its pass; none where it is no evidence.
    pub fn evidence(&self) -> Option<Evidence<'_>> {
        match self {
            EntryBody::OpticalRead { device, read } => Some(Evidence::Read(device, read)),
            EntryBody::TagRead { device, tag } => Some(Evidence::Tag(device, tag)),
            EntryBody::WeightRead { device, weight } => Some(Evidence::Weight(device, weight)),
            EntryBody::GatePassShown { device, shown } => Some(Evidence::Pass(device, shown)),
            EntryBody::Corrected { slot, value, .. } => Some(Evidence::Entered(*slot, value)),
            EntryBody::DaemonStarted { .. }
            | EntryBody::DaemonStopped {}
            | EntryBody::PassOpened { .. }
            | EntryBody::ReleaseAsked { .. }
            | EntryBody::ReleaseAnswered { .. }
            | EntryBody::ReleaseRefused { .. }
            | EntryBody::Decided { .. }
            | EntryBody::RulesLoaded { .. }
            | EntryBody::RaiseCommanded { .. }
            | EntryBody::ArmConfirmedUp {}
            | EntryBody::VehicleUnder {}
            | EntryBody::VehicleLeft {}
            | EntryBody::VehicleWentBack {}
            | EntryBody::VehicleEnclosed {}
            | EntryBody::VehicleSentBack {}
            | EntryBody::LowerPermitted { .. }
            | EntryBody::ArmConfirmedDown {}
            | EntryBody::ArmMovedUncommanded { .. }
            | EntryBody::LocalHands { .. }
            | EntryBody::PassClosed { .. }
            | EntryBody::FaultRaised { .. }
            | EntryBody::FaultCleared { .. }
            | EntryBody::OperatorAct { .. }
            | EntryBody::Erased { .. } => None,
        }
    }
    /// Whether the identity of its pass rests on the entry.
    pub fn is_evidence(&self) -> bool {
        self.evidence().is_some()
    }
    /// Whether the entry travels to central and the broker (I4); the rest stays at the edge.
    pub fn is_event(&self) -> bool {
        match self {
            EntryBody::DaemonStarted { .. }
            | EntryBody::DaemonStopped {}
            | EntryBody::PassOpened { .. }
            | EntryBody::Decided { .. }
            | EntryBody::RaiseCommanded { .. }
            | EntryBody::ArmConfirmedUp {}
            | EntryBody::LowerPermitted { .. }
            | EntryBody::ArmConfirmedDown {}
            | EntryBody::VehicleEnclosed {}
            | EntryBody::VehicleSentBack {}
            | EntryBody::ArmMovedUncommanded { .. }
            | EntryBody::LocalHands { .. }
            | EntryBody::PassClosed { .. }
            | EntryBody::FaultRaised { .. }
            | EntryBody::FaultCleared { .. }
            | EntryBody::OperatorAct { .. }
            | EntryBody::Corrected { .. }
            | EntryBody::Erased { .. } => true,
            EntryBody::OpticalRead { .. }
            | EntryBody::TagRead { .. }
            | EntryBody::WeightRead { .. }
            | EntryBody::GatePassShown { .. }
            | EntryBody::ReleaseAsked { .. }
            | EntryBody::ReleaseAnswered { .. }
            | EntryBody::ReleaseRefused { .. }
            | EntryBody::RulesLoaded { .. }
            | EntryBody::VehicleUnder {}
            | EntryBody::VehicleLeft {}
            | EntryBody::VehicleWentBack {} => false,
        }
    }
}
