//! Sets of patterns as a language for the beam: every prefix carries the set of patterns that still fit.

use super::alphabet::{SYMBOLS, symbol};
use super::beam::Language;

/// Most patterns of one set.
pub const MOST_PATTERNS: usize = 512;
const WORDS: usize = MOST_PATTERNS / 64;
/// Longest pattern.
pub const LONGEST: usize = 12;

/// Digits only, as a set of symbols.
pub const DIGITS: u64 = (1 << 10) - 1;
/// Latin capitals only.
pub const LETTERS: u64 = ((1 << 26) - 1) << 10;
/// Arabic-Indic digits only.
pub const INDIC: u64 = ((1 << 10) - 1) << 36;
/// Arabic letters only.
pub const ARABIC_LETTERS: u64 = ((1 << 17) - 1) << 46;

/// A set of pattern numbers.
pub type Alive = [u64; WORDS];

/// One pattern: the admissible symbols of each place, and where it is so the closed list of its first
/// two characters (district, county, province).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Symbols of each place.
    pub places: Vec<u64>,
    /// The only first two symbols admitted; empty: any.
    pub pairs: Vec<(u8, u8)>,
}

/// Why a pattern set is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A character that means nothing.
    #[error(
        "pattern `{0}`: L, D, A, N, R, a set in brackets, a backslash and a character, or P at the beginning expected"
    )]
    Character(String),
    /// Too long or empty.
    #[error("pattern `{0}`: 1 to {LONGEST} places expected")]
    Length(String),
    /// Too many patterns.
    #[error("{0} patterns, at most {MOST_PATTERNS} fit one set")]
    Count(usize),
}

/// The symbols of a text as a set; `a-b` is a range in symbol order. `None` for an unknown character.
pub fn set_of(text: &str) -> Option<u64> {
    let chars: Vec<char> = text.chars().collect();
    let (mut set, mut i) = (0u64, 0);
    while let Some(&c) = chars.get(i) {
        let from = symbol(c)?;
        let to = match (chars.get(i + 1), chars.get(i + 2)) {
            (Some('-'), Some(&last)) => {
                i += 2;
                symbol(last)?
            }
            _ => from,
        };
        (from..=to).for_each(|s| set |= 1 << s);
        i += 1;
    }
    Some(set)
}

impl Pattern {
    /// A pattern without a closed list.
    pub fn of(places: Vec<u64>) -> Self {
        Self { places, pairs: Vec::new() }
    }
    /// Parses `L` (letter not in `excluded`), `D` (digit), `A` (either), `N` (Arabic-Indic digit), `R`
    /// (Arabic letter), `[ABC1-9]` (one of these), `[^IQ]` (a letter but these), `\X` (the character X)
    /// and, at the beginning, `P` (two characters out of `pairs`).
    pub fn parse(text: &str, excluded: &str, pairs: &[(u8, u8)]) -> Result<Self, PatternError> {
        let bad = || PatternError::Character(text.to_owned());
        let without = set_of(excluded).ok_or_else(bad)?;
        let mut places = Vec::new();
        let mut listed = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            let place = match c {
                'L' => LETTERS & !without,
                'D' => DIGITS,
                'A' => LETTERS | DIGITS,
                'N' => INDIC,
                'R' => ARABIC_LETTERS,
                '\\' => 1 << chars.next().and_then(symbol).ok_or_else(bad)?,
                '[' => {
                    let inside: String = chars.by_ref().take_while(|c| *c != ']').collect();
                    let set = match inside.strip_prefix('^') {
                        Some(not) => set_of(not).map(|s| LETTERS & !s),
                        None => set_of(&inside),
                    };
                    set.filter(|s| *s != 0).ok_or_else(bad)?
                }
                'P' if places.is_empty() && !pairs.is_empty() => {
                    listed = pairs.to_vec();
                    places.push(pairs.iter().fold(0, |m, p| m | 1 << p.0));
                    pairs.iter().fold(0, |m, p| m | 1 << p.1)
                }
                _ => return Err(bad()),
            };
            places.push(place);
        }
        if places.is_empty() || places.len() > LONGEST {
            return Err(PatternError::Length(text.to_owned()));
        }
        Ok(Self { places, pairs: listed })
    }
    /// ln of the number of texts of this pattern.
    pub fn ln_size(&self) -> f64 {
        let free = |m: &u64| f64::from(m.count_ones().max(1)).ln();
        match self.pairs.len() {
            0 => self.places.iter().map(free).sum(),
            n => (n as f64).ln() + self.places.iter().skip(2).map(free).sum::<f64>(),
        }
    }
}

/// Patterns, compiled.
#[derive(Debug, Clone)]
pub struct PatternSet {
    accept: Vec<[Alive; SYMBOLS]>,
    /// Patterns that admit two symbols at the beginning; empty where no pattern has a closed list.
    pairs: Vec<Alive>,
    ends: Vec<Alive>,
    all: Alive,
    count: usize,
}

/// Which patterns still fit, and the first symbol.
#[derive(Debug, Clone, Copy)]
pub struct Fitting {
    alive: Alive,
    first: u8,
}

impl PatternSet {
    /// Compiles patterns; the numbers of [`PatternSet::fitting`] are places in this list.
    pub fn new(patterns: &[Pattern]) -> Result<Self, PatternError> {
        if patterns.len() > MOST_PATTERNS {
            return Err(PatternError::Count(patterns.len()));
        }
        let listed = patterns.iter().any(|p| !p.pairs.is_empty());
        let mut set = Self {
            accept: vec![[[0; WORDS]; SYMBOLS]; LONGEST],
            pairs: vec![[0; WORDS]; if listed { SYMBOLS * SYMBOLS } else { 0 }],
            ends: vec![[0; WORDS]; LONGEST + 1],
            all: [0; WORDS],
            count: patterns.len(),
        };
        for (n, pattern) in patterns.iter().enumerate() {
            let (word, bit) = (n / 64, 1u64 << (n % 64));
            set.all[word] |= bit;
            if let Some(ends) = set.ends.get_mut(pattern.places.len()) {
                ends[word] |= bit;
            }
            for (place, mask) in pattern.places.iter().enumerate().take(LONGEST) {
                for symbol in (0..SYMBOLS).filter(|s| mask >> s & 1 == 1) {
                    set.accept[place][symbol][word] |= bit;
                }
            }
            if pattern.pairs.is_empty() {
                set.pairs.iter_mut().for_each(|p| p[word] |= bit);
            }
            for &(a, b) in &pattern.pairs {
                if let Some(p) = set.pairs.get_mut(usize::from(a) * SYMBOLS + usize::from(b)) {
                    p[word] |= bit;
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
        (0..self.count).filter(|n| (state.alive[n / 64] & ends[n / 64]) >> (n % 64) & 1 == 1).collect()
    }
}

impl Language for PatternSet {
    type State = Fitting;
    fn start(&self) -> Fitting {
        Fitting { alive: self.all, first: 0 }
    }
    fn step(&self, state: Fitting, len: usize, symbol: u8) -> Option<Fitting> {
        let accept = self.accept.get(len)?.get(usize::from(symbol))?;
        let mut next = state;
        for (n, a) in next.alive.iter_mut().zip(accept) {
            *n &= a;
        }
        match len {
            0 => next.first = symbol,
            1 => {
                let at = usize::from(state.first) * SYMBOLS + usize::from(symbol);
                if let Some(pair) = self.pairs.get(at) {
                    next.alive.iter_mut().zip(pair).for_each(|(n, p)| *n &= p);
                }
            }
            2.. => {}
        }
        next.alive.iter().any(|w| *w != 0).then_some(next)
    }
    fn complete(&self, state: Fitting, len: usize) -> bool {
        self.ends.get(len).is_some_and(|ends| state.alive.iter().zip(ends).any(|(s, e)| s & e != 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::alphabet::symbols_of;

    #[test]
    fn a_text_fits_the_patterns_that_it_has_the_form_of() {
        let pairs = [(24, 33), (24, 34)]; // OX, OY
        let forms =
            [("LLDDDLL", "IOQU"), (r"\X\ALDDDLL", ""), ("LLDDD", ""), ("P[1-3][^IQ]", ""), ("NNRR", "")];
        let patterns: Vec<Pattern> =
            forms.iter().map(|(p, x)| Pattern::parse(p, x, &pairs).unwrap()).collect();
        let set = PatternSet::new(&patterns).unwrap();
        for (text, fits) in [
            ("EK679XR", vec![0]),
            ("XAE123AB", vec![1]),
            ("AB123", vec![2]),
            ("OX3A", vec![3]),
            ("OZ3A", vec![]),
            ("OX4A", vec![]),
            ("OX3Q", vec![]),
            ("٣٤سص", vec![4]),
            ("EO679XR", vec![]),
            ("EK679X", vec![]),
            ("EK679XREK679XREK679XR", vec![]),
        ] {
            assert_eq!(set.fitting(&symbols_of(text)), fits, "{text}");
        }
        assert!((patterns[3].ln_size() - (2.0f64 * 3.0 * 24.0).ln()).abs() < 1e-9);
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for bad in ["L?", "", "LLLLLLLLLLLLL", "P1", "LP", "[]", "[^A-Z]", "\\", "[é]"] {
            assert!(Pattern::parse(bad, "", &[]).is_err(), "{bad}");
        }
        let one = Pattern::parse("L", "", &[]).unwrap();
        assert!(PatternSet::new(&vec![one; MOST_PATTERNS + 1]).is_err());
    }
}
