//! Rule sets: which checks judge a pass, with which parameters, by whose authority, and where. Data, not
//! code (T22, T65): a rule set is a file with an id, a version and an author; every decision names it.

use crate::confusion::ConfusionTable;
use crate::id::{LaneId, NodeId};
use crate::identity::Slot;
use crate::mission::{Direction, Process};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// What a rule set's decisions do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleMode {
    /// Recorded beside the acting rule set's decisions; nothing rests on them.
    Shadow,
    /// They advise: what would admit is referred to an operator, who admits.
    Advisory,
    /// They act.
    Live,
}

/// How much a lane asks of a vehicle's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// As many matching facts as the lane's rule says.
    #[default]
    Standard,
    /// The same, and at least two of them by different kinds of instrument: optical and tag (T3, T13).
    Trusted,
    /// The same, and an operator confirms every admission.
    Attended,
    /// Nothing is admitted.
    Closed,
}

/// The checks. A name is never changed nor given another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// Central answered usably, or a permit stands in for its answer.
    Answer,
    /// No two strong sources disagree about one fact.
    IdentityConflict,
    /// Enough facts are read and match what the mission expects; none contradicts it.
    IdentityMatch,
    /// Tag and plate belong to one vehicle (D29: clone suspicion).
    TagPlate,
    /// A gate pass that is shown holds, and is for the mission that is found (T13).
    GatePass,
    /// Exactly one mission under way is known.
    Mission,
    /// The release has not expired.
    ReleaseExpiry,
    /// The customs status admits at this leg (B16).
    CustomsStatus,
    /// This node is the next one of an admissible path (B14, B33, B41).
    Path,
    /// Permission, ticket, berth and declaration that the leg demands (B31, B34, B40).
    Conditions,
    /// The measured weight is that of tare and declaration (T27).
    Weight,
    /// What is declared empty weighs empty, and the other way round (T27).
    DeclaredEmpty,
    /// The dangerous-goods panel is the declared one (B21).
    Adr,
    /// The seal is the declared one and intact (T39-T45).
    Seal,
    /// An ordered scan is validated and raised no alarm (T32, T35).
    Scan,
    /// The tracking signal is live (T39-T43).
    Tracking,
    /// The appointment window is open.
    Appointment,
    /// No watch list names the mission.
    WatchList,
    /// No device that reads for this lane is down.
    Devices,
}

impl CheckKind {
    /// All checks, in the order in which they judge and are told.
    pub const ALL: [CheckKind; 19] = [
        CheckKind::Answer,
        CheckKind::IdentityConflict,
        CheckKind::IdentityMatch,
        CheckKind::TagPlate,
        CheckKind::GatePass,
        CheckKind::Weight,
        CheckKind::DeclaredEmpty,
        CheckKind::Mission,
        CheckKind::ReleaseExpiry,
        CheckKind::Path,
        CheckKind::Conditions,
        CheckKind::CustomsStatus,
        CheckKind::Adr,
        CheckKind::Seal,
        CheckKind::Scan,
        CheckKind::Tracking,
        CheckKind::Appointment,
        CheckKind::WatchList,
        CheckKind::Devices,
    ];
    /// Checks that every rule set needs: without one of them a vehicle could pass unjudged.
    pub const NEEDED: [CheckKind; 7] = [
        CheckKind::Answer,
        CheckKind::IdentityConflict,
        CheckKind::IdentityMatch,
        CheckKind::Mission,
        CheckKind::Path,
        CheckKind::Conditions,
        CheckKind::CustomsStatus,
    ];
    /// The stable name as it stands in files and records.
    pub fn name(self) -> &'static str {
        match self {
            CheckKind::Answer => "answer",
            CheckKind::IdentityConflict => "identity_conflict",
            CheckKind::IdentityMatch => "identity_match",
            CheckKind::TagPlate => "tag_plate",
            CheckKind::GatePass => "gate_pass",
            CheckKind::Mission => "mission",
            CheckKind::ReleaseExpiry => "release_expiry",
            CheckKind::CustomsStatus => "customs_status",
            CheckKind::Path => "path",
            CheckKind::Conditions => "conditions",
            CheckKind::Weight => "weight",
            CheckKind::DeclaredEmpty => "declared_empty",
            CheckKind::Adr => "adr",
            CheckKind::Seal => "seal",
            CheckKind::Scan => "scan",
            CheckKind::Tracking => "tracking",
            CheckKind::Appointment => "appointment",
            CheckKind::WatchList => "watch_list",
            CheckKind::Devices => "devices",
        }
    }
    /// Whether waiting alone can make a failed check of this kind pass; where not, `hold` is no answer to it.
    pub fn passes_by_waiting(self) -> bool {
        match self {
            CheckKind::Answer
            | CheckKind::GatePass
            | CheckKind::ReleaseExpiry
            | CheckKind::CustomsStatus
            | CheckKind::Conditions
            | CheckKind::Scan
            | CheckKind::Tracking
            | CheckKind::Appointment
            | CheckKind::Devices => true,
            CheckKind::IdentityConflict
            | CheckKind::IdentityMatch
            | CheckKind::TagPlate
            | CheckKind::Mission
            | CheckKind::Path
            | CheckKind::Weight
            | CheckKind::DeclaredEmpty
            | CheckKind::Adr
            | CheckKind::Seal
            | CheckKind::WatchList => false,
        }
    }
}

/// What a failed check leads to. Where waiting cannot help, the vehicle is referred all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFail {
    /// The vehicle waits; the lane asks again by itself.
    Hold,
    /// A person looks.
    Refer,
}

/// One check with its parameters. A parameter that its kind does not have is refused by the file's check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Which.
    pub kind: CheckKind,
    /// What a failure leads to.
    pub on_fail: OnFail,
    /// True: a fact that nobody states fails the check. False: the check then does not apply.
    #[serde(default)]
    pub required: bool,
    /// `identity_match`: matching facts needed, in place of the lane's own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factors_needed: Option<u8>,
    /// `identity_match`: by how much a reading's odds rise because the mission expects it, 1 to 100. Each
    /// use is declared in the decision. 1 where absent: the expectation never helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expectation_odds: Option<f64>,
    /// `weight`: allowed difference, share of the expected gross, in place of the lane's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance_share: Option<f64>,
    /// `weight`: allowed difference at least, kilograms, in place of the lane's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance_kg: Option<f64>,
    /// `declared_empty`: goods up to this weight count as none, kilograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_max_kg: Option<f64>,
    /// `appointment`: how much earlier or later than the window is allowed, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_ms: Option<i64>,
}

impl Check {
    /// A check without parameters that does not demand its fact.
    pub fn of(kind: CheckKind, on_fail: OnFail) -> Self {
        Self {
            kind,
            on_fail,
            required: false,
            factors_needed: None,
            expectation_odds: None,
            tolerance_share: None,
            tolerance_kg: None,
            empty_max_kg: None,
            grace_ms: None,
        }
    }
}

/// Where a rule set applies. Empty lists: everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Nodes; empty: all of the site.
    #[serde(default)]
    pub nodes: Vec<NodeId>,
    /// Lanes; empty: all of those nodes.
    #[serde(default)]
    pub lanes: Vec<LaneId>,
}

impl Scope {
    /// Whether a lane of a node lies within.
    pub fn covers(&self, node: &NodeId, lane: &LaneId) -> bool {
        (self.nodes.is_empty() || self.nodes.contains(node))
            && (self.lanes.is_empty() || self.lanes.contains(lane))
    }
}

/// A rule set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    /// Its name.
    pub id: String,
    /// Counts its versions from 1; a changed rule set has another one.
    pub version: u32,
    /// Who answers for it.
    pub author: String,
    /// What it does.
    pub mode: RuleMode,
    /// How much it asks of a vehicle's identity.
    #[serde(default)]
    pub profile: Profile,
    /// Where it applies.
    #[serde(default)]
    pub scope: Scope,
    /// The checks, each kind at most once.
    #[serde(rename = "check")]
    pub checks: Vec<Check>,
}

impl RuleSet {
    /// The rule set that a lane without a file of its own works by.
    pub fn built_in() -> Self {
        // A pass that is shown is judged also where no check names it.
        let left_out = [CheckKind::Devices, CheckKind::GatePass];
        let checks = CheckKind::ALL.into_iter().filter(|kind| !left_out.contains(kind));
        let on_fail = |kind: CheckKind| if kind.passes_by_waiting() { OnFail::Hold } else { OnFail::Refer };
        Self {
            id: "varco-rules".to_owned(),
            version: 1,
            author: "Varco".to_owned(),
            mode: RuleMode::Live,
            profile: Profile::Standard,
            scope: Scope::default(),
            checks: checks.map(|kind| Check::of(kind, on_fail(kind))).collect(),
        }
    }
    /// One check.
    pub fn check(&self, kind: CheckKind) -> Option<&Check> {
        self.checks.iter().find(|c| c.kind == kind)
    }
    /// What is recorded of it in every decision. The hash is over its JSON form, so that two rule sets
    /// with one name and version are told apart.
    pub fn reference(&self) -> RuleSetRef {
        let json = serde_json::to_vec(self).unwrap_or_default();
        let sha256 = Sha256::digest(&json).iter().map(|b| format!("{b:02x}")).collect();
        RuleSetRef { id: self.id.clone(), version: self.version, sha256 }
    }
}

/// Names a rule set in a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RuleSetRef {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// SHA-256 of its JSON form, lower-case hex.
    pub sha256: String,
}

impl std::fmt::Display for RuleSetRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.id, self.version)
    }
}

/// Which facts identify a vehicle, and how many independent ones (T13).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IdentityRule {
    /// Slots that count as factors.
    pub slots: Vec<Slot>,
    /// How many must be read before central is asked, unless the time for reading ends.
    pub factors_wanted: u8,
    /// How many must match the mission for an Admit.
    pub factors_needed: u8,
    /// Probability from which a best candidate counts as read, 0.5..=1.
    pub read_threshold: f64,
}

/// Weight against tare and declaration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WeightRule {
    /// Without a usable weight the vehicle is referred.
    pub required: bool,
    /// Allowed difference, share of the expected gross, 0..=1.
    pub tolerance_share: f64,
    /// Allowed difference at least, kilograms.
    pub tolerance_kg: f64,
    /// Verification scale interval e of the instrument, kilograms; 0: its uncertainty is not counted.
    #[serde(default)]
    pub interval_kg: f64,
}

/// Everything of a lane's configuration that its decisions rest on: recorded at every start, so that a
/// recorded decision can be taken again from the journal alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaneRules {
    /// The node.
    pub node: NodeId,
    /// The lane's direction.
    pub direction: Direction,
    /// The lane's own mode.
    pub mode: RuleMode,
    /// The rule set that acts.
    pub acting: RuleSet,
    /// Rule sets whose decisions are recorded beside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<RuleSet>,
    /// The lane's rule for identity.
    pub identity: IdentityRule,
    /// The lane's rule for weight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<WeightRule>,
    /// The site's process types with their paths.
    pub processes: Vec<Process>,
    /// What misreading costs on cameras that have a table of their own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub confusions: BTreeMap<String, ConfusionTable>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_set_is_whole_and_a_change_changes_its_hash() {
        let set = RuleSet::built_in();
        assert!(CheckKind::NEEDED.iter().all(|k| set.check(*k).is_some()));
        let names: std::collections::BTreeSet<&str> = CheckKind::ALL.iter().map(|k| k.name()).collect();
        assert_eq!(names.len(), CheckKind::ALL.len());
        let mut other = set.clone();
        other.checks[0].required = true;
        assert_ne!(set.reference().sha256, other.reference().sha256);
        assert_eq!(set.reference().to_string(), "varco-rules/1");
    }

    #[test]
    fn a_scope_names_nodes_and_lanes() {
        let (node, lane) = (NodeId::new("1").unwrap(), LaneId::new("n1-in-1").unwrap());
        assert!(Scope::default().covers(&node, &lane));
        let one = Scope { nodes: vec![node.clone()], lanes: vec![] };
        assert!(one.covers(&node, &lane) && !one.covers(&NodeId::new("2").unwrap(), &lane));
        let other = Scope { nodes: vec![], lanes: vec![LaneId::new("n1-in-2").unwrap()] };
        assert!(!other.covers(&node, &lane));
    }
}
