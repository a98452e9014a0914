//! What policy decided about a pass, with reasons that people and machines can read.

use crate::id::NodeId;
use crate::mission::InstructionKind;
use serde::{Deserialize, Serialize};

/// Stable reason codes (T65). A code is never renamed nor given another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReasonCode {
    /// Everything that the lane's profile asks for was shown.
    AllChecksPassed,
    /// No identifier could be read before the lane's time for it ended.
    NoIdentity,
    /// Fewer factors than the lane's profile demands.
    IdentityTooWeak,
    /// Two strong sources disagree about one fact.
    IdentityConflict,
    /// What was read is not what the mission expects.
    IdentityMismatch,
    /// Several missions fit what was read.
    MissionAmbiguous,
    /// Central knows no mission for this vehicle.
    NoMission,
    /// Customs holds the goods.
    CustomsHeld,
    /// Customs has not decided yet.
    CustomsPending,
    /// The goods are to be inspected first.
    CustomsInspection,
    /// Customs refused.
    CustomsRefused,
    /// Central does not know the customs status.
    CustomsUnknown,
    /// Central did not answer and no permit is held.
    CentralSilent,
    /// The answer was late, for another pass, unsigned or wrongly signed.
    AnswerNotUsable,
    /// The mission's next node is another one.
    WrongNode,
    /// The mission has ended.
    MissionEnded,
    /// No declaration of an accepted kind.
    DeclarationMissing,
    /// No access permission.
    AccessPermissionMissing,
    /// No boarding ticket.
    BoardingTicketMissing,
    /// The ship lies at another gate.
    WrongBerth,
    /// An exceptional gate without a recorded authorisation.
    ExceptionNotAuthorised,
    /// The scale gave no usable weight.
    WeightUnknown,
    /// Measured and declared weight disagree beyond tolerance.
    WeightMismatch,
    /// A device that this decision needs is in fault.
    DeviceFault,
    /// The lane is closed or in local hands.
    LaneClosed,
    /// An operator decided.
    OperatorDecision,
    /// The release's time is over.
    ReleaseExpired,
    /// A permit for this unit is held, and its time is over or has not come.
    PermitExpired,
    /// A permit for this unit is held, and was used before.
    PermitUsed,
    /// The permit, or what it rests on, was revoked.
    PermitRevoked,
    /// A permit is held, and nobody can say whether it is still good.
    PermitTimeUnknown,
    /// The gate pass that was shown is not of this port's central.
    GatePassForged,
    /// The gate pass that was shown counts at another port or node.
    GatePassForeign,
    /// The time of the gate pass that was shown is over, or has not come.
    GatePassExpired,
    /// The gate pass that was shown was used before.
    GatePassUsed,
    /// The gate pass that was shown is for another mission.
    GatePassMismatch,
    /// The rules demand a gate pass, and none was shown.
    GatePassMissing,
    /// Tag and plate belong to different vehicles.
    TagPlateMismatch,
    /// Declared empty and not empty, or the other way round.
    EmptinessMismatch,
    /// The dangerous-goods panel is not the declared one.
    AdrMismatch,
    /// The seal is broken.
    SealBroken,
    /// Another seal than the declared one.
    SealMismatch,
    /// An ordered scan is not made or not validated.
    ScanNotValidated,
    /// A scanner or radiation portal raised an alarm.
    ScanAlarm,
    /// The tracking signal is lost.
    TrackingLost,
    /// Outside the appointment window.
    OutsideAppointment,
    /// A watch list names the mission.
    WatchListed,
    /// A fact that the rules demand is not stated.
    FactMissing,
    /// The rules would admit; here an operator has to.
    OperatorMustConfirm,
}

/// One reason with the words for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The stable code.
    pub code: ReasonCode,
    /// A plain English sentence with the values that matter.
    pub text: String,
    /// The same sentence in Italian.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text_it: String,
}

/// What the driver is told: an instruction, never a score or a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruction {
    /// The kind, which the sign's template turns into pictogram and words.
    pub kind: InstructionKind,
    /// The next node where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_node: Option<NodeId>,
    /// Where to report, for inspections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// The outcome of one decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The vehicle may pass.
    Admit {
        /// Where to, and what the driver is told.
        instruction: Instruction,
    },
    /// Not now; the lane asks again by itself.
    Hold {
        /// Why, at least one.
        reasons: Vec<Reason>,
        /// What the driver is told.
        instruction: Instruction,
    },
    /// A person has to look.
    Refer {
        /// Why, at least one.
        reasons: Vec<Reason>,
        /// What the driver is told.
        instruction: Instruction,
    },
}

impl Verdict {
    /// True for Admit.
    pub fn admits(&self) -> bool {
        match self {
            Verdict::Admit { .. } => true,
            Verdict::Hold { .. } | Verdict::Refer { .. } => false,
        }
    }
    /// The reasons; none for Admit.
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Verdict::Admit { .. } => &[],
            Verdict::Hold { reasons, .. } | Verdict::Refer { reasons, .. } => reasons,
        }
    }
    /// The driver's instruction.
    pub fn instruction(&self) -> &Instruction {
        match self {
            Verdict::Admit { instruction }
            | Verdict::Hold { instruction, .. }
            | Verdict::Refer { instruction, .. } => instruction,
        }
    }
}
