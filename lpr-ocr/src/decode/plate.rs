//! Plate grammars of the countries, from the data file that the trainer uses too.

use super::beam::Scored;
use super::language::{Pattern, PatternError, PatternSet};
use serde::Deserialize;

/// Penalty, in nats, of a text that no grammar admits: vanity, diplomatic, foreign, or misread.
const NO_GRAMMAR_NATS: f64 = 5.0;
/// How much of the grammars' prior is believed on top of what the reader has learned of them itself.
const PRIOR_PART: f64 = 0.7;
/// Groups that are used only where they are asked for: their patterns admit nearly everything.
const ONLY_WHEN_ASKED: &str = "AMERICA";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    country: Vec<Country>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Country {
    code: String,
    #[serde(rename = "name")]
    _name: String,
    region: String,
    #[serde(default = "one")]
    weight: f64,
    patterns: Vec<String>,
    #[serde(default)]
    letters_excluded: String,
}

fn one() -> f64 {
    1.0
}

/// Why grammars are refused.
#[derive(Debug, thiserror::Error)]
pub enum GrammarError {
    /// Not the TOML expected.
    #[error("plate grammars: {0}")]
    Toml(#[from] toml::de::Error),
    /// A pattern is wrong.
    #[error("plate grammars, {country}: {why}")]
    Pattern {
        /// The country's code.
        country: String,
        /// What is wrong.
        why: PatternError,
    },
    /// A region that the file does not know.
    #[error(
        "region `{0}`: neither a country code nor a group of the plate grammars (EU, BALKAN, EAST, MED, NORTH, AMERICA)"
    )]
    Region(String),
}

/// The grammars in use.
#[derive(Debug, Clone)]
pub struct Grammars {
    /// The patterns as a language.
    pub set: PatternSet,
    /// Country and ln prior density of each pattern.
    of: Vec<(String, f64)>,
}

impl Grammars {
    /// The grammars of the project, limited to `regions` (country codes or groups, any case); all of
    /// Europe and around without a limit.
    pub fn built_in(regions: &[String]) -> Result<Self, GrammarError> {
        Self::parse(include_str!("../../data/plate-grammars.toml"), regions)
    }
    /// Parses grammars of the form of `data/plate-grammars.toml`.
    pub fn parse(text: &str, regions: &[String]) -> Result<Self, GrammarError> {
        let file: File = toml::from_str(text)?;
        for r in regions {
            let known = |c: &Country| c.code.eq_ignore_ascii_case(r) || c.region.eq_ignore_ascii_case(r);
            if !file.country.iter().any(known) {
                return Err(GrammarError::Region(r.chars().take(32).collect()));
            }
        }
        let used = |c: &Country| {
            if regions.is_empty() {
                return c.region != ONLY_WHEN_ASKED;
            }
            regions.iter().any(|r| c.code.eq_ignore_ascii_case(r) || c.region.eq_ignore_ascii_case(r))
        };
        let countries: Vec<&Country> = file.country.iter().filter(|c| used(c)).collect();
        let total: f64 = countries.iter().map(|c| c.weight.max(0.01)).sum();
        let (mut patterns, mut of) = (Vec::new(), Vec::new());
        for c in countries {
            for p in &c.patterns {
                let fail = |why| GrammarError::Pattern { country: c.code.clone(), why };
                let pattern = Pattern::parse(p, &c.letters_excluded).map_err(fail)?;
                let share = c.weight.max(0.01) / total / c.patterns.len() as f64;
                of.push((c.code.clone(), share.ln() - pattern.ln_size()));
                patterns.push(pattern);
            }
        }
        let set =
            PatternSet::new(&patterns).map_err(|why| GrammarError::Pattern { country: "all".into(), why })?;
        Ok(Self { set, of })
    }
    /// The most probable country of a text and the ln prior density of the text over all countries;
    /// `None` where no grammar admits it.
    pub fn prior(&self, symbols: &[u8]) -> Option<(&str, f64)> {
        let fitting = self.set.fitting(symbols);
        let best = fitting.iter().filter_map(|&n| self.of.get(n)).max_by(|a, b| a.1.total_cmp(&b.1))?;
        let sum: f64 = fitting.iter().filter_map(|&n| self.of.get(n)).map(|f| f.1.exp()).sum();
        Some((best.0.as_str(), sum.ln()))
    }
    /// Whether only one country's patterns admit the text.
    pub fn is_sole(&self, symbols: &[u8]) -> bool {
        let fitting = self.set.fitting(symbols);
        let mut codes = fitting.iter().filter_map(|&n| self.of.get(n)).map(|f| f.0.as_str());
        codes.next().is_some_and(|first| codes.all(|c| c == first))
    }
    /// Scores of texts with the grammars' prior added, in nats; only differences mean something.
    pub fn weigh(&self, texts: &[Scored]) -> Vec<f64> {
        let priors: Vec<Option<f64>> =
            texts.iter().map(|t| self.prior(&t.symbols).map(|p| p.1 * PRIOR_PART)).collect();
        let best = priors.iter().flatten().copied().fold(f64::MIN, f64::max);
        texts
            .iter()
            .zip(&priors)
            .map(|(t, prior)| match prior {
                // A rarer grammar is at most as improbable as none.
                Some(p) => t.log_p + (p - best).max(-NO_GRAMMAR_NATS),
                None => t.log_p - NO_GRAMMAR_NATS,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::symbol_of;

    fn scored(text: &str, log_p: f64) -> Scored {
        Scored { symbols: text.bytes().filter_map(symbol_of).collect(), log_p }
    }

    #[test]
    fn the_shipped_grammars_load_and_know_their_countries() {
        let all = Grammars::built_in(&[]).unwrap();
        assert!(all.of.len() > 100, "{}", all.of.len());
        let it = Grammars::built_in(&["it".into()]).unwrap();
        assert_eq!(it.prior(&scored("EK679XR", 0.0).symbols).unwrap().0, "IT");
        assert!(it.prior(&scored("B123ABC", 0.0).symbols).is_none());
        assert!(it.is_sole(&scored("EK679XR", 0.0).symbols));
        assert!(matches!(Grammars::built_in(&["atlantis".into()]), Err(GrammarError::Region(_))));
        assert!(Grammars::built_in(&["america".into()]).is_ok());
    }

    #[test]
    fn look_alikes_are_resolved_by_their_place() {
        let all = Grammars::built_in(&[]).unwrap();
        for (right, wrong) in [("RK099AN", "RKO99AN"), ("BA508CD", "BA5O8CD"), ("EK111XR", "EKI11XR")] {
            // The reader slightly prefers the wrong one.
            let w = all.weigh(&[scored(right, -0.9), scored(wrong, -0.5)]);
            assert!(w[0] > w[1], "{right} {w:?}");
        }
    }

    #[test]
    fn a_clear_text_without_grammar_stays() {
        let all = Grammars::built_in(&[]).unwrap();
        let w = all.weigh(&[scored("GWAGEN", -0.1), scored("GWA6EN", -9.0)]);
        assert!(w[0] > w[1]);
    }
}
