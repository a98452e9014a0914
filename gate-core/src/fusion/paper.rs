//! Gate passes as evidence: what central signed in advance, shown by the driver.

use gate_types::Mono;
use gate_types::gate_pass::ShownPass;
use gate_types::identity::{Candidate, RefusedPass, Slot, SlotEvidence, SourceWord};
use std::collections::{BTreeMap, BTreeSet};

/// A signed pass is what it says; whether the right driver shows it is not certain.
const CERTAINTY: f64 = 0.99;
/// Most missions whose passes are kept of one vehicle.
const MOST: usize = 4;

/// The passes that were shown for one vehicle. Adding is commutative and idempotent: of each mission the
/// latest showing counts, and of the refused ones the latest, unless one that holds was shown later.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Papers {
    valid: BTreeMap<String, (Mono, BTreeSet<String>)>,
    refused: Option<(Mono, RefusedPass)>,
}

impl Papers {
    pub(super) fn add(&mut self, device: &str, shown: &ShownPass, at: Mono) {
        match shown {
            ShownPass::Valid { mission, .. } => {
                let room = self.valid.len() < MOST || self.valid.contains_key(mission.as_str());
                if !room {
                    return;
                }
                let (last, devices) = self.valid.entry(mission.to_string()).or_default();
                *last = at.max(*last);
                devices.insert(device.to_owned());
            }
            ShownPass::Refused { fault, why } => {
                let new = RefusedPass { device: device.to_owned(), fault: *fault, why: why.clone() };
                let order = |(at, r): &(Mono, RefusedPass)| (*at, r.fault, r.device.clone(), r.why.clone());
                let new = (at, new);
                if self.refused.as_ref().is_none_or(|old| order(&new) > order(old)) {
                    self.refused = Some(new);
                }
            }
        }
    }
    /// The missions that passes name; several are a conflict.
    pub(super) fn slot(&self) -> Option<SlotEvidence> {
        let share = CERTAINTY / self.valid.len().max(1) as f64;
        let candidates: Vec<Candidate> = self
            .valid
            .iter()
            .map(|(mission, (_, devices))| Candidate {
                value: mission.clone(),
                probability: share,
                support: devices.iter().cloned().collect(),
            })
            .collect();
        let words = self.valid.iter().flat_map(|(mission, (_, devices))| {
            devices.iter().map(|device| SourceWord {
                device: device.clone(),
                text: mission.clone(),
                raw: None,
                probability: CERTAINTY,
            })
        });
        let sources = words.collect();
        let conflict = candidates.len() > 1;
        (!candidates.is_empty()).then_some(SlotEvidence {
            slot: Slot::GatePass,
            candidates,
            conflict,
            blind: false,
            sources,
        })
    }
    /// The pass that does not hold, where it was the last one shown.
    pub(super) fn refused(&self) -> Option<RefusedPass> {
        let last_valid = self.valid.values().map(|(at, _)| *at).max();
        let stands = |(at, _): &&(Mono, RefusedPass)| last_valid.is_none_or(|valid| *at > valid);
        self.refused.as_ref().filter(stands).map(|(_, refused)| refused.clone())
    }
}
