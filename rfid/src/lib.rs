//! UHF readers: LLRP codec in both directions, tag decoding, driver.
//!
//! [`wire`], [`epc`], [`fold`] and [`reader`] are pure: bytes and values in, bytes and values out.

pub mod epc;
pub mod fold;
pub mod reader;
pub mod wire;
