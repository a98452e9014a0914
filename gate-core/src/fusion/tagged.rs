//! What tags say in words: a container's tag the unit's code (ISO 17363), a seal's tag its number and state.
//! Each is a statement beside those of cameras: agreement strengthens, disagreement is a conflict.

use super::evidence::{MAX_TAGS, Said, TAG_CERTAINTY, dwell};
use gate_types::Mono;
use gate_types::circumstances::SealState;
use gate_types::identity::{SealSeen, Slot};
use gate_types::iso6346::ContainerCode;
use gate_types::observation::{TagRead, TagRole};
use std::collections::BTreeMap;

/// The decoded form of a container tag begins so.
const CONTAINER: &str = "urn:epc:id:bic:";
/// The decoded form of a seal begins so; its number and, where it tells it, its state follow.
const SEAL: &str = "urn:varco:seal:";
/// Most seals that are kept of one vehicle.
const MOST_SEALS: usize = 8;

/// One tag's word.
#[derive(Debug, Clone, PartialEq)]
struct Word {
    rssi_dbm: i16,
    seen_count: u32,
    said: Said,
}

/// What the tags of one vehicle say. Adding is commutative and idempotent: of one tag the strongest sighting
/// counts, of a seal that was seen open that it is open.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Tagged {
    words: BTreeMap<(Slot, String), BTreeMap<String, Word>>,
    seals: BTreeMap<String, SealSeen>,
}

/// Number and state of a seal's tag; one that is known by its EPC alone has it for a number.
fn seal_of(tag: &TagRead) -> (String, SealState) {
    let told = tag.uri.as_deref().and_then(|uri| uri.strip_prefix(SEAL)).unwrap_or(&tag.epc);
    let (number, state) = match told.split_once(':') {
        Some((number, "open")) => (number, SealState::Broken),
        Some((number, "closed")) => (number, SealState::Intact),
        Some((number, _)) => (number, SealState::Unknown),
        None => (told, SealState::Unknown),
    };
    (number.chars().take(64).map(|c| c.to_ascii_uppercase()).collect(), state)
}

/// The worse of two states of one seal: what was seen open stays so, what is not told counts least.
fn worse(a: SealState, b: SealState) -> SealState {
    match (a, b) {
        (SealState::Broken, _) | (_, SealState::Broken) => SealState::Broken,
        (SealState::Intact, _) | (_, SealState::Intact) => SealState::Intact,
        (SealState::Unknown, SealState::Unknown) => SealState::Unknown,
    }
}

impl Tagged {
    /// Takes a tag's word, where it has one. False where it has none, or no room is left.
    pub(super) fn add(&mut self, device: &str, tag: &TagRead) -> bool {
        match tag.role {
            TagRole::Container => {
                let code = tag.uri.as_deref().and_then(|uri| uri.strip_prefix(CONTAINER));
                let Some(code) = code.and_then(|code| ContainerCode::parse(code).ok()) else { return false };
                self.say(Slot::Itu, device, code.as_str().to_owned(), tag)
            }
            TagRole::Seal => {
                let (number, state) = seal_of(tag);
                let epc: String = tag.epc.chars().take(64).map(|c| c.to_ascii_lowercase()).collect();
                if self.seals.len() < MOST_SEALS || self.seals.contains_key(&number) {
                    let seen = SealSeen { device: device.to_owned(), epc, number: number.clone(), state };
                    let known = self.seals.entry(number.clone()).or_insert_with(|| seen.clone());
                    known.state = worse(known.state, state);
                    // An open seal may answer with another EPC; one of them is named, whichever came first.
                    if (&seen.device, &seen.epc) < (&known.device, &known.epc) {
                        (known.device, known.epc) = (seen.device, seen.epc);
                    }
                }
                self.say(Slot::Seal, device, number, tag)
            }
            TagRole::Vehicle | TagRole::Unknown => false,
        }
    }
    fn say(&mut self, slot: Slot, device: &str, text: String, tag: &TagRead) -> bool {
        let words = self.words.entry((slot, device.to_owned())).or_default();
        if words.len() >= MAX_TAGS && !words.contains_key(&text) {
            return false;
        }
        let said = Said { at: Mono(0), texts: Vec::new(), raw: text.clone() };
        let word = words.entry(text).or_insert(Word { rssi_dbm: i16::MIN, seen_count: 0, said });
        word.rssi_dbm = word.rssi_dbm.max(tag.rssi_dbm);
        word.seen_count = word.seen_count.max(tag.seen_count);
        // 6 dB halve: the tag of a neighbouring lane's unit says next to nothing here.
        let strongest = words.values().map(|w| w.rssi_dbm).max().unwrap_or_default();
        for (text, word) in words {
            let halvings = (i32::from(strongest) - i32::from(word.rssi_dbm)) / 6;
            let p = TAG_CERTAINTY * dwell(word.seen_count) * 0.5f64.powi(halvings.clamp(0, 60));
            word.said.texts = vec![(text.clone(), p)];
        }
        true
    }
    /// The statements by slot and reader.
    pub(super) fn words(&self) -> impl Iterator<Item = (Slot, &str, impl Iterator<Item = &Said>)> {
        self.words
            .iter()
            .map(|((slot, device), words)| (*slot, device.as_str(), words.values().map(|word| &word.said)))
    }
    /// The seals whose tags answered.
    pub(super) fn seals(&self) -> Vec<SealSeen> {
        self.seals.values().cloned().collect()
    }
}
