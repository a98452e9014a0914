//! The fused answer to "who is this": per slot the ranked candidates with their support and conflicts.

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
    /// The electronic seal's tag.
    Seal,
    /// The dangerous-goods panel, `KEMLER/UN`.
    Adr,
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

/// The fused identity of one pass.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Identity {
    /// Slots with at least one candidate, in the order of [`Slot`].
    pub slots: Vec<SlotEvidence>,
    /// The weight, where one could be taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<GrossWeight>,
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
