//! The evidence pack of one pass: how it is written, and how anybody checks it (D92, T90).
//!
//! A pack is a ZIP file with `README.txt`, `pack.json` and the pictures (`images/SHA256.jpg`). `pack.json`
//! holds a section of the gate's hash chain from the pass's first entry to a signed head: the pass's own
//! entries whole, those of other passes as commitments only, so that nobody else's data leaves the gate.
//! [`check`] needs nothing but the file, and says what rests on whose key.

mod check;
mod pack;
mod tell;
mod zip;

pub use check::{Keys, Report, check};
pub use pack::{FORMAT, MOST_BYTES, Pack, PackEntry, write};
pub use zip::{ZipError, read_zip, write_zip};
