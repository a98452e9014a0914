//! Messages by type (clause 16.1): what is inside a [`Frame`].

use super::bits::{Cursor, Writer};
use super::{
    Capabilities, Frame, LlrpStatus, RawTlv, ReaderEvents, ReaderSettings, Report, RoSpec, VERSION_1_0_1,
    WireError,
};

/// Requests that name a ROSpec and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoSpecAct {
    /// 21 DELETE_ROSPEC; id 0 is all.
    Delete,
    /// 22 START_ROSPEC.
    Start,
    /// 23 STOP_ROSPEC.
    Stop,
    /// 24 ENABLE_ROSPEC; id 0 is all.
    Enable,
    /// 25 DISABLE_ROSPEC; id 0 is all.
    Disable,
}

/// Responses that carry a status and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusReply {
    /// 4 CLOSE_CONNECTION_RESPONSE.
    CloseConnection,
    /// 13 SET_READER_CONFIG_RESPONSE.
    SetReaderConfig,
    /// 30 ADD_ROSPEC_RESPONSE.
    AddRoSpec,
    /// 31..=35: the response to a [`RoSpecAct`].
    RoSpec(RoSpecAct),
    /// 51 DELETE_ACCESSSPEC_RESPONSE.
    DeleteAccessSpec,
    /// 100 ERROR_MESSAGE.
    Error,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// 1 GET_READER_CAPABILITIES.
    GetCapabilities {
        /// 0 all, 1 device, 2 protocol, 3 regulatory, 4 air protocol.
        requested: u8,
    },
    /// 11 GET_READER_CAPABILITIES_RESPONSE.
    Capabilities {
        /// Status.
        status: LlrpStatus,
        /// What was asked for.
        capabilities: Capabilities,
    },
    /// 2 GET_READER_CONFIG.
    GetConfig {
        /// Antenna, 0 all.
        antenna: u16,
        /// 0 all; see the standard for the parts.
        requested: u8,
        /// Input port, 0 all.
        gpi: u16,
        /// Output port, 0 all.
        gpo: u16,
    },
    /// 12 GET_READER_CONFIG_RESPONSE.
    Config {
        /// Status.
        status: LlrpStatus,
        /// What was asked for, not looked into.
        parts: Vec<RawTlv>,
    },
    /// 3 SET_READER_CONFIG.
    SetConfig(ReaderSettings),
    /// 14 CLOSE_CONNECTION.
    CloseConnection,
    /// 20 ADD_ROSPEC.
    AddRoSpec(RoSpec),
    /// 21..=25.
    RoSpec(RoSpecAct, u32),
    /// 26 GET_ROSPECS.
    GetRoSpecs,
    /// 36 GET_ROSPECS_RESPONSE.
    RoSpecs {
        /// Status.
        status: LlrpStatus,
        /// The reader's ROSpecs.
        specs: Vec<RoSpec>,
    },
    /// 41 DELETE_ACCESSSPEC; id 0 is all.
    DeleteAccessSpec(u32),
    /// A response that carries a status alone.
    Status(StatusReply, LlrpStatus),
    /// 60 GET_REPORT.
    GetReport,
    /// 61 RO_ACCESS_REPORT.
    Report(Report),
    /// 62 KEEPALIVE.
    Keepalive,
    /// 72 KEEPALIVE_ACK.
    KeepaliveAck,
    /// 63 READER_EVENT_NOTIFICATION.
    Events(ReaderEvents),
    /// 64 ENABLE_EVENTS_AND_REPORTS.
    EnableEventsAndReports,
    /// A type that is not looked into (access specs, 1.1, vendors').
    Other {
        /// Message type.
        kind: u16,
        /// Body.
        body: Vec<u8>,
    },
}

impl RoSpecAct {
    fn kind(self) -> u16 {
        match self {
            Self::Delete => 21,
            Self::Start => 22,
            Self::Stop => 23,
            Self::Enable => 24,
            Self::Disable => 25,
        }
    }
    fn of_kind(kind: u16) -> Option<Self> {
        [Self::Delete, Self::Start, Self::Stop, Self::Enable, Self::Disable]
            .into_iter()
            .find(|a| a.kind() == kind)
    }
}

impl StatusReply {
    fn kind(self) -> u16 {
        match self {
            Self::CloseConnection => 4,
            Self::SetReaderConfig => 13,
            Self::AddRoSpec => 30,
            Self::RoSpec(act) => act.kind() + 10,
            Self::DeleteAccessSpec => 51,
            Self::Error => 100,
        }
    }
}

impl Message {
    /// The message type.
    pub fn kind(&self) -> u16 {
        match self {
            Self::GetCapabilities { .. } => 1,
            Self::Capabilities { .. } => 11,
            Self::GetConfig { .. } => 2,
            Self::Config { .. } => 12,
            Self::SetConfig(_) => 3,
            Self::CloseConnection => 14,
            Self::AddRoSpec(_) => 20,
            Self::RoSpec(act, _) => act.kind(),
            Self::GetRoSpecs => 26,
            Self::RoSpecs { .. } => 36,
            Self::DeleteAccessSpec(_) => 41,
            Self::Status(reply, _) => reply.kind(),
            Self::GetReport => 60,
            Self::Report(_) => 61,
            Self::Keepalive => 62,
            Self::KeepaliveAck => 72,
            Self::Events(_) => 63,
            Self::EnableEventsAndReports => 64,
            Self::Other { kind, .. } => *kind,
        }
    }

    /// The bytes of the whole message under this id.
    pub fn encode(&self, id: u32) -> Result<Vec<u8>, WireError> {
        let mut w = Writer::default();
        match self {
            Self::GetCapabilities { requested } => {
                w.u8(*requested);
            }
            Self::Capabilities { status, capabilities } => {
                status.write(&mut w);
                capabilities.write(&mut w);
            }
            Self::GetConfig { antenna, requested, gpi, gpo } => {
                w.u16(*antenna).u8(*requested).u16(*gpi).u16(*gpo);
            }
            Self::Config { status, parts } => {
                status.write(&mut w);
                w.raws(parts);
            }
            Self::SetConfig(settings) => settings.write(&mut w),
            Self::AddRoSpec(spec) => spec.write(&mut w),
            Self::RoSpec(_, id) | Self::DeleteAccessSpec(id) => {
                w.u32(*id);
            }
            Self::RoSpecs { status, specs } => {
                status.write(&mut w);
                for spec in specs {
                    spec.write(&mut w);
                }
            }
            Self::Status(_, status) => status.write(&mut w),
            Self::Report(report) => report.write(&mut w),
            Self::Events(events) => events.write(&mut w),
            Self::Other { body, .. } => {
                w.raw(body);
            }
            Self::CloseConnection
            | Self::GetRoSpecs
            | Self::GetReport
            | Self::Keepalive
            | Self::KeepaliveAck
            | Self::EnableEventsAndReports => {}
        }
        Frame { version: VERSION_1_0_1, kind: self.kind(), id, body: w.finish()? }.encode()
    }

    /// Looks into a frame. Types that are not modelled come out as [`Message::Other`].
    pub fn decode(frame: &Frame) -> Result<Self, WireError> {
        let mut c = Cursor::new("message", &frame.body);
        Ok(match frame.kind {
            1 => Self::GetCapabilities { requested: c.u8("RequestedData")? },
            11 => {
                let mut capabilities = Capabilities::default();
                let status = read_with_status(c.named("GET_READER_CAPABILITIES_RESPONSE"), |k, b| {
                    capabilities.add(k, b)
                })?;
                Self::Capabilities { status, capabilities }
            }
            2 => Self::GetConfig {
                antenna: c.u16("AntennaID")?,
                requested: c.u8("RequestedData")?,
                gpi: c.u16("GPIPortNum")?,
                gpo: c.u16("GPOPortNum")?,
            },
            12 => {
                let mut parts = Vec::new();
                let status = read_with_status(c.named("GET_READER_CONFIG_RESPONSE"), |kind, mut b| {
                    parts.push(RawTlv { kind, body: b.remaining().to_vec() });
                    Ok(())
                })?;
                Self::Config { status, parts }
            }
            3 => Self::SetConfig(ReaderSettings::read(c.named("SET_READER_CONFIG"))?),
            14 => Self::CloseConnection,
            20 => Self::AddRoSpec(read_rospec(c)?),
            26 => Self::GetRoSpecs,
            36 => {
                let mut specs = Vec::new();
                let status = read_with_status(c.named("GET_ROSPECS_RESPONSE"), |kind, b| {
                    if kind == RoSpec::KIND {
                        specs.push(RoSpec::read(b)?);
                    }
                    Ok(())
                })?;
                Self::RoSpecs { status, specs }
            }
            41 => Self::DeleteAccessSpec(c.u32("AccessSpecID")?),
            4 => read_status(StatusReply::CloseConnection, c)?,
            13 => read_status(StatusReply::SetReaderConfig, c)?,
            30 => read_status(StatusReply::AddRoSpec, c)?,
            51 => read_status(StatusReply::DeleteAccessSpec, c)?,
            100 => read_status(StatusReply::Error, c)?,
            60 => Self::GetReport,
            61 => Self::Report(Report::read(c.named("RO_ACCESS_REPORT"))?),
            62 => Self::Keepalive,
            72 => Self::KeepaliveAck,
            63 => Self::Events(ReaderEvents::read(c.named("READER_EVENT_NOTIFICATION"))?),
            64 => Self::EnableEventsAndReports,
            kind => {
                if let Some(act) = RoSpecAct::of_kind(kind) {
                    Self::RoSpec(act, c.u32("ROSpecID")?)
                } else if let Some(act) = kind.checked_sub(10).and_then(RoSpecAct::of_kind) {
                    read_status(StatusReply::RoSpec(act), c)?
                } else {
                    Self::Other { kind, body: c.remaining().to_vec() }
                }
            }
        })
    }
}

fn read_rospec(c: Cursor<'_>) -> Result<RoSpec, WireError> {
    let mut c = c.named("ADD_ROSPEC");
    while let Some((kind, body)) = c.tlv()? {
        if kind == RoSpec::KIND {
            return RoSpec::read(body);
        }
    }
    Err(WireError::Missing { what: "ADD_ROSPEC", part: "ROSpec" })
}

fn read_status(reply: StatusReply, c: Cursor<'_>) -> Result<Message, WireError> {
    Ok(Message::Status(reply, read_with_status(c.named("response"), |_, _| Ok(()))?))
}

fn read_with_status<'a>(
    mut c: Cursor<'a>,
    mut other: impl FnMut(u16, Cursor<'a>) -> Result<(), WireError>,
) -> Result<LlrpStatus, WireError> {
    let mut status = None;
    while let Some((kind, body)) = c.tlv()? {
        if kind == LlrpStatus::KIND {
            status = Some(LlrpStatus::read(body)?);
        } else {
            other(kind, body)?;
        }
    }
    status.ok_or(WireError::Missing { what: c.what, part: "LLRPStatus" })
}
