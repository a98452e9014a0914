//! The question that a gate asks central about one pass, and central's signed answer.

use crate::circumstances::Circumstances;
use crate::id::{IotId, MissionId, NodeId, PassId, PortId, ProcessId};
use crate::identity::Identity;
use crate::mission::{CustomsStatus, Direction, LegRef, MissionConditions};
use serde::{Deserialize, Serialize};

/// "Who is this, and may it pass here?"
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest {
    /// The port.
    pub port: PortId,
    /// The asking node.
    pub node: NodeId,
    /// The lane's direction.
    pub direction: Direction,
    /// The pass.
    pub pass: PassId,
    /// Single use: pass, boot epoch and a counter; the answer repeats it.
    pub nonce: String,
    /// What was read.
    pub identity: Identity,
}

/// A named block on the goods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Who holds (`customs`, `health`, `port`).
    pub authority: String,
    /// The reason as the officer wrote it; for operators, never for the sign.
    pub reason: String,
}

/// What central expects of the vehicle and its load.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Expected {
    /// The tractor's plate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tractor_plate: Option<String>,
    /// The trailer's plate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trailer_plate: Option<String>,
    /// Load units (ISO 6346, ILU), at most two.
    #[serde(default)]
    pub itus: Vec<String>,
    /// EPC of the vehicle's tag, lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vehicle_tag: Option<String>,
    /// Tare of the whole vehicle, kilograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tare_kg: Option<f64>,
    /// Declared gross mass of the goods with their packing and unit, kilograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_cargo_kg: Option<f64>,
}

/// The mission's facts at the moment of the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MissionFacts {
    /// Central's name of the mission.
    pub mission: MissionId,
    /// The identifier that customs issued (B5).
    pub iot_id: IotId,
    /// The process type.
    pub process: ProcessId,
    /// The customs status (B16).
    pub status: CustomsStatus,
    /// The holds behind `held`.
    #[serde(default)]
    pub holds: Vec<Hold>,
    /// Where to report when the status is `inspection`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_to: Option<String>,
    /// Permission, ticket, declaration, berth, exception.
    pub conditions: MissionConditions,
    /// Legs already passed, in order.
    pub progress: Vec<LegRef>,
    /// The mission has a definitive status.
    pub ended: bool,
    /// What the vehicle and its load should be.
    pub expected: Expected,
    /// The driver's language (BCP 47, `it`), where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// What else is known of load, seal, scan, tracking, appointment and watch lists.
    #[serde(default, skip_serializing_if = "Circumstances::is_empty")]
    pub circumstances: Circumstances,
}

/// What central found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "found", rename_all = "snake_case")]
pub enum Finding {
    /// Exactly one mission, by an exact match of the named slots' values.
    Mission {
        /// The facts.
        #[serde(flatten)]
        facts: Box<MissionFacts>,
        /// The identifiers that matched exactly.
        matched: Vec<String>,
    },
    /// Several missions match different identifiers.
    Ambiguous {
        /// Their names.
        missions: Vec<MissionId>,
    },
    /// No mission matches exactly; near ones are for the operator's eyes only (T26).
    Nothing {
        /// Identifiers within one look-alike character.
        near: Vec<String>,
    },
}

/// The body of a signed answer. Fresh for `valid_ms` from its arrival, for this nonce only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReleaseAnswer {
    /// The request's nonce.
    pub nonce: String,
    /// The request's node.
    pub node: NodeId,
    /// The request's pass.
    pub pass: PassId,
    /// Central's wall clock when it signed, milliseconds since 1970.
    pub signed_at_ms: i64,
    /// How long the gate may act on it, from arrival on its monotonic clock.
    pub valid_ms: u64,
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
}

/// The body of a signed permit (compact JWS): central's word in advance, for one unit at one node, once.
/// It may stand in for an answer while central is silent, and for nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Permit {
    /// Its name; each is used at most once.
    pub permit: String,
    /// The port.
    pub port: PortId,
    /// The one node where it counts.
    pub node: NodeId,
    /// The one direction in which it counts.
    pub direction: Direction,
    /// Central's clock when it signed, milliseconds since 1970.
    pub signed_at_ms: i64,
    /// It ends at this moment of central's clock.
    pub expires_at_ms: i64,
    /// The mission as it stood when central signed.
    pub facts: Box<MissionFacts>,
}
