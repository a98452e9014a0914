//! The reader's output as probabilities per step and symbol, whatever the model's alphabet.

use super::alphabet::{Alphabet, SYMBOLS, symbol};

/// Steps of the shipped reader: half of them line A, half line B.
pub const STEPS: usize = 96;
/// Most steps accepted.
const MOST_STEPS: usize = 1024;
/// Probabilities below this are raised to it, so that one bad step never rules a text out.
const FLOOR: f32 = 1e-7;
/// Symbols less probable than this at a step start no character there.
const WORTH: f32 = 2e-5;
/// Most symbols that may start a character at one step: bounds the time of a crop that shows no text.
const MOST_WORTH: u32 = 12;

/// Pairs that many faces draw alike, and the part of one's probability that the other is given too: which of
/// them stands there is for grammars and check digits to say. Parts below a half leave the order of the two,
/// so the raw text stays what the net saw. On the plates of several countries O and 0 are one glyph.
const TWINS: [(char, char, f32); 9] = [
    ('O', '0', 0.25),
    ('I', '1', 0.20),
    ('Q', '0', 0.05),
    ('Q', 'O', 0.05),
    ('D', '0', 0.03),
    ('Z', '2', 0.04),
    ('S', '5', 0.03),
    ('B', '8', 0.03),
    ('G', '6', 0.02),
];

/// Why a tensor is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "reader output has {found} finite values of {values}, expected {classes} classes x an even number of steps"
)]
pub struct ShapeError {
    /// Finite values that were there.
    pub found: usize,
    /// All values.
    pub values: usize,
    /// Classes of the alphabet, the blank among them.
    pub classes: usize,
}

/// Probabilities per step: place 0 the blank, place s + 1 the symbol s.
#[derive(Debug, Clone)]
pub struct Probabilities {
    rows: Vec<[f32; SYMBOLS + 1]>,
    /// Per step, the symbols that may start a character there.
    worth: Vec<u64>,
}

impl Probabilities {
    /// Softmax of raw logits `[37, 96]` of a reader with digits and Latin capitals.
    pub fn from_logits(logits: &[f32]) -> Result<Self, ShapeError> {
        Self::with_alphabet(logits, &Alphabet::latin())
    }
    /// Softmax of raw logits laid out `[classes, steps]`, classes as the model's card says.
    pub fn with_alphabet(logits: &[f32], alphabet: &Alphabet) -> Result<Self, ShapeError> {
        let classes = alphabet.classes();
        let steps = logits.len() / classes;
        let finite = logits.iter().filter(|v| v.is_finite()).count();
        let shaped =
            steps * classes == logits.len() && steps.is_multiple_of(2) && (2..=MOST_STEPS).contains(&steps);
        if !shaped || finite != logits.len() {
            return Err(ShapeError { found: finite, values: logits.len(), classes });
        }
        let mut out = Self { rows: Vec::with_capacity(steps), worth: Vec::with_capacity(steps) };
        let twins: Vec<(usize, usize, f32)> = TWINS
            .iter()
            .filter_map(|&(a, b, part)| {
                Some((usize::from(symbol(a)?) + 1, usize::from(symbol(b)?) + 1, part))
            })
            .collect();
        for t in 0..steps {
            let value = |class: usize| logits[class * steps + t];
            let top = (0..classes).map(value).fold(f32::MIN, f32::max);
            let mut row = [0.0; SYMBOLS + 1];
            let mut sum = 0.0;
            let places = std::iter::once(0).chain(alphabet.symbols().iter().map(|s| usize::from(*s) + 1));
            for (class, place) in places.enumerate() {
                row[place] = (value(class) - top).exp();
                sum += row[place];
            }
            let seen = row;
            for &(a, b, part) in &twins {
                row[a] += seen[b] * part;
                row[b] += seen[a] * part;
            }
            let mut worth = 0;
            row[0] = (row[0] / sum).max(FLOOR);
            for &s in alphabet.symbols() {
                let p = &mut row[usize::from(s) + 1];
                *p = (*p / sum).clamp(FLOOR, 1.0);
                worth |= u64::from(*p >= WORTH) << s;
            }
            out.rows.push(row);
            out.worth.push(if worth.count_ones() > MOST_WORTH { most_probable(&row, worth) } else { worth });
        }
        Ok(out)
    }
    /// Steps of both lines.
    pub fn steps(&self) -> usize {
        self.rows.len()
    }
    /// First step of line B; a line break separates equal characters as a blank does.
    pub fn line_b(&self) -> usize {
        self.rows.len() / 2
    }
    /// Probability of blank at a step.
    pub(super) fn blank(&self, t: usize) -> f64 {
        f64::from(self.rows[t][0])
    }
    /// Probability of a symbol at a step.
    pub(super) fn of(&self, t: usize, symbol: u8) -> f64 {
        f64::from(self.rows[t][usize::from(symbol) + 1])
    }
    /// The symbols that may start a character at a step, as a set.
    pub(super) fn worth(&self, t: usize) -> u64 {
        self.worth[t]
    }
    /// The best symbol of a step, `None` for blank.
    fn best(&self, t: usize) -> Option<u8> {
        let row = &self.rows[t];
        let best = (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b]).then(b.cmp(&a)))?;
        best.checked_sub(1).map(|s| s as u8)
    }
    /// The best class of every step, repeats and blanks taken out: the text without any rule, as native
    /// symbols, and how many of its characters stand in line A.
    pub fn greedy(&self) -> (Vec<u8>, usize) {
        let (mut out, mut last, mut line_a) = (Vec::new(), None, 0);
        for t in 0..self.steps() {
            if t == self.line_b() {
                (last, line_a) = (None, out.len());
            }
            let best = self.best(t);
            if best != last {
                out.extend(best);
            }
            last = best;
        }
        (out, line_a)
    }
}

/// The most probable symbols of a set at one step.
fn most_probable(row: &[f32; SYMBOLS + 1], set: u64) -> u64 {
    let mut symbols: Vec<usize> = (0..SYMBOLS).filter(|s| set >> s & 1 == 1).collect();
    symbols.sort_unstable_by(|&a, &b| row[b + 1].total_cmp(&row[a + 1]).then(a.cmp(&b)));
    symbols.iter().take(MOST_WORTH as usize).fold(0, |set, s| set | 1 << s)
}

/// Logits of a text in digits and Latin capitals that the reader would be sure of; see [`logits_in`].
pub fn made_logits(text: &str, line_a: usize, strength: f32) -> Vec<f32> {
    logits_in(&Alphabet::latin(), text, line_a, strength)
}

/// Logits of a text that a reader would be sure of, `strength` apart; for tests and self-checks.
/// Each character stands at one step with a blank after it; `line_a` characters stand in line A.
pub fn logits_in(alphabet: &Alphabet, text: &str, line_a: usize, strength: f32) -> Vec<f32> {
    let mut logits = vec![0.0; alphabet.classes() * STEPS];
    logits[..STEPS].fill(strength);
    for (i, c) in text.chars().enumerate() {
        let t = if i < line_a { 2 * i + 1 } else { STEPS / 2 + 2 * (i - line_a) + 1 };
        if let (Some(class), true) = (symbol(c).and_then(|s| alphabet.class(s)), t < STEPS) {
            logits[t] = 0.0;
            logits[class * STEPS + t] = strength;
        }
    }
    logits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::alphabet::{LATIN, text_of};

    #[test]
    fn the_alphabet_says_what_a_class_is() {
        let alphabet = Alphabet::new("ب٣BA10").unwrap();
        let logits = logits_in(&alphabet, "10ب٣", 2, 15.0);
        let p = Probabilities::with_alphabet(&logits, &alphabet).unwrap();
        let (greedy, line_a) = p.greedy();
        assert_eq!((text_of(&greedy).as_str(), line_a), ("10ب٣", 2));
    }

    #[test]
    fn other_shapes_and_values_are_refused() {
        let long = Alphabet::new(&format!("{LATIN}٠١")).unwrap();
        for logits in
            [vec![], vec![0.0; 38], vec![0.0; 37 * 95], vec![f32::NAN; 37 * 96], vec![0.0; 37 * 2000]]
        {
            assert!(Probabilities::from_logits(&logits).is_err(), "{}", logits.len());
        }
        assert!(Probabilities::with_alphabet(&vec![0.0; 37 * 96], &long).is_err());
        assert!(Probabilities::with_alphabet(&vec![0.0; 39 * 48], &long).is_ok());
        let extreme: Vec<f32> = (0..37 * 96).map(|n| if n % 2 == 0 { f32::MAX } else { f32::MIN }).collect();
        assert!(Probabilities::from_logits(&extreme).is_ok());
    }
}
