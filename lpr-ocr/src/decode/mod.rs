//! Decoding that knows the field: from the two nets' raw outputs to boxes and texts. Pure; no picture
//! library is needed to run or test it.

pub mod adr;
pub mod alphabet;
pub mod beam;
pub mod boxes;
pub mod code;
pub mod language;
pub mod plate;
mod probabilities;
mod resolve;

pub use alphabet::{Alphabet, AlphabetError, normal_of, text_of};
pub use boxes::{Found, FrameScale, MapShape, ObjectClass};
pub use probabilities::{Extent, Probabilities, ShapeError};
pub use resolve::{Candidate, Resolved, Resolver};

/// The symbol of a Latin capital or digit.
pub fn symbol_of(c: u8) -> Option<u8> {
    alphabet::symbol(char::from(c))
}
