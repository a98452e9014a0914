//! What reaches a lane.

use gate_types::DeviceId;
use gate_types::entry::Entry;
use gate_types::gate_pass::ShownPass;
use gate_types::identity::Slot;
use gate_types::observation::Observation;
use gate_types::release::{Permit, ReleaseAnswer};
use gate_types::{Mono, PassId};
use std::collections::BTreeSet;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A device said something.
    Observed(Observation),
    /// A gate pass was shown; signature, place, time and single use are checked by the shell.
    PassShown {
        /// The code reader or camera.
        device: DeviceId,
        /// What became of it.
        shown: ShownPass,
    },
    /// The outcome of an [`crate::Effect::AskRelease`].
    Answer {
        /// The nonce of the question.
        nonce: String,
        /// What came back.
        answer: Result<VerifiedAnswer, AnswerFailure>,
    },
    /// Central's newest sheet of permits for this node, whose signatures the shell has verified.
    Permits(VerifiedSheet),
    /// The outcome of an [`crate::Effect::Actuate`].
    ArmWrite {
        /// The write was acknowledged on the wire. Never proof that the arm moves.
        ok: bool,
        /// Why not, in words for the technician; empty when `ok`.
        why: String,
    },
    /// A person says what stands on the vehicle; name, reason and form are checked at the console.
    Corrected(Correction),
    /// A person did something at the console; name and reason are checked there and kept in the record.
    Operator {
        /// Who.
        name: String,
        /// What.
        act: OperatorAct,
        /// Why.
        reason: String,
    },
}

/// A person looked and says what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// Who.
    pub name: String,
    /// Which fact.
    pub slot: Slot,
    /// What stands there.
    pub value: String,
    /// Why.
    pub reason: String,
}

/// Central's answer after the shell has verified its signature.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedAnswer {
    /// The body.
    pub answer: ReleaseAnswer,
    /// The compact JWS as received, for the record.
    pub signed: String,
}

/// A sheet of permits after the shell has verified its signatures.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VerifiedSheet {
    /// Central's clock when it signed the sheet, milliseconds since 1970.
    pub signed_at_ms: i64,
    /// When it arrived.
    pub heard: Mono,
    /// The permits, each with its compact JWS for the record.
    pub permits: Vec<(Permit, String)>,
    /// Names of permits that other lanes of this gate have used.
    pub spent: BTreeSet<String>,
}

/// Why there is no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFailure {
    /// Central did not answer in time or could not be reached.
    #[error("central does not answer: {0}")]
    Silent(String),
    /// Central answered, but not with an answer that can be used (HTTP error, body, signature).
    #[error("central's answer is not usable: {0}")]
    NotUsable(String),
}

/// What an operator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperatorAct {
    /// Let the standing vehicle pass, on the operator's own authority.
    Admit,
    /// Tell the standing vehicle to turn back.
    TurnBack,
    /// Close the lane after the pass under way.
    CloseLane,
    /// Open the lane again; also the reset after a fire or an arm fault.
    OpenLane,
}

impl OperatorAct {
    /// The stable name as it stands in the journal.
    pub fn name(self) -> &'static str {
        match self {
            OperatorAct::Admit => "admit",
            OperatorAct::TurnBack => "turn_back",
            OperatorAct::CloseLane => "close_lane",
            OperatorAct::OpenLane => "open_lane",
        }
    }
}

/// A pass that was open when the daemon stopped, with its entries in journal order.
#[derive(Debug, Clone, PartialEq)]
pub struct RestoredPass {
    /// The pass.
    pub pass: PassId,
    /// Its entries.
    pub entries: Vec<Entry>,
}
