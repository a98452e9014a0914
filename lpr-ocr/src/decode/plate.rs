//! Plate grammars of the countries, from the data file that the trainer uses too.

use super::alphabet::{NORMAL, symbol, symbols_of};
use super::language::{Pattern, PatternError, PatternSet};
use serde::Deserialize;

/// Share of texts that no grammar admits: vanity, diplomatic, foreign plates, lettering.
const OTHER_TEXTS: f64 = 0.03;
/// How much of the grammars' prior is believed on top of what the reader has learned of them itself.
const PRIOR_PART: f64 = 0.7;
/// How much more frequent the plates of the site's own regions are taken.
const SITE: f64 = 30.0;
/// How much rarer the plates of other continents are taken where they are not asked for.
const ABROAD: f64 = 0.3;
/// The group of other continents.
const AMERICA: &str = "AMERICA";
/// A country is told from this share of the probability of all that admit the text.
const TOLD: f64 = 0.9;

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
    #[serde(default)]
    forms: Vec<String>,
    #[serde(default)]
    prefixes: String,
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
    /// A list of prefixes is wrong.
    #[error("plate grammars, {country}: prefix `{prefix}`: two characters, or two numbers `01-81`, expected")]
    Prefix {
        /// The country's code.
        country: String,
        /// The prefix.
        prefix: String,
    },
    /// A region that the file does not know.
    #[error(
        "region `{0}`: neither a country code nor a group of the plate grammars (EU, BALKAN, EAST, MED, NORTH, AMERICA)"
    )]
    Region(String),
    /// Another data file of the decoder is wrong.
    #[error("{file}: {why}")]
    Data {
        /// The file's name.
        file: &'static str,
        /// What is wrong.
        why: String,
    },
}

#[derive(Debug, Clone)]
struct Form {
    /// Place of the country in the list of codes.
    country: usize,
    /// How many times more probable a text of this form is than among all texts of its length.
    ratio: f64,
}

/// The grammars in use.
#[derive(Debug, Clone)]
pub struct Grammars {
    /// The patterns as a language.
    pub set: PatternSet,
    codes: Vec<String>,
    forms: Vec<Form>,
}

/// What the grammars say of one text.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior<'a> {
    /// How many times more probable than among all texts of its length, summed over countries.
    pub ratio: f64,
    /// The country, where nearly all of that comes from one.
    pub country: Option<&'a str>,
}

impl Grammars {
    /// The grammars of the project. Plates of `regions` (country codes or groups, any case) count as
    /// those of the site; other countries' remain readable.
    pub fn built_in(regions: &[String]) -> Result<Self, GrammarError> {
        Self::parse(include_str!("../../data/plate-grammars.toml"), regions)
    }
    /// Parses grammars of the form of `data/plate-grammars.toml`.
    pub fn parse(text: &str, regions: &[String]) -> Result<Self, GrammarError> {
        let file: File = toml::from_str(text)?;
        let names = |c: &Country, r: &str| c.code.eq_ignore_ascii_case(r) || c.region.eq_ignore_ascii_case(r);
        for r in regions {
            if !file.country.iter().any(|c| names(c, r)) {
                return Err(GrammarError::Region(r.clone()));
            }
        }
        let weight = |c: &Country| {
            let asked = regions.iter().any(|r| names(c, r));
            let factor = if asked {
                SITE
            } else if c.region == AMERICA {
                ABROAD
            } else {
                1.0
            };
            c.weight.max(0.01) * factor
        };
        let total: f64 = file.country.iter().map(weight).sum();
        let (mut patterns, mut forms, mut codes) = (Vec::new(), Vec::new(), Vec::new());
        for c in &file.country {
            let pairs = pairs(c)?;
            let texts = if c.forms.is_empty() { &c.patterns } else { &c.forms };
            let shares: Vec<(f64, &str)> = texts.iter().map(|f| share(f)).collect();
            let all: f64 = shares.iter().map(|s| s.0).sum();
            for (share, text) in shares {
                let pattern = Pattern::parse(text, &c.letters_excluded, &pairs)
                    .map_err(|why| GrammarError::Pattern { country: c.code.clone(), why })?;
                let all_texts = pattern.places.len() as f64 * (NORMAL as f64).ln();
                let part = weight(c) / total * share / all;
                forms
                    .push(Form { country: codes.len(), ratio: part * (all_texts - pattern.ln_size()).exp() });
                patterns.push(pattern);
            }
            codes.push(c.code.clone());
        }
        let set =
            PatternSet::new(&patterns).map_err(|why| GrammarError::Pattern { country: "all".into(), why })?;
        Ok(Self { set, codes, forms })
    }
    /// The codes of all countries, in the order of the file.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.codes.iter().map(String::as_str)
    }
    /// What the grammars say of a text in native symbols; `None` where none admits it.
    pub fn prior(&self, symbols: &[u8]) -> Option<Prior<'_>> {
        let mut of = vec![0.0; self.codes.len()];
        for n in self.set.fitting(symbols) {
            let form = self.forms.get(n)?;
            of[form.country] += form.ratio;
        }
        let ratio: f64 = of.iter().sum();
        let best = (0..of.len()).max_by(|&a, &b| of[a].total_cmp(&of[b]))?;
        let country = (of[best] >= TOLD * ratio).then(|| self.codes[best].as_str());
        (ratio > 0.0).then_some(Prior { ratio, country })
    }
    /// The codes of the countries that admit a text, in the order of the file.
    pub fn countries(&self, symbols: &[u8]) -> Vec<&str> {
        let mut codes: Vec<&str> = Vec::new();
        for n in self.set.fitting(symbols) {
            let code = self.forms.get(n).and_then(|f| self.codes.get(f.country));
            codes.extend(code.map(String::as_str).filter(|c| !codes.contains(c)));
        }
        codes
    }
    /// What the grammars add to ln p of a text, in nats; only differences between texts mean something.
    pub fn nats(&self, symbols: &[u8]) -> f64 {
        PRIOR_PART * (self.prior(symbols).map_or(0.0, |p| p.ratio) + OTHER_TEXTS).ln()
    }
}

/// `3 LLDDD` is the form LLDDD with a share of 3; without a number the share is 1.
fn share(form: &str) -> (f64, &str) {
    match form.split_once(' ').and_then(|(n, f)| Some((n.parse::<f64>().ok()?, f))) {
        Some((n, f)) => (n.clamp(0.001, 1000.0), f),
        None => (1.0, form),
    }
}

fn pairs(country: &Country) -> Result<Vec<(u8, u8)>, GrammarError> {
    let mut pairs = Vec::new();
    for prefix in country.prefixes.split_whitespace() {
        let fail = || GrammarError::Prefix { country: country.code.clone(), prefix: prefix.to_owned() };
        if let Some((from, to)) = prefix.split_once('-') {
            let number = |t: &str| t.parse::<u8>().ok().filter(|n| *n < 100);
            let (from, to) = number(from).zip(number(to)).ok_or_else(fail)?;
            pairs.extend((from..=to).map(|n| (n / 10, n % 10)));
        } else {
            match symbols_of(prefix)[..] {
                [a, b] if prefix.chars().all(|c| symbol(c).is_some()) => pairs.push((a, b)),
                _ => return Err(fail()),
            }
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_grammars_load_and_know_their_countries() {
        let all = Grammars::built_in(&[]).unwrap();
        assert!(all.forms.len() > 100, "{}", all.forms.len());
        let it = Grammars::built_in(&["it".into()]).unwrap();
        let prior = it.prior(&symbols_of("EK679XR")).unwrap();
        assert_eq!(prior.country, Some("IT"), "{prior:?} {:?}", it.countries(&symbols_of("EK679XR")));
        assert!(prior.ratio > all.prior(&symbols_of("EK679XR")).unwrap().ratio * 2.0);
        assert!(it.prior(&symbols_of("34ABC12")).is_some(), "guests are read too");
        assert!(it.prior(&symbols_of("A1B2C3D4")).is_none());
        assert!(matches!(Grammars::built_in(&["atlantis".into()]), Err(GrammarError::Region(_))));
        assert!(Grammars::built_in(&["america".into()]).is_ok());
    }

    #[test]
    fn what_is_wrong_in_the_file_is_named() {
        let file = |extra: &str| {
            format!("[[country]]\ncode=\"XX\"\nname=\"X\"\nregion=\"EU\"\npatterns=[\"LLD\"]\n{extra}\n")
        };
        assert!(Grammars::parse(&file("prefixes = \"AB 01-12\"\nforms = [\"3 PDD\", \"LLL\"]"), &[]).is_ok());
        for (extra, told) in [
            ("prefixes = \"ABC\"", "prefix `ABC`"),
            ("prefixes = \"1-999\"", "prefix `1-999`"),
            ("forms = [\"LQ\"]", "XX: pattern `LQ`"),
            ("forms = [\"PDD\"]", "XX: pattern `PDD`"),
            ("colour = 3", "colour"),
        ] {
            let why = Grammars::parse(&file(extra), &[]).unwrap_err().to_string();
            assert!(why.contains(told), "{extra}: {why}");
        }
    }
}
