//! The fused answer to "who is this": per slot the ranked candidates with their support and conflicts.

use crate::circumstances::SealState;
use crate::gate_pass::PassFault;
use crate::observation::TagRole;
use serde::{Deserialize, Serialize};

/// A place of the identity that holds one fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// The tractor's (or rigid truck's) plate, read at the front.
    TractorPlate,
    /// The trailer's plate, read at the rear.
    TrailerPlate,
    /// The load unit: ISO 6346 or ILU code.
    Itu,
    /// The second load unit of a vehicle that carries two.
    Itu2,
    /// The vehicle's tag.
    VehicleTag,
    /// The load unit's tag.
    ContainerTag,
    /// The seal: its number as it is printed on it or as its tag says.
    Seal,
    /// The dangerous-goods panel, `KEMLER/UN`.
    Adr,
    /// The mission that a gate pass names which central signed for this node.
    GatePass,
}

/// One candidate value of a slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Canonical value.
    pub value: String,
    /// Probability in 0..=1 over the slot's candidates.
    pub probability: f64,
    /// Devices that support it, sorted, each once.
    pub support: Vec<String>,
}

/// What one source said about a slot: the raw text and what became of it stay apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceWord {
    /// The device.
    pub device: String,
    /// Its best text after grammars and check digit.
    pub text: String,
    /// The text as the reader gave it; absent where it is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// Probability of `text` by this source alone.
    pub probability: f64,
}

/// One slot with its ranked candidates, best first, at most 8.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlotEvidence {
    /// The slot.
    pub slot: Slot,
    /// Candidates, best first.
    pub candidates: Vec<Candidate>,
    /// Two strong sources disagree; never averaged away.
    pub conflict: bool,
    /// The letters of the best candidate are not settled: a code that differs only by letters of one blind
    /// group (ISO 6346), which no check digit tells apart, is in the running. It identifies nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blind: bool,
    /// What each source said, by device.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceWord>,
}

/// The vehicle's weight as fused: only a stable, plausible reading of a vehicle that stands still.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GrossWeight {
    /// Kilograms.
    pub vehicle_gross_kg: f64,
    /// The scale.
    pub device: String,
    /// Its alibi number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alibi: Option<String>,
}

/// A seal whose tag answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealSeen {
    /// The reader.
    pub device: String,
    /// The tag's EPC, lower-case hex.
    pub epc: String,
    /// Its number, as it stands in [`Slot::Seal`].
    pub number: String,
    /// What its tag says of its state.
    pub state: SealState,
}

/// A gate pass that was shown and does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedPass {
    /// Where it was shown.
    pub device: String,
    /// What is wrong with it.
    pub fault: PassFault,
    /// The same in words, for operators.
    pub why: String,
}

/// The fused identity of one pass.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Identity {
    /// Slots with at least one candidate, in the order of [`Slot`].
    pub slots: Vec<SlotEvidence>,
    /// The weight, where one could be taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<GrossWeight>,
    /// Seals whose tags answered, by EPC, at most 8.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seals: Vec<SealSeen>,
    /// The gate pass that was shown last, where it does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_pass: Option<RefusedPass>,
}

impl Identity {
    /// The evidence of one slot.
    pub fn slot(&self, slot: Slot) -> Option<&SlotEvidence> {
        self.slots.iter().find(|s| s.slot == slot)
    }
    /// The best candidate of one slot.
    pub fn best(&self, slot: Slot) -> Option<&Candidate> {
        self.slot(slot).and_then(|s| s.candidates.first())
    }
}

/// The slot that a tag's role fills; an unknown one fills none.
pub fn slot_of_tag(role: TagRole) -> Option<Slot> {
    match role {
        TagRole::Vehicle => Some(Slot::VehicleTag),
        TagRole::Container => Some(Slot::ContainerTag),
        TagRole::Seal => Some(Slot::Seal),
        TagRole::Unknown => None,
    }
}
