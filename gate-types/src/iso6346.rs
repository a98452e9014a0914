//! ISO 6346 container codes: owner code, category, serial number, check digit.
//!
//! The check digit is weak evidence: letter values repeat modulo 11, so the letters of one
//! [blind group](blind_group) can be exchanged without changing it, and remainder 10 prints as 0.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text is not a container code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Not four letters and seven digits after spaces, hyphens and dots are taken out.
    #[error("`{0}` has not the form of four letters and seven digits (ISO 6346, 3)")]
    Shape(String),
    /// The category identifier is not U, J or Z.
    #[error("`{0}`: the fourth letter is not U, J or Z (ISO 6346, 3.2)")]
    Category(String),
    /// The last digit is not the one computed from the rest.
    #[error("`{text}`: check digit is {found}, computed {computed} (ISO 6346, annex A)")]
    CheckDigit {
        /// The code as given.
        text: String,
        /// The digit that stands there.
        found: u8,
        /// The digit that the other ten characters give.
        computed: u8,
    },
}

/// A container code whose check digit holds: 11 characters, `CSQU3054383`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContainerCode(String);

impl ContainerCode {
    /// Parses a code; spaces, hyphens, dots and slashes between the parts are ignored, letters may be small.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let code: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '-' | '.' | '/'))
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let shape = || CodeError::Shape(text.chars().take(32).collect());
        let bytes = code.as_bytes();
        if bytes.len() != 11 {
            return Err(shape());
        }
        let (letters, digits) = bytes.split_at(4);
        if !letters.iter().all(u8::is_ascii_uppercase) || !digits.iter().all(u8::is_ascii_digit) {
            return Err(shape());
        }
        if !matches!(letters[3], b'U' | b'J' | b'Z') {
            return Err(CodeError::Category(code));
        }
        let found = digits[6] - b'0';
        match check_digit(&code[..10]) {
            Some(computed) if computed == found => Ok(Self(code)),
            Some(computed) => Err(CodeError::CheckDigit { text: code, found, computed }),
            None => Err(shape()),
        }
    }
    /// The eleven characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The three letters of the owner code (registered with BIC).
    pub fn owner(&self) -> &str {
        &self.0[..3]
    }
}

impl fmt::Display for ContainerCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl TryFrom<String> for ContainerCode {
    type Error = CodeError;
    fn try_from(text: String) -> Result<Self, CodeError> {
        Self::parse(&text)
    }
}
impl From<ContainerCode> for String {
    fn from(code: ContainerCode) -> String {
        code.0
    }
}

/// The value of one character: digits as they are, letters from 10 on, skipping the multiples of 11.
pub fn value(c: u8) -> Option<u32> {
    match c {
        b'0'..=b'9' => Some(u32::from(c - b'0')),
        b'A'..=b'Z' => {
            // 11, 22 and 33 are left out: A is 10, B 12, L 23, V 34.
            let place = u32::from(c - b'A');
            Some(place + 10 + place.div_ceil(10))
        }
        _ => None,
    }
}

/// The check digit over any run of letters and digits: weights 1, 2, 4 ... modulo 11, 10 printed as 0.
/// `None` where a character is neither a capital letter nor a digit.
pub fn check_digit(body: &str) -> Option<u8> {
    let mut sum: u64 = 0;
    let mut weight: u64 = 1;
    for &c in body.as_bytes() {
        sum = (sum + u64::from(value(c)?) * weight) % 11;
        weight = weight * 2 % 11;
    }
    u8::try_from(sum % 10).ok().map(|d| if sum == 10 { 0 } else { d })
}

/// The letters that can stand in place of `letter` without changing the check digit (itself included).
pub fn blind_group(letter: char) -> &'static str {
    ["AKU", "BLV", "CMW", "DNX", "EOY", "FPZ", "GQ", "HR", "IS", "JT"]
        .into_iter()
        .find(|g| g.contains(letter))
        .unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_from_the_standard_and_from_open_sources_hold() {
        for good in ["CSQU3054383", "TEXU3070079", "csq u 305438-3"] {
            assert!(ContainerCode::parse(good).is_ok(), "{good}");
        }
        assert_eq!(
            ContainerCode::parse("CSQU3054380"),
            Err(CodeError::CheckDigit { text: "CSQU3054380".into(), found: 0, computed: 3 })
        );
        assert!(matches!(ContainerCode::parse("CSQX3054383"), Err(CodeError::Category(_))));
        assert!(matches!(ContainerCode::parse("CSQU305438"), Err(CodeError::Shape(_))));
        assert!(matches!(ContainerCode::parse("CSQÜ3054383"), Err(CodeError::Shape(_))));
    }

    #[test]
    fn letter_values_skip_the_multiples_of_eleven() {
        let values: Vec<u32> = (b'A'..=b'Z').filter_map(value).collect();
        let wanted: Vec<u32> = (10..=38).filter(|v| v % 11 != 0).collect();
        assert_eq!(values, wanted);
    }

    #[test]
    fn a_blind_group_never_changes_the_digit() {
        for group in ["AKU", "BLV", "CMW", "DNX", "EOY", "FPZ", "GQ", "HR", "IS", "JT"] {
            let digits: Vec<_> = group.chars().map(|l| check_digit(&format!("{l}AAU123456"))).collect();
            assert!(digits.windows(2).all(|w| w[0] == w[1]), "{group}");
            assert!(group.chars().all(|l| blind_group(l) == group));
        }
    }
}
