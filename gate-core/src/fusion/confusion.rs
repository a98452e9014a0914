//! What it costs to read one character as another: data, one table for all cameras and others for those
//! whose corrections taught better (D55-D66: learn from officer corrections, per-site calibration).

use gate_types::confusion::ConfusionTable;
use gate_types::iso6346::blind_group;
use std::collections::BTreeMap;

/// Costs of all cameras: two characters and nats, one pair a line.
const BUILT_IN: &str = include_str!("../../data/confusions.txt");
/// An unrelated character, nats: one in 32.
const UNRELATED_NATS: f64 = 3.465_735_902_799_726_5;
/// A character too many or too few, nats.
const INDEL_NATS: f64 = 3.5;
/// Letters of one blind group of ISO 6346, nats: the check digit does not tell them apart, eyes mostly do.
const BLIND_NATS: f64 = 2.0;
/// However far two texts are apart, one may have been meant by the other with this probability.
const LEAST: f64 = 1.0 / 1024.0;

/// Costs of confusing two characters, symmetric, nats.
#[derive(Debug, Clone, PartialEq)]
pub struct Confusions {
    nats: BTreeMap<(char, char), f64>,
}

fn pair(a: char, b: char) -> (char, char) {
    if a <= b { (a, b) } else { (b, a) }
}

impl Confusions {
    /// The table of all cameras.
    pub fn built_in() -> Self {
        Self::from(&ConfusionTable::parse(BUILT_IN).unwrap_or_default())
    }
    /// The table as a site keeps it.
    pub fn table(&self) -> ConfusionTable {
        let mut table = ConfusionTable::default();
        for ((a, b), nats) in &self.nats {
            table.put(*a, *b, *nats);
        }
        table
    }
    /// What reading `b` for `a` costs, nats; 0 for the same character.
    pub fn nats(&self, a: char, b: char) -> f64 {
        if a == b { 0.0 } else { self.nats.get(&pair(a, b)).copied().unwrap_or(UNRELATED_NATS) }
    }
    /// How probable it is to read `read` where `truth` stands, of all misreadings, in 0..=1. Codes are
    /// container codes, whose check digit cannot tell the letters of a blind group apart.
    pub fn likeness(&self, read: &str, truth: &str, codes: bool) -> f64 {
        let (a, b) = (read.len(), truth.len());
        let nats = if a == b {
            self.substitutions(read, truth, codes)
        } else if a == b + 1 {
            self.one_more(read, truth, codes)
        } else if b == a + 1 {
            self.one_more(truth, read, codes)
        } else {
            f64::INFINITY
        };
        (-nats).exp().max(LEAST)
    }
    fn substitutions(&self, a: &str, b: &str, codes: bool) -> f64 {
        a.chars().zip(b.chars()).enumerate().map(|(at, (x, y))| self.at(at, x, y, codes)).sum()
    }
    fn at(&self, at: usize, x: char, y: char, codes: bool) -> f64 {
        let nats = self.nats(x, y);
        let blind = codes && at < 4 && x != y && blind_group(x).contains(y);
        if blind { nats.min(BLIND_NATS) } else { nats }
    }
    /// The cheapest place to leave one character of `long` out.
    fn one_more(&self, long: &str, short: &str, codes: bool) -> f64 {
        let cheapest = (0..long.len()).filter_map(|at| {
            let (head, tail) = (long.get(..at)?, long.get(at + 1..)?);
            let (short_head, short_tail) = (short.get(..at)?, short.get(at..)?);
            Some(self.substitutions(head, short_head, codes) + self.substitutions(tail, short_tail, false))
        });
        INDEL_NATS + cheapest.fold(f64::INFINITY, f64::min)
    }
}

impl From<&ConfusionTable> for Confusions {
    fn from(table: &ConfusionTable) -> Self {
        Self { nats: table.pairs().map(|(a, b, nats)| (pair(a, b), nats)).collect() }
    }
}

/// The tables of a lane: some cameras have one of their own, all other sources share one.
#[derive(Debug, Clone, PartialEq)]
pub struct Tables {
    own: BTreeMap<String, Confusions>,
    shared: Confusions,
}

impl Tables {
    /// The built-in table, but for the cameras named here.
    pub fn new(own: &BTreeMap<String, ConfusionTable>) -> Self {
        let own = own.iter().map(|(camera, table)| (camera.clone(), Confusions::from(table))).collect();
        Self { own, shared: Confusions::built_in() }
    }
    /// The table of one source.
    pub fn of(&self, source: &str) -> &Confusions {
        self.own.get(source).unwrap_or(&self.shared)
    }
}

impl From<Confusions> for Tables {
    fn from(shared: Confusions) -> Self {
        Self { own: BTreeMap::new(), shared }
    }
}

/// What officers corrected, counted by camera: the source of better tables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Corrections {
    by_camera: BTreeMap<String, BTreeMap<(char, char), u32>>,
    seen: BTreeMap<String, BTreeMap<char, u32>>,
}

impl Corrections {
    /// The cameras that something is known of, with the characters seen on each.
    pub fn cameras(&self) -> impl Iterator<Item = (&str, u32)> + '_ {
        self.seen.iter().map(|(camera, seen)| (camera.as_str(), seen.values().sum()))
    }
    /// The misreadings of one camera: the pair, and how often.
    pub fn misread(&self, camera: &str) -> impl Iterator<Item = (char, char, u32)> + '_ {
        self.by_camera.get(camera).into_iter().flatten().map(|((a, b), n)| (*a, *b, *n))
    }
    /// Takes one reading with what an officer says stood there. Texts of different lengths teach nothing
    /// about characters.
    pub fn add(&mut self, camera: &str, read: &str, truth: &str) {
        if read.chars().count() != truth.chars().count() {
            return;
        }
        for (x, y) in read.chars().zip(truth.chars()) {
            let seen = self.seen.entry(camera.to_owned()).or_default().entry(y).or_default();
            *seen = seen.saturating_add(1);
            if x != y {
                let pairs = self.by_camera.entry(camera.to_owned()).or_default();
                let count = pairs.entry(pair(x, y)).or_default();
                *count = count.saturating_add(1);
            }
        }
    }
    /// The table of one camera: its counts weigh against `before`, which counts as much as `weight`
    /// sightings of each character.
    pub fn table(&self, camera: &str, before: &Confusions, weight: f64) -> Confusions {
        let mut table = before.clone();
        let (Some(pairs), Some(seen)) = (self.by_camera.get(camera), self.seen.get(camera)) else {
            return table;
        };
        for ((a, b), count) in pairs {
            let sightings: u32 = [a, b].iter().filter_map(|c| seen.get(c)).sum();
            let prior = (-before.nats(*a, *b)).exp();
            let share = (f64::from(*count) + weight * prior) / (f64::from(sightings) + weight);
            table.nats.insert((*a, *b), -share.clamp(LEAST, 1.0).ln());
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole_and_prints_as_it_is_read() {
        let table = Confusions::built_in();
        assert!(table.nats.len() >= 20);
        assert!(table.nats('8', 'B') < table.nats('8', 'T'));
        assert_eq!(table.nats('8', 'B'), table.nats('B', '8'));
        assert_eq!(Confusions::from(&table.table()), table);
        let own = BTreeMap::from([("front".to_owned(), ConfusionTable::parse("8 B 0.5").unwrap())]);
        let tables = Tables::new(&own);
        assert_eq!((tables.of("front").nats('B', '8'), tables.of("rear")), (0.5, &table));
    }

    #[test]
    fn nearer_texts_are_likelier() {
        let t = Confusions::built_in();
        let (alike, other, far) = (
            t.likeness("AB123CB", "AB123C8", false),
            t.likeness("AB123CB", "AB123CT", false),
            t.likeness("AB123CB", "ZZ999ZZ", false),
        );
        assert!(alike > other && other > far, "{alike} {other} {far}");
        assert!(t.likeness("AB123CD", "AB123C", false) > far);
        assert!(
            t.likeness("AAAU1234560", "KAAU1234560", true) > t.likeness("AAAU1234560", "EAAU1234560", true)
        );
    }

    #[test]
    fn corrections_of_a_camera_teach_its_own_table() {
        let before = Confusions::built_in();
        let mut corrections = Corrections::default();
        for _ in 0..200 {
            corrections.add("front", "A7", "AT");
        }
        corrections.add("front", "A7X", "AT");
        let after = corrections.table("front", &before, 20.0);
        assert!(after.nats('7', 'T') < before.nats('7', 'T'));
        assert_eq!(after.nats('8', 'B'), before.nats('8', 'B'));
        assert_eq!(corrections.table("rear", &before, 20.0), before);
    }
}
