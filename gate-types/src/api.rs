//! Messages between a gate, central and integrators over HTTP. All paths stand here, once.
//!
//! Gate port (`--gate-listen`, TLS; every path but [`ENROL`] demands the gate's own certificate):
//! [`ENROL`], [`RELEASE`], [`EVENTS`]. People and integrators (`--listen`): [`MISSIONS`] and the rest.

use crate::circumstances::Circumstances;
use crate::command::RemoteCommand;
use crate::entry::Entry;
use crate::fault::Fault;
use crate::id::{BootEpoch, EntrySeq, IotId, LaneId, MissionId, NodeId, PortId, ProcessId};
use crate::mission::{CustomsStatus, DefinitiveStatus, LegRef, MissionConditions};
use crate::release::{Expected, Hold};
use serde::{Deserialize, Serialize};

/// `POST`, no client certificate: a one-time token buys a certificate.
pub const ENROL: &str = "/gate/v1/enrol";
/// `POST` [`crate::release::ReleaseRequest`] -> [`SignedAnswer`].
pub const RELEASE: &str = "/gate/v1/release";
/// `POST` [`PermitRequest`] -> [`PermitSheet`].
pub const PERMITS: &str = "/gate/v1/permits";
/// `POST` [`EventBatch`] -> [`EventReceipt`].
pub const EVENTS: &str = "/gate/v1/events";
/// `POST` [`HeadReport`] -> [`HeadAnswer`].
pub const HEADS: &str = "/gate/v1/heads";
/// `POST` [`NewMission`] -> [`MissionView`]; `GET` -> list of [`MissionView`]; `GET /{id}`.
pub const MISSIONS: &str = "/api/v1/missions";
/// `GET`: list of [`AlarmView`].
pub const ALARMS: &str = "/api/v1/alarms";
/// Faults that stand at the gates: `GET`, [`FaultView`]s.
pub const FAULTS: &str = "/api/v1/faults";
/// `GET`: server-sent events, each a [`CentralEvent`] as JSON.
pub const STREAM: &str = "/api/v1/stream";
/// `GET`, open: `{"status":"ok"}`.
pub const HEALTH: &str = "/api/v1/health";
/// `POST` [`TokenRequest`] -> [`EnrolToken`].
pub const TOKENS: &str = "/api/v1/enrol-tokens";
/// `POST` [`CommandRequest`] -> [`SignedCommand`]: for the broker's topic.
pub const COMMANDS: &str = "/api/v1/commands";
/// `POST` [`GatePassRequest`] -> [`SignedGatePass`]: the text of a QR code.
pub const GATE_PASSES: &str = "/api/v1/gate-passes";
/// `GET`: [`EventCounts`].
pub const EVENT_COUNTS: &str = "/api/v1/event-counts";

/// Most events in one batch.
pub const MAX_BATCH: usize = 256;

/// A gate asks for its certificate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    /// The one-time secret part of the token.
    pub secret: String,
    /// The node that enrols; must be the token's.
    pub node: NodeId,
    /// Certificate signing request, PEM; the private key never leaves the gate.
    pub csr_pem: String,
}

/// What an enrolled gate keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnrolAnswer {
    /// The gate's certificate, PEM.
    pub certificate_pem: String,
    /// The authority's certificate, PEM.
    pub ca_pem: String,
    /// The key that signs release answers (base64url, see [`crate::jws`]).
    pub release_key: String,
    /// The port.
    pub port: PortId,
}

/// An operator asks for a token for one node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// The node that may enrol with it, once.
    pub node: NodeId,
    /// Validity, seconds; at most 86,400.
    pub valid_s: u64,
}

/// The token as text: `varco1.SECRET.FINGERPRINT`, both base64url; FINGERPRINT is SHA-256 of the
/// authority's certificate (DER), so that the gate knows the right central at first contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnrolToken {
    /// The token.
    pub token: String,
}

/// A release answer as it travels: a compact JWS whose body is [`crate::release::ReleaseAnswer`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignedAnswer {
    /// Compact JWS.
    pub signed: String,
}

/// Central is asked to sign a command for a lane ([`crate::command`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandRequest {
    /// The gate.
    pub node: NodeId,
    /// The lane.
    pub lane: LaneId,
    /// Validity, seconds; 1 to 300.
    pub valid_s: u64,
    /// Who gives it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What.
    pub command: RemoteCommand,
}

/// A signed command and where to publish it, without the retain flag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedCommand {
    /// Its name.
    pub id: String,
    /// The topic.
    pub topic: String,
    /// Compact JWS over [`crate::command::LaneCommand`]: the payload.
    pub signed: String,
}

/// Central is asked for a driver's gate pass ([`crate::gate_pass`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatePassRequest {
    /// The mission.
    pub mission: MissionId,
    /// The node where it counts.
    pub node: NodeId,
    /// Validity, seconds; 1 to 604,800 (a week).
    pub valid_s: u64,
}

/// A gate pass as the text of a QR code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedGatePass {
    /// Its name.
    pub id: String,
    /// The text of the code.
    pub text: String,
}

/// A gate asks for the permits of its node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PermitRequest {
    /// The port.
    pub port: PortId,
    /// The node; must be the certificate's.
    pub node: NodeId,
}

/// The permits that stand for one node at this moment: a permit that is missing is revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermitSheet {
    /// Compact JWS over [`PermitHead`].
    pub head: String,
    /// Compact JWSs over [`crate::release::Permit`].
    pub permits: Vec<String>,
}

/// What stands on a sheet of permits; carries central's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermitHead {
    /// The node.
    pub node: NodeId,
    /// Central's clock when it signed, milliseconds since 1970.
    pub signed_at_ms: i64,
    /// The names of the permits.
    pub permits: Vec<String>,
}

/// Most permits on one sheet.
pub const MAX_PERMITS: usize = 256;

/// One journal entry on its way to central. The idempotency key is (port, node, epoch, seq).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateEvent {
    /// Start counter of the journal.
    pub epoch: BootEpoch,
    /// Number of the entry.
    pub seq: EntrySeq,
    /// Hash of the entry in the gate's chain, lower-case hex; same key with another hash is an alarm.
    pub hash: String,
    /// The entry.
    pub entry: Entry,
}

/// Events in journal order, at most [`MAX_BATCH`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventBatch {
    /// The port.
    pub port: PortId,
    /// The node; must be the certificate's.
    pub node: NodeId,
    /// The events.
    pub events: Vec<GateEvent>,
}

/// Central holds these durably; the gate may forget to send them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventReceipt {
    /// Numbers that are stored, whether new or seen before.
    pub stored: Vec<EntrySeq>,
    /// How many of them were seen before.
    pub duplicates: u32,
}

/// A gate tells where its journal stands, and learns what central holds of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadReport {
    /// The port.
    pub port: PortId,
    /// The node; must be the certificate's.
    pub node: NodeId,
    /// A signed head ([`crate::head::JournalHead`], compact JWS); none: the gate only asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
}

/// The newest position of one gate's journal that central has seen, by its events and heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct JournalPosition {
    /// The highest start counter.
    pub epoch: u32,
    /// The highest entry number.
    pub seq: u64,
}

/// Central's answer to a [`HeadReport`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeadAnswer {
    /// The receipt for the head, compact JWS ([`crate::head::HeadReceipt`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// What central has seen of this gate's journal; a gate that stands below it has lost entries.
    pub seen: JournalPosition,
}

/// A mission as an integrator or officer creates it (B6, B7).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMission {
    /// The caller's own key: the same key and body again gives the same mission.
    pub idempotency_key: String,
    /// The process type.
    pub process: ProcessId,
    /// Movement reference numbers; validated.
    #[serde(default)]
    pub mrns: Vec<String>,
    /// What the vehicle and its load should be.
    pub expected: Expected,
    /// The customs status at creation (B1: can be `released` before arrival).
    pub status: CustomsStatus,
    /// Holds, where the status is `held`.
    #[serde(default)]
    pub holds: Vec<Hold>,
    /// Where to report, where the status is `inspection`.
    #[serde(default)]
    pub report_to: Option<String>,
    /// Permission, ticket, declaration, berth, exception.
    pub conditions: MissionConditions,
    /// The driver's language.
    #[serde(default)]
    pub language: Option<String>,
    /// Legs passed before this system knew the mission (take-over of a running port), marked as imported.
    #[serde(default)]
    pub imported_progress: Vec<LegRef>,
    /// Load, seal, scan, tracking, appointment, watch lists, as far as they are known.
    #[serde(default, skip_serializing_if = "Circumstances::is_empty")]
    pub circumstances: Circumstances,
}

/// Changes to a mission: `PATCH /api/v1/missions/{id}`; absent fields stay.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissionChange {
    /// New status.
    #[serde(default)]
    pub status: Option<CustomsStatus>,
    /// New holds.
    #[serde(default)]
    pub holds: Option<Vec<Hold>>,
    /// New conditions.
    #[serde(default)]
    pub conditions: Option<MissionConditions>,
    /// New circumstances, in place of all that was stated before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circumstances: Option<Circumstances>,
    /// Who changes it, and why; kept.
    pub by: String,
}

/// A leg that was passed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PassedLeg {
    /// Which.
    #[serde(flatten)]
    pub leg: LegRef,
    /// When, wall clock of the gate, milliseconds.
    pub at_ms: i64,
    /// Taken over, not seen by a gate of ours.
    #[serde(default)]
    pub imported: bool,
    /// Nobody saw it: a later leg shows that it was passed unread, or left out. `at_ms` is that of the later leg.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unseen: bool,
}

/// A mission as central shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MissionView {
    /// Its name.
    pub id: MissionId,
    /// The identifier that customs issued.
    pub iot_id: IotId,
    /// The process type.
    pub process: ProcessId,
    /// Movement reference numbers.
    pub mrns: Vec<String>,
    /// What the vehicle and its load should be.
    pub expected: Expected,
    /// The customs status.
    pub status: CustomsStatus,
    /// Holds.
    pub holds: Vec<Hold>,
    /// Conditions.
    pub conditions: MissionConditions,
    /// Legs passed.
    pub passed: Vec<PassedLeg>,
    /// Nodes that are admissible next.
    pub next: Vec<LegRef>,
    /// The definitive status once the destination is reached (B11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definitive: Option<DefinitiveStatus>,
    /// Counts the changes; the ETag.
    pub version: u64,
}

/// The kinds of alarm (B14, B41).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlarmKind {
    /// A node outside every admissible path of the process.
    UnexpectedNode,
    /// A mandatory node was not seen.
    SkippedNode,
    /// An admissible node at the wrong time.
    WrongOrder,
    /// An admissible node whose conditions did not hold (wrong berth, unauthorised exception), or another node
    /// instead of the next one.
    Deviation,
    /// The next node was not reached in the time that the way usually takes.
    Late,
    /// Late by so much that somebody has to look for the vehicle.
    Lost,
    /// Longer in a parking than allowed.
    Overstay,
    /// Seen at two nodes sooner after each other than any vehicle drives.
    ImpossibleTransit,
    /// The same identity passed the same way twice without having come back.
    DuplicateIdentity,
    /// What was read at a node is not the identity that the mission began with.
    IdentityDrift,
    /// Another seal than at the nodes before, or a broken one.
    SealChanged,
    /// Another weight than at the nodes before, beyond what scales and fuel explain.
    WeightDrift,
    /// Left the port although it had to report to an inspection.
    LeftWithoutReporting,
    /// A check that the node's rules demand was not made.
    RequiredCheckMissing,
    /// A pass without any mission went through.
    UnknownVehicle,
    /// The same event key came with another content.
    TamperedEvent,
    /// A gate's journal contradicts what central holds of it, or is signed by another key than before.
    JournalContradicts,
}

/// A node at which a mission was not seen, with the probability of each explanation; their sum is 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SkippedLeg {
    /// Where, and which way.
    #[serde(flatten)]
    pub leg: LegRef,
    /// It passed there and was not read (0..1).
    pub missed_read: f64,
    /// It went another way (0..1).
    pub other_way: f64,
    /// The later reading was of another vehicle with the same identity (0..1).
    pub other_vehicle: f64,
}

/// An alarm as central shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmView {
    /// Counts from 1.
    pub id: u64,
    /// The kind.
    pub kind: AlarmKind,
    /// The mission, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mission: Option<MissionId>,
    /// The observed node.
    pub node: NodeId,
    /// When, wall clock, milliseconds.
    pub at_ms: i64,
    /// Process, expected next nodes and observed node in words (B41).
    pub text: String,
    /// How probable it is that an officer is needed (0..1): 1 minus the probability of mere missed reads.
    #[serde(default = "sure")]
    pub suspicion: f64,
    /// The nodes without a read, with the probability of each explanation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedLeg>,
    /// By when somebody has to acknowledge it, central's clock, milliseconds; none: nobody has to, or did, or it
    /// was escalated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_ms: Option<i64>,
    /// Nobody acknowledged it in time: since then it is everybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalated_ms: Option<i64>,
    /// Who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<AlarmAct>,
    /// Who closed it, with the finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<AlarmAct>,
    /// The alarm of the same mission that it was merged into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<u64>,
}

fn sure() -> f64 {
    1.0
}

/// What a person did with an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmAct {
    /// Who.
    pub by: String,
    /// When, central's clock, milliseconds since 1970; set by central.
    #[serde(default)]
    pub at_ms: i64,
    /// What for, or what was found.
    pub note: String,
}

/// A fault that stands at a gate, as its events told central.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultView {
    /// The gate.
    pub node: NodeId,
    /// The lane; none for the node itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<LaneId>,
    /// Since when, the gate's wall clock, milliseconds.
    pub at_ms: i64,
    /// Kind, device and what to do.
    #[serde(flatten)]
    pub fault: Fault,
}

/// What central's stream tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum CentralEvent {
    /// A mission is new or changed.
    Mission {
        /// As it is now.
        mission: Box<MissionView>,
    },
    /// An alarm was raised.
    Alarm {
        /// The alarm.
        alarm: Box<AlarmView>,
    },
}

/// Counts of stored events, for reconciliation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EventCounts {
    /// Distinct events stored.
    pub stored: u64,
    /// Deliveries of an event that was stored already.
    pub redelivered: u64,
    /// Stored rows that share one idempotency key (must be 0).
    pub duplicated: u64,
    /// Distinct stored events by node.
    pub by_node: std::collections::BTreeMap<String, u64>,
}

/// An error body (RFC 9457 problem details).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Short name of the problem.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What is wrong, where, and what to do.
    pub detail: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(value: &bool) -> bool {
    !*value
}
