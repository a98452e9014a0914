//! UHF readers: LLRP codec in both directions, tag decoding, driver.
//!
//! [`wire`], [`epc`], [`fold`] and [`reader`] are pure: bytes and values in, bytes and values out.
//! [`ReaderDriver`] is the one place that owns a socket.

mod driver;
pub mod epc;
pub mod fold;
pub mod reader;
mod session;
pub mod wire;

pub use driver::{ReaderCommand, ReaderDriver};
