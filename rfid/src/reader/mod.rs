//! The reader's side of LLRP as a pure state machine: bytes in, bytes out, the caller owns socket and
//! clock. It answers every request of the standard's reader configuration and ROSpec operations, keeps
//! the ROSpec life cycle, reports while a ROSpec is active, and sends keepalives.
//!
//! One client at a time, as readers have it: a second connection gets [`ReaderFace::refusal`].

mod inventory;

pub use inventory::{MAX_PENDING, Moment, Sighting};

use crate::wire::{
    AntennaChange, Capabilities, ConnectionStatus, Deframer, Frame, KeepaliveSpec, LlrpStatus, Message,
    RawTlv, ReaderEvent, ReaderEvents, ReaderSettings, Report, RoSpec, RoSpecAct, RoSpecMoment, RoSpecState,
    StatusReply, TagReport, VERSION_1_0_1, WireError, code, event_type,
};
use inventory::Inventory;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Most ROSpecs kept, as the capabilities tell.
pub const MAX_ROSPECS: usize = 8;
/// Most messages waiting to be sent before reports are dropped and an overflow event is sent.
pub const MAX_WAITING: usize = 256;

/// A reader as its client sees it.
#[derive(Debug)]
pub struct ReaderFace {
    antennas: u16,
    deframer: Deframer,
    output: VecDeque<Vec<u8>>,
    next_id: u32,
    inventories: BTreeMap<u32, Inventory>,
    keepalive_ms: Option<u64>,
    next_keepalive_ms: Option<u64>,
    unanswered: u32,
    events: BTreeSet<u16>,
    hold: bool,
    holding: bool,
    closing: bool,
}

impl ReaderFace {
    /// A reader with so many antenna ports, just switched on.
    pub fn new(antennas: u16) -> Self {
        Self {
            antennas,
            deframer: Deframer::new(),
            output: VecDeque::new(),
            next_id: 1,
            inventories: BTreeMap::new(),
            keepalive_ms: None,
            next_keepalive_ms: None,
            unanswered: 0,
            events: BTreeSet::new(),
            hold: false,
            holding: false,
            closing: false,
        }
    }

    /// A client has connected. ROSpecs and settings of the last connection are kept, as the standard has
    /// it.
    pub fn connected(&mut self, now: Moment) {
        self.deframer = Deframer::new();
        self.output.clear();
        (self.unanswered, self.closing, self.holding) = (0, false, self.hold);
        self.next_keepalive_ms = self.keepalive_ms.map(|period| now.ms.saturating_add(period));
        self.event(ReaderEvent::ConnectionAttempt(ConnectionStatus::Success), now);
    }
    /// What a second client is sent before its connection is closed.
    pub fn refusal(now: Moment) -> Vec<u8> {
        let event = ReaderEvent::ConnectionAttempt(ConnectionStatus::ClientConnectionExists);
        Message::Events(ReaderEvents::one(now.utc_us, event)).encode(1).unwrap_or_default()
    }
    /// The next message to send.
    pub fn next_output(&mut self) -> Option<Vec<u8>> {
        self.output.pop_front()
    }
    /// True after CLOSE_CONNECTION: close once the output is sent.
    pub fn is_closing(&self) -> bool {
        self.closing
    }
    /// Keepalives since the last answer to one.
    pub fn unanswered_keepalives(&self) -> u32 {
        self.unanswered
    }
    /// True while a ROSpec is active.
    pub fn is_inventorying(&self) -> bool {
        self.inventories.values().any(Inventory::is_active)
    }
    /// When [`ReaderFace::tick`] has something to do, on the monotonic clock.
    pub fn next_deadline_ms(&self) -> Option<u64> {
        self.inventories.values().filter_map(Inventory::deadline_ms).chain(self.next_keepalive_ms).min()
    }

    /// Bytes from the client, cut anywhere. An error means that the stream is lost: close it.
    pub fn receive(&mut self, bytes: &[u8], now: Moment) -> Result<(), WireError> {
        let mut rest = bytes;
        while let Some(frame) = self.deframer.take(&mut rest)? {
            self.request(&frame, now);
        }
        Ok(())
    }

    /// A tag is in an antenna's field. True when an active ROSpec looks there.
    pub fn see(&mut self, sighting: &Sighting, now: Moment) -> bool {
        let mut seen = false;
        let mut reports = Vec::new();
        for inventory in self.inventories.values_mut() {
            if let Some(tags) = inventory.see(sighting, now) {
                seen = true;
                reports.extend(tags.into_iter().map(|t| inventory.cut(t)));
            }
        }
        self.report(reports, now);
        seen
    }
    /// An antenna goes or comes back; told to a client that asked for it.
    pub fn antenna(&mut self, change: AntennaChange, antenna: u16, now: Moment) {
        if self.events.contains(&event_type::ANTENNA) {
            self.event(ReaderEvent::Antenna { change, antenna }, now);
        }
    }
    /// Does what has become due: keepalives, ends of rounds and ROSpecs.
    pub fn tick(&mut self, now: Moment) {
        if let (Some(at), Some(period)) = (self.next_keepalive_ms, self.keepalive_ms)
            && at <= now.ms
        {
            self.next_keepalive_ms = Some(now.ms.saturating_add(period.max(1)));
            self.unanswered = self.unanswered.saturating_add(1);
            self.send_own(&Message::Keepalive);
        }
        let (mut reports, mut ended) = (Vec::new(), Vec::new());
        for (id, inventory) in &mut self.inventories {
            let due = inventory.due(now);
            reports.extend(due.report.into_iter().map(|t| inventory.cut(t)));
            if due.ended {
                ended.push(*id);
            }
        }
        self.report(reports, now);
        for id in ended {
            self.rospec_event(RoSpecMoment::Ended, id, now);
        }
        self.start_immediate(now);
    }

    fn request(&mut self, frame: &Frame, now: Moment) {
        let answer = if frame.version != VERSION_1_0_1 {
            let text = format!("version {} is not spoken, only {VERSION_1_0_1}", frame.version);
            Some(Message::Status(StatusReply::Error, LlrpStatus::failed(code::UNSUPPORTED_VERSION, text)))
        } else {
            match Message::decode(frame) {
                Ok(message) => self.answer(message, now),
                Err(error) => {
                    let status = LlrpStatus::failed(code::PARAMETER_ERROR, error.to_string());
                    Some(Message::Status(StatusReply::Error, status))
                }
            }
        };
        if let Some(answer) = answer {
            self.send(&answer, frame.id);
        }
    }

    fn answer(&mut self, message: Message, now: Moment) -> Option<Message> {
        let done = |reply, result: Result<(), LlrpStatus>| {
            Some(Message::Status(reply, result.err().unwrap_or_else(LlrpStatus::ok)))
        };
        match message {
            Message::GetCapabilities { requested } => {
                let mut capabilities = Capabilities::of_plain_reader(self.antennas);
                if requested > 1 {
                    capabilities.general = None;
                }
                let wanted = [(2, 142), (3, 143), (4, 327)];
                capabilities.more.retain(|p| requested == 0 || wanted.contains(&(requested, p.kind)));
                Some(Message::Capabilities { status: LlrpStatus::ok(), capabilities })
            }
            Message::GetConfig { .. } => {
                let period = self.keepalive_ms.and_then(|ms| u32::try_from(ms).ok());
                let mut body = vec![u8::from(period.is_some())];
                body.extend(period.unwrap_or(0).to_be_bytes());
                let parts = vec![RawTlv { kind: 220, body }];
                Some(Message::Config { status: LlrpStatus::ok(), parts })
            }
            Message::SetConfig(settings) => {
                self.configure(settings, now);
                done(StatusReply::SetReaderConfig, Ok(()))
            }
            Message::CloseConnection => {
                self.closing = true;
                done(StatusReply::CloseConnection, Ok(()))
            }
            Message::AddRoSpec(spec) => done(StatusReply::AddRoSpec, self.add(spec)),
            Message::RoSpec(act, id) => {
                let result = self.act(act, id, now);
                let answer = done(StatusReply::RoSpec(act), result);
                self.start_immediate(now);
                answer
            }
            Message::GetRoSpecs => {
                let specs = self.inventories.values().map(|i| i.spec.clone()).collect();
                Some(Message::RoSpecs { status: LlrpStatus::ok(), specs })
            }
            Message::DeleteAccessSpec(_) => done(StatusReply::DeleteAccessSpec, Ok(())),
            Message::GetReport => {
                let mut tags = Vec::new();
                for inventory in self.inventories.values_mut() {
                    let collected = inventory.collect();
                    tags.extend(collected.into_iter().map(|t| inventory.cut(t)));
                }
                Some(Message::Report(Report { tags, dropped: 0 }))
            }
            Message::KeepaliveAck => {
                self.unanswered = 0;
                None
            }
            Message::EnableEventsAndReports => {
                self.holding = false;
                None
            }
            Message::Capabilities { .. }
            | Message::Config { .. }
            | Message::RoSpecs { .. }
            | Message::Status(..)
            | Message::Report(_)
            | Message::Keepalive
            | Message::Events(_) => {
                let status =
                    LlrpStatus::failed(code::UNEXPECTED_MESSAGE, "a reader's message came from a client");
                Some(Message::Status(StatusReply::Error, status))
            }
            Message::Other { kind, .. } => {
                let status = LlrpStatus::failed(code::UNSUPPORTED_MESSAGE, format!("message type {kind}"));
                Some(Message::Status(StatusReply::Error, status))
            }
        }
    }

    fn configure(&mut self, settings: ReaderSettings, now: Moment) {
        if settings.reset {
            self.inventories.clear();
            self.events.clear();
            (self.keepalive_ms, self.next_keepalive_ms, self.hold) = (None, None, false);
        }
        for (kind, wanted) in settings.events {
            if !wanted {
                self.events.remove(&kind);
            } else if self.events.len() < 64 {
                self.events.insert(kind);
            }
        }
        if let Some(keepalive) = settings.keepalive {
            self.keepalive_ms = match keepalive {
                KeepaliveSpec::Off => None,
                KeepaliveSpec::Periodic { period_ms } => Some(u64::from(period_ms).max(1)),
            };
            self.next_keepalive_ms = self.keepalive_ms.map(|period| now.ms.saturating_add(period));
        }
        self.hold = settings.hold.unwrap_or(self.hold);
    }

    fn add(&mut self, spec: RoSpec) -> Result<(), LlrpStatus> {
        let refuse = |text: String| Err(LlrpStatus::failed(code::FIELD_ERROR, text));
        if spec.id == 0 || self.inventories.contains_key(&spec.id) {
            return refuse(format!("ROSpecID {} is 0 or taken", spec.id));
        }
        if spec.state != RoSpecState::Disabled {
            return refuse("CurrentState must be disabled".into());
        }
        if self.inventories.len() >= MAX_ROSPECS {
            return refuse(format!("at most {MAX_ROSPECS} ROSpecs"));
        }
        let inventory = Inventory::new(spec);
        if let Some(antenna) = inventory.antennas().find(|a| *a > self.antennas) {
            return refuse(format!("antenna {antenna} of {}", self.antennas));
        }
        if inventory.antennas().next().is_none() {
            return refuse("no AISpec with antennas".into());
        }
        self.inventories.insert(inventory.spec.id, inventory);
        Ok(())
    }

    fn act(&mut self, act: RoSpecAct, id: u32, now: Moment) -> Result<(), LlrpStatus> {
        let all = id == 0 && matches!(act, RoSpecAct::Delete | RoSpecAct::Enable | RoSpecAct::Disable);
        let ids: Vec<u32> = if all { self.inventories.keys().copied().collect() } else { vec![id] };
        let busy = self.is_inventorying();
        for id in ids {
            let refuse = |text: &str| LlrpStatus::failed(code::FIELD_ERROR, format!("ROSpec {id} {text}"));
            let Some(inventory) = self.inventories.get_mut(&id) else { return Err(refuse("does not exist")) };
            let was = inventory.spec.state;
            let mut tags = Vec::new();
            match (act, was) {
                (RoSpecAct::Delete | RoSpecAct::Disable, _) => tags = inventory.leave(RoSpecState::Disabled),
                (RoSpecAct::Enable, RoSpecState::Disabled) => inventory.spec.state = RoSpecState::Inactive,
                (RoSpecAct::Enable, RoSpecState::Inactive | RoSpecState::Active) => {}
                (RoSpecAct::Start, RoSpecState::Inactive) if busy => {
                    return Err(refuse("waits: another is active"));
                }
                (RoSpecAct::Start, RoSpecState::Inactive) => inventory.start(now),
                (RoSpecAct::Start, RoSpecState::Disabled) => return Err(refuse("is disabled")),
                (RoSpecAct::Start, RoSpecState::Active) => return Err(refuse("is already active")),
                (RoSpecAct::Stop, RoSpecState::Active) => tags = inventory.leave(RoSpecState::Inactive),
                (RoSpecAct::Stop, RoSpecState::Disabled | RoSpecState::Inactive) => {
                    return Err(refuse("is not active"));
                }
            }
            let tags: Vec<_> = tags.into_iter().map(|t| inventory.cut(t)).collect();
            let now_active = inventory.is_active();
            if act == RoSpecAct::Delete {
                self.inventories.remove(&id);
            }
            self.report(tags, now);
            match (was == RoSpecState::Active, now_active) {
                (true, false) => self.rospec_event(RoSpecMoment::Ended, id, now),
                (false, true) => self.rospec_event(RoSpecMoment::Started, id, now),
                (true, true) | (false, false) => {}
            }
        }
        Ok(())
    }

    /// ROSpecs with an immediate start trigger start whenever none is active.
    fn start_immediate(&mut self, now: Moment) {
        if self.is_inventorying() {
            return;
        }
        if let Some((id, inventory)) = self.inventories.iter_mut().find(|(_, i)| i.starts_by_itself()) {
            inventory.start(now);
            let id = *id;
            self.rospec_event(RoSpecMoment::Started, id, now);
        }
    }

    fn rospec_event(&mut self, moment: RoSpecMoment, id: u32, now: Moment) {
        if self.events.contains(&event_type::ROSPEC) {
            self.event(ReaderEvent::RoSpec { moment, id, by: 0 }, now);
        }
    }
    fn report(&mut self, tags: Vec<TagReport>, now: Moment) {
        if tags.is_empty() || self.holding {
            return;
        }
        if self.output.len() < MAX_WAITING {
            self.send_own(&Message::Report(Report { tags, dropped: 0 }));
        } else if self.output.len() == MAX_WAITING {
            self.event(ReaderEvent::BufferOverflow, now);
        }
    }
    fn event(&mut self, event: ReaderEvent, now: Moment) {
        self.send_own(&Message::Events(ReaderEvents::one(now.utc_us, event)));
    }
    fn send_own(&mut self, message: &Message) {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1).max(1);
        self.send(message, id);
    }
    fn send(&mut self, message: &Message, id: u32) {
        match message.encode(id) {
            Ok(bytes) => self.output.push_back(bytes),
            Err(error) => {
                let status = LlrpStatus::failed(code::DEVICE_ERROR, error.to_string());
                self.output.extend(Message::Status(StatusReply::Error, status).encode(id).ok());
            }
        }
    }
}
