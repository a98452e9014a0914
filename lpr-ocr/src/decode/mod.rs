//! Decoding that knows the field: from the two nets' raw outputs to boxes and texts. Pure; no picture
//! library is needed to run or test it.

pub mod adr;
pub mod alphabet;
pub mod beam;
pub mod boxes;
pub mod code;
pub mod confidence;
mod joint;
pub mod language;
pub mod plate;
#[cfg(test)]
mod plate_table;
mod probabilities;
mod resolve;
pub mod size_type;

pub use alphabet::{Alphabet, AlphabetError, normal_of, text_of};
pub use boxes::{Found, FrameScale, MapShape, ObjectClass};
pub use confidence::{Calibration, Features};
pub use probabilities::{Probabilities, ShapeError};
pub use resolve::{Candidate, Resolved, Resolver};
