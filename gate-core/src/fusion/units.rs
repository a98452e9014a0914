//! One load unit or two: codes that are too far apart to be one reading of one unit are two units where
//! one camera saw both; where each camera saw one, they are a conflict.

use super::evidence::Said;
use std::collections::BTreeMap;

/// Codes that differ in at most this many characters may be readings of one unit.
const SAME_UNIT: usize = 3;
/// From this probability a camera saw a unit.
const SAW: f64 = 0.5;

/// What each device said, in one heap or in two.
pub(super) type Heap<'a> = BTreeMap<&'a str, Vec<&'a Said>>;

/// Splits the statements about load units. The second heap is empty unless one device saw two units.
pub(super) fn split<'a>(all: Heap<'a>) -> (Heap<'a>, Heap<'a>) {
    let mut heads: Vec<(&str, f64)> = Vec::new();
    let mut ranked: Vec<(&str, f64)> = all.values().flatten().filter_map(|s| s.best()).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    for (text, p) in ranked {
        if p >= SAW && !heads.iter().any(|(head, _)| is_near(head, text)) {
            heads.push((text, p));
        }
    }
    let [(first, _), (second, _), ..] = heads.as_slice() else { return (all, Heap::new()) };
    let saw = |said: &&&Said, head: &str| said.best().is_some_and(|(t, p)| p >= SAW && is_near(head, t));
    let both =
        |words: &Vec<&Said>| words.iter().any(|s| saw(&s, first)) && words.iter().any(|s| saw(&s, second));
    if !all.values().any(both) {
        return (all, Heap::new());
    }
    let (mut one, mut two) = (Heap::new(), Heap::new());
    for (device, words) in all {
        for said in words {
            let near_second = said.best().is_some_and(|(t, _)| is_near(second, t) && !is_near(first, t));
            let heap = if near_second { &mut two } else { &mut one };
            heap.entry(device).or_default().push(said);
        }
    }
    (one, two)
}

fn is_near(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.chars().zip(b.chars()).filter(|(x, y)| x != y).count() <= SAME_UNIT
}
