//! What was said about one pass, source by source.

use super::score::{Statement, combine};
use gate_types::Mono;
use gate_types::identity::{GrossWeight, Identity, Slot, SlotEvidence, slot_of_tag};
use gate_types::ilu::IluCode;
use gate_types::iso6346::ContainerCode;
use gate_types::observation::{OpticalRead, ReadKind, TagRead, View, WeightRange, WeightRead};
use gate_types::plate::Plate;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Most tags that are kept of one reader and slot.
pub const MAX_TAGS: usize = 16;
/// What a road vehicle can weigh, kilograms.
pub const PLAUSIBLE_KG: RangeInclusive<f64> = 700.0..=150_000.0;
/// A tag that a reader decoded is that tag.
const TAG_CERTAINTY: f64 = 0.99;

#[derive(Debug, Clone, PartialEq)]
struct Optical {
    at: Mono,
    texts: Vec<(String, f64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TagStrength {
    rssi_dbm: i16,
    seen_count: u32,
}

#[derive(Debug, Clone, PartialEq)]
struct Weighed {
    at: Mono,
    weight: GrossWeight,
}

/// The evidence of one pass. Adding is commutative: of one camera's statements about one slot the
/// latest counts (a camera's driver fuses its frames itself), of one tag the strongest sighting, of the
/// scale the latest usable reading.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evidence {
    optical: BTreeMap<(Slot, String), Optical>,
    tags: BTreeMap<(Slot, String), BTreeMap<String, TagStrength>>,
    weight: Option<Weighed>,
}

impl Evidence {
    /// Adds a camera's reading; `view` is the side that the camera sees by its configuration. False
    /// where it fills no slot.
    pub fn add_read(&mut self, device: &str, view: View, read: &OpticalRead, at: Mono) -> bool {
        let Some(slot) = slot_of_read(read.kind, view) else { return false };
        let alternatives = read.alternatives.iter().take(8).map(|a| (&a.text, a.confidence));
        let texts: Vec<(String, f64)> = std::iter::once((&read.text, read.confidence))
            .chain(alternatives)
            .filter_map(|(text, p)| canonical(read.kind, text).map(|t| (t, f64::from(p))))
            .collect();
        if texts.is_empty() {
            return false;
        }
        let new = Optical { at, texts };
        let key = (slot, device.to_owned());
        match self.optical.get(&key) {
            Some(old) if !is_later(&new, old) => {}
            Some(_) | None => {
                self.optical.insert(key, new);
            }
        }
        true
    }

    /// Adds a tag. False where its role fills no slot.
    pub fn add_tag(&mut self, device: &str, tag: &TagRead) -> bool {
        let Some(slot) = slot_of_tag(tag.role) else { return false };
        let tags = self.tags.entry((slot, device.to_owned())).or_default();
        let new = TagStrength { rssi_dbm: tag.rssi_dbm, seen_count: tag.seen_count };
        let epc: String = tag.epc.chars().take(64).map(|c| c.to_ascii_lowercase()).collect();
        if !tags.contains_key(&epc) && tags.len() >= MAX_TAGS {
            return false;
        }
        let known = tags.entry(epc).or_insert(new);
        known.rssi_dbm = known.rssi_dbm.max(new.rssi_dbm);
        known.seen_count = known.seen_count.max(new.seen_count);
        true
    }

    /// Adds a telegram of the scale; counts only stable, in range and plausible. False where it does not.
    pub fn add_weight(&mut self, device: &str, read: &WeightRead, at: Mono) -> bool {
        let usable =
            read.stable && read.range == WeightRange::InRange && PLAUSIBLE_KG.contains(&read.gross_kg);
        if !usable {
            return false;
        }
        let later = self
            .weight
            .as_ref()
            .is_none_or(|w| at.cmp(&w.at).then(read.gross_kg.total_cmp(&w.weight.vehicle_gross_kg)).is_gt());
        if later {
            let weight = GrossWeight {
                vehicle_gross_kg: read.gross_kg,
                device: device.to_owned(),
                alibi: read.alibi.clone(),
            };
            self.weight = Some(Weighed { at, weight });
        }
        true
    }

    /// The fused identity; `threshold` is the probability from which a source counts as strong.
    pub fn fuse(&self, threshold: f64) -> Identity {
        let mut by_slot: BTreeMap<Slot, Vec<Statement>> = BTreeMap::new();
        for ((slot, device), optical) in &self.optical {
            by_slot.entry(*slot).or_default().push(Statement::new(device.clone(), optical.texts.clone()));
        }
        for ((slot, device), tags) in &self.tags {
            by_slot.entry(*slot).or_default().push(Statement::new(device.clone(), shares(tags)));
        }
        let slots = by_slot
            .into_iter()
            .filter_map(|(slot, statements)| {
                let (candidates, conflict) = combine(&statements, threshold);
                (!candidates.is_empty()).then_some(SlotEvidence { slot, candidates, conflict })
            })
            .collect();
        Identity { slots, weight: self.weight.as_ref().map(|w| w.weight.clone()) }
    }
}

/// The slot that a reading fills: the side tells the tractor's plate from the trailer's.
fn slot_of_read(kind: ReadKind, view: View) -> Option<Slot> {
    match (kind, view) {
        (ReadKind::Plate, View::Front) => Some(Slot::TractorPlate),
        (ReadKind::Plate, View::Rear) => Some(Slot::TrailerPlate),
        (ReadKind::Plate, View::Side | View::Top) => None,
        (ReadKind::Container, _) => Some(Slot::Itu),
        (ReadKind::Adr, _) => Some(Slot::Adr),
    }
}

/// The canonical form, none where the text cannot be what its kind says: such a read stays in the
/// record and never becomes a candidate.
fn canonical(kind: ReadKind, text: &str) -> Option<String> {
    match kind {
        ReadKind::Plate => Plate::parse(text).ok().map(|p| p.as_str().to_owned()),
        ReadKind::Container => ContainerCode::parse(text)
            .map(|c| c.as_str().to_owned())
            .or_else(|_| IluCode::parse(text).map(|c| c.as_str().to_owned()))
            .ok(),
        ReadKind::Adr => {
            let known = |c: char| c.is_ascii_alphanumeric() || c == '/';
            ((3..=12).contains(&text.len()) && text.chars().all(known)).then(|| text.to_ascii_uppercase())
        }
    }
}

/// A total order, so that two statements with one stamp merge alike in either order.
fn is_later(new: &Optical, old: &Optical) -> bool {
    let texts = || {
        let by_text = new.texts.iter().zip(&old.texts).map(|(a, b)| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        by_text.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    };
    new.at.cmp(&old.at).then_with(texts).then(new.texts.len().cmp(&old.texts.len())).is_gt()
}

/// One reader's tags share its certainty by how often and how strongly they were seen: 6 dB halve.
fn shares(tags: &BTreeMap<String, TagStrength>) -> Vec<(String, f64)> {
    let strongest = tags.values().map(|t| t.rssi_dbm).max().unwrap_or(0);
    let strength = |t: &TagStrength| {
        let halvings = (i32::from(strongest) - i32::from(t.rssi_dbm)) / 6;
        f64::from(t.seen_count.clamp(1, 1000)) * 0.5f64.powi(halvings.min(60))
    };
    let total: f64 = tags.values().map(strength).sum();
    tags.iter().map(|(epc, t)| (epc.clone(), TAG_CERTAINTY * strength(t) / total)).collect()
}
