//! ADR panels: the hazard identification numbers of ADR 5.3.2.3.2 above a UN number, and which of them
//! stand together.

use super::alphabet::{character, normal_of, symbol, symbols_of};
use super::language::{DIGITS, Pattern, PatternSet, set_of};
use super::plate::GrammarError;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a panel whose numbers do not stand together loses, nats.
const CONTRADICTS_NATS: f64 = 4.0;
/// What a panel whose UN number is not in the table loses, nats.
const UNKNOWN_NATS: f64 = 1.5;
/// What a panel with a hazard number that ADR does not know loses, nats.
const ILLEGAL_NATS: f64 = 7.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kemler: String,
    numbers: (u16, u16),
    pairs: BTreeMap<String, String>,
}

/// How hazard number and UN number of a panel stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pair {
    /// The dangerous goods list has this pair.
    Listed,
    /// Both are legal; the UN number is not in the table.
    Possible,
    /// Both are legal, but the table has other hazard numbers for this UN number.
    Contradicts,
    /// No hazard number of ADR 5.3.2.3.2, or a UN number that is not assigned.
    Illegal,
}

/// Panels with numbers.
#[derive(Debug, Clone)]
pub struct Panels {
    /// Legal hazard numbers above a UN number, as a language.
    pub set: PatternSet,
    /// Anything of the form of a panel.
    pub shape: PatternSet,
    kemler: BTreeSet<String>,
    numbers: (u16, u16),
    /// UN numbers with their hazard numbers.
    pairs: BTreeMap<u16, Vec<String>>,
}

impl Panels {
    /// The lists of the project.
    pub fn built_in() -> Result<Self, GrammarError> {
        Self::parse(include_str!("../../data/adr.toml"))
    }
    /// Parses lists of the form of `data/adr.toml`.
    pub fn parse(text: &str) -> Result<Self, GrammarError> {
        let fail = |why: String| GrammarError::Data { file: "adr.toml", why };
        let file: File = toml::from_str(text).map_err(|e| fail(e.to_string()))?;
        let kemler: BTreeSet<String> = file.kemler.split_whitespace().map(str::to_owned).collect();
        let mut pairs: BTreeMap<u16, Vec<String>> = BTreeMap::new();
        for (code, numbers) in &file.pairs {
            if !kemler.contains(code) {
                return Err(fail(format!("pairs: `{code}` is not among the hazard numbers")));
            }
            for n in numbers.split_whitespace() {
                let number =
                    n.parse().map_err(|_| fail(format!("pairs of {code}: `{n}` is no UN number")))?;
                pairs.entry(number).or_default().push(code.clone());
            }
        }
        let un = vec![set_of("123").unwrap_or(DIGITS), DIGITS, DIGITS, DIGITS];
        let above_un = |code: Vec<u64>| Pattern::of(code.into_iter().chain(un.clone()).collect());
        let legal: Vec<Pattern> =
            kemler.iter().map(|k| above_un(symbols_of(k).into_iter().map(|s| 1 << s).collect())).collect();
        let x = symbol('X').map_or(0, |s| 1 << s);
        let shapes =
            [vec![DIGITS; 2], vec![DIGITS; 3], vec![x, DIGITS, DIGITS], vec![x, DIGITS, DIGITS, DIGITS]];
        let set = |patterns: &[Pattern]| PatternSet::new(patterns).map_err(|e| fail(e.to_string()));
        Ok(Self {
            set: set(&legal)?,
            shape: set(&shapes.map(above_un))?,
            kemler,
            numbers: file.numbers,
            pairs,
        })
    }
    /// How the numbers of a panel, written one behind the other, stand together.
    pub fn pair(&self, symbols: &[u8]) -> Pair {
        let text = normal_of(symbols);
        let Some((code, un)) = parts(&text) else { return Pair::Illegal };
        let Ok(number) = un.parse::<u16>() else { return Pair::Illegal };
        if !self.kemler.contains(code) || !(self.numbers.0..=self.numbers.1).contains(&number) {
            return Pair::Illegal;
        }
        match self.pairs.get(&number) {
            Some(codes) if codes.iter().any(|c| c == code) => Pair::Listed,
            Some(_) => Pair::Contradicts,
            None => Pair::Possible,
        }
    }
    /// What the pair adds to ln p of a panel, nats.
    pub fn nats(&self, symbols: &[u8]) -> f64 {
        match self.pair(symbols) {
            Pair::Listed => 0.0,
            Pair::Possible => -UNKNOWN_NATS,
            Pair::Contradicts => -CONTRADICTS_NATS,
            Pair::Illegal => -ILLEGAL_NATS,
        }
    }
}

/// Hazard number and UN number.
fn parts(joined: &str) -> Option<(&str, &str)> {
    let at = joined.len().checked_sub(4).filter(|at| (2..=4).contains(at) && joined.is_ascii())?;
    let (code, un) = joined.split_at(at);
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    (digits(un) && digits(code.strip_prefix('X').unwrap_or(code))).then_some((code, un))
}

/// `331203` written as `33/1203`; `None` where it has not the form of a panel.
pub fn canonical(joined: &str) -> Option<String> {
    parts(joined).map(|(code, un)| format!("{code}/{un}"))
}

/// Whether symbols begin with the letter X, which forbids water.
pub fn forbids_water(symbols: &[u8]) -> bool {
    symbols.first().copied().and_then(character) == Some('X')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_are_a_code_above_a_number() {
        let all = Panels::built_in().unwrap();
        assert_eq!(all.set.fitting(&symbols_of("331203")).len(), 1);
        assert!(all.set.fitting(&symbols_of("341203")).is_empty());
        assert!(!all.shape.fitting(&symbols_of("341203")).is_empty());
        assert!(forbids_water(&symbols_of("X4231428")) && !forbids_water(&symbols_of("331203")));
        assert_eq!(canonical("331203").as_deref(), Some("33/1203"));
        assert_eq!(canonical("X4231428").as_deref(), Some("X423/1428"));
        for bad in ["1203", "31203", "33120A", "", "33É203", "12345671203", "XX1203"] {
            assert_eq!(canonical(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_pair_is_told() {
        let all = Panels::built_in().unwrap();
        for (panel, pair) in [
            ("331203", Pair::Listed),
            ("301202", Pair::Listed),
            ("903082", Pair::Listed),
            ("231965", Pair::Listed),
            ("222187", Pair::Listed),
            ("303082", Pair::Contradicts),
            ("801203", Pair::Contradicts),
            ("331004", Pair::Possible),
            ("341203", Pair::Illegal),
            ("330004", Pair::Illegal),
            ("333999", Pair::Illegal),
            ("1203", Pair::Illegal),
        ] {
            assert_eq!(all.pair(&symbols_of(panel)), pair, "{panel}");
        }
    }

    #[test]
    fn what_is_wrong_in_the_lists_is_named() {
        for (text, told) in [
            ("kemler = \"33\"\nnumbers = [1001, 3560]\n[pairs]\n34 = \"1203\"", "`34`"),
            ("kemler = \"33\"\nnumbers = [1001, 3560]\n[pairs]\n33 = \"12O3\"", "`12O3`"),
            ("kemler = \"33\"", "numbers"),
        ] {
            let why = Panels::parse(text).unwrap_err().to_string();
            assert!(why.contains(told) && why.contains("adr.toml"), "{why}");
        }
    }
}
