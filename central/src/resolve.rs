//! From what a gate read to a mission: exact matches only; near ones are for people (B9, T26).

use crate::store::{StoreError, Tx};
use gate_types::identity::{Identity, Slot};
use gate_types::iso6346::blind_group;
use gate_types::plate::fold;
use std::collections::{BTreeMap, BTreeSet};

/// Least probability at which a candidate may name a mission.
const NAMES_A_MISSION: f64 = 0.5;
/// From this probability on, a single identifier of another mission is not overruled by two of this one.
const NOT_OVERRULED: f64 = 0.8;
/// Most candidates of one slot that are looked at.
const CANDIDATES: usize = 8;
/// Most near identifiers that are told.
const NEAR: usize = 8;

/// One candidate with the missions under way that expect it.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) slot: Slot,
    pub(crate) value: String,
    pub(crate) probability: f64,
    pub(crate) missions: Vec<i64>,
}

/// What the hits come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// One mission, and the read identifiers that match it.
    One { no: i64, matched: Vec<String> },
    /// Different identifiers lead to different missions.
    Several(Vec<i64>),
    /// No mission.
    Nothing,
}

/// Looks every likely candidate up.
pub(crate) fn hits(tx: &Tx<'_>, identity: &Identity) -> Result<Vec<Hit>, StoreError> {
    let likely: Vec<(Slot, String, f64)> =
        candidates(identity).filter(|(_, _, probability)| *probability >= NAMES_A_MISSION).collect();
    let wanted: Vec<(Slot, &str)> = likely.iter().map(|(slot, value, _)| (*slot, value.as_str())).collect();
    let found = tx.open_missions_with(&wanted)?;
    let hit = |((slot, value, probability), missions)| Hit { slot, value, probability, missions };
    Ok(likely.into_iter().zip(found).map(hit).collect())
}

/// Decides between the missions that were hit. What was read on the vehicle comes first; a gate pass tells
/// where that names none, or which of several. A pass for another mission than what was read names is the
/// gate's own finding.
pub(crate) fn choose(hits: &[Hit]) -> Choice {
    let (passes, read): (Vec<Hit>, Vec<Hit>) =
        hits.iter().cloned().partition(|hit| hit.slot == Slot::GatePass);
    let by_pass = choose_among(&passes);
    match (choose_among(&read), by_pass) {
        (Choice::Nothing, by_pass) => by_pass,
        (Choice::One { no, mut matched }, Choice::One { no: told, matched: pass }) if no == told => {
            matched.extend(pass);
            Choice::One { no, matched }
        }
        (Choice::Several(missions), Choice::One { no, matched: pass }) if missions.contains(&no) => {
            let of_it = read.iter().filter(|hit| hit.missions.contains(&no));
            let matched = of_it.map(|hit| hit.value.clone()).chain(pass).collect();
            Choice::One { no, matched }
        }
        (read, _) => read,
    }
}

/// One mission, unless different identifiers name different ones and
/// the better supported does not clearly outweigh the rest (two slots against one unsure one).
fn choose_among(hits: &[Hit]) -> Choice {
    let mut by_mission: BTreeMap<i64, BTreeMap<Slot, f64>> = BTreeMap::new();
    for hit in hits {
        for no in &hit.missions {
            let strongest = by_mission.entry(*no).or_default().entry(hit.slot).or_insert(hit.probability);
            *strongest = strongest.max(hit.probability);
        }
    }
    let Some((&best, slots)) = by_mission.iter().max_by_key(|(_, slots)| slots.len()) else {
        return Choice::Nothing;
    };
    let outweighed =
        |other: &BTreeMap<Slot, f64>| other.len() == 1 && other.values().all(|p| *p < NOT_OVERRULED);
    let alone = by_mission.len() == 1;
    if alone || (slots.len() >= 2 && by_mission.iter().all(|(no, other)| *no == best || outweighed(other))) {
        let of_best = hits.iter().filter(|hit| hit.missions.contains(&best));
        return Choice::One { no: best, matched: of_best.map(|hit| hit.value.clone()).collect() };
    }
    Choice::Several(by_mission.into_keys().collect())
}

/// Identifiers of missions under way that differ from a reading by one look-alike character.
pub(crate) fn near(tx: &Tx<'_>, identity: &Identity) -> Result<Vec<String>, StoreError> {
    let mut near = BTreeSet::new();
    for (slot, value, _) in candidates(identity) {
        for expected in tx.open_values_like(slot, &value)? {
            if near.len() < NEAR && one_look_alike_apart(slot, &value, &expected) {
                near.insert(expected);
            }
        }
    }
    Ok(near.into_iter().collect())
}

fn candidates(identity: &Identity) -> impl Iterator<Item = (Slot, String, f64)> + '_ {
    identity.slots.iter().take(CANDIDATES).flat_map(|slot| {
        let first = slot.candidates.iter().take(CANDIDATES);
        first.map(|c| (slot.slot, canonical(slot.slot, &c.value), c.probability))
    })
}

/// Gates send canonical values; an integrator's lane may send `ab-123 cd`.
fn canonical(slot: Slot, value: &str) -> String {
    let significant = value.chars().take(128).filter(char::is_ascii_alphanumeric);
    match slot {
        Slot::GatePass => value.chars().take(128).collect(),
        Slot::TractorPlate | Slot::TrailerPlate | Slot::Itu | Slot::Itu2 | Slot::Adr => {
            significant.map(|c| c.to_ascii_uppercase()).collect()
        }
        Slot::VehicleTag | Slot::ContainerTag | Slot::Seal => {
            significant.map(|c| c.to_ascii_lowercase()).collect()
        }
    }
}

/// Characters that readers and dirty faces take for each other.
const LOOK_ALIKES: [&str; 10] = ["0ODQ", "1IL7T", "2Z", "3B8", "4A", "5S", "6GC", "UVJ", "MNWH", "EFP"];

fn one_look_alike_apart(slot: Slot, read: &str, expected: &str) -> bool {
    let is_code = match slot {
        Slot::TractorPlate | Slot::TrailerPlate => false,
        Slot::Itu | Slot::Itu2 => true,
        Slot::VehicleTag | Slot::ContainerTag | Slot::Seal | Slot::Adr | Slot::GatePass => return false,
    };
    let alike = |a: char, b: char| {
        LOOK_ALIKES.iter().any(|group| group.contains(a) && group.contains(b))
            || (is_code
                && a.is_ascii_uppercase()
                && b.is_ascii_uppercase()
                && blind_group(a) == blind_group(b))
    };
    let (read, expected) =
        if is_code { (read.to_owned(), expected.to_owned()) } else { (fold(read), fold(expected)) };
    if read.chars().count() != expected.chars().count() {
        return false;
    }
    let mut apart = read.chars().zip(expected.chars()).filter(|(a, b)| a != b);
    match (apart.next(), apart.next()) {
        (Some((a, b)), None) => alike(a, b),
        (None, _) | (Some(_), Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(slot: Slot, probability: f64, missions: &[i64]) -> Hit {
        Hit { slot, value: format!("{slot:?}"), probability, missions: missions.to_vec() }
    }

    #[test]
    fn a_gate_pass_tells_where_reading_does_not() {
        use Slot::{GatePass, TractorPlate, TrailerPlate};
        let one = |hits: &[Hit]| match choose(hits) {
            Choice::One { no, matched } => (no, matched.len()),
            other => panic!("{other:?}"),
        };
        assert_eq!(one(&[hit(GatePass, 0.99, &[2])]), (2, 1));
        assert_eq!(one(&[hit(TractorPlate, 0.9, &[2]), hit(GatePass, 0.99, &[2])]), (2, 2));
        assert_eq!(one(&[hit(TractorPlate, 0.9, &[1, 2]), hit(GatePass, 0.99, &[2])]), (2, 2));
        // What stands on the vehicle outranks the paper in the driver's hand.
        let read = [hit(TractorPlate, 0.9, &[1]), hit(TrailerPlate, 0.9, &[1]), hit(GatePass, 0.99, &[2])];
        assert_eq!(one(&read), (1, 2));
        let two = [hit(TractorPlate, 0.9, &[1]), hit(TrailerPlate, 0.9, &[3]), hit(GatePass, 0.99, &[2])];
        assert_eq!(choose(&two), Choice::Several(vec![1, 3]));
    }

    #[test]
    fn two_slots_outweigh_one_unsure_one_and_nothing_else() {
        use Slot::{Itu, TractorPlate, TrailerPlate};
        assert_eq!(choose(&[hit(Itu, 0.9, &[])]), Choice::Nothing);
        let one = choose(&[hit(Itu, 0.9, &[4]), hit(TractorPlate, 0.6, &[4])]);
        assert!(matches!(one, Choice::One { no: 4, matched } if matched.len() == 2));
        let sure = [hit(Itu, 0.9, &[4]), hit(TractorPlate, 0.9, &[4]), hit(TrailerPlate, 0.8, &[5])];
        assert_eq!(choose(&sure), Choice::Several(vec![4, 5]));
        let unsure = [hit(Itu, 0.9, &[4]), hit(TractorPlate, 0.9, &[4]), hit(TrailerPlate, 0.79, &[5])];
        assert!(matches!(choose(&unsure), Choice::One { no: 4, .. }));
        let even = [hit(Itu, 0.9, &[4]), hit(TrailerPlate, 0.6, &[5])];
        assert_eq!(choose(&even), Choice::Several(vec![4, 5]));
        assert_eq!(choose(&[hit(Itu, 0.9, &[4, 5])]), Choice::Several(vec![4, 5]));
    }

    #[test]
    fn near_means_one_look_alike() {
        assert!(one_look_alike_apart(Slot::TractorPlate, "AB123CD", "A8123CD"));
        assert!(!one_look_alike_apart(Slot::TractorPlate, "AB123CD", "AX123CD"));
        assert!(!one_look_alike_apart(Slot::TractorPlate, "AB123CD", "AB123CD"));
        assert!(!one_look_alike_apart(Slot::TractorPlate, "AB123CD", "A8123C0"));
        assert!(one_look_alike_apart(Slot::Itu, "AAAU1234560", "KAAU1234560"));
        assert!(!one_look_alike_apart(Slot::VehicleTag, "30ab", "30a8"));
    }
}
