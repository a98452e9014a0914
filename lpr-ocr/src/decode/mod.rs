//! Decoding that knows the field: from the two nets' raw outputs to boxes and texts. Pure; no picture
//! library is needed to run or test it.

pub mod adr;
pub mod beam;
pub mod boxes;
pub mod code;
pub mod language;
pub mod plate;
mod resolve;

pub use boxes::{Found, FrameScale, MapShape, ObjectClass};
pub use resolve::{Candidate, Resolved, Resolver};

/// Letters and digits in the order of the reader's classes 1 to 36.
pub const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The text of a sequence of symbol numbers (0 to 35).
pub fn text_of(symbols: &[u8]) -> String {
    symbols.iter().filter_map(|&s| ALPHABET.get(usize::from(s))).map(|&b| char::from(b)).collect()
}

/// The symbol number of a capital letter or digit.
pub fn symbol_of(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'A'..=b'Z' => Some(c - b'A' + 10),
        _ => None,
    }
}
