//! READER_EVENT_NOTIFICATION (parameters 246..=257; clause 14.2.6).

use super::bits::{Cursor, Param, Writer};
use super::{RawTlv, WireError};

/// Event types of EventNotificationState (clause 14.2.6.2).
pub mod event_type {
    /// ROSpec started or ended.
    pub const ROSPEC: u16 = 2;
    /// The reader's own faults.
    pub const READER_EXCEPTION: u16 = 4;
    /// An antenna went or came back.
    pub const ANTENNA: u16 = 8;
}

/// The reader's time of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventTime {
    /// Microseconds since 1970 (UTC), by the reader's clock.
    Utc(u64),
    /// Microseconds since the reader started.
    Uptime(u64),
}

/// ConnectionAttemptEvent.Status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionStatus {
    /// The connection is this client's.
    Success,
    /// The reader has opened a connection itself.
    ReaderConnectionExists,
    /// Another client has the reader.
    ClientConnectionExists,
    /// Any other reason.
    Other,
    /// Somebody else tries to connect.
    AnotherAttempted,
}

/// An antenna's change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AntennaChange {
    /// It is gone.
    Disconnected,
    /// It is back.
    Connected,
}

/// What happened to a ROSpec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoSpecMoment {
    /// It started.
    Started,
    /// It ended.
    Ended,
    /// Another one took its place.
    Preempted,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderEvent {
    /// 256: how an attempt to connect ended.
    ConnectionAttempt(ConnectionStatus),
    /// 257: the reader closes the connection.
    ConnectionClose,
    /// 255: an antenna went or came back.
    Antenna {
        /// What changed.
        change: AntennaChange,
        /// The antenna, from 1.
        antenna: u16,
    },
    /// 249: a ROSpec started or ended.
    RoSpec {
        /// What happened.
        moment: RoSpecMoment,
        /// The ROSpec.
        id: u32,
        /// The one that took its place, for `Preempted`.
        by: u32,
    },
    /// 252: the reader reports a fault of its own, in words.
    Exception(String),
    /// 250: the report buffer is this full, percent.
    BufferWarning(u8),
    /// 251: reports were lost.
    BufferOverflow,
    /// An event that is not looked into.
    Other(RawTlv),
}

/// ReaderEventNotificationData.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderEvents {
    /// When, by the reader's clock.
    pub at: Option<EventTime>,
    /// The events; normally one.
    pub events: Vec<ReaderEvent>,
}

impl ReaderEvents {
    const KIND: u16 = 246;

    /// One event at a time.
    pub fn one(utc_us: u64, event: ReaderEvent) -> Self {
        Self { at: Some(EventTime::Utc(utc_us)), events: vec![event] }
    }

    pub(super) fn write(&self, w: &mut Writer) {
        w.tlv(Self::KIND, "ReaderEventNotificationData", |w| {
            match self.at {
                Some(EventTime::Utc(us)) => {
                    w.tlv(128, "UTCTimestamp", |w| {
                        w.u64(us);
                    });
                }
                Some(EventTime::Uptime(us)) => {
                    w.tlv(129, "Uptime", |w| {
                        w.u64(us);
                    });
                }
                None => {}
            }
            for event in &self.events {
                event.write(w);
            }
        });
    }

    pub(super) fn read(mut c: Cursor<'_>) -> Result<Self, WireError> {
        while let Some((kind, body)) = c.tlv()? {
            if kind == Self::KIND {
                return Self::read_data(body.named("ReaderEventNotificationData"));
            }
        }
        Err(WireError::Missing { what: "READER_EVENT_NOTIFICATION", part: "ReaderEventNotificationData" })
    }

    fn read_data(mut c: Cursor<'_>) -> Result<Self, WireError> {
        let mut out = Self { at: None, events: Vec::new() };
        while let Some((kind, mut body)) = c.tlv()? {
            match kind {
                128 => out.at = Some(EventTime::Utc(body.u64("UTCTimestamp")?)),
                129 => out.at = Some(EventTime::Uptime(body.u64("Uptime")?)),
                kind => out.events.push(ReaderEvent::read(kind, body)?),
            }
        }
        Ok(out)
    }
}

impl ReaderEvent {
    fn write(&self, w: &mut Writer) {
        match self {
            Self::ConnectionAttempt(status) => w.tlv(256, "ConnectionAttemptEvent", |w| {
                w.u16(match status {
                    ConnectionStatus::Success => 0,
                    ConnectionStatus::ReaderConnectionExists => 1,
                    ConnectionStatus::ClientConnectionExists => 2,
                    ConnectionStatus::Other => 3,
                    ConnectionStatus::AnotherAttempted => 4,
                });
            }),
            Self::ConnectionClose => w.tlv(257, "ConnectionCloseEvent", |_| {}),
            Self::Antenna { change, antenna } => w.tlv(255, "AntennaEvent", |w| {
                w.u8(match change {
                    AntennaChange::Disconnected => 0,
                    AntennaChange::Connected => 1,
                });
                w.u16(*antenna);
            }),
            Self::RoSpec { moment, id, by } => w.tlv(249, "ROSpecEvent", |w| {
                w.u8(match moment {
                    RoSpecMoment::Started => 0,
                    RoSpecMoment::Ended => 1,
                    RoSpecMoment::Preempted => 2,
                });
                w.u32(*id).u32(*by);
            }),
            Self::Exception(text) => w.tlv(252, "ReaderExceptionEvent", |w| {
                w.text(text, "ReaderExceptionEvent");
            }),
            Self::BufferWarning(percent) => w.tlv(250, "ReportBufferLevelWarningEvent", |w| {
                w.u8(*percent);
            }),
            Self::BufferOverflow => w.tlv(251, "ReportBufferOverflowErrorEvent", |_| {}),
            Self::Other(raw) => w.raws(std::slice::from_ref(raw)),
        };
    }

    fn read(kind: u16, mut c: Cursor<'_>) -> Result<Self, WireError> {
        let undefined = |what, field, value: u32| WireError::Field { what, field, value };
        Ok(match kind {
            256 => Self::ConnectionAttempt(match c.u16("Status")? {
                0 => ConnectionStatus::Success,
                1 => ConnectionStatus::ReaderConnectionExists,
                2 => ConnectionStatus::ClientConnectionExists,
                4 => ConnectionStatus::AnotherAttempted,
                _vendor_or_3 => ConnectionStatus::Other,
            }),
            257 => Self::ConnectionClose,
            255 => {
                let change = match c.u8("EventType")? {
                    0 => AntennaChange::Disconnected,
                    1 => AntennaChange::Connected,
                    other => return Err(undefined("AntennaEvent", "EventType", other.into())),
                };
                Self::Antenna { change, antenna: c.u16("AntennaID")? }
            }
            249 => {
                let moment = match c.u8("EventType")? {
                    0 => RoSpecMoment::Started,
                    1 => RoSpecMoment::Ended,
                    2 => RoSpecMoment::Preempted,
                    other => return Err(undefined("ROSpecEvent", "EventType", other.into())),
                };
                Self::RoSpec { moment, id: c.u32("ROSpecID")?, by: c.u32("PreemptingROSpecID")? }
            }
            252 => {
                let text = c.text("Message")?;
                // TVs that tell which spec was running may follow; the words are what is used.
                while let Ok(Some(Param::Tlv(..))) = c.param() {}
                Self::Exception(text)
            }
            250 => Self::BufferWarning(c.u8("ReportBufferPercentageFull")?),
            251 => Self::BufferOverflow,
            kind => Self::Other(RawTlv { kind, body: c.remaining().to_vec() }),
        })
    }
}
