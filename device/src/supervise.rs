//! A driver's supervised life: run, report down, wait with bounded back-off, run again.

use crate::{DeviceLink, DriverError, Stopped};
use gate_types::observation::Health;
use std::future::Future;
use std::time::{Duration, Instant};

/// A device's driver. `run` is called again after every error; state that must outlive a lost link
/// stays in `self`.
pub trait Driver: Send + 'static {
    /// The command type of the device's crate.
    type Command: Send + 'static;

    /// Connects, provisions, reports [`Health::Up`], then serves until the link breaks (`Err`) or the
    /// lane drops the device (`Ok(Stopped)`).
    fn run(
        &mut self,
        link: &mut DeviceLink<Self::Command>,
    ) -> impl Future<Output = Result<Stopped, DriverError>> + Send;
}

/// Bounded exponential back-off between starts of a driver.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// First wait, milliseconds.
    pub first_ms: u64,
    /// Longest wait, milliseconds.
    pub longest_ms: u64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first_ms: 200, longest_ms: 5_000 }
    }
}

/// Runs a driver until its lane drops it. A run that lasted longer than the longest wait starts the
/// back-off anew. While it waits, commands are drained and dropped: a command never outlives the link
/// that it was meant for.
pub async fn supervise<D: Driver>(mut driver: D, mut link: DeviceLink<D::Command>, backoff: Backoff) {
    let mut wait_ms = backoff.first_ms;
    loop {
        let started = Instant::now();
        let error = match driver.run(&mut link).await {
            Ok(Stopped) => return,
            Err(error) => error,
        };
        tracing::warn!(device = %link.id, %error, "device lost");
        if link.health(Health::Down { why: error.to_string() }).await.is_err() {
            return;
        }
        if started.elapsed() > Duration::from_millis(backoff.longest_ms) {
            wait_ms = backoff.first_ms;
        }
        let deadline = tokio::time::Instant::now() + Duration::from_millis(wait_ms);
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(deadline) => break,
                command = link.commands.recv() => if command.is_none() { return },
            }
        }
        wait_ms = (wait_ms * 2).min(backoff.longest_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, Tap};
    use gate_types::DeviceId;
    use gate_types::observation::Observed;
    use tokio::sync::mpsc;

    struct Failing(u32);
    impl Driver for Failing {
        type Command = ();
        async fn run(&mut self, _: &mut DeviceLink<()>) -> Result<Stopped, DriverError> {
            self.0 += 1;
            if self.0 == 3 {
                return Ok(Stopped);
            }
            Err(DriverError::Link {
                device: "d".into(),
                endpoint: "e".into(),
                what: format!("loss {}", self.0),
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_loss_is_reported_once_and_the_driver_starts_again() {
        let (observations, mut seen) = mpsc::channel(8);
        let (_commands, receiver) = mpsc::channel(1);
        let link = DeviceLink {
            id: DeviceId::new("d").unwrap(),
            clock: Clock::start(),
            observations,
            commands: receiver,
            tap: Tap::off(),
        };
        supervise(Failing(0), link, Backoff::default()).await;
        let mut downs = 0;
        while let Some(o) = seen.recv().await {
            assert!(matches!(o.what, Observed::Health(Health::Down { .. })));
            downs += 1;
        }
        assert_eq!(downs, 2);
    }
}
