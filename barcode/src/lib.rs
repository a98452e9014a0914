//! Barcode and QR readers on a line: what a reader sends for each code, its driver, and the gate passes that
//! drivers show. A pass is verified where it is read; it tells who comes and admits nobody by itself.

mod driver;
pub mod line;
pub mod picture;

pub use driver::{BarcodeCommand, BarcodeDriver, Issuer, Shown};
