//! ROSpec and what it holds (parameters 177..=186, 237, 238; clauses 11.2 and 14.2).

use super::bits::{Cursor, Writer};
use super::{RawTlv, WireError};

macro_rules! coded {
    ($(#[$doc:meta])* $name:ident, $what:literal, $field:literal { $($(#[$vdoc:meta])* $variant:ident = $code:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }
        impl $name {
            pub(super) fn code(self) -> u8 {
                match self { $(Self::$variant => $code),+ }
            }
            pub(super) fn from_code(code: u8) -> Result<Self, WireError> {
                match code {
                    $($code => Ok(Self::$variant),)+
                    other => Err(WireError::Field { what: $what, field: $field, value: u32::from(other) }),
                }
            }
        }
    };
}

coded! {
    /// ROSpec.CurrentState.
    RoSpecState, "ROSpec", "CurrentState" {
        /// Added, not armed.
        Disabled = 0,
        /// Armed, waits for its start trigger.
        Inactive = 1,
        /// Inventory runs.
        Active = 2,
    }
}
coded! {
    /// ROSpecStartTrigger type.
    StartTrigger, "ROSpecStartTrigger", "type" {
        /// Started by START_ROSPEC alone.
        Null = 0,
        /// Starts whenever it is enabled.
        Immediate = 1,
        /// Starts periodically.
        Periodic = 2,
        /// Started by an input of the reader.
        Gpi = 3,
    }
}
coded! {
    /// ROSpecStopTrigger type.
    StopTrigger, "ROSpecStopTrigger", "type" {
        /// Ends with its specs or by STOP_ROSPEC.
        Null = 0,
        /// Ends after its duration.
        Duration = 1,
        /// Ends by an input or its timeout.
        Gpi = 2,
    }
}
coded! {
    /// AISpecStopTrigger type.
    AiStopTrigger, "AISpecStopTrigger", "type" {
        /// Ends with the ROSpec.
        Null = 0,
        /// Ends after its duration.
        Duration = 1,
        /// Ends by an input or its timeout.
        Gpi = 2,
        /// Ends by what was seen.
        TagObservation = 3,
    }
}
coded! {
    /// ROReportTrigger.
    ReportTrigger, "ROReportSpec", "ROReportTrigger" {
        /// Kept until GET_REPORT.
        None = 0,
        /// After N tags or at the end of the AISpec.
        TagsOrEndOfAiSpec = 1,
        /// After N tags or at the end of the ROSpec.
        TagsOrEndOfRoSpec = 2,
    }
}

/// Which fields a tag report carries: the TagReportContentSelector's bits, from the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Content(pub u16);

impl Content {
    /// ROSpecID.
    pub const ROSPEC_ID: u16 = 0x8000;
    /// SpecIndex.
    pub const SPEC_INDEX: u16 = 0x4000;
    /// InventoryParameterSpecID.
    pub const INVENTORY_SPEC_ID: u16 = 0x2000;
    /// AntennaID.
    pub const ANTENNA_ID: u16 = 0x1000;
    /// ChannelIndex.
    pub const CHANNEL_INDEX: u16 = 0x0800;
    /// PeakRSSI.
    pub const PEAK_RSSI: u16 = 0x0400;
    /// FirstSeenTimestamp.
    pub const FIRST_SEEN: u16 = 0x0200;
    /// LastSeenTimestamp.
    pub const LAST_SEEN: u16 = 0x0100;
    /// TagSeenCount.
    pub const SEEN_COUNT: u16 = 0x0080;
    /// AccessSpecID.
    pub const ACCESS_SPEC_ID: u16 = 0x0040;

    /// True when the field is asked for.
    pub fn has(self, bit: u16) -> bool {
        self.0 & bit != 0
    }
}

/// Reader operation: what is inventoried, when, and how it is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoSpec {
    /// Its id, not 0.
    pub id: u32,
    /// 0 is the highest, 7 the lowest priority.
    pub priority: u8,
    /// Current state.
    pub state: RoSpecState,
    /// Start trigger.
    pub start: StartTrigger,
    /// The start trigger's own parameters (180, 181).
    pub start_more: Vec<RawTlv>,
    /// Stop trigger.
    pub stop: StopTrigger,
    /// Duration of the stop trigger, milliseconds.
    pub stop_after_ms: u32,
    /// The stop trigger's own parameters (181).
    pub stop_more: Vec<RawTlv>,
    /// Antenna inventories, in order; at least one.
    pub inventories: Vec<AiSpec>,
    /// How it reports; the reader's default where absent.
    pub report: Option<ReportSpec>,
    /// Specs that are not looked into (RF survey, vendors').
    pub more: Vec<RawTlv>,
}

/// AISpec: antennas and inventories on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AiSpec {
    /// Antennas from 1; 0 alone means all.
    pub antennas: Vec<u16>,
    /// Stop trigger.
    pub stop: AiStopTrigger,
    /// Its duration, milliseconds.
    pub stop_after_ms: u32,
    /// Its own parameters (181, 185).
    pub stop_more: Vec<RawTlv>,
    /// Inventories.
    pub inventories: Vec<InventorySpec>,
}

/// InventoryParameterSpec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventorySpec {
    /// Its id, not 0.
    pub id: u16,
    /// Air protocol; 1 is EPCglobal Class 1 Generation 2.
    pub protocol: u8,
    /// Antenna and air settings (222), not looked into.
    pub settings: Vec<RawTlv>,
}

/// ROReportSpec with its TagReportContentSelector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportSpec {
    /// When a report is sent.
    pub trigger: ReportTrigger,
    /// N of the trigger; 0 is unlimited.
    pub tags: u16,
    /// Fields of each tag.
    pub content: Content,
    /// The selector's own parameters (348).
    pub content_more: Vec<RawTlv>,
}

impl RoSpec {
    pub(super) const KIND: u16 = 177;

    /// An inventory of C1G2 tags on `antennas`, disabled, started by command only, that reports each
    /// tag at once with `content`.
    pub fn on_command(id: u32, antennas: &[u16], content: Content) -> Self {
        Self {
            id,
            priority: 0,
            state: RoSpecState::Disabled,
            start: StartTrigger::Null,
            start_more: Vec::new(),
            stop: StopTrigger::Null,
            stop_after_ms: 0,
            stop_more: Vec::new(),
            inventories: vec![AiSpec {
                antennas: if antennas.is_empty() { vec![0] } else { antennas.to_vec() },
                stop: AiStopTrigger::Null,
                stop_after_ms: 0,
                stop_more: Vec::new(),
                inventories: vec![InventorySpec { id: 1, protocol: 1, settings: Vec::new() }],
            }],
            report: Some(ReportSpec {
                trigger: ReportTrigger::TagsOrEndOfAiSpec,
                tags: 1,
                content,
                content_more: Vec::new(),
            }),
            more: Vec::new(),
        }
    }

    pub(super) fn write(&self, w: &mut Writer) {
        w.tlv(Self::KIND, "ROSpec", |w| {
            w.u32(self.id).u8(self.priority).u8(self.state.code());
            w.tlv(178, "ROBoundarySpec", |w| {
                w.tlv(179, "ROSpecStartTrigger", |w| {
                    w.u8(self.start.code()).raws(&self.start_more);
                });
                w.tlv(182, "ROSpecStopTrigger", |w| {
                    w.u8(self.stop.code()).u32(self.stop_after_ms).raws(&self.stop_more);
                });
            });
            for ai in &self.inventories {
                ai.write(w);
            }
            w.raws(&self.more);
            if let Some(report) = &self.report {
                report.write(w);
            }
        });
    }

    pub(super) fn read(c: Cursor<'_>) -> Result<Self, WireError> {
        let mut c = c.named("ROSpec");
        let (id, priority) = (c.u32("ROSpecID")?, c.u8("Priority")?);
        let state = RoSpecState::from_code(c.u8("CurrentState")?)?;
        let (mut start, mut stop, mut inventories, mut report, mut more) =
            (None, None, Vec::new(), None, Vec::new());
        while let Some((kind, mut body)) = c.tlv()? {
            match kind {
                178 => (start, stop) = read_boundary(body)?,
                183 => inventories.push(AiSpec::read(body)?),
                237 => report = Some(ReportSpec::read(body)?),
                kind => more.push(RawTlv { kind, body: body.remaining().to_vec() }),
            }
        }
        let missing = |part| WireError::Missing { what: "ROSpec", part };
        let (start, start_more) = start.ok_or(missing("ROSpecStartTrigger"))?;
        let (stop, stop_after_ms, stop_more) = stop.ok_or(missing("ROSpecStopTrigger"))?;
        Ok(Self {
            id,
            priority,
            state,
            start,
            start_more,
            stop,
            stop_after_ms,
            stop_more,
            inventories,
            report,
            more,
        })
    }
}

type Start = Option<(StartTrigger, Vec<RawTlv>)>;
type Stop = Option<(StopTrigger, u32, Vec<RawTlv>)>;

fn read_boundary(c: Cursor<'_>) -> Result<(Start, Stop), WireError> {
    let mut c = c.named("ROBoundarySpec");
    let (mut start, mut stop) = (None, None);
    while let Some((kind, body)) = c.tlv()? {
        match kind {
            179 => {
                let mut b = body.named("ROSpecStartTrigger");
                start = Some((StartTrigger::from_code(b.u8("type")?)?, b.raws()?));
            }
            182 => {
                let mut b = body.named("ROSpecStopTrigger");
                stop =
                    Some((StopTrigger::from_code(b.u8("type")?)?, b.u32("DurationTriggerValue")?, b.raws()?));
            }
            _unknown => {}
        }
    }
    Ok((start, stop))
}

impl AiSpec {
    fn write(&self, w: &mut Writer) {
        w.tlv(183, "AISpec", |w| {
            w.count(self.antennas.len(), "AISpec");
            for antenna in &self.antennas {
                w.u16(*antenna);
            }
            w.tlv(184, "AISpecStopTrigger", |w| {
                w.u8(self.stop.code()).u32(self.stop_after_ms).raws(&self.stop_more);
            });
            for inventory in &self.inventories {
                w.tlv(186, "InventoryParameterSpec", |w| {
                    w.u16(inventory.id).u8(inventory.protocol).raws(&inventory.settings);
                });
            }
        });
    }
    fn read(c: Cursor<'_>) -> Result<Self, WireError> {
        let mut c = c.named("AISpec");
        let count = usize::from(c.u16("AntennaCount")?);
        let ids = c.take(count * 2, "AntennaIDs")?;
        let antennas = ids.chunks_exact(2).map(|b| u16::from_be_bytes([b[0], b[1]])).collect();
        let (mut stop, mut inventories) = (None, Vec::new());
        while let Some((kind, body)) = c.tlv()? {
            match kind {
                184 => {
                    let mut b = body.named("AISpecStopTrigger");
                    let kind = AiStopTrigger::from_code(b.u8("type")?)?;
                    stop = Some((kind, b.u32("DurationTrigger")?, b.raws()?));
                }
                186 => {
                    let mut b = body.named("InventoryParameterSpec");
                    let (id, protocol) = (b.u16("InventoryParameterSpecID")?, b.u8("ProtocolID")?);
                    inventories.push(InventorySpec { id, protocol, settings: b.raws()? });
                }
                _unknown => {}
            }
        }
        let (stop, stop_after_ms, stop_more) =
            stop.ok_or(WireError::Missing { what: "AISpec", part: "AISpecStopTrigger" })?;
        Ok(Self { antennas, stop, stop_after_ms, stop_more, inventories })
    }
}

impl ReportSpec {
    fn write(&self, w: &mut Writer) {
        w.tlv(237, "ROReportSpec", |w| {
            w.u8(self.trigger.code()).u16(self.tags);
            w.tlv(238, "TagReportContentSelector", |w| {
                w.u16(self.content.0).raws(&self.content_more);
            });
        });
    }
    fn read(c: Cursor<'_>) -> Result<Self, WireError> {
        let mut c = c.named("ROReportSpec");
        let trigger = ReportTrigger::from_code(c.u8("ROReportTrigger")?)?;
        let tags = c.u16("N")?;
        let (mut content, mut content_more) = (Content::default(), Vec::new());
        while let Some((kind, body)) = c.tlv()? {
            if kind == 238 {
                let mut b = body.named("TagReportContentSelector");
                content = Content(b.u16("bits")?);
                content_more = b.raws()?;
            }
        }
        Ok(Self { trigger, tags, content, content_more })
    }
}
