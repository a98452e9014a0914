//! Barriers, lights, loops and signs by remote I/O: point maps, driver, watchdog, read-back.
//!
//! The software is not the safety function: the barrier's own controller stops an arm over a vehicle.
//! What is here keeps to three rules. Inputs count only while the block's life counter moves. A lost
//! link, a stalled answer or a stopped counter makes every input unknown. Nothing that was commanded
//! before a loss is commanded again after it.

mod io;
mod modbus;
pub mod points;
pub mod rtu;
pub mod sign;
mod sign_driver;
mod sign_template;

pub use io::{IoCommand, IoDriver, Left, Light, TIMEOUT_MS};
pub use modbus::RTU_SCHEME;
pub use points::{PointMap, PointMapError};
pub use sign_driver::{SignCommand, SignDriver};
pub use sign_template::{Checksum, Encoding, SignTemplate};
