//! The driver of one weighing indicator.

use crate::judge::{Judge, Judged, Stability};
use crate::settle::Settle;
use crate::wire::{sics, toledo};
use device::{DeviceLink, Driver, DriverError, Endpoint, Health, Line, Observed, Stopped, Way, connect_line};
use gate_types::observation::{WeightRange, WeightRead};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep_until, timeout};

/// An indicator without a valid telegram for this long is lost, milliseconds.
const SILENCE_MS: u64 = 2_000;
/// Shortest and longest time between two statements, milliseconds.
const SAY_MS: (u64, u64) = (100, 400);
/// How often an indicator of demand is asked, and when an answer is given up, milliseconds.
const ASK_MS: (u64, u64) = (200, 1_000);
/// Faulty telegrams within this time that make the line bad, and the time, milliseconds.
const BAD: (usize, u64) = (5, 10_000);
/// Computed stability needs this long, milliseconds, where the endpoint's `settle_ms` is absent.
const SETTLE_MS: u64 = 3_000;
/// Zero may be set within this share of capacity (OIML R 76-1, 4.5.1).
const ZERO_SHARE: f64 = 0.04;

/// What a lane tells its scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaleCommand {
    /// Set zero. Passed on only while the last weight is stable and within 4 % of capacity of zero.
    Zero,
}

/// The driver of one indicator. Endpoint queries: `protocol=toledo` (default) or `sics`;
/// `checksum=yes` (default) or `no` for Toledo; `stability=indicator` (default) or `computed` with
/// `settle_ms=3000` for indicators whose motion bit is not wired.
#[derive(Debug)]
pub struct ScaleDriver {
    endpoint: Endpoint,
    capacity_kg: f64,
    interval_kg: f64,
}

/// The protocol of a line, with what is held of an unfinished telegram.
enum Protocol {
    Toledo(toledo::Deframer),
    Sics { lines: sics::Lines, asked: Option<Instant>, ask_at: Instant },
}

struct Scale {
    device: String,
    place: String,
    line: Box<dyn Line>,
    protocol: Protocol,
    judge: Judge,
    capacity_kg: f64,
    last_valid: Instant,
    /// A valid telegram has come since the line was opened.
    valid: bool,
    last: Option<WeightRead>,
    said: Option<(WeightRead, Instant)>,
    faults: VecDeque<Instant>,
    complaint: Option<String>,
    health: Option<Health>,
}

/// How serving ended.
enum End {
    Stopped,
    Lost(DriverError),
}
impl From<DriverError> for End {
    fn from(error: DriverError) -> Self {
        Self::Lost(error)
    }
}
impl From<Stopped> for End {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

impl ScaleDriver {
    /// An indicator of this capacity and verification interval, kilograms.
    pub fn new(endpoint: Endpoint, capacity_kg: f64, interval_kg: f64) -> Self {
        Self { endpoint, capacity_kg, interval_kg }
    }

    fn place(&self) -> String {
        let Endpoint { scheme, path, .. } = &self.endpoint;
        if self.endpoint.host.is_empty() {
            format!("{scheme}://{path}")
        } else {
            format!("{scheme}://{}", self.endpoint.address())
        }
    }

    /// Protocol and judge as the endpoint's query says, or what is wrong with it.
    fn settings(&self) -> Result<(Protocol, Judge), String> {
        let get = |key: &str, default: &'static str| {
            self.endpoint.query.get(key).cloned().unwrap_or_else(|| default.to_owned())
        };
        let checksum = match get("checksum", "yes").as_str() {
            "yes" => toledo::Checksum::Present,
            "no" => toledo::Checksum::Absent,
            other => return Err(format!("endpoint: checksum=`{other}`: yes or no")),
        };
        let protocol = match get("protocol", "toledo").as_str() {
            "toledo" => Protocol::Toledo(toledo::Deframer::new(checksum)),
            "sics" => Protocol::Sics { lines: sics::Lines::new(), asked: None, ask_at: Instant::now() },
            other => return Err(format!("endpoint: protocol=`{other}`: toledo or sics")),
        };
        let stability = match get("stability", "indicator").as_str() {
            "indicator" => Stability::Indicator,
            "computed" => {
                let text =
                    self.endpoint.query.get("settle_ms").map_or_else(|| SETTLE_MS.to_string(), Clone::clone);
                let settle_ms = text.parse::<u64>().ok().filter(|ms| (100..=60_000).contains(ms));
                let settle_ms = settle_ms
                    .ok_or_else(|| format!("endpoint: settle_ms=`{text}`: 100 to 60000 milliseconds"))?;
                Stability::Computed(Settle::new(settle_ms, self.interval_kg))
            }
            other => return Err(format!("endpoint: stability=`{other}`: indicator or computed")),
        };
        Ok((protocol, Judge::new(self.capacity_kg, self.interval_kg, stability)))
    }
}

impl Driver for ScaleDriver {
    type Command = ScaleCommand;

    async fn run(&mut self, link: &mut DeviceLink<ScaleCommand>) -> Result<Stopped, DriverError> {
        let (device, place) = (link.id.to_string(), self.place());
        let lost = |what: String| DriverError::Link { device: device.clone(), endpoint: place.clone(), what };
        let (protocol, judge) = self.settings().map_err(lost)?;
        let line = connect_line(&self.endpoint).await.map_err(|e| {
            lost(format!("no connection ({e}); check the indicator's power, cable and address"))
        })?;
        let mut scale = Scale {
            device: device.clone(),
            place: place.clone(),
            line,
            protocol,
            judge,
            capacity_kg: self.capacity_kg,
            last_valid: Instant::now(),
            valid: false,
            last: None,
            said: None,
            faults: VecDeque::new(),
            complaint: None,
            health: None,
        };
        match scale.serve(link).await {
            Err(End::Lost(error)) => Err(error),
            Ok(()) | Err(End::Stopped) => Ok(Stopped),
        }
    }
}

impl Scale {
    fn lost(&self, what: impl Into<String>) -> DriverError {
        DriverError::Link { device: self.device.clone(), endpoint: self.place.clone(), what: what.into() }
    }

    async fn serve(&mut self, link: &mut DeviceLink<ScaleCommand>) -> Result<(), End> {
        let mut buffer = [0u8; 512];
        loop {
            let wake_at = self.ask_at().unwrap_or(self.last_valid + Duration::from_millis(SILENCE_MS));
            tokio::select! {
                biased;
                command = link.commands.recv() => match command {
                    Some(ScaleCommand::Zero) => self.zero(link).await?,
                    None => return Err(End::Stopped),
                },
                read = self.line.read(&mut buffer) => {
                    let n = read.map_err(|e| self.lost(format!("reading: {e}")))?;
                    let Some(bytes) = buffer.get(..n).filter(|b| !b.is_empty()) else {
                        return Err(self.lost("the port is gone: unplugged, or closed by the converter").into());
                    };
                    link.tap.bytes(&self.device, Way::Rx, bytes);
                    self.bytes(bytes, link).await?;
                }
                () = sleep_until(wake_at) => self.ask(link).await?,
            }
            if self.last_valid.elapsed() >= Duration::from_millis(SILENCE_MS) {
                let faults = self.faults.len();
                let what = format!(
                    "no valid telegram for {SILENCE_MS} ms ({faults} faulty ones); check protocol, baud rate, parity and checksum"
                );
                return Err(self.lost(what).into());
            }
        }
    }

    fn ask_at(&self) -> Option<Instant> {
        match &self.protocol {
            Protocol::Toledo(_) => None,
            Protocol::Sics { ask_at, .. } => Some(*ask_at),
        }
    }

    /// Asks an indicator of demand, one request at a time.
    async fn ask(&mut self, link: &DeviceLink<ScaleCommand>) -> Result<(), DriverError> {
        let now = Instant::now();
        if let Protocol::Sics { asked, ask_at, .. } = &mut self.protocol {
            let waiting = asked.is_some_and(|at| now < at + Duration::from_millis(ASK_MS.1));
            *ask_at = now + Duration::from_millis(ASK_MS.0);
            if !waiting {
                *asked = Some(now);
                return self.write(sics::Request::Immediate.encode(), link).await;
            }
        }
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8], link: &DeviceLink<ScaleCommand>) -> Result<(), DriverError> {
        link.tap.bytes(&self.device, Way::Tx, bytes);
        match timeout(Duration::from_millis(SILENCE_MS), self.line.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.lost(format!("writing: {error}"))),
            Err(_) => Err(self.lost(format!("the line took no bytes for {SILENCE_MS} ms"))),
        }
    }

    async fn zero(&mut self, link: &DeviceLink<ScaleCommand>) -> Result<(), DriverError> {
        let near = self.last.as_ref().is_some_and(|w| {
            let usable = matches!(w.range, WeightRange::InRange | WeightRange::Under);
            let still = w.stable || w.range == WeightRange::Under;
            usable && still && w.gross_kg.abs() <= self.capacity_kg * ZERO_SHARE
        });
        if !near {
            tracing::warn!(device = %self.device, "zero refused: the weight moves or is not near zero");
            return Ok(());
        }
        let request: &[u8] = match &self.protocol {
            Protocol::Toledo(_) => b"Z",
            Protocol::Sics { .. } => sics::Request::Zero.encode(),
        };
        self.write(request, link).await
    }

    async fn bytes(&mut self, bytes: &[u8], link: &DeviceLink<ScaleCommand>) -> Result<(), End> {
        let mut rest = bytes;
        loop {
            let now_ms = link.clock.now().mono_ms.0;
            let judged = match &mut self.protocol {
                Protocol::Toledo(deframer) => match deframer.take(&mut rest) {
                    None => return Ok(()),
                    Some(Ok(received)) => Ok(self.judge.toledo(&received, now_ms)),
                    Some(Err(fault)) => Err(fault.to_string()),
                },
                Protocol::Sics { lines, asked, .. } => match lines.take(&mut rest) {
                    None => return Ok(()),
                    Some(line) => {
                        *asked = None;
                        line.and_then(|line| {
                            sics::Reply::decode(&line).map(|reply| self.judge.sics(&reply, &line, now_ms))
                        })
                        .map_err(|fault| fault.to_string())
                    }
                },
            };
            match judged {
                Ok(Judged::Read { read, complaint }) => {
                    (self.last_valid, self.valid) = (Instant::now(), true);
                    self.complaint = complaint;
                    self.report_health(link).await?;
                    self.say(read, link).await?;
                }
                // Alive, with nothing to say.
                Ok(Judged::Nothing) => self.last_valid = Instant::now(),
                Ok(Judged::Foreign { what }) => self.fault(&what, link).await?,
                Ok(Judged::WrongUnit { unit }) => {
                    return Err(End::Lost(DriverError::Protocol {
                        device: self.device.clone(),
                        endpoint: self.place.clone(),
                        what: format!("the indicator weighs in `{unit}`; set it to kg or t"),
                    }));
                }
                Err(fault) => self.fault(&fault, link).await?,
            }
        }
    }

    /// A faulty telegram is never a weight; many of them make the line bad.
    async fn fault(&mut self, fault: &str, link: &DeviceLink<ScaleCommand>) -> Result<(), Stopped> {
        tracing::debug!(device = %self.device, fault, "telegram passed over");
        self.faults.push_back(Instant::now());
        if self.faults.len() > BAD.0 {
            self.faults.pop_front();
        }
        self.report_health(link).await
    }

    async fn report_health(&mut self, link: &DeviceLink<ScaleCommand>) -> Result<(), Stopped> {
        if !self.valid {
            return Ok(());
        }
        let window = Duration::from_millis(BAD.1);
        while self.faults.front().is_some_and(|at| at.elapsed() > window) {
            self.faults.pop_front();
        }
        let health = if self.faults.len() >= BAD.0 {
            let why = format!(
                "{} faulty telegrams within 10 s; check cable, grounding, baud rate and parity",
                BAD.0
            );
            Health::Degraded { why }
        } else if let Some(why) = &self.complaint {
            Health::Degraded { why: why.clone() }
        } else {
            Health::Up
        };
        if self.health.as_ref() != Some(&health) {
            self.health = Some(health.clone());
            link.health(health).await?;
        }
        Ok(())
    }
    /// Says a weight at once when it changed, at most every 100 ms, and again at least every half second.
    async fn say(&mut self, read: WeightRead, link: &DeviceLink<ScaleCommand>) -> Result<(), Stopped> {
        let due = self.said.as_ref().is_none_or(|(said, at)| {
            let changed =
                said.gross_kg != read.gross_kg || said.stable != read.stable || said.range != read.range;
            at.elapsed() >= Duration::from_millis(if changed { SAY_MS.0 } else { SAY_MS.1 })
        });
        self.last = Some(read.clone());
        if due {
            self.said = Some((read.clone(), Instant::now()));
            link.observe(Observed::Weight(read)).await?;
        }
        Ok(())
    }
}
