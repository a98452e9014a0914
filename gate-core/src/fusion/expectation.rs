//! The missions that are expected, as a prior: an index of their identifiers. A reading that some mission
//! expects is likelier than one that none does; whoever uses it declares it.

use gate_types::identity::{Identity, Slot};
use gate_types::plate::fold;
use gate_types::release::Expected;
use std::collections::{BTreeMap, BTreeSet};

/// Kinds of identifier: a plate is looked up among plates of tractors or trailers, not among codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Tractor,
    Trailer,
    Unit,
    Tag,
}

/// An index over expected missions.
#[derive(Debug, Clone, Default)]
pub struct Expectations {
    by_value: BTreeMap<(Kind, String), Vec<u32>>,
    missions: usize,
}

/// Which mission what was read belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// One, by its number in the list, with the identifiers that match.
    One {
        /// The number.
        mission: usize,
        /// The matching values as read.
        matched: Vec<String>,
    },
    /// Different identifiers name different missions.
    Several(Vec<usize>),
    /// None.
    Nothing,
}

fn kind(slot: Slot) -> Option<Kind> {
    match slot {
        Slot::TractorPlate => Some(Kind::Tractor),
        Slot::TrailerPlate => Some(Kind::Trailer),
        Slot::Itu | Slot::Itu2 => Some(Kind::Unit),
        Slot::VehicleTag => Some(Kind::Tag),
        Slot::ContainerTag | Slot::Seal | Slot::Adr | Slot::GatePass => None,
    }
}

impl Expectations {
    /// Indexes missions by what they expect; a mission's number is its place in the list.
    pub fn new<'a>(missions: impl IntoIterator<Item = &'a Expected>) -> Self {
        let mut index = Self::default();
        for expected in missions {
            let no = u32::try_from(index.missions).unwrap_or(u32::MAX);
            index.missions += 1;
            let plate = |text: &str| {
                let plain: String = text
                    .chars()
                    .filter(char::is_ascii_alphanumeric)
                    .map(|c| c.to_ascii_uppercase())
                    .collect();
                fold(&plain)
            };
            let mut put = |kind: Kind, value: String| {
                let known = index.by_value.entry((kind, value)).or_default();
                if known.last() != Some(&no) {
                    known.push(no);
                }
            };
            if let Some(p) = &expected.tractor_plate {
                put(Kind::Tractor, plate(p));
                if expected.trailer_plate.is_none() {
                    put(Kind::Trailer, plate(p));
                }
            }
            if let Some(p) = &expected.trailer_plate {
                put(Kind::Trailer, plate(p));
            }
            for itu in &expected.itus {
                put(Kind::Unit, itu.clone());
            }
            if let Some(tag) = &expected.vehicle_tag {
                put(Kind::Tag, tag.to_ascii_lowercase());
            }
        }
        index
    }
    /// How many missions are expected.
    pub fn len(&self) -> usize {
        self.missions
    }
    /// True where no mission is expected.
    pub fn is_empty(&self) -> bool {
        self.missions == 0
    }
    /// The missions that expect a value in a slot.
    pub fn naming(&self, slot: Slot, value: &str) -> &[u32] {
        let Some(kind) = kind(slot) else { return &[] };
        let value = match kind {
            Kind::Tractor | Kind::Trailer => fold(value),
            Kind::Unit | Kind::Tag => value.to_owned(),
        };
        self.by_value.get(&(kind, value)).map_or(&[], Vec::as_slice)
    }
    /// Which mission an identity belongs to: candidates of at least `threshold` name missions exactly.
    pub fn resolve(&self, identity: &Identity, threshold: f64) -> Resolution {
        let mut by_mission: BTreeMap<u32, (BTreeSet<Slot>, Vec<String>)> = BTreeMap::new();
        for evidence in identity.slots.iter().filter(|s| !s.blind) {
            for candidate in evidence.candidates.iter().filter(|c| c.probability >= threshold) {
                for no in self.naming(evidence.slot, &candidate.value) {
                    let (slots, values) = by_mission.entry(*no).or_default();
                    if slots.insert(evidence.slot) {
                        values.push(candidate.value.clone());
                    }
                }
            }
        }
        let most = by_mission.values().map(|(slots, _)| slots.len()).max().unwrap_or(0);
        let mut best = by_mission.iter().filter(|(_, (slots, _))| slots.len() == most);
        match (best.next(), by_mission.len()) {
            (None, _) => Resolution::Nothing,
            (Some((no, (_, matched))), 1) => {
                Resolution::One { mission: *no as usize, matched: matched.clone() }
            }
            (Some(_), _) => Resolution::Several(by_mission.keys().map(|no| *no as usize).collect()),
        }
    }
    /// The identity after the odds of every expected value were multiplied by `odds`, and the slots whose
    /// best candidate or its strength changed by it. The identity without it is the caller's to keep.
    pub fn weigh(&self, identity: &Identity, odds: f64) -> (Identity, Vec<Slot>) {
        let mut weighed = identity.clone();
        let mut changed = Vec::new();
        for evidence in &mut weighed.slots {
            let slot = evidence.slot;
            let expected: Vec<bool> =
                evidence.candidates.iter().map(|c| !self.naming(slot, &c.value).is_empty()).collect();
            if odds <= 1.0 || !expected.contains(&true) {
                continue;
            }
            let sum: f64 = evidence.candidates.iter().map(|c| c.probability).sum();
            let weight = |p: f64, is: bool| if is { p * odds } else { p };
            let pairs = evidence.candidates.iter().zip(&expected);
            let total = pairs.map(|(c, is)| weight(c.probability, *is)).sum::<f64>() + (1.0 - sum).max(0.0);
            for (candidate, is) in evidence.candidates.iter_mut().zip(&expected) {
                candidate.probability = weight(candidate.probability, *is) / total;
            }
            evidence
                .candidates
                .sort_by(|a, b| b.probability.total_cmp(&a.probability).then_with(|| a.value.cmp(&b.value)));
            changed.push(slot);
        }
        (weighed, changed)
    }
}
