//! UHF readers: LLRP codec in both directions, tag decoding, driver.
//!
//! [`wire`], [`epc`], [`tag`], [`fold`] and [`reader`] are pure: bytes and values in, bytes and values out.
//! [`ReaderDriver`] is the one place that owns a socket.

mod driver;
pub mod epc;
pub mod fold;
pub mod reader;
mod session;
pub mod tag;
pub mod wire;

pub use driver::{ReaderCommand, ReaderDriver};
