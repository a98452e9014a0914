//! The daemon's end of a vision worker: starts it, feeds it, fuses what it reads, and starts it anew
//! when it dies, hangs or grows.

mod life;
mod process;
mod reads;

use crate::FrameStore;
use crate::protocol::ToWorker;
use crate::spec::{CameraCommand, WorkerSpec};
use crate::vote::Fusion;
use device::{DeviceLink, Driver, DriverError, Health, Stopped};
use gate_types::observation::ReadKind;
use life::End;
use std::time::Duration;
use tokio::time::Instant;

/// When a worker is given up and started anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerLimits {
    /// Longest time from start to `ready`, ms (sixty workers may start at once on two cores: 8 s).
    pub ready_ms: u64,
    /// Time between pings, ms.
    pub ping_ms: u64,
    /// Longest silence after a ping, ms.
    pub pong_ms: u64,
    /// Longest work on one frame, ms.
    pub busy_ms: u64,
    /// Largest resident memory, MB.
    pub rss_mb: u64,
}

impl Default for WorkerLimits {
    fn default() -> Self {
        Self { ready_ms: 30_000, ping_ms: 1_000, pong_ms: 3_000, busy_ms: 10_000, rss_mb: 400 }
    }
}

/// Waits between starts, ms: a lost worker is back within a second.
const FIRST_WAIT_MS: u64 = 50;
const LONGEST_WAIT_MS: u64 = 800;
/// A worker that lived longer than this died for a new reason.
const SETTLED_MS: u64 = 10_000;
/// Deaths soon after the start, one after the other, after which the driver reports the device lost.
const MOST_EARLY_DEATHS: u32 = 5;

/// The driver of one camera.
#[derive(Debug)]
pub struct WorkerDriver {
    spec: WorkerSpec,
    frames: FrameStore,
    limits: WorkerLimits,
    on: bool,
    /// No vehicle is in the lane.
    empty: bool,
    round: u32,
    fusion: Fusion,
    told: Vec<(ReadKind, String, f32)>,
}

impl WorkerDriver {
    /// A driver that keeps evidence frames in `frames`.
    pub fn new(spec: WorkerSpec, frames: FrameStore) -> Self {
        Self {
            spec,
            frames,
            limits: WorkerLimits::default(),
            on: false,
            empty: false,
            round: 0,
            fusion: Fusion::new(),
            told: Vec::new(),
        }
    }
    /// Other limits than the default ones.
    #[must_use]
    pub fn with_limits(mut self, limits: WorkerLimits) -> Self {
        self.limits = limits;
        self
    }

    /// What the worker is to do now.
    fn observe(&self) -> ToWorker {
        ToWorker::Observe { on: self.on, round: self.round, empty: self.empty }
    }

    fn obey(&mut self, command: CameraCommand) {
        self.empty = command == CameraCommand::Empty;
        self.on = match command {
            CameraCommand::Observe => {
                self.round = self.round.wrapping_add(1);
                self.fusion = Fusion::new();
                self.told.clear();
                true
            }
            CameraCommand::Rest | CameraCommand::Empty => false,
        };
    }
}

impl Driver for WorkerDriver {
    type Command = CameraCommand;

    async fn run(&mut self, link: &mut DeviceLink<CameraCommand>) -> Result<Stopped, DriverError> {
        let (mut wait_ms, mut early_deaths) = (FIRST_WAIT_MS, 0);
        loop {
            let started = Instant::now();
            let why = match self.live(link).await {
                Ok(End::Stopped) => return Ok(Stopped),
                Ok(End::Lost(why)) => why,
                // The supervisor reports it.
                Err(error) => return Err(error),
            };
            tracing::warn!(device = %link.id, why, wait_ms, "vision worker lost, starting another");
            if link.health(Health::Down { why: why.clone() }).await.is_err() {
                return Ok(Stopped);
            }
            if started.elapsed() > Duration::from_millis(SETTLED_MS) {
                (wait_ms, early_deaths) = (FIRST_WAIT_MS, 0);
            }
            early_deaths += 1;
            if early_deaths >= MOST_EARLY_DEATHS {
                return Err(DriverError::Link {
                    device: link.id.to_string(),
                    endpoint: self.spec.command.display().to_string(),
                    what: format!("{why}, {early_deaths} times in a row"),
                });
            }
            // Commands are obeyed while waiting: a vehicle may arrive meanwhile.
            let deadline = Instant::now() + Duration::from_millis(wait_ms);
            loop {
                tokio::select! {
                    () = tokio::time::sleep_until(deadline) => break,
                    command = link.commands.recv() => match command {
                        Some(command) => self.obey(command),
                        None => return Ok(Stopped),
                    },
                }
            }
            wait_ms = (wait_ms * 2).min(LONGEST_WAIT_MS);
        }
    }
}
