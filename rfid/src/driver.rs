//! The LLRP client of one lane's reader.

use crate::fold::{Fold, Folded};
use crate::session::{Place, Session};
use crate::tag::SealRule;
use crate::wire::{
    AntennaChange, ConnectionStatus, Content, KeepaliveSpec, LlrpStatus, Message, RawTlv, ReaderEvent,
    ReaderSettings, Report, RoSpec, RoSpecAct, event_type,
};
use device::{DeviceLink, Driver, DriverError, Endpoint, Health, Observed, Stopped};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// LLRP's registered port.
const PORT: u16 = 5084;
/// The one ROSpec of the lane.
const ROSPEC: u32 = 1;
/// Default keepalive period, milliseconds; the endpoint's `keepalive_ms`, 200..=60000.
const KEEPALIVE_MS: u64 = 5_000;
/// Default longest wait for a response, milliseconds; the endpoint's `request_ms`, 100..=60000.
const REQUEST_MS: u64 = 5_000;
/// Longest good-bye when the lane drops the reader, milliseconds.
const CLOSE_MS: u64 = 500;

/// What a lane tells its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReaderCommand {
    /// A vehicle is present: start the inventory. A start while it runs is a new dwell.
    Start,
    /// Nobody is present: stop.
    Stop,
}

/// The driver of one LLRP reader.
///
/// It provisions the reader from nothing at every connection, so that a reader's restart or exchange
/// heals by itself. What was last commanded outlives a lost link: a reader that comes back while a
/// vehicle waits takes up its inventory, and tags already said are not said again.
#[derive(Debug)]
pub struct ReaderDriver {
    endpoint: Endpoint,
    antennas: Vec<u16>,
    fold: Fold,
    wanted: bool,
    quality: Quality,
}

/// What lessens the reader's worth without ending the link.
#[derive(Debug, Default)]
struct Quality {
    gone: BTreeSet<u16>,
    complaint: Option<String>,
    said: Option<Health>,
}

impl Quality {
    fn health(&self) -> Health {
        let mut why = Vec::new();
        if !self.gone.is_empty() {
            let list: Vec<String> = self.gone.iter().map(u16::to_string).collect();
            why.push(format!("antenna {} disconnected; check cable and connector", list.join(", ")));
        }
        why.extend(self.complaint.clone());
        if why.is_empty() { Health::Up } else { Health::Degraded { why: why.join("; ") } }
    }
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

impl ReaderDriver {
    /// A reader at `endpoint` (`llrp://HOST[:PORT]`), of which `antennas` look at the lane (empty: all)
    /// and tags weaker than `rssi_min_dbm` are neighbours or reflections.
    pub fn new(endpoint: Endpoint, antennas: Vec<u16>, rssi_min_dbm: i16) -> Self {
        let endpoint = Endpoint { port: if endpoint.port == 0 { PORT } else { endpoint.port }, ..endpoint };
        let fold = Fold::new(antennas.clone(), rssi_min_dbm);
        Self { endpoint, antennas, fold, wanted: false, quality: Quality::default() }
    }

    fn setting(&self, place: &Place, key: &str, default: u64, range: (u64, u64)) -> Result<u64, DriverError> {
        let Some(text) = self.endpoint.query.get(key) else { return Ok(default) };
        let number = text.parse::<u64>().ok().filter(|n| (range.0..=range.1).contains(n));
        number.ok_or_else(|| {
            place.link(format!(
                "endpoint: {key}=`{text}` is not a number of {} to {} milliseconds",
                range.0, range.1
            ))
        })
    }

    /// The endpoint's `seal=PREFIX:BIT,PREFIX`: how this site's electronic seals are known.
    fn seals(&self, place: &Place) -> Result<Vec<SealRule>, DriverError> {
        let Some(list) = self.endpoint.query.get("seal") else { return Ok(Vec::new()) };
        let rules = list.split(',').map(SealRule::parse).collect::<Result<_, _>>();
        rules.map_err(|why| place.link(format!("endpoint: seal={why}")))
    }

    /// Takes the connection and sets the reader up: settings, one ROSpec, enabled and not started.
    async fn provision(
        &self,
        session: &mut Session,
        keepalive_ms: u64,
        request_ms: u64,
    ) -> Result<(), DriverError> {
        let place = session.place.clone();
        let hello = timeout(Duration::from_millis(request_ms), session.next()).await;
        match hello.map_err(|_| place.link(format!("no connection event within {request_ms} ms")))?? {
            Message::Events(events) => {
                let status = events.events.iter().find_map(|e| match e {
                    ReaderEvent::ConnectionAttempt(status) => Some(*status),
                    ReaderEvent::ConnectionClose
                    | ReaderEvent::Antenna { .. }
                    | ReaderEvent::RoSpec { .. }
                    | ReaderEvent::Exception(_)
                    | ReaderEvent::BufferWarning(_)
                    | ReaderEvent::BufferOverflow
                    | ReaderEvent::Other(_) => None,
                });
                accepted(&place, status)?;
            }
            other => {
                let what = format!("began with message type {}, not with a connection event", other.kind());
                return Err(place.protocol(what));
            }
        }
        match session.request(&Message::GetCapabilities { requested: 0 }, "GET_READER_CAPABILITIES").await? {
            Message::Capabilities { status, capabilities } if status.is_ok() => {
                if let Some(general) = capabilities.general
                    && let Some(antenna) = self.antennas.iter().find(|a| **a == 0 || **a > general.antennas)
                {
                    let has = general.antennas;
                    return Err(place
                        .protocol(format!("antennas: {antenna} is configured, the reader has 1 to {has}")));
                }
            }
            other => {
                return Err(place.protocol(format!("GET_READER_CAPABILITIES: answered {}", words(&other))));
            }
        }
        let settings = ReaderSettings {
            events: vec![(event_type::READER_EXCEPTION, true), (event_type::ANTENNA, true)],
            keepalive: Some(KeepaliveSpec::Periodic {
                period_ms: u32::try_from(keepalive_ms).unwrap_or(5_000),
            }),
            ..ReaderSettings::default()
        };
        session.order(&Message::SetConfig(settings), "SET_READER_CONFIG").await?;
        session.order(&Message::RoSpec(RoSpecAct::Delete, 0), "DELETE_ROSPEC").await?;
        let content = Content::ANTENNA_ID
            | Content::PEAK_RSSI
            | Content::FIRST_SEEN
            | Content::LAST_SEEN
            | Content::SEEN_COUNT;
        let mut spec = RoSpec::on_command(ROSPEC, &self.antennas, Content(content));
        if let Some(report) = &mut spec.report {
            // C1G2EPCMemorySelector with EnablePCBits: without them a container's tag is no EPC of anybody's.
            report.content_more.push(RawTlv { kind: 348, body: vec![0x40] });
        }
        session.order(&Message::AddRoSpec(spec), "ADD_ROSPEC").await?;
        session.order(&Message::RoSpec(RoSpecAct::Enable, ROSPEC), "ENABLE_ROSPEC").await
    }

    async fn serve(
        &mut self,
        session: &mut Session,
        link: &mut DeviceLink<ReaderCommand>,
        keepalive_ms: u64,
    ) -> Result<(), End> {
        let mut running = false;
        loop {
            if running != self.wanted {
                running = self.switch(session).await?;
            }
            let health = self.quality.health();
            if self.quality.said.as_ref() != Some(&health) {
                self.quality.said = Some(health.clone());
                link.health(health).await?;
            }
            // Two keepalives may be missed; half a period more covers the network.
            let silence = Duration::from_millis(keepalive_ms * 5 / 2);
            let lost_at: Instant = session.heard() + silence;
            tokio::select! {
                biased;
                command = link.commands.recv() => match command {
                    Some(ReaderCommand::Start) => {
                        self.wanted = true;
                        self.fold.clear();
                        self.quality.complaint = None;
                    }
                    Some(ReaderCommand::Stop) => self.wanted = false,
                    None => return Err(End::Stopped),
                },
                message = session.next() => self.message(message?, session, link, running).await?,
                () = sleep_until(lost_at) => {
                    let ms = silence.as_millis();
                    return Err(End::Lost(session.place.link(format!("silent for {ms} ms: 2 keepalives missed"))));
                }
            }
        }
    }

    /// Starts or stops the inventory as wanted; gives what now holds.
    async fn switch(&mut self, session: &mut Session) -> Result<bool, DriverError> {
        if self.wanted {
            session.order(&Message::RoSpec(RoSpecAct::Start, ROSPEC), "START_ROSPEC").await?;
        } else {
            let status =
                session.order_status(&Message::RoSpec(RoSpecAct::Stop, ROSPEC), "STOP_ROSPEC").await?;
            // Refused: it had ended by itself. Should it still run, the next start is refused and the
            // reader is set up anew.
            if !status.is_ok() {
                tracing::warn!(device = %session.place.device, status = status.code, "STOP_ROSPEC was refused");
            }
        }
        Ok(self.wanted)
    }

    async fn message(
        &mut self,
        message: Message,
        session: &mut Session,
        link: &DeviceLink<ReaderCommand>,
        running: bool,
    ) -> Result<(), End> {
        match message {
            Message::Keepalive => session.acknowledge().await?,
            Message::Report(report) => {
                if running {
                    self.report(&report, link).await?;
                }
            }
            Message::Events(events) => {
                for event in events.events {
                    self.event(event, &session.place)?;
                }
            }
            other => {
                tracing::warn!(device = %session.place.device, kind = other.kind(), "message that nobody asked for");
            }
        }
        Ok(())
    }

    async fn report(&mut self, report: &Report, link: &DeviceLink<ReaderCommand>) -> Result<(), Stopped> {
        if report.dropped > 0 {
            self.quality.complaint = Some(format!("{} tag reports could not be read", report.dropped));
        }
        let now_ms = link.clock.now().mono_ms.0;
        for tag in &report.tags {
            match self.fold.fold(tag, now_ms) {
                Folded::Say(read) => link.observe(Observed::Tag(read)).await?,
                Folded::Known | Folded::Foreign => {}
                Folded::Unattributable => {
                    self.quality.complaint = Some(
                        "tag reports carry no antenna or no RSSI and cannot be attributed to the lane".into(),
                    );
                }
                Folded::Full => {
                    self.quality.complaint =
                        Some("more tags in one dwell than a lane can have; check the antennas".into());
                }
            }
        }
        Ok(())
    }

    fn event(&mut self, event: ReaderEvent, place: &Place) -> Result<(), DriverError> {
        match event {
            ReaderEvent::Antenna { change, antenna } => {
                if self.antennas.is_empty() || self.antennas.contains(&antenna) {
                    match change {
                        AntennaChange::Disconnected => self.quality.gone.insert(antenna),
                        AntennaChange::Connected => self.quality.gone.remove(&antenna),
                    };
                }
            }
            ReaderEvent::Exception(text) => {
                let short: String = text.chars().take(200).collect();
                self.quality.complaint = Some(format!("the reader reports: {short}"));
            }
            ReaderEvent::BufferOverflow => {
                self.quality.complaint =
                    Some("the reader's report buffer ran over; reports were lost".into());
            }
            ReaderEvent::ConnectionClose => return Err(place.link("the reader closes the connection")),
            ReaderEvent::ConnectionAttempt(ConnectionStatus::AnotherAttempted) => {
                tracing::warn!(device = %place.device, "somebody else tries to connect to the reader");
            }
            ReaderEvent::ConnectionAttempt(_)
            | ReaderEvent::RoSpec { .. }
            | ReaderEvent::BufferWarning(_)
            | ReaderEvent::Other(_) => {}
        }
        Ok(())
    }
}

fn accepted(place: &Place, status: Option<ConnectionStatus>) -> Result<(), DriverError> {
    Err(place.link(match status {
        Some(ConnectionStatus::Success) => return Ok(()),
        Some(ConnectionStatus::ClientConnectionExists) => {
            "refused: another client has the reader; it is free once that connection ends"
        }
        Some(ConnectionStatus::ReaderConnectionExists) => {
            "refused: the reader has opened a connection itself"
        }
        Some(ConnectionStatus::AnotherAttempted | ConnectionStatus::Other) => {
            "refused: the reader gives no reason"
        }
        None => "its first event is not a connection event",
    }))
}

fn words(message: &Message) -> String {
    let of = |status: &LlrpStatus| format!("status {} {}", status.code, status.text);
    match message {
        Message::Status(_, status) | Message::Capabilities { status, .. } => of(status),
        other => format!("message type {}", other.kind()),
    }
}

impl Driver for ReaderDriver {
    type Command = ReaderCommand;

    async fn run(&mut self, link: &mut DeviceLink<ReaderCommand>) -> Result<Stopped, DriverError> {
        let place = Place {
            device: link.id.to_string(),
            endpoint: format!("{}://{}", self.endpoint.scheme, self.endpoint.address()),
        };
        let keepalive_ms = self.setting(&place, "keepalive_ms", KEEPALIVE_MS, (200, 60_000))?;
        let request_ms = self.setting(&place, "request_ms", REQUEST_MS, (100, 60_000))?;
        let seals = self.seals(&place)?;
        self.fold.knows_seals(seals);
        let mut session = Session::open(place, &self.endpoint, link.tap.clone(), request_ms).await?;
        self.provision(&mut session, keepalive_ms, request_ms).await?;
        self.quality = Quality::default();
        match self.serve(&mut session, link, keepalive_ms).await {
            Err(End::Lost(error)) => Err(error),
            Ok(()) | Err(End::Stopped) => {
                // Without a good-bye many readers keep the connection for a while and refuse the next.
                let bye = session.request(&Message::CloseConnection, "CLOSE_CONNECTION");
                let _ = timeout(Duration::from_millis(CLOSE_MS), bye).await;
                Ok(Stopped)
            }
        }
    }
}
