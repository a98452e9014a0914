//! The contract between a lane and its devices, and what every driver needs: a clock, a supervised
//! life with bounded back-off, transports for lines of bytes, and a tap on the wire.
//!
//! A driver is one async task over messages: it sends [`Observation`]s, receives commands of its own
//! crate's type, and returns an error when the device is lost. Returning an error is normal: the
//! [supervisor](supervise) reports the device down, waits, and starts the driver again.

mod clock;
mod link;
mod supervise;
mod tap;
mod transport;

pub use clock::Clock;
pub use gate_types::endpoint::{Endpoint, EndpointError};
pub use gate_types::observation::{Health, Observation, Observed};
pub use link::{DeviceLink, DriverError, Stopped};
pub use supervise::{Backoff, Driver, supervise};
pub use tap::{Tap, TapLevel, Way};
pub use transport::{Line, connect_line};
