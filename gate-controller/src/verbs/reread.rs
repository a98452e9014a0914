//! Fusing a pass's recorded reads again: do they lead to the identity that the decision rested on? A sighting
//! that told nothing new was used and not recorded, so probabilities may differ a little; values may not.

use gate_core::fusion::{Evidence, Tables};
use gate_types::PassId;
use gate_types::entry::{Entry, EntryBody};
use gate_types::identity::{Identity, Slot};
use gate_types::observation::View;
use gate_types::rules::LaneRules;
use std::collections::BTreeMap;

/// A weight is recorded anew when it has changed by more than this, kilograms.
const SAME_WEIGHT_KG: f64 = 100.0;

/// The reads of passes without an end, as they are met in the journal.
#[derive(Debug, Default)]
pub(super) struct Reads(BTreeMap<PassId, Vec<Entry>>);

/// How the identity of fused reads stands to the recorded one.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reread {
    /// The same, to the last digit.
    Equal,
    /// The same values; by this much another probability at most.
    SameValues(f64),
    /// Another value, in words.
    Differs(String),
}

impl Reads {
    /// Takes note of an entry that fusion rests on.
    pub(super) fn note(&mut self, entry: &Entry) {
        let Some(pass) = &entry.pass else {
            // After a start every vehicle is read anew.
            if matches!(entry.body, EntryBody::DaemonStarted { .. }) {
                self.0.clear();
            }
            return;
        };
        if let EntryBody::PassOpened { .. } = entry.body {
            self.0.insert(pass.clone(), Vec::new());
        } else if let EntryBody::PassClosed { .. } = entry.body {
            self.0.remove(pass);
        } else if entry.body.is_evidence() {
            self.0.entry(pass.clone()).or_default().push(entry.clone());
        }
    }
    /// Fuses the reads of a pass under its lane's rules; `recorded` tells which camera saw which end of the
    /// vehicle.
    pub(super) fn fused(&self, pass: &PassId, rules: &LaneRules, recorded: &Identity) -> Identity {
        let mut evidence = Evidence::default();
        for entry in self.0.get(pass).into_iter().flatten() {
            if let Some(told) = entry.body.evidence() {
                // What cannot fill a slot was recorded and left out then as well.
                let _ = evidence.add(told, |device| view_of(device, recorded), entry.at.mono_ms);
            }
        }
        evidence.fuse_with(rules.identity.read_threshold, &Tables::new(&rules.confusions))
    }
}

/// The end of the vehicle that a camera sees, as far as its plates tell.
fn view_of(device: &str, recorded: &Identity) -> View {
    let trailer = recorded.slots.iter().filter(|s| s.slot == Slot::TrailerPlate);
    let mut sources = trailer.flat_map(|s| &s.sources);
    if sources.any(|word| word.device == device) { View::Rear } else { View::Front }
}

/// Compares slot by slot.
pub(super) fn compare(recorded: &Identity, now: &Identity) -> Reread {
    if recorded == now {
        return Reread::Equal;
    }
    let best = |identity: &Identity| -> BTreeMap<Slot, (String, f64)> {
        let slots = identity.slots.iter();
        let bests =
            slots.filter_map(|s| s.candidates.first().map(|c| (s.slot, (c.value.clone(), c.probability))));
        bests.collect()
    };
    let (was, is) = (best(recorded), best(now));
    let mut slots: Vec<&Slot> = was.keys().chain(is.keys()).collect();
    slots.sort();
    slots.dedup();
    let (mut apart, mut differences) = (0.0_f64, Vec::new());
    for slot in slots {
        match (was.get(slot), is.get(slot)) {
            (Some((a, p)), Some((b, q))) if a == b => apart = apart.max((p - q).abs()),
            (a, b) => {
                let told =
                    |x: Option<&(String, f64)>| x.map_or_else(|| "nothing".to_owned(), |x| x.0.clone());
                differences.push(format!("{slot:?} recorded {}, read {}", told(a), told(b)));
            }
        }
    }
    match (&recorded.weight, &now.weight) {
        (Some(a), Some(b)) if (a.vehicle_gross_kg - b.vehicle_gross_kg).abs() <= SAME_WEIGHT_KG => {}
        (None, None) => {}
        (a, b) => {
            let told = |x: &Option<gate_types::identity::GrossWeight>| {
                x.as_ref().map_or_else(|| "none".to_owned(), |x| format!("{:.0} kg", x.vehicle_gross_kg))
            };
            differences.push(format!("weight recorded {}, weighed {}", told(a), told(b)));
        }
    }
    if differences.is_empty() { Reread::SameValues(apart) } else { Reread::Differs(differences.join(", ")) }
}
