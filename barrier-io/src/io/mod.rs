//! The driver of one lane's remote I/O: polls the input block, writes pulses and lamps, keeps the heartbeat.

mod outputs;

use crate::modbus::{Failure, RTU_SCHEME, Session};
use crate::points::PointMap;
use device::{DeviceLink, Driver, DriverError, Endpoint, Health, Observed, Stopped};
use gate_types::observation::LaneInputs;
use outputs::Outputs;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

/// Unchanged inputs are repeated this often, milliseconds, so that their freshness shows.
const REPEAT_MS: u64 = 250;

/// Longest wait for one answer where the site says nothing, milliseconds.
pub const TIMEOUT_MS: u64 = 300;

/// The lamp that is lit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Light {
    /// Stop.
    Red,
    /// Drive.
    Green,
}

/// The moment at which an acknowledged command had been handed to the wire.
pub type Left = std::time::Instant;

/// What a lane asks of its remote I/O. A command that arrives while the inputs are not fresh, or that the
/// link does not carry, is answered with an error (or its sender is dropped) and never made up for.
#[derive(Debug)]
pub enum IoCommand {
    /// Raise the arm: one momentary pulse.
    Raise {
        /// Fires when the write was acknowledged on the wire, with the moment at which it had left.
        done: oneshot::Sender<Result<Left, String>>,
    },
    /// Permit the barrier's controller to lower: one momentary pulse.
    PermitLower {
        /// As above.
        done: oneshot::Sender<Result<Left, String>>,
    },
    /// Stop the arm where it is: one momentary pulse. Goes out whenever the link stands, fresh inputs or not.
    Stop {
        /// As above. An error where the point map has no stop output.
        done: oneshot::Sender<Result<Left, String>>,
    },
    /// Switch the lamps.
    Light(Light),
}

/// The driver. Inputs are fresh only while the block's life counter moves; it has to move once after every
/// connection before the first inputs count.
#[derive(Debug)]
pub struct IoDriver {
    endpoint: Endpoint,
    points: PointMap,
    poll_ms: u64,
    timeout_ms: u64,
    /// Momentary coils that are on, with the moment they go off. Outlives a lost link, so that a coil
    /// that the loss left on is switched off after the first read of the next connection.
    pulses: BTreeMap<u16, Instant>,
    /// The next session begins with the coils, because the last one failed at the registers (Modbus RTU: a
    /// late answer must never have the function that is asked for).
    coils_first: bool,
}

/// What ends a connection.
enum End {
    Stopped,
    Failed(Failure),
}

impl From<Stopped> for End {
    fn from(_: Stopped) -> Self {
        End::Stopped
    }
}
impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        End::Failed(failure)
    }
}

/// One connection's state.
struct Live {
    session: Session,
    life: Option<u16>,
    /// When the life counter was last seen to move, or first read.
    moved_at: Instant,
    moved: bool,
    fresh: bool,
    shown: LaneInputs,
    shown_at: Instant,
    heartbeat: bool,
    outputs: Outputs,
    health: Option<Health>,
}

impl IoDriver {
    /// A driver for `modbus://HOST:PORT?unit=1` or `modbus-rtu:///dev/ttyS0?baud=19200`, polling every `poll_ms` milliseconds (at least 10).
    pub fn new(endpoint: Endpoint, points: PointMap, poll_ms: u64) -> Self {
        let (poll_ms, pulses) = (poll_ms.max(10), BTreeMap::new());
        Self { endpoint, points, poll_ms, timeout_ms: TIMEOUT_MS, pulses, coils_first: false }
    }
    /// Waits `timeout_ms` milliseconds (at least 10) for one answer in place of [`TIMEOUT_MS`].
    pub fn answering_within(mut self, timeout_ms: u64) -> Self {
        self.timeout_ms = timeout_ms.max(10);
        self
    }

    fn error(&self, device: String, failure: &Failure) -> DriverError {
        let place =
            if self.endpoint.host.is_empty() { self.endpoint.path.clone() } else { self.endpoint.address() };
        let endpoint = format!("{}://{place}", self.endpoint.scheme);
        let what = failure.text().to_owned();
        match failure {
            Failure::Link(_) => DriverError::Link { device, endpoint, what },
            Failure::Protocol(_) | Failure::Refused(_) => DriverError::Protocol { device, endpoint, what },
        }
    }

    /// Connects while commands are refused, so that none waits for the new link.
    async fn connect(&self, link: &mut DeviceLink<IoCommand>) -> Result<Session, End> {
        let device = link.id.to_string();
        let connecting = Session::connect(&self.endpoint, &device, &link.tap, self.timeout_ms);
        tokio::pin!(connecting);
        loop {
            tokio::select! {
                session = &mut connecting => return Ok(session?),
                command = link.commands.recv() => match command {
                    None => return Err(End::Stopped),
                    Some(command) => refuse(command, "the remote I/O is not connected"),
                },
            }
        }
    }

    async fn serve(&mut self, link: &mut DeviceLink<IoCommand>) -> Result<(), End> {
        let session = self.connect(link).await?;
        let now = Instant::now();
        let mut live = Live {
            session,
            life: None,
            moved_at: now,
            moved: false,
            fresh: false,
            shown: self.points.unknown(),
            shown_at: now,
            heartbeat: false,
            outputs: Outputs::new(&self.points),
            health: None,
        };
        if self.coils_first {
            self.read_back(&mut live).await?;
        }
        self.poll(&mut live, link).await?;
        self.end_all_pulses(&mut live).await?;
        let period = Duration::from_millis(self.poll_ms);
        let mut poll = interval_at(Instant::now() + period, period);
        poll.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let beat_period = Duration::from_millis(self.points.outputs.heartbeat_ms);
        let mut beat = interval_at(Instant::now(), beat_period);
        beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let pulse_end = self.pulses.values().min().copied();
            tokio::select! {
                biased;
                command = link.commands.recv() => match command {
                    None => {
                        self.end_all_pulses(&mut live).await?;
                        return Ok(());
                    }
                    Some(command) => self.command(&mut live, command).await?,
                },
                () = sleep_until(pulse_end.unwrap_or_else(Instant::now)), if pulse_end.is_some() => {
                    self.end_pulses(&mut live, Instant::now()).await?;
                }
                _ = beat.tick() => {
                    live.heartbeat = !live.heartbeat;
                    let on = live.heartbeat;
                    self.write(&mut live, self.points.outputs.heartbeat, on).await?;
                }
                _ = poll.tick() => {
                    self.read_back(&mut live).await?;
                    self.poll(&mut live, link).await?;
                }
            }
            self.report(&mut live, link).await?;
        }
    }

    async fn poll(&mut self, live: &mut Live, link: &DeviceLink<IoCommand>) -> Result<(), End> {
        self.coils_first = self.endpoint.scheme == RTU_SCHEME;
        let words = live.session.read(&self.points.inputs).await?;
        self.coils_first = false;
        let decoded = self
            .points
            .decode(&words)
            .ok_or_else(|| Failure::Protocol("the block is shorter than the point map says".to_owned()))?;
        let now = Instant::now();
        if live.life != Some(decoded.life) {
            live.moved |= live.life.is_some();
            live.life = Some(decoded.life);
            live.moved_at = now;
        }
        let still =
            now.duration_since(live.moved_at) > Duration::from_millis(self.points.inputs.life_timeout_ms);
        live.moved &= !still;
        live.fresh = live.moved;
        let inputs = if live.fresh { decoded.inputs } else { self.points.unknown() };
        let due = now.duration_since(live.shown_at) + Duration::from_millis(self.poll_ms)
            > Duration::from_millis(REPEAT_MS);
        if inputs != live.shown || (live.fresh && due) {
            live.shown = inputs;
            live.shown_at = now;
            link.observe(Observed::Inputs(inputs)).await?;
        }
        Ok(())
    }

    /// Reports health when it changed. A block that has just been connected is given its time first.
    async fn report(&self, live: &mut Live, link: &DeviceLink<IoCommand>) -> Result<(), End> {
        let limit = self.points.inputs.life_timeout_ms;
        let health = if live.fresh {
            match live.outputs.fault() {
                None => Health::Up,
                Some(why) => Health::Degraded { why },
            }
        } else if live.moved_at.elapsed() > Duration::from_millis(limit) {
            let why = format!(
                "the life counter (register {}) stands still for {limit} ms: the inputs are unknown; check that the \
                 program of the remote I/O runs",
                self.points.inputs.start.saturating_add(self.points.inputs.life_register)
            );
            Health::Degraded { why }
        } else {
            return Ok(());
        };
        if live.health.as_ref() != Some(&health) {
            live.health = Some(health.clone());
            link.health(health).await?;
        }
        Ok(())
    }
}

fn refuse(command: IoCommand, why: &str) {
    match command {
        // The lane may have stopped waiting.
        IoCommand::Raise { done } | IoCommand::PermitLower { done } | IoCommand::Stop { done } => {
            drop(done.send(Err(why.to_owned())));
        }
        IoCommand::Light(_) => {}
    }
}

impl Driver for IoDriver {
    type Command = IoCommand;

    async fn run(&mut self, link: &mut DeviceLink<IoCommand>) -> Result<Stopped, DriverError> {
        let failure = match self.serve(link).await {
            Ok(()) | Err(End::Stopped) => return Ok(Stopped),
            Err(End::Failed(failure)) => failure,
        };
        if link.observe(Observed::Inputs(self.points.unknown())).await.is_err() {
            return Ok(Stopped);
        }
        Err(self.error(link.id.to_string(), &failure))
    }
}
