//! ILU codes of semi-trailers and swap bodies (EN 13044-1): built like ISO 6346, with an owner key whose
//! fourth letter is none of U, J, Z, so that the two never collide.

use crate::iso6346::{self, CodeError};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An ILU code whose check digit holds: four letters, six digits, check digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IluCode(String);

impl IluCode {
    /// Parses a code; spaces, hyphens and dots are ignored.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let code: String =
            text.chars().filter(|c| !matches!(c, ' ' | '-' | '.')).map(|c| c.to_ascii_uppercase()).collect();
        let b = code.as_bytes();
        let shaped = b.len() == 11
            && b[..4].iter().all(u8::is_ascii_uppercase)
            && b[4..].iter().all(u8::is_ascii_digit);
        if !shaped {
            return Err(CodeError::Shape(text.chars().take(32).collect()));
        }
        if matches!(b[3], b'U' | b'J' | b'Z') {
            return Err(CodeError::Category(code));
        }
        let found = b[10] - b'0';
        match iso6346::check_digit(&code[..10]) {
            Some(computed) if computed == found => Ok(Self(code)),
            Some(computed) => Err(CodeError::CheckDigit { text: code, found, computed }),
            None => Err(CodeError::Shape(code)),
        }
    }
    /// The eleven characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IluCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl TryFrom<String> for IluCode {
    type Error = CodeError;
    fn try_from(text: String) -> Result<Self, CodeError> {
        Self::parse(&text)
    }
}
impl From<IluCode> for String {
    fn from(code: IluCode) -> String {
        code.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_code_is_no_ilu_code() {
        assert!(matches!(IluCode::parse("CSQU3054383"), Err(CodeError::Category(_))));
        let body = "ABCK123456";
        let digit = iso6346::check_digit(body).unwrap();
        assert!(IluCode::parse(&format!("{body}{digit}")).is_ok());
        assert!(IluCode::parse(&format!("{body}{}", (digit + 1) % 10)).is_err());
    }
}
