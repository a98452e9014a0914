//! One driver on a bench: supervised as in a lane, its statements printed instead of decided upon.

use anyhow::{Result, bail};
use device::{Backoff, Clock, DeviceLink, Driver, Health, Observation, Observed, Tap, TapLevel, supervise};
use gate_types::DeviceId;
use serde::Serialize;
use serde_json::Value;
use std::io::{BufRead as _, ErrorKind, IsTerminal as _, Write};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// Statements that may wait to be printed.
const OBSERVATIONS: usize = 256;
/// Commands that may wait for a driver.
const COMMANDS: usize = 16;
/// A device answers a test's first contact within this.
const UP_WITHIN: Duration = Duration::from_secs(15);
/// A test watches so long after each command where no time is given.
pub(super) const LOOK: Duration = Duration::from_secs(3);
/// A driver's longest good-bye.
const GOODBYE: Duration = Duration::from_secs(3);

/// When watching ends, and what is shown of the wire.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Until Ctrl-C where absent.
    pub(super) for_time: Option<Duration>,
    /// Statements besides health.
    pub(super) count: Option<u64>,
    /// The wire.
    pub(super) tap: TapLevel,
}

impl Limits {
    /// The same, for `look` where no time is given: a test does not watch for ever.
    pub(super) fn looking(&self, look: Duration) -> Self {
        Self { for_time: Some(self.for_time.unwrap_or(look)), ..*self }
    }
}

/// Whether a person has agreed to what moves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sure {
    /// Agreed on the command line.
    pub(super) yes: bool,
}

impl Sure {
    /// Asks a person; an error where nobody agrees.
    pub(super) fn ask(&self, what: &str) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            bail!("{what}: nobody is here to agree; stand where you see the device and add --yes");
        }
        eprint!("{what}. Type yes to go on: ");
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        if line.trim() != "yes" {
            bail!("{what}: not agreed, nothing was done");
        }
        Ok(())
    }
}

/// A running driver.
pub(super) struct Bench<C> {
    observations: mpsc::Receiver<Observation>,
    /// Commands of the device's crate.
    pub(super) commands: mpsc::Sender<C>,
    task: JoinHandle<()>,
    /// Statements that are no observations of a lane.
    beside: Option<mpsc::Receiver<Value>>,
    was_up: bool,
}

impl<C: Send + 'static> Bench<C> {
    /// Starts a driver under the name `device`.
    pub(super) fn start<D: Driver<Command = C>>(device: &str, driver: D, limits: &Limits) -> Result<Self> {
        let (sender, observations) = mpsc::channel(OBSERVATIONS);
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let tap = Tap::off();
        tap.set(limits.tap);
        let link = DeviceLink {
            id: DeviceId::new(device)?,
            clock: Clock::start(),
            observations: sender,
            commands: receiver,
            tap,
        };
        let task = tokio::spawn(supervise(driver, link, Backoff::default()));
        Ok(Self { observations, commands, task, beside: None, was_up: false })
    }

    /// Prints what comes from here too.
    pub(super) fn beside<T: Send + 'static>(
        mut self,
        mut from: mpsc::Receiver<T>,
        told: impl Fn(&T) -> Value + Send + 'static,
    ) -> Self {
        let (sender, beside) = mpsc::channel(COMMANDS);
        tokio::spawn(async move {
            while let Some(what) = from.recv().await {
                if sender.send(told(&what)).await.is_err() {
                    return;
                }
            }
        });
        self.beside = Some(beside);
        self
    }

    /// Prints statements until a limit or Ctrl-C; true when the device was up once.
    pub(super) async fn watch(&mut self, limits: &Limits, out: &mut impl Write) -> Result<bool> {
        let end = limits.for_time.map(|time| Instant::now() + time);
        let mut left = limits.count.unwrap_or(u64::MAX);
        while left > 0 {
            let observation = tokio::select! {
                seen = self.observations.recv() => match seen {
                    Some(observation) => observation,
                    None => break,
                },
                Some(value) = next(&mut self.beside) => {
                    left -= 1;
                    if !say(&value, out)? {
                        break;
                    }
                    continue;
                }
                () = until(end) => break,
                _ctrl_c = tokio::signal::ctrl_c() => break,
            };
            if !matches!(observation.what, Observed::Health(_)) {
                left -= 1;
            }
            if !self.print(&observation, out)? {
                break;
            }
        }
        Ok(self.was_up)
    }

    /// Prints statements until the device is up; an error when it is not within 15 s.
    pub(super) async fn up(&mut self, out: &mut impl Write) -> Result<()> {
        let deadline = Instant::now() + UP_WITHIN;
        while !self.was_up {
            match tokio::time::timeout_at(deadline, self.observations.recv()).await {
                Ok(Some(observation)) => {
                    self.print(&observation, out)?;
                }
                Ok(None) => bail!("the driver ended"),
                Err(_) => bail!("the device did not come up within {} s", UP_WITHIN.as_secs()),
            }
        }
        Ok(())
    }

    /// False when nobody reads any more.
    fn print(&mut self, observation: &Observation, out: &mut impl Write) -> Result<bool> {
        if let Observed::Health(Health::Up | Health::Degraded { .. }) = &observation.what {
            self.was_up = true;
        }
        say(observation, out)
    }

    /// Lets the driver say good-bye.
    pub(super) async fn stop(self) {
        let Self { observations, commands, task, .. } = self;
        drop(commands);
        drop(observations);
        if timeout(GOODBYE, task).await.is_err() {
            tracing::warn!("the driver did not end in time");
        }
    }
}

/// Prints what a device says until a limit; true when it was up once.
pub(super) async fn alone<D: Driver>(
    device: &str,
    driver: D,
    limits: &Limits,
    out: &mut impl Write,
) -> Result<bool> {
    let mut bench = Bench::start(device, driver, limits)?;
    let up = bench.watch(limits, out).await;
    bench.stop().await;
    up
}

/// One line; false when nobody reads any more.
fn say(what: &impl Serialize, out: &mut impl Write) -> Result<bool> {
    let line = serde_json::to_string(what)?;
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn next(beside: &mut Option<mpsc::Receiver<Value>>) -> Option<Value> {
    match beside {
        Some(beside) => beside.recv().await,
        None => std::future::pending().await,
    }
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}
