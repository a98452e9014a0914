//! Licence plates: one canonical form, and the folding that tells look-alikes apart from differences.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text is not a plate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a licence plate: 2 to 12 letters and digits")]
pub struct PlateError(pub String);

/// A licence plate in canonical form: 2 to 12 capital ASCII letters and digits, without separators.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Plate(String);

impl Plate {
    /// Takes out everything but letters and digits and puts letters into capitals.
    pub fn parse(text: &str) -> Result<Self, PlateError> {
        let plate: String =
            text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
        if (2..=12).contains(&plate.len()) && text.len() <= 64 {
            Ok(Self(plate))
        } else {
            Err(PlateError(text.chars().take(32).collect()))
        }
    }
    /// The canonical characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The plate with the glyphs that many faces draw alike put together: O, Q, D as 0 and I as 1 are
    /// *not* all equal on a plate, so only O/Q with 0 and I with 1 are folded.
    pub fn folded(&self) -> String {
        fold(&self.0)
    }
}

/// Folds O and Q to 0 and I to 1.
pub fn fold(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            'O' | 'Q' => '0',
            'I' => '1',
            other => other,
        })
        .collect()
}

impl fmt::Display for Plate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl TryFrom<String> for Plate {
    type Error = PlateError;
    fn try_from(text: String) -> Result<Self, PlateError> {
        Self::parse(&text)
    }
}
impl From<Plate> for String {
    fn from(plate: Plate) -> String {
        plate.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_and_case_do_not_matter() {
        assert_eq!(Plate::parse("ab 123-cd").unwrap(), Plate::parse("AB123CD").unwrap());
        assert!(Plate::parse("-").is_err());
        assert!(Plate::parse(&"9".repeat(13)).is_err());
        assert_eq!(Plate::parse("OI0Q1").unwrap().folded(), "01001");
    }
}
