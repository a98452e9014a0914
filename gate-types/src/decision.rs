//! The record of one decision: what it rests on, what each check found, and what would have admitted the
//! vehicle. With the identity, the mission's facts and the lane's rules it is complete: the same decision
//! can be taken again from it (I6).

use crate::circumstances::TareSource;
use crate::id::MissionId;
use crate::identity::Slot;
use crate::rules::{CheckKind, RuleMode, RuleSetRef};
use crate::verdict::{ReasonCode, Verdict};
use serde::{Deserialize, Serialize};

/// What was known of central's word when the decision was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "basis", rename_all = "snake_case")]
pub enum Basis {
    /// Central named one mission; its facts stand beside this record.
    Mission {
        /// The question's nonce.
        nonce: String,
        /// Central's clock at this decision, milliseconds since 1970.
        central_now_ms: i64,
        /// The identifiers that central matched exactly.
        #[serde(rename = "central_matched")]
        matched: Vec<String>,
    },
    /// What was read fits several missions.
    Ambiguous {
        /// The question's nonce.
        nonce: String,
        /// Their names.
        missions: Vec<MissionId>,
    },
    /// Central knows no mission for what was read.
    Nothing {
        /// The question's nonce.
        nonce: String,
        /// Identifiers within one look-alike character.
        near: Vec<String>,
    },
    /// Central was silent and a permit for this unit and node stood in for it; its facts stand beside.
    Permit {
        /// The permit.
        permit: String,
        /// Central's clock at this decision, as far as the gate knows it.
        central_now_ms: i64,
        /// When the permit ends, on central's clock.
        expires_at_ms: i64,
        /// Why central gave no answer.
        why: String,
    },
    /// Central was silent and a permit for this unit was held that cannot be used.
    PermitRefused {
        /// The permit.
        permit: String,
        /// What is wrong with it.
        fault: PermitFault,
        /// Why central gave no answer.
        why: String,
    },
    /// Central gave no answer.
    Silent {
        /// Why.
        why: String,
    },
    /// Central's answer could not be used.
    NotUsable {
        /// Why.
        why: String,
    },
    /// Nothing could be read, so nobody was asked.
    Unread {
        /// How long was tried, milliseconds.
        identify_ms: u64,
    },
    /// An operator sent the vehicle back.
    Operator {
        /// Who.
        name: String,
        /// Why.
        reason: String,
    },
}

impl Basis {
    /// The permit that stands in for central's answer.
    pub fn permit(&self) -> Option<&str> {
        match self {
            Basis::Permit { permit, .. } => Some(permit),
            Basis::Mission { .. }
            | Basis::Ambiguous { .. }
            | Basis::Nothing { .. }
            | Basis::PermitRefused { .. }
            | Basis::Silent { .. }
            | Basis::NotUsable { .. }
            | Basis::Unread { .. }
            | Basis::Operator { .. } => None,
        }
    }
    /// Central's clock at the decision, milliseconds since 1970; none where nobody can say.
    pub fn central_now_ms(&self) -> Option<i64> {
        match self {
            Basis::Mission { central_now_ms, .. } | Basis::Permit { central_now_ms, .. } => {
                Some(*central_now_ms)
            }
            Basis::Ambiguous { .. }
            | Basis::Nothing { .. }
            | Basis::PermitRefused { .. }
            | Basis::Silent { .. }
            | Basis::NotUsable { .. }
            | Basis::Unread { .. }
            | Basis::Operator { .. } => None,
        }
    }
    /// One mission is named; its facts stand beside.
    pub fn names_a_mission(&self) -> bool {
        self.central_now_ms().is_some()
    }
    /// There was an answer to judge by: central's own, or a permit in its place.
    pub fn is_answered(&self) -> bool {
        match self {
            Basis::Mission { .. }
            | Basis::Ambiguous { .. }
            | Basis::Nothing { .. }
            | Basis::Permit { .. } => true,
            Basis::PermitRefused { .. }
            | Basis::Silent { .. }
            | Basis::NotUsable { .. }
            | Basis::Unread { .. }
            | Basis::Operator { .. } => false,
        }
    }
}

/// Why a permit that fits the unit does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PermitFault {
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It was used before.
    Used,
    /// Central revoked it, or what it rests on.
    Revoked,
    /// Since its start the gate has not heard central's clock: nobody can say whether it is still good.
    TimeUnknown,
}

/// What one check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed; a reason says why.
    Failed,
    /// Its fact is not stated and not required, or an earlier check left nothing to judge.
    NotApplicable,
}

/// One check with its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// Which.
    pub check: CheckKind,
    /// What it found.
    pub outcome: Outcome,
}

/// A read fact that matches what the mission expects. Read and expected value stay apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Matched {
    /// The slot.
    pub slot: Slot,
    /// The value as read.
    pub read: String,
    /// The value as expected.
    pub expected: String,
    /// Probability of the reading by itself.
    pub probability: f64,
    /// Equal to the letter; false: equal after look-alikes were folded.
    pub exact: bool,
}

/// What would have made one failed check pass. All of a decision's together would have admitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needed {
    /// The failed check; none where the lane's profile or mode stands against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<CheckKind>,
    /// Its reason.
    pub code: ReasonCode,
    /// What would have passed, in English.
    pub needed: String,
    /// The same in Italian.
    pub needed_it: String,
}

/// The mission's expectation took part in this decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// By how much the odds of an expected reading rise under these rules.
    pub odds: f64,
    /// Slots that match only with it.
    pub slots: Vec<Slot>,
    /// True: without it the same case would not have been admitted.
    pub decisive: bool,
}

/// The weight as it was judged. A weighbridge gives the vehicle's gross; goods are derived, and never a VGM.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightFinding {
    /// Measured, kilograms.
    pub vehicle_gross_kg: f64,
    /// The instrument's own uncertainty in service, kilograms; 0 where its interval is not known.
    pub uncertainty_kg: f64,
    /// Tare of the whole vehicle, kilograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tare_kg: Option<f64>,
    /// Where the tare comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tare_source: Option<TareSource>,
    /// Measured gross less tare, kilograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived_cargo_gross_kg: Option<f64>,
    /// Declared goods, kilograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_cargo_kg: Option<f64>,
}

/// The decision of a rule set that does not act here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// The rule set.
    pub rule_set: RuleSetRef,
    /// What it would have decided.
    pub verdict: Verdict,
}

/// The record of one decision, beside identity, mission's facts and verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// The rule set that decided.
    pub rule_set: RuleSetRef,
    /// What its decisions do here: the lesser of the rule set's mode and the lane's.
    pub mode: RuleMode,
    /// Central's word.
    #[serde(flatten)]
    pub basis: Basis,
    /// Devices of the lane that were down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub down: Vec<String>,
    /// The entries of this pass that it rests on, counted from 0 for the pass's first entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rests_on: Vec<u32>,
    /// What each check of the rule set found.
    pub checks: Vec<CheckResult>,
    /// Facts that match.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matched: Vec<Matched>,
    /// The counterfactual: what would have admitted; empty for an Admit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub would_admit: Vec<Needed>,
    /// The expectation's part, where it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expectation: Option<Expectation>,
    /// The weight, where one was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<WeightFinding>,
    /// What other rule sets would have decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Beside>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let matched = Matched {
            slot: Slot::Itu,
            read: "MAEU7994762".into(),
            expected: "MAEU7994762".into(),
            probability: 0.970_000_000_000_000_1,
            exact: true,
        };
        let record = DecisionRecord {
            rule_set: RuleSet::built_in().reference(),
            mode: RuleMode::Live,
            basis: Basis::Mission {
                nonce: "n".into(),
                central_now_ms: 1,
                matched: vec!["MAEU7994762".into()],
            },
            down: vec!["n1-in-1.front".into()],
            rests_on: vec![1, 2],
            checks: Vec::new(),
            matched: vec![matched],
            would_admit: Vec::new(),
            expectation: None,
            weight: None,
            beside: Vec::new(),
        };
        let text = serde_json::to_string(&record).unwrap();
        let read: DecisionRecord = serde_json::from_str(&text).unwrap();
        assert_eq!(read, record);
        assert_eq!(serde_json::to_string(&read).unwrap(), text, "byte for byte (I6)");
    }
}
