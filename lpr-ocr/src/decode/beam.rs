//! Prefix beam search over the reader's output, with a language that says how a text may go on.

use super::probabilities::Probabilities as P;
pub use super::probabilities::{Probabilities, STEPS, ShapeError, logits_in, made_logits};

/// Says which texts are possible, one character at a time.
pub trait Language {
    /// What must be remembered of a prefix.
    type State: Copy;
    /// The state of the empty text.
    fn start(&self) -> Self::State;
    /// The state after one more symbol, or `None` where the text may not go on so.
    fn step(&self, state: Self::State, len: usize, symbol: u8) -> Option<Self::State>;
    /// Whether a text may end here.
    fn complete(&self, state: Self::State, len: usize) -> bool;
}

/// Every text up to a length.
#[derive(Debug, Clone, Copy)]
pub struct Free {
    /// Longest text.
    pub longest: usize,
}

impl Language for Free {
    type State = ();
    fn start(&self) {}
    fn step(&self, (): (), len: usize, _: u8) -> Option<()> {
        (len < self.longest).then_some(())
    }
    fn complete(&self, (): (), _: usize) -> bool {
        true
    }
}

/// A text and the natural logarithm of its probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// Native symbols.
    pub symbols: Vec<u8>,
    /// ln p, at most 0.
    pub log_p: f64,
}

/// One prefix of the beam.
#[derive(Clone, Copy)]
struct Entry<S> {
    /// Place in the trail of the prefix's last character; [`START`] for the empty prefix.
    trail: u32,
    /// Number of the whole prefix: equal prefixes have equal numbers.
    key: u64,
    /// Probability of ending in blank.
    blank: f64,
    /// Probability of ending in the last symbol.
    symbol: f64,
    last: u8,
    len: u8,
    state: S,
    /// Whether the last character is not in the trail yet.
    fresh: bool,
}

impl<S> Entry<S> {
    fn mass(&self) -> f64 {
        self.blank + self.symbol
    }
}

const NO_SYMBOL: u8 = u8::MAX;
const START: u32 = u32::MAX;
/// Prefixes less probable than this beside the best are not made.
const HOPELESS: f64 = 1e-15;

fn key_of(key: u64, symbol: u8) -> u64 {
    let mixed = (key ^ (u64::from(symbol) + 1)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ (mixed >> 29)
}

/// The most probable complete texts of a language, best first, at most `width`.
pub fn search<L: Language>(p: &P, language: &L, width: usize) -> Vec<Scored> {
    let start = language.start();
    let mut beam = vec![Entry {
        trail: START,
        key: 0x243F_6A88_85A3_08D3,
        blank: 1.0,
        symbol: 0.0,
        last: NO_SYMBOL,
        len: 0,
        state: start,
        fresh: false,
    }];
    let mut next: Vec<Entry<L::State>> = Vec::new();
    // The characters of all prefixes that stayed: the one before, symbol.
    let mut trail: Vec<(u32, u8)> = Vec::new();
    let mut scale = 0.0;
    for t in 0..p.steps() {
        if t == p.line_b() {
            for e in &mut beam {
                (e.blank, e.symbol) = (e.mass(), 0.0);
            }
        }
        next.clear();
        for e in &beam {
            let symbol = if e.last == NO_SYMBOL { 0.0 } else { e.symbol * p.of(t, e.last) };
            next.push(Entry { blank: e.mass() * p.blank(t), symbol, ..*e });
        }
        let worth = p.worth(t);
        if worth != 0 {
            extend(p, t, worth, language, &beam, &mut next);
            // Ties are broken by the prefix: the same input gives the same answer every time.
            let order = |a: &Entry<L::State>, b: &Entry<L::State>| {
                b.mass().total_cmp(&a.mass()).then(a.key.cmp(&b.key))
            };
            if next.len() > width {
                next.select_nth_unstable_by(width, order);
                next.truncate(width);
            }
        }
        std::mem::swap(&mut beam, &mut next);
        let best = beam.iter().map(Entry::mass).fold(0.0, f64::max);
        if best <= 0.0 {
            return Vec::new();
        }
        scale += best.ln();
        for e in &mut beam {
            if e.fresh {
                trail.push((e.trail, e.last));
                (e.trail, e.fresh) = ((trail.len() - 1) as u32, false);
            }
            e.blank /= best;
            e.symbol /= best;
        }
    }
    beam.retain(|e| e.mass() > 0.0 && language.complete(e.state, usize::from(e.len)));
    beam.sort_unstable_by(|a, b| b.mass().total_cmp(&a.mass()).then(a.key.cmp(&b.key)));
    let text = |e: &Entry<L::State>| {
        let mut symbols = Vec::with_capacity(usize::from(e.len));
        let mut at = e.trail;
        while let Some(&(before, symbol)) = trail.get(at as usize) {
            symbols.push(symbol);
            at = before;
        }
        symbols.reverse();
        Scored { symbols, log_p: (e.mass().ln() + scale).min(0.0) }
    };
    beam.iter().map(text).collect()
}

/// Adds to `next`, which holds every prefix of `beam` as it stays, the prefixes one character longer.
fn extend<L: Language>(
    p: &P,
    t: usize,
    worth: u64,
    language: &L,
    beam: &[Entry<L::State>],
    next: &mut Vec<Entry<L::State>>,
) {
    for e in beam {
        let mut left = worth;
        while left != 0 {
            let symbol = left.trailing_zeros() as u8;
            left &= left - 1;
            let from = if symbol == e.last { e.blank } else { e.mass() };
            let mass = from * p.of(t, symbol);
            if mass < HOPELESS {
                continue;
            }
            let key = key_of(e.key, symbol);
            if let Some(known) = beam.iter().position(|k| k.key == key) {
                next[known].symbol += mass;
                continue;
            }
            if let Some(state) = language.step(e.state, usize::from(e.len), symbol) {
                next.push(Entry {
                    trail: e.trail,
                    key,
                    blank: 0.0,
                    symbol: mass,
                    last: symbol,
                    len: e.len.saturating_add(1),
                    state,
                    fresh: true,
                });
            }
        }
    }
}

/// ln p of one text, over all its alignments.
pub fn score(p: &P, text: &[u8]) -> f64 {
    // Probability of having written the first i characters and ended in blank, in the i-th character.
    let mut at = vec![(0.0f64, 0.0f64); text.len() + 1];
    at[0].0 = 1.0;
    let mut scale = 0.0;
    for t in 0..p.steps() {
        if t == p.line_b() {
            for (blank, symbol) in &mut at {
                (*blank, *symbol) = (*blank + *symbol, 0.0);
            }
        }
        let none = p.blank(t);
        let mut best = 0.0f64;
        for i in (0..=text.len()).rev() {
            let (blank, symbol) = at[i];
            let grown = match i.checked_sub(1).map(|before| (before, at[before], text[before])) {
                Some((before, came, c)) => {
                    let repeats = before > 0 && text[before - 1] == c;
                    (symbol + came.0 + if repeats { 0.0 } else { came.1 }) * p.of(t, c)
                }
                None => 0.0,
            };
            at[i] = ((blank + symbol) * none, grown);
            best = best.max(at[i].0).max(grown);
        }
        if best <= 0.0 {
            return f64::NEG_INFINITY;
        }
        scale += best.ln();
        for (blank, symbol) in &mut at {
            *blank /= best;
            *symbol /= best;
        }
    }
    let (blank, symbol) = at[text.len()];
    ((blank + symbol).ln() + scale).min(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::alphabet::{symbols_of, text_of};

    fn probabilities(logits: &[f32]) -> P {
        P::from_logits(logits).unwrap()
    }

    #[test]
    fn a_clear_text_is_found_with_its_probability() {
        let p = probabilities(&made_logits("AB1123", 3, 20.0));
        let found = search(&p, &Free { longest: 12 }, 8);
        assert_eq!(text_of(&found[0].symbols), "AB1123");
        assert!(found[0].log_p > -0.01, "{}", found[0].log_p);
        assert!((score(&p, &symbols_of("AB1123")) - found[0].log_p).abs() < 1e-6);
        assert!(score(&p, &symbols_of("AB123")) < -10.0);
    }

    #[test]
    fn equal_characters_at_a_line_break_stay_two() {
        let mut logits = vec![0.0; 37 * STEPS];
        logits[..STEPS].fill(20.0);
        for t in [STEPS / 2 - 1, STEPS / 2] {
            logits[t] = 0.0;
            logits[2 * STEPS + t] = 20.0;
        }
        let p = probabilities(&logits);
        assert_eq!(text_of(&search(&p, &Free { longest: 12 }, 8)[0].symbols), "11");
        assert!(score(&p, &[1, 1]) > -0.01 && score(&p, &[1]) < -10.0);
    }

    #[test]
    fn probability_of_all_texts_sums_to_one_over_a_wide_beam() {
        // At 14 the 35 other symbols of all 96 steps together hold less than 1 % and may be pruned.
        let mut logits = made_logits("7", 1, 14.0);
        logits[9 * STEPS + 1] = 14.0; // 8 as probable as 7
        let found = search(&probabilities(&logits), &Free { longest: 3 }, 200);
        let sum: f64 = found.iter().map(|s| s.log_p.exp()).sum();
        assert!((sum - 1.0).abs() < 0.02, "{sum}");
        assert!((found[0].log_p - found[1].log_p).abs() < 1e-6);
    }

    #[test]
    fn search_and_score_agree_on_doubtful_output() {
        // A flat, made-up output: neighbouring steps share characters.
        let mut logits = vec![0.0f32; 37 * STEPS];
        for (n, v) in logits.iter_mut().enumerate() {
            let (class, t) = (n / STEPS, n % STEPS);
            *v = if class == 0 { 9.0 } else { ((class * 7 + t * 3) % 11) as f32 * 0.2 };
        }
        for (t, class) in [(3, 11), (4, 11), (10, 12), (11, 12), (60, 3), (61, 4)] {
            logits[class * STEPS + t] = 9.5;
        }
        let p = probabilities(&logits);
        let found = search(&p, &Free { longest: 12 }, 200);
        for s in found.iter().take(3) {
            let exact = score(&p, &s.symbols);
            assert!(
                exact >= s.log_p - 1e-6 && exact - s.log_p < 0.2,
                "{} {exact} {}",
                text_of(&s.symbols),
                s.log_p
            );
        }
    }
}
