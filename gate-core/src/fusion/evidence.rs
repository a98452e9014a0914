//! What was said about one pass, source by source.

use super::calibrate::{Calibration, calibrated};
use super::confusion::{Confusions, Tables};
use super::paper::Papers;
use super::score::{Statement, combine};
use super::tagged::Tagged;
use super::units::{Heap, split};
use gate_types::Mono;
use gate_types::entry::Evidence as Recorded;
use gate_types::gate_pass::ShownPass;
use gate_types::identity::{Candidate, GrossWeight, Identity, Slot, SlotEvidence, SourceWord, slot_of_tag};
use gate_types::ilu::IluCode;
use gate_types::iso6346::{ContainerCode, blind_group};
use gate_types::observation::{OpticalRead, ReadKind, TagRead, View, WeightRange, WeightRead};
use gate_types::plate::Plate;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

/// Most tags that are kept of one reader and slot.
pub const MAX_TAGS: usize = 16;
/// What a road vehicle can weigh, kilograms.
pub const PLAUSIBLE_KG: RangeInclusive<f64> = 700.0..=150_000.0;
/// Most statements that are kept of one camera about one slot, each with another best text.
pub const MAX_STATEMENTS: usize = 8;
/// A tag that a reader decoded is that tag.
pub(super) const TAG_CERTAINTY: f64 = 0.99;
/// A person who looked and wrote it down is right this often.
const PERSON_CERTAINTY: f64 = 0.99;
/// The source of what a person entered.
const PERSON: &str = "operator";
/// A single sighting is a passing reflection this often; each further one makes that as much less likely.
const REFLECTION: f64 = 0.3;
/// What an earlier statement of a camera with another text still weighs against its latest one: a camera
/// fuses its frames itself, so its latest word holds, and one that wavers is less sure.
const EARLIER: f64 = 0.15;
/// A code of the same blind groups with this share of the best one's probability leaves letters unsettled.
const BLIND_SHARE: f64 = 0.1;

/// One statement of one camera: texts with probabilities, best first, and the text before any rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    pub(super) at: Mono,
    pub(super) texts: Vec<(String, f64)>,
    pub(super) raw: String,
}

impl Said {
    /// The best text.
    pub(super) fn best(&self) -> Option<(&str, f64)> {
        self.texts.first().map(|(t, p)| (t.as_str(), *p))
    }
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

/// The evidence of one pass. Adding is commutative and idempotent: of one camera's statements about one
/// slot with the same best text the latest counts, of one tag the strongest sighting, of the scale the
/// latest usable reading.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evidence {
    optical: BTreeMap<(Slot, String), BTreeMap<String, Said>>,
    tags: BTreeMap<(Slot, String), BTreeMap<String, TagStrength>>,
    weight: Option<Weighed>,
    entered: BTreeMap<Slot, String>,
    tagged: Tagged,
    papers: Papers,
}

impl Evidence {
    /// Adds a camera's reading; `view` is the side that the camera sees by its configuration. False
    /// where it fills no slot.
    pub fn add_read(&mut self, device: &str, view: View, read: &OpticalRead, at: Mono) -> bool {
        let Some(slot) = slot_of_read(read.kind, view) else { return false };
        let alternatives = read.alternatives.iter().take(8).map(|a| (&a.text, a.confidence));
        let mut texts: Vec<(String, f64)> = std::iter::once((&read.text, read.confidence))
            .chain(alternatives)
            .filter_map(|(text, p)| canonical(read.kind, text).map(|t| (t, f64::from(p))))
            .filter(|(_, p)| p.is_finite())
            .collect();
        texts.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let Some((best, _)) = texts.first() else { return false };
        let words = self.optical.entry((slot, device.to_owned())).or_default();
        let best = best.clone();
        let new = Said { at, raw: read.raw_text.chars().take(32).collect(), texts };
        match words.get(&best) {
            Some(old) if !is_later(&new, old) => {}
            Some(_) | None => {
                words.insert(best, new);
            }
        }
        if words.len() > MAX_STATEMENTS {
            let oldest =
                words.iter().min_by_key(|(text, said)| (said.at, *text)).map(|(text, _)| text.clone());
            oldest.and_then(|text| words.remove(&text));
        }
        true
    }

    /// Adds what a person says stands there, canonical as [`entered`] gives it; of two the later counts. His
    /// word outranks what machines read: they stay on record beside it.
    pub fn add_entry(&mut self, slot: Slot, value: String) {
        self.entered.insert(slot, value);
    }

    /// Adds a gate pass that was shown; true always, for what does not hold is kept as well.
    pub fn add_pass(&mut self, device: &str, shown: &ShownPass, at: Mono) -> bool {
        self.papers.add(device, shown, at);
        true
    }

    /// Adds what an entry of the journal says; `view` is the side that a camera of this name sees. False where
    /// it fills no slot.
    pub fn add(&mut self, evidence: Recorded<'_>, view: impl Fn(&str) -> View, at: Mono) -> bool {
        match evidence {
            Recorded::Read(device, read) => self.add_read(device, view(device), read, at),
            Recorded::Tag(device, tag) => self.add_tag(device, tag),
            Recorded::Weight(device, weight) => self.add_weight(device, weight, at),
            Recorded::Pass(device, shown) => self.add_pass(device, shown, at),
            Recorded::Entered(slot, value) => {
                self.add_entry(slot, value.to_owned());
                true
            }
        }
    }

    /// Adds a tag: a container's tells the unit's code as well, a seal's its number and state. False where its
    /// role fills no slot.
    pub fn add_tag(&mut self, device: &str, tag: &TagRead) -> bool {
        let Some(slot) = slot_of_tag(tag.role) else { return false };
        if self.tagged.add(device, tag) && slot == Slot::Seal {
            return true;
        }
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

    /// The fused identity under the built-in table of confusions; `threshold` is the probability from which
    /// a source counts as strong.
    pub fn fuse(&self, threshold: f64) -> Identity {
        static BUILT_IN: LazyLock<Tables> = LazyLock::new(|| Confusions::built_in().into());
        self.fuse_with(threshold, &BUILT_IN)
    }

    /// The fused identity under the lane's tables of confusions.
    pub fn fuse_with(&self, threshold: f64, confusions: &Tables) -> Identity {
        let mut by_slot: BTreeMap<Slot, Vec<(Statement, Option<String>)>> = BTreeMap::new();
        for (slot, heap) in self.heaps() {
            let statements = by_slot.entry(slot).or_default();
            statements.extend(heap.into_iter().map(|(device, words)| stated(device, &words)));
        }
        for ((slot, device), tags) in &self.tags {
            by_slot.entry(*slot).or_default().push((Statement::new(device.clone(), shares(tags)), None));
        }
        for slot in self.entered.keys() {
            by_slot.entry(*slot).or_default();
        }
        let slots = by_slot.into_iter().filter_map(|(slot, words)| match self.entered.get(&slot) {
            Some(value) => Some(said_by_a_person(slot, value, &words)),
            None => fused(slot, words, threshold, confusions),
        });
        let mut slots: Vec<SlotEvidence> = slots.collect();
        slots.extend(self.papers.slot());
        Identity {
            slots,
            weight: self.weight.as_ref().map(|w| w.weight.clone()),
            seals: self.tagged.seals(),
            refused_pass: self.papers.refused(),
        }
    }

    /// The cameras' statements by slot, load units told apart.
    fn heaps(&self) -> BTreeMap<Slot, Heap<'_>> {
        let mut heaps: BTreeMap<Slot, Heap<'_>> = BTreeMap::new();
        for ((slot, device), words) in &self.optical {
            heaps.entry(*slot).or_default().insert(device, words.values().collect());
        }
        for (slot, device, words) in self.tagged.words() {
            heaps.entry(slot).or_default().entry(device).or_default().extend(words);
        }
        if let Some(units) = heaps.remove(&Slot::Itu) {
            let (first, second) = split(units);
            heaps.insert(Slot::Itu, first);
            if !second.is_empty() {
                heaps.insert(Slot::Itu2, second);
            }
        }
        heaps
    }
}

/// One camera's word: its latest statement, made less sure by earlier ones with another text.
fn stated(device: &str, words: &[&Said]) -> (Statement, Option<String>) {
    let latest = words
        .iter()
        .max_by(|a, b| a.at.cmp(&b.at).then_with(|| a.best().map(|x| x.0).cmp(&b.best().map(|x| x.0))));
    let Some(latest) = latest else { return (Statement::new(device.to_owned(), Vec::new()), None) };
    let raw = latest.best().filter(|(text, _)| *text != latest.raw).map(|_| latest.raw.clone());
    let weight = |said: &&Said| {
        if said.best().map(|b| b.0) == latest.best().map(|b| b.0) {
            return 1.0;
        }
        let p = said.best().map_or(0.0, |b| b.1.clamp(0.0, 1.0));
        EARLIER * p * p
    };
    let total: f64 = words.iter().map(weight).sum();
    let mut mixed: BTreeMap<&str, f64> = BTreeMap::new();
    for said in words {
        let share = weight(said) / total;
        let mut seen: Vec<&str> = Vec::new();
        for (text, p) in &said.texts {
            // A text twice in one statement counts once, with its higher probability, which comes first.
            if !seen.contains(&text.as_str()) {
                seen.push(text);
                *mixed.entry(text).or_default() += share * p;
            }
        }
    }
    (Statement::new(device.to_owned(), mixed.into_iter().map(|(t, p)| (t.to_owned(), p))), raw)
}

/// A person's word about a slot, with what machines said beside it.
fn said_by_a_person(slot: Slot, value: &str, words: &[(Statement, Option<String>)]) -> SlotEvidence {
    let person = Candidate {
        value: value.to_owned(),
        probability: PERSON_CERTAINTY,
        support: vec![PERSON.to_owned()],
    };
    let sources = words.iter().filter_map(|(statement, raw)| {
        let (text, probability) = statement.best()?;
        let (device, text) = (statement.source.clone(), text.to_owned());
        Some(SourceWord { device, text, raw: raw.clone(), probability })
    });
    SlotEvidence { slot, blind: false, conflict: false, sources: sources.collect(), candidates: vec![person] }
}

/// The canonical form of what a person enters for a slot; none where it cannot be its value.
pub fn entered(slot: Slot, text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let plain = plain.to_ascii_uppercase();
    match slot {
        Slot::TractorPlate | Slot::TrailerPlate => canonical(ReadKind::Plate, &plain),
        Slot::Itu | Slot::Itu2 => canonical(ReadKind::Container, &plain),
        Slot::Adr => canonical(ReadKind::Adr, &plain),
        Slot::Seal => canonical(ReadKind::Seal, &plain),
        // A tag and a signed pass speak for themselves.
        Slot::VehicleTag | Slot::ContainerTag | Slot::GatePass => None,
    }
}

fn fused(
    slot: Slot,
    words: Vec<(Statement, Option<String>)>,
    threshold: f64,
    confusions: &Tables,
) -> Option<SlotEvidence> {
    let codes = matches!(slot, Slot::Itu | Slot::Itu2);
    let (statements, raws): (Vec<Statement>, Vec<Option<String>>) = words.into_iter().unzip();
    let (mut candidates, conflict) = combine(&statements, threshold, confusions, codes);
    if candidates.is_empty() {
        return None;
    }
    let mut probabilities: Vec<f64> = candidates.iter().map(|c| c.probability).collect();
    calibrated(&mut probabilities, Calibration::for_sources(statements.len()));
    for (candidate, p) in candidates.iter_mut().zip(probabilities) {
        candidate.probability = p;
    }
    let sources = statements.iter().zip(raws).filter_map(|(statement, raw)| {
        let (text, probability) = statement.best()?;
        Some(SourceWord { device: statement.source.clone(), text: text.to_owned(), raw, probability })
    });
    let blind = codes && is_blind(&candidates);
    Some(SlotEvidence { slot, blind, conflict, sources: sources.collect(), candidates })
}

/// A code that no check digit tells from the best one is in the running.
fn is_blind(candidates: &[Candidate]) -> bool {
    let Some((best, others)) = candidates.split_first() else { return false };
    let sibling = |value: &str| {
        value.len() == best.value.len()
            && value.chars().zip(best.value.chars()).all(|(a, b)| a == b || blind_group(a).contains(b))
    };
    others.iter().any(|c| c.probability >= BLIND_SHARE * best.probability && sibling(&c.value))
}

/// The slot that a reading fills: the side tells the tractor's plate from the trailer's.
pub fn slot_of_read(kind: ReadKind, view: View) -> Option<Slot> {
    match (kind, view) {
        (ReadKind::Plate, View::Front) => Some(Slot::TractorPlate),
        (ReadKind::Plate, View::Rear) => Some(Slot::TrailerPlate),
        (ReadKind::Plate, View::Side | View::Top) => None,
        (ReadKind::Container, _) => Some(Slot::Itu),
        (ReadKind::Adr, _) => Some(Slot::Adr),
        (ReadKind::Seal, _) => Some(Slot::Seal),
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
        // As it is printed on the seal: ISO 17712 leaves its form to the maker.
        ReadKind::Seal => {
            let plain = text.chars().all(|c| c.is_ascii_alphanumeric());
            ((4..=20).contains(&text.len()) && plain).then(|| text.to_ascii_uppercase())
        }
    }
}

/// A total order, so that two statements with one stamp merge alike in either order.
fn is_later(new: &Said, old: &Said) -> bool {
    let texts = || {
        let by_text = new.texts.iter().zip(&old.texts).map(|(a, b)| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        by_text.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    };
    let length = new.texts.len().cmp(&old.texts.len());
    new.at.cmp(&old.at).then_with(texts).then(length).then_with(|| new.raw.cmp(&old.raw)).is_gt()
}

/// How surely a tag is no passing reflection, by how often it was seen.
pub(super) fn dwell(seen_count: u32) -> f64 {
    1.0 - REFLECTION.powi(i32::try_from(seen_count.min(32)).unwrap_or(32))
}

/// One reader's tags share its certainty by how often and how strongly they were seen: 6 dB halve, so that
/// a neighbouring lane's tag or a reflection has next to no share, and a tag seen once is not sure yet.
fn shares(tags: &BTreeMap<String, TagStrength>) -> Vec<(String, f64)> {
    let strongest = tags.values().map(|t| t.rssi_dbm).max().unwrap_or(0);
    let strength = |t: &TagStrength| {
        let halvings = (i32::from(strongest) - i32::from(t.rssi_dbm)) / 6;
        f64::from(t.seen_count.clamp(1, 1000)) * 0.5f64.powi(halvings.min(60))
    };
    let total: f64 = tags.values().map(strength).sum();
    tags.iter()
        .map(|(epc, t)| (epc.clone(), TAG_CERTAINTY * dwell(t.seen_count) * strength(t) / total))
        .collect()
}
