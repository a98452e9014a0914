//! The driver of one weighing indicator.

use crate::judge::{Judge, Judged, Stability, ZeroCheck};
use crate::keep::Keeping;
use crate::settle::Settle;
use crate::wire::{Format, Heard, Unit};
use device::{DeviceLink, Driver, DriverError, Endpoint, Health, Line, Observed, Stopped, Way, connect_line};
use gate_types::observation::{StableSource, WeightRange, WeightRead};
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
/// Less than this share of capacity is no vehicle.
const EMPTY_SHARE: f64 = 0.005;
/// Zero may be set within this share of capacity (OIML R 76-1, 4.5.1).
const ZERO_SHARE: f64 = 0.04;

/// What a lane tells its scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaleCommand {
    /// Set zero. Passed on only while the last weight is stable and within 4 % of capacity of zero.
    Zero,
}

/// The driver of one indicator. Endpoint queries:
///
/// - `protocol=` one of [`crate::wire::NAMES`], `toledo` where absent; with `checksum=yes|no` for Toledo,
///   `mode=demand|continuous` for SMA and Dini Argeo, `registers=FILE&unit_id=1` for Modbus.
/// - `stability=indicator`, or `computed` with `settle_ms=3000` for formats without the flag (their default)
///   and indicators whose motion bit is not wired.
/// - `unit=kg|t`: the unit that is expected; must be there for formats that name none.
/// - `zero_max_kg=`: what the empty platform may show; one interval where absent.
/// - `alibi=yes`: each vehicle's stable weight is kept in the indicator's alibi memory, once.
/// - `verified_until=2027-03-31`: the last day of the verification; after it the scale is degraded and no weight counts as
///   the indicator's own word any more.
#[derive(Debug)]
pub struct ScaleDriver {
    endpoint: Endpoint,
    capacity_kg: f64,
    interval_kg: f64,
}

struct Scale {
    device: String,
    place: String,
    line: Box<dyn Line>,
    format: Format,
    /// When it was asked last, while the answer is awaited.
    asked: Option<Instant>,
    ask_at: Instant,
    keeping: Keeping,
    verified_until: Option<i64>,
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

    /// Format, judge and upkeep as the endpoint's query says, or what is wrong with it.
    fn settings(&self) -> Result<(Format, Judge, Keeping, Option<i64>), String> {
        let query = &self.endpoint.query;
        let number = |key: &str, default: f64, range: (f64, f64)| -> Result<f64, String> {
            let Some(text) = query.get(key) else { return Ok(default) };
            let number = text.parse::<f64>().ok().filter(|n| (range.0..=range.1).contains(n));
            number.ok_or_else(|| format!("endpoint: {key}=`{text}`: {} to {}", range.0, range.1))
        };
        let format = Format::of_endpoint(&self.endpoint)?;
        let computes = match query.get("stability").map(String::as_str) {
            None => !format.tells_stability(),
            Some("indicator") if format.tells_stability() => false,
            Some("indicator") => {
                return Err("endpoint: stability=indicator: this format has no flag; write computed".into());
            }
            Some("computed") => true,
            Some(other) => return Err(format!("endpoint: stability=`{other}`: indicator or computed")),
        };
        let stability = if computes {
            let settle_ms = number("settle_ms", SETTLE_MS as f64, (100.0, 60_000.0))?;
            Stability::Computed(Settle::new(settle_ms as u64, self.interval_kg))
        } else {
            Stability::Indicator
        };
        let mut judge = Judge::new(self.capacity_kg, self.interval_kg, stability);
        judge = match query.get("unit").map(String::as_str) {
            Some("kg") => judge.with_unit(Unit::Kilogram),
            Some("t") => judge.with_unit(Unit::Tonne),
            Some(other) => return Err(format!("endpoint: unit=`{other}`: kg or t")),
            None if format.tells_unit() => judge,
            None => return Err("endpoint: this format names no unit: add unit=kg or unit=t".into()),
        };
        let zero_max_kg = number("zero_max_kg", self.interval_kg, (0.0, self.capacity_kg * ZERO_SHARE))?;
        judge = judge.with_zero(ZeroCheck::new(zero_max_kg, self.capacity_kg * EMPTY_SHARE));
        let keeps = match query.get("alibi").map(String::as_str) {
            None | Some("no") => false,
            Some("yes") => true,
            Some(other) => return Err(format!("endpoint: alibi=`{other}`: yes or no")),
        };
        let verified_until = match query.get("verified_until") {
            None => None,
            Some(text) => Some(
                crate::keep::end_of_day_ms(text)
                    .ok_or_else(|| format!("endpoint: verified_until=`{text}`: a day such as 2027-03-31"))?,
            ),
        };
        // OIML R 76-1, table 3: twenty intervals are the least that may be weighed.
        Ok((format, judge, Keeping::new(keeps, 20.0 * self.interval_kg), verified_until))
    }
}

impl Driver for ScaleDriver {
    type Command = ScaleCommand;

    async fn run(&mut self, link: &mut DeviceLink<ScaleCommand>) -> Result<Stopped, DriverError> {
        let (device, place) = (link.id.to_string(), self.place());
        let lost = |what: String| DriverError::Link { device: device.clone(), endpoint: place.clone(), what };
        let (format, judge, keeping, verified_until) = self.settings().map_err(lost)?;
        let line = connect_line(&self.endpoint).await.map_err(|e| {
            lost(format!("no connection ({e}); check the indicator's power, cable and address"))
        })?;
        let mut scale = Scale {
            device: device.clone(),
            place: place.clone(),
            line,
            format,
            asked: None,
            ask_at: Instant::now(),
            keeping,
            verified_until,
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
            let silent_at = self.last_valid + Duration::from_millis(SILENCE_MS);
            let wake_at = if self.asks() { self.ask_at.min(silent_at) } else { silent_at };
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

    /// True where the driver speaks: to ask for a weight, or to have one kept.
    fn asks(&self) -> bool {
        self.format.is_asked() || self.keeping.is_due()
    }

    /// Asks an indicator of demand, one request at a time.
    async fn ask(&mut self, link: &DeviceLink<ScaleCommand>) -> Result<(), DriverError> {
        let now = Instant::now();
        if now < self.ask_at {
            return Ok(());
        }
        self.ask_at = now + Duration::from_millis(ASK_MS.0);
        if let Some(at) = self.asked {
            if now < at + Duration::from_millis(ASK_MS.1) {
                return Ok(());
            }
            // A late answer would pass for that of the next request.
            if self.format.pairs_answers() {
                return Err(self.lost(format!("no answer within {} ms", ASK_MS.1)));
            }
        }
        let request = match self.keeping.is_due() {
            true => {
                self.keeping.asked(link.clock.now().mono_ms.0);
                self.format.register()
            }
            false => self.format.request(),
        };
        if let Some(request) = request {
            self.asked = self.format.is_asked().then_some(now);
            self.write(&request, link).await?;
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
        match self.format.zero() {
            Some(request) => {
                // Its answer is awaited as any other: the next request waits for it.
                self.asked = self.format.is_asked().then(Instant::now);
                self.write(&request, link).await
            }
            None => {
                tracing::warn!(device = %self.device, "zero refused: this format has no command for it");
                Ok(())
            }
        }
    }

    async fn bytes(&mut self, bytes: &[u8], link: &DeviceLink<ScaleCommand>) -> Result<(), End> {
        let mut rest = bytes;
        loop {
            let now_ms = link.clock.now().mono_ms.0;
            let Some(taken) = self.format.take(&mut rest) else { return Ok(()) };
            self.asked = None;
            let telegram = match taken {
                Ok(telegram) => telegram,
                // What follows on such a line cannot be told from an answer.
                Err(fault) if self.format.pairs_answers() => return Err(self.lost(fault).into()),
                Err(fault) => {
                    self.fault(&fault, link).await?;
                    continue;
                }
            };
            match telegram.heard {
                // Alive, with nothing to say.
                Heard::Alive => self.last_valid = Instant::now(),
                Heard::Foreign(what) => {
                    self.fault(&format!("it answers `{}`", what.trim()), link).await?;
                }
                Heard::Weight(said) => match self.judge.weigh(&said, &telegram.raw, now_ms) {
                    Judged::WrongUnit { unit } => {
                        return Err(End::Lost(DriverError::Protocol {
                            device: self.device.clone(),
                            endpoint: self.place.clone(),
                            what: format!("the indicator weighs in `{unit}`; set it to kg or t"),
                        }));
                    }
                    Judged::Read { mut read, complaint } => {
                        (self.last_valid, self.valid) = (Instant::now(), true);
                        let expired = self.expired(link);
                        if expired.is_some() {
                            // Never legal evidence.
                            read.stable_source = StableSource::Computed;
                        }
                        self.complaint = complaint.or(expired);
                        self.keeping.see(&mut read, now_ms);
                        self.report_health(link).await?;
                        self.say(read, link).await?;
                    }
                },
            }
        }
    }

    /// The verification has ended.
    fn expired(&self, link: &DeviceLink<ScaleCommand>) -> Option<String> {
        let ended = self.verified_until.is_some_and(|until| link.clock.now().wall_ms.0 > until);
        ended.then(|| {
            "its verification has ended (verified_until); its weights are not legal for trade".to_owned()
        })
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
            let changed = said.gross_kg != read.gross_kg
                || said.stable != read.stable
                || said.range != read.range
                || said.alibi != read.alibi;
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
