//! Sets of patterns as a language for the beam: every prefix carries the set of patterns that still fit.

use super::alphabet::SYMBOLS;
use super::beam::Language;
use super::symbol_of;

/// Most patterns of one set.
pub const MOST_PATTERNS: usize = 320;
const WORDS: usize = MOST_PATTERNS / 64;
/// Longest pattern.
pub const LONGEST: usize = 12;

/// Letters only, as a set of symbols.
pub const LETTERS: u64 = ((1 << 26) - 1) << 10;
/// Digits only.
pub const DIGITS: u64 = (1 << 10) - 1;

/// A set of pattern numbers.
pub type Alive = [u64; WORDS];

/// One pattern: the admissible symbols of each place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(pub Vec<u64>);

/// Why a pattern set is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A character that means nothing.
    #[error("pattern `{0}`: L, D, A, or a backslash and a capital letter or digit expected")]
    Character(String),
    /// Too long or empty.
    #[error("pattern `{0}`: 1 to {LONGEST} places expected")]
    Length(String),
    /// Too many patterns.
    #[error("{0} patterns, at most {MOST_PATTERNS} fit one set")]
    Count(usize),
}

impl Pattern {
    /// Parses `L` (letter not in `excluded`), `D` (digit), `A` (either), `\X` (the character X).
    pub fn parse(text: &str, excluded: &str) -> Result<Self, PatternError> {
        let bad = || PatternError::Character(text.to_owned());
        let without = excluded.bytes().filter_map(symbol_of).fold(0, |m, s| m | 1u64 << s);
        let mut places = Vec::new();
        let mut bytes = text.bytes();
        while let Some(b) = bytes.next() {
            places.push(match b {
                b'L' => LETTERS & !without,
                b'D' => DIGITS,
                b'A' => LETTERS | DIGITS,
                b'\\' => 1 << bytes.next().and_then(symbol_of).ok_or_else(bad)?,
                _ => return Err(bad()),
            });
        }
        if places.is_empty() || places.len() > LONGEST {
            return Err(PatternError::Length(text.to_owned()));
        }
        Ok(Self(places))
    }
    /// ln of the number of texts of this pattern.
    pub fn ln_size(&self) -> f64 {
        self.0.iter().map(|m| f64::from(m.count_ones().max(1)).ln()).sum()
    }
}

/// Patterns, compiled.
#[derive(Debug, Clone)]
pub struct PatternSet {
    accept: Vec<[Alive; SYMBOLS]>,
    ends: Vec<Alive>,
    all: Alive,
}

impl PatternSet {
    /// Compiles patterns; the numbers of [`PatternSet::fitting`] are places in this list.
    pub fn new(patterns: &[Pattern]) -> Result<Self, PatternError> {
        if patterns.len() > MOST_PATTERNS {
            return Err(PatternError::Count(patterns.len()));
        }
        let mut set = Self {
            accept: vec![[[0; WORDS]; SYMBOLS]; LONGEST],
            ends: vec![[0; WORDS]; LONGEST + 1],
            all: [0; WORDS],
        };
        for (n, pattern) in patterns.iter().enumerate() {
            let (word, bit) = (n / 64, 1u64 << (n % 64));
            set.all[word] |= bit;
            if let Some(ends) = set.ends.get_mut(pattern.0.len()) {
                ends[word] |= bit;
            }
            for (place, mask) in pattern.0.iter().enumerate().take(LONGEST) {
                for symbol in 0..SYMBOLS {
                    if mask >> symbol & 1 == 1 {
                        set.accept[place][symbol][word] |= bit;
                    }
                }
            }
        }
        Ok(set)
    }
    /// The numbers of the patterns that a whole text fits.
    pub fn fitting(&self, symbols: &[u8]) -> Vec<usize> {
        let mut state = self.start();
        for (len, &symbol) in symbols.iter().enumerate() {
            match self.step(state, len, symbol) {
                Some(next) => state = next,
                None => return Vec::new(),
            }
        }
        let Some(ends) = self.ends.get(symbols.len()) else { return Vec::new() };
        (0..MOST_PATTERNS).filter(|n| (state[n / 64] & ends[n / 64]) >> (n % 64) & 1 == 1).collect()
    }
}

impl Language for PatternSet {
    type State = Alive;
    fn start(&self) -> Alive {
        self.all
    }
    fn step(&self, state: Alive, len: usize, symbol: u8) -> Option<Alive> {
        let accept = self.accept.get(len)?.get(usize::from(symbol))?;
        let mut next = [0; WORDS];
        for (n, (s, a)) in next.iter_mut().zip(state.iter().zip(accept)) {
            *n = s & a;
        }
        next.iter().any(|w| *w != 0).then_some(next)
    }
    fn complete(&self, state: Alive, len: usize) -> bool {
        self.ends.get(len).is_some_and(|ends| state.iter().zip(ends).any(|(s, e)| s & e != 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbols(text: &str) -> Vec<u8> {
        text.bytes().filter_map(symbol_of).collect()
    }

    #[test]
    fn a_text_fits_the_patterns_that_it_has_the_form_of() {
        let patterns: Vec<Pattern> = [("LLDDDLL", "IOQU"), (r"\X\ALDDDLL", ""), ("LLDDD", "")]
            .iter()
            .map(|(p, x)| Pattern::parse(p, x).unwrap())
            .collect();
        let set = PatternSet::new(&patterns).unwrap();
        assert_eq!(set.fitting(&symbols("EK679XR")), [0]);
        assert_eq!(set.fitting(&symbols("XAE123AB")), [1]);
        assert_eq!(set.fitting(&symbols("AB123")), [2]);
        assert!(set.fitting(&symbols("EO679XR")).is_empty());
        assert!(set.fitting(&symbols("EK679X")).is_empty());
        assert!(set.fitting(&symbols("EK679XREK679XREK679XR")).is_empty());
        assert!(Pattern::parse("L?", "").is_err() && Pattern::parse("", "").is_err());
        assert!(Pattern::parse("LLLLLLLLLLLLL", "").is_err());
        assert!(PatternSet::new(&vec![patterns[0].clone(); MOST_PATTERNS + 1]).is_err());
    }
}
