//! Size and type codes (ISO 6346) as a closed grammar: `22G1`, `45R1`, `4310`.

use super::alphabet::{normal_of, symbols_of};
use super::language::{Pattern, PatternSet, set_of};
use super::plate::GrammarError;
use serde::Deserialize;

/// Preference for the codes that most boxes carry, nats.
const COMMON_NATS: f64 = 2.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    lengths: String,
    heights: String,
    types: String,
    old_lengths: String,
    old_heights: String,
    old_types: String,
    common: String,
}

/// The codes that exist.
#[derive(Debug, Clone)]
pub struct SizeTypes {
    /// The codes as a language.
    pub set: PatternSet,
    common: Vec<String>,
}

impl SizeTypes {
    /// The list of the project.
    pub fn built_in() -> Result<Self, GrammarError> {
        Self::parse(include_str!("../../data/size-types.toml"))
    }
    /// Parses a list of the form of `data/size-types.toml`.
    pub fn parse(text: &str) -> Result<Self, GrammarError> {
        let fail = |why: String| GrammarError::Data { file: "size-types.toml", why };
        let file: File = toml::from_str(text).map_err(|e| fail(e.to_string()))?;
        let set = |name: &str, text: &str| {
            set_of(text)
                .filter(|s| *s != 0)
                .ok_or_else(|| fail(format!("{name}: digits and capitals expected")))
        };
        let mut patterns = Vec::new();
        for (lengths, heights, types) in [
            (set("lengths", &file.lengths)?, set("heights", &file.heights)?, &file.types),
            (set("old_lengths", &file.old_lengths)?, set("old_heights", &file.old_heights)?, &file.old_types),
        ] {
            for of in types.split_whitespace() {
                let [a, b] = symbols_of(of)[..] else {
                    return Err(fail(format!("type `{of}`: two characters expected")));
                };
                patterns.push(Pattern::of(vec![lengths, heights, 1 << a, 1 << b]));
            }
        }
        let set = PatternSet::new(&patterns).map_err(|e| fail(e.to_string()))?;
        let common: Vec<String> = file.common.split_whitespace().map(str::to_owned).collect();
        match common.iter().find(|c| set.fitting(&symbols_of(c)).is_empty()) {
            Some(code) => Err(fail(format!("common code `{code}` does not fit the tables"))),
            None => Ok(Self { set, common }),
        }
    }
    /// What the frequency of a code adds to its ln p, nats.
    pub fn nats(&self, symbols: &[u8]) -> f64 {
        let text = normal_of(symbols);
        if self.common.contains(&text) { COMMON_NATS } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_tables() {
        let all = SizeTypes::built_in().unwrap();
        for code in ["22G1", "45G1", "L5R1", "42P3", "22T6", "4310", "2210", "22GP", "MEG1", "25U0"] {
            assert!(!all.set.fitting(&symbols_of(code)).is_empty(), "{code}");
        }
        for code in ["22GI", "2ZG1", "O2G1", "22Q1", "22G", "22G11", "9999", "45RO", "I2G1"] {
            assert!(all.set.fitting(&symbols_of(code)).is_empty(), "{code}");
        }
        assert!(all.nats(&symbols_of("22G1")) > all.nats(&symbols_of("22H6")));
    }
}
