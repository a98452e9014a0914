//! What a driver holds of the lane: bounded channels, the clock, the tap.

use crate::{Clock, Tap};
use gate_types::DeviceId;
use gate_types::observation::{Health, Observation, Observed};
use tokio::sync::mpsc;

/// A driver ended because its lane dropped it, not because of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// A device was lost or never reached. The text says what, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The link could not be made or broke.
    #[error("{device} at {endpoint}: {what}")]
    Link {
        /// The device.
        device: String,
        /// Its endpoint.
        endpoint: String,
        /// What happened.
        what: String,
    },
    /// The peer speaks, but not what it should.
    #[error("{device} at {endpoint}: protocol: {what}")]
    Protocol {
        /// The device.
        device: String,
        /// Its endpoint.
        endpoint: String,
        /// What it sent and what was expected.
        what: String,
    },
}

/// The driver's end of a lane. `C` is the command type of the device's crate.
#[derive(Debug)]
pub struct DeviceLink<C> {
    /// The device's name.
    pub id: DeviceId,
    /// The daemon's clock.
    pub clock: Clock,
    /// Observations go here; bounded.
    pub observations: mpsc::Sender<Observation>,
    /// Commands come from here; bounded; closed when the lane drops the device.
    pub commands: mpsc::Receiver<C>,
    /// The tap on the wire.
    pub tap: Tap,
}

impl<C> DeviceLink<C> {
    /// Stamps and sends one statement, waiting for room. `Err(Stopped)` when the lane is gone.
    pub async fn observe(&self, what: Observed) -> Result<(), Stopped> {
        let observation = Observation { device: self.id.clone(), at: self.clock.now(), what };
        self.observations.send(observation).await.map_err(|_| Stopped)
    }
    /// Reports health.
    pub async fn health(&self, health: Health) -> Result<(), Stopped> {
        self.observe(Observed::Health(health)).await
    }
}
