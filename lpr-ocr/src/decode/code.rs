//! Container (ISO 6346) and ILU (EN 13044-1) codes as a language whose every complete text has the right
//! check digit: the digit is fixed by the ten characters before it.

use super::alphabet::{character, normal_of, symbol};
use super::beam::Language;
use super::plate::GrammarError;
use gate_types::iso6346;
use serde::Deserialize;
use std::collections::BTreeSet;

/// Characters of a code.
pub const LENGTH: usize = 11;

/// Four letters, six digits and a check digit; with `any_digit` also those whose check digit is wrong.
#[derive(Debug, Clone, Copy)]
pub struct CodeLanguage {
    /// Let every last digit pass.
    pub any_digit: bool,
}

/// The running sum of ISO 6346, annex A: sum and next weight, both modulo 11.
#[derive(Debug, Clone, Copy)]
pub struct Sum {
    sum: u32,
    weight: u32,
}

fn is_letter(symbol: u8) -> bool {
    (10..36).contains(&symbol)
}

impl Language for CodeLanguage {
    type State = Sum;
    fn start(&self) -> Sum {
        Sum { sum: 0, weight: 1 }
    }
    fn step(&self, state: Sum, len: usize, symbol: u8) -> Option<Sum> {
        let fits = match len {
            0..=3 => is_letter(symbol),
            4..=9 => symbol < 10,
            10 => symbol < 10 && (self.any_digit || u32::from(symbol) == state.sum % 10),
            LENGTH.. => false,
        };
        if !fits {
            return None;
        }
        let value = iso6346::value(u8::try_from(character(symbol)?).ok()?)?;
        Some(Sum { sum: (state.sum + value * state.weight) % 11, weight: state.weight * 2 % 11 })
    }
    fn complete(&self, _: Sum, len: usize) -> bool {
        len == LENGTH
    }
}

/// Whether eleven symbols have the right check digit.
pub fn is_valid(symbols: &[u8]) -> bool {
    let language = CodeLanguage { any_digit: false };
    let mut state = language.start();
    for (len, &s) in symbols.iter().enumerate() {
        match language.step(state, len, s) {
            Some(next) => state = next,
            None => return false,
        }
    }
    symbols.len() == LENGTH
}

/// The codes that differ from `symbols` in one letter and have the same check digit all the same: the
/// letters of a blind group ({A K U}, {F P Z} ...) count alike modulo 11.
pub fn blind_to(symbols: &[u8]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for (place, &s) in symbols.iter().enumerate().take(4) {
        let Some(letter) = character(s) else { continue };
        for other in iso6346::blind_group(letter).chars().filter(|c| *c != letter) {
            let mut text = symbols.to_vec();
            if let (Some(at), Some(s)) = (text.get_mut(place), symbol(other)) {
                *at = s;
                out.push(text);
            }
        }
    }
    out
}

/// Preference for an owner code that is often seen, nats.
const KNOWN_NATS: f64 = 2.0;
/// Preference against detachable equipment (J) and trailers (Z) of ISO 6346, nats.
const EQUIPMENT_NATS: f64 = 1.5;
/// Preference against ILU codes, fourth letter A to E and K, nats.
const ILU_NATS: f64 = 3.0;
/// Preference against fourth letters that no register gives out today, nats.
const UNUSED_NATS: f64 = 4.5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    known: String,
}

/// Owner codes that are often seen.
#[derive(Debug, Clone)]
pub struct Owners(BTreeSet<String>);

impl Owners {
    /// The list of the project.
    pub fn built_in() -> Result<Self, GrammarError> {
        Self::parse(include_str!("../../data/owner-codes.toml"))
    }
    /// Parses a list of the form of `data/owner-codes.toml`.
    pub fn parse(text: &str) -> Result<Self, GrammarError> {
        let fail = |why: String| GrammarError::Data { file: "owner-codes.toml", why };
        let file: File = toml::from_str(text).map_err(|e| fail(e.to_string()))?;
        let mut known = BTreeSet::new();
        for code in file.known.split_whitespace() {
            if code.len() != 4 || !code.bytes().all(|b| b.is_ascii_uppercase()) {
                return Err(fail(format!("`{code}`: four capitals expected")));
            }
            known.insert(code.to_owned());
        }
        Ok(Self(known))
    }
    /// Whether the owner of a code is often seen.
    pub fn knows(&self, symbols: &[u8]) -> bool {
        symbols.get(..4).is_some_and(|owner| self.0.contains(&normal_of(owner)))
    }
    /// What owner and category add to ln p of a code, nats; only differences mean something.
    pub fn nats(&self, symbols: &[u8]) -> f64 {
        let category = match symbols.get(3).copied().and_then(character) {
            Some('U') => 0.0,
            Some('J' | 'Z') => -EQUIPMENT_NATS,
            Some('A'..='E' | 'K') => -ILU_NATS,
            Some(_) | None => -UNUSED_NATS,
        };
        category + if self.knows(symbols) { KNOWN_NATS } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::alphabet::{symbols_of, text_of};
    use crate::decode::beam::{Probabilities, STEPS, made_logits, search};

    const VALID: CodeLanguage = CodeLanguage { any_digit: false };

    #[test]
    fn every_complete_text_has_the_right_digit() {
        let p = Probabilities::from_logits(&made_logits("CSQU3054383", 11, 6.0)).unwrap();
        let found = search(&p, &VALID, 48);
        assert!(found.len() > 5);
        assert_eq!(text_of(&found[0].symbols), "CSQU3054383");
        for s in &found {
            let text = text_of(&s.symbols);
            assert_eq!(iso6346::check_digit(&text[..10]), text[10..].parse().ok(), "{text}");
            assert!(is_valid(&s.symbols));
        }
    }

    #[test]
    fn a_doubtful_digit_is_put_right_by_the_check_digit() {
        // The reader prefers CSQU3054883 slightly; only CSQU3054383 has a right digit.
        let mut logits = made_logits("CSQU3054883", 4, 12.0);
        let t = 48 + 2 * 4 + 1;
        logits[4 * STEPS + t] = 11.0;
        let p = Probabilities::from_logits(&logits).unwrap();
        assert_eq!(text_of(&search(&p, &VALID, 48)[0].symbols), "CSQU3054383");
        let any = search(&p, &CodeLanguage { any_digit: true }, 48);
        assert_eq!(text_of(&any[0].symbols), "CSQU3054883");
    }

    #[test]
    fn a_letter_in_the_serial_is_no_code() {
        let p = Probabilities::from_logits(&made_logits("TRAILER", 7, 20.0)).unwrap();
        let found = search(&p, &VALID, 48);
        assert!(found.first().is_none_or(|s| s.log_p < -40.0), "{found:?}");
    }

    #[test]
    fn blind_letters_pass_the_digit_and_owners_tell_them_apart() {
        let code = symbols_of("CSQU3054383");
        let others = blind_to(&code);
        assert_eq!(others.len(), 2 + 1 + 1 + 2, "C: M W, S: I, Q: G, U: A K");
        assert!(others.iter().all(|o| is_valid(o)));
        let owners = Owners::built_in().unwrap();
        assert!(others.iter().all(|o| owners.nats(o) < owners.nats(&code)));
        let nats = |text: &str| owners.nats(&symbols_of(text));
        assert!(nats("MSCU") > nats("XQXU") && nats("XQXU") > nats("XQXZ") && nats("XQXZ") > nats("XQXA"));
        assert!(Owners::parse("known = \"MSCU abc\"").is_err() && Owners::parse("x = 1").is_err());
    }
}
