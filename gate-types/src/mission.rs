//! Missions and their admissible paths (B10-B16, B30-B41): data, never code.

use crate::id::{NodeId, ProcessId};
use crate::rules::CheckKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The way a lane leads and a leg is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the land towards the quay.
    In,
    /// From the quay towards the land.
    Out,
}

/// One control point driven through in one direction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LegRef {
    /// The node.
    pub node: NodeId,
    /// The direction.
    pub direction: Direction,
}

/// Customs' word on the goods of a mission. A release is not a boolean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomsStatus {
    /// Free to go.
    Released,
    /// Blocked by named holds.
    Held,
    /// To be inspected, with a place to report.
    Inspection,
    /// No word yet.
    Pending,
    /// Refused for good.
    Refused,
    /// Central does not know.
    Unknown,
}

/// A fact about a mission that a leg may demand, or whose absence it may demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The transporter holds the access permission (P1).
    AccessPermission,
    /// The transporter lacks the access permission: to the parking.
    NoAccessPermission,
    /// The boarding ticket was bought (P2).
    BoardingTicket,
    /// The boarding ticket is missing: to the parking.
    NoBoardingTicket,
    /// A declaration of a kind that the process accepts is lodged (B31, B32).
    Declaration,
    /// The mission's ship lies at this leg's node (B34).
    BerthHere,
    /// An exceptional path was authorised, with reason and name (B33).
    ExceptionAuthorised,
}

/// The kinds of declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclarationKind {
    /// Export.
    Export,
    /// Transit.
    Transit,
    /// Importation.
    Importation,
}

/// What the driver is told to do after an Admit at a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstructionKind {
    /// Drive on to the next node.
    GoOn,
    /// Drive to the parking and wait.
    GoToParking,
    /// Report to the inspection at the named place.
    ReportToInspection,
    /// The mission ends behind this gate.
    Finish,
    /// Wait here.
    Wait,
    /// Wait here, an operator is coming on.
    CallOperator,
    /// Turn back.
    TurnBack,
    /// The lane is closed.
    LaneClosed,
}

/// One leg as a process defines it: where, and which statuses and conditions admit there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegRule {
    /// The node.
    pub node: NodeId,
    /// The direction in which it is passed.
    pub direction: Direction,
    /// Customs statuses that admit at this leg; never empty.
    pub admit: Vec<CustomsStatus>,
    /// Conditions that must all hold.
    #[serde(default)]
    pub requires: Vec<Condition>,
    /// What the driver is told when this leg is the one to drive to next.
    pub instruction: InstructionKind,
    /// Checks that the decision at this leg must have made; a pass without them is an alarm at central, also
    /// where an operator let it through (T38).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_checks: Vec<CheckKind>,
}

/// Whether a path is everyday or needs a recorded exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathKind {
    /// Everyday.
    Normal,
    /// Only with reason and authoriser on record (B33).
    Exceptional,
}

/// One admissible sequence of legs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissionPath {
    /// Stable name (`P1-1-2-6`).
    pub id: String,
    /// Normal or exceptional.
    pub kind: PathKind,
    /// Names of the process's legs, in order; the first is the departure (B10), the last the destination (B11).
    pub legs: Vec<String>,
}

/// A process type with its legs and admissible paths (B15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// `P1` ...
    pub id: ProcessId,
    /// For people.
    pub name: String,
    /// Declaration kinds that satisfy [`Condition::Declaration`] (B32).
    pub declarations: Vec<DeclarationKind>,
    /// Nodes where a read of this process's vehicles is not a deviation though no path names them.
    #[serde(default)]
    pub transparent: Vec<NodeId>,
    /// Status that the destination gives: `exited` or `loaded`.
    pub definitive: DefinitiveStatus,
    /// The legs by name.
    pub legs: BTreeMap<String, LegRule>,
    /// The admissible paths.
    pub paths: Vec<MissionPath>,
}

impl Process {
    /// The legs of a path in order; names that do not resolve are left out (the site check refuses them).
    pub fn legs_of<'a>(&'a self, path: &'a MissionPath) -> Vec<&'a LegRule> {
        path.legs.iter().filter_map(|name| self.legs.get(name)).collect()
    }
    /// The node sequence of a path as the requirements write it: directions dropped, a node that is
    /// entered and left counted once (`1-2-3-6`).
    pub fn node_sequence(&self, path: &MissionPath) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = self.legs_of(path).iter().map(|l| l.node.clone()).collect();
        nodes.dedup();
        nodes
    }
}

/// The definitive status that ends the tracking (B11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefinitiveStatus {
    /// Left the port area.
    Exited,
    /// Reached the dock for loading.
    Loaded,
    /// Closed by an officer.
    Closed,
}

/// A recorded authorisation of an exceptional path (B33).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionGrant {
    /// Why.
    pub reason: String,
    /// Who authorised it.
    pub authorised_by: String,
}

/// The facts about a mission that the leg rules look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissionConditions {
    /// The transporter's access permission.
    pub access_permission: bool,
    /// The boarding ticket.
    pub boarding_ticket: bool,
    /// The lodged declaration, if any.
    pub declaration: Option<DeclarationKind>,
    /// The facility gate where the ship lies.
    pub berth: Option<NodeId>,
    /// A granted exception.
    pub exception: Option<ExceptionGrant>,
}
