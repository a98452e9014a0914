//! A driver whose panic costs its own device and nothing else.

use device::{DeviceLink, Driver, DriverError, Stopped};
use futures::FutureExt as _;
use std::any::Any;
use std::panic::AssertUnwindSafe;

/// Turns a panic of the driver into a lost device: the supervisor reports it down, the lane puts the fault
/// on record, and the driver starts again after the usual back-off. The driver itself is kept, because it
/// holds only what has to outlive a link (coils that are still on); all else begins anew with the link.
#[derive(Debug)]
pub(crate) struct Caught<D>(pub(crate) D);

impl<D: Driver> Driver for Caught<D> {
    type Command = D::Command;

    async fn run(&mut self, link: &mut DeviceLink<D::Command>) -> Result<Stopped, DriverError> {
        let device = link.id.to_string();
        match AssertUnwindSafe(self.0.run(link)).catch_unwind().await {
            Ok(ended) => ended,
            Err(panic) => {
                let what = format!(
                    "its driver panicked: {}; it is started again; this is a defect, please report it with the log",
                    text(panic.as_ref())
                );
                Err(DriverError::Link { device, endpoint: "its driver".to_owned(), what })
            }
        }
    }
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words")
}

#[cfg(test)]
mod tests {
    use super::*;
    use device::{Backoff, Clock, Health, Observed, Tap, supervise};
    use gate_types::DeviceId;
    use tokio::sync::mpsc;

    struct Panicking(u32);
    impl Driver for Panicking {
        type Command = ();
        async fn run(&mut self, _: &mut DeviceLink<()>) -> Result<Stopped, DriverError> {
            self.0 += 1;
            assert!(self.0 > 2, "start {}", self.0);
            Ok(Stopped)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_is_a_lost_device_and_the_driver_starts_again() {
        let (observations, mut seen) = mpsc::channel(8);
        let (_commands, receiver) = mpsc::channel(1);
        let link = DeviceLink {
            id: DeviceId::new("n1-in-1.io").unwrap(),
            clock: Clock::start(),
            observations,
            commands: receiver,
            tap: Tap::off(),
        };
        supervise(Caught(Panicking(0)), link, Backoff::default()).await;
        for n in 1..=2 {
            let Observed::Health(Health::Down { why }) = seen.recv().await.unwrap().what else { panic!() };
            assert!(why.contains("n1-in-1.io") && why.contains(&format!("start {n}")), "{why}");
        }
        assert!(seen.recv().await.is_none());
    }
}
