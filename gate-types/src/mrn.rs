//! Movement reference numbers of customs declarations: two digits of the year, two letters of the country,
//! thirteen characters, a check digit computed as in ISO 6346 over the first seventeen.

use crate::iso6346;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text is not an MRN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MrnError {
    /// Not two digits, two letters, thirteen letters or digits and one digit.
    #[error("`{0}` has not the form of an MRN: 2 digits, 2 letters, 13 letters or digits, 1 digit")]
    Shape(String),
    /// The last digit is not the computed one.
    #[error("MRN `{0}`: check digit does not hold, expected {1}")]
    CheckDigit(String, u8),
}

/// A movement reference number whose check digit holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mrn(String);

impl Mrn {
    /// Parses an MRN of 18 characters.
    pub fn parse(text: &str) -> Result<Self, MrnError> {
        let code = text.trim().to_ascii_uppercase();
        let b = code.as_bytes();
        let shaped = b.len() == 18
            && b[..2].iter().all(u8::is_ascii_digit)
            && b[2..4].iter().all(u8::is_ascii_uppercase)
            && b[4..17].iter().all(u8::is_ascii_alphanumeric)
            && b[17].is_ascii_digit();
        if !shaped {
            return Err(MrnError::Shape(text.chars().take(32).collect()));
        }
        match iso6346::check_digit(&code[..17]) {
            Some(d) if d == b[17] - b'0' => Ok(Self(code)),
            Some(d) => Err(MrnError::CheckDigit(code, d)),
            None => Err(MrnError::Shape(code)),
        }
    }
    /// Completes seventeen characters with their check digit.
    pub fn from_body(body: &str) -> Result<Self, MrnError> {
        let digit =
            iso6346::check_digit(body).ok_or_else(|| MrnError::Shape(body.chars().take(32).collect()))?;
        Self::parse(&format!("{body}{digit}"))
    }
    /// The eighteen characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Mrn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl TryFrom<String> for Mrn {
    type Error = MrnError;
    fn try_from(text: String) -> Result<Self, MrnError> {
        Self::parse(&text)
    }
}
impl From<Mrn> for String {
    fn from(mrn: Mrn) -> String {
        mrn.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_digit_is_refused() {
        let mrn = Mrn::from_body("26ITQ0123456789AB").unwrap();
        assert!(Mrn::parse(mrn.as_str()).is_ok());
        let mut other = mrn.as_str().to_owned();
        other.replace_range(5..6, "9");
        assert!(Mrn::parse(&other).is_err());
        assert!(matches!(Mrn::parse("short"), Err(MrnError::Shape(_))));
        assert!(matches!(Mrn::parse("26ITÀ0123456789AB1"), Err(MrnError::Shape(_))));
    }
}
