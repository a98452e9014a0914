//! RO_ACCESS_REPORT and TagReportData (parameters 240, 241 and TVs 1..=17; clause 14.2.3).

use super::WireError;
use super::bits::{Cursor, Param, Writer};

/// An EPC of any length.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpcBits {
    bits: u16,
    bytes: Vec<u8>,
}

impl EpcBits {
    /// An EPC of whole bytes, at most 62 (the longest a C1G2 tag can backscatter).
    pub fn of_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let long = WireError::DoesNotFit { what: "EPC" };
        if bytes.is_empty() || bytes.len() > 62 {
            return Err(long);
        }
        let bits = u16::try_from(bytes.len() * 8).map_err(|_| long)?;
        Ok(Self { bits, bytes: bytes.to_vec() })
    }
    /// Length in bits.
    pub fn bits(&self) -> u16 {
        self.bits
    }
    /// The bytes; the last one is padded with zero bits.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    /// Lower-case hex.
    pub fn hex(&self) -> String {
        self.bytes.iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// One tag of a report. A field is `None` where the report does not carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagReport {
    /// The EPC.
    pub epc: EpcBits,
    /// ROSpecID.
    pub rospec_id: Option<u32>,
    /// SpecIndex.
    pub spec_index: Option<u16>,
    /// InventoryParameterSpecID.
    pub inventory_spec_id: Option<u16>,
    /// Antenna, from 1.
    pub antenna: Option<u16>,
    /// Strongest signal, dBm.
    pub peak_rssi_dbm: Option<i8>,
    /// Channel index.
    pub channel: Option<u16>,
    /// First seen by the reader's clock, microseconds since 1970 (UTC).
    pub first_seen_utc_us: Option<u64>,
    /// First seen, microseconds since the reader started.
    pub first_seen_uptime_us: Option<u64>,
    /// Last seen by the reader's clock, microseconds since 1970 (UTC).
    pub last_seen_utc_us: Option<u64>,
    /// Last seen, microseconds since the reader started.
    pub last_seen_uptime_us: Option<u64>,
    /// How often it was seen since the last report.
    pub seen_count: Option<u16>,
    /// C1G2 CRC.
    pub crc: Option<u16>,
    /// C1G2 protocol control bits.
    pub pc: Option<u16>,
    /// AccessSpecID.
    pub access_spec_id: Option<u32>,
}

/// RO_ACCESS_REPORT.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The tags.
    pub tags: Vec<TagReport>,
    /// TagReportData that could not be read (unknown TV, no EPC) and were dropped. Not sent.
    pub dropped: u32,
}

impl Report {
    pub(super) const TAG_KIND: u16 = 240;

    pub(super) fn write(&self, w: &mut Writer) {
        for tag in &self.tags {
            tag.write(w);
        }
    }
    pub(super) fn read(mut c: Cursor<'_>) -> Result<Self, WireError> {
        let mut report = Report::default();
        while let Some((kind, body)) = c.tlv()? {
            if kind == Self::TAG_KIND {
                match TagReport::read(body) {
                    Ok(tag) => report.tags.push(tag),
                    Err(_) => report.dropped = report.dropped.saturating_add(1),
                }
            }
        }
        Ok(report)
    }
}

impl TagReport {
    /// A report of this EPC and nothing else.
    pub fn of(epc: EpcBits) -> Self {
        Self {
            epc,
            rospec_id: None,
            spec_index: None,
            inventory_spec_id: None,
            antenna: None,
            peak_rssi_dbm: None,
            channel: None,
            first_seen_utc_us: None,
            first_seen_uptime_us: None,
            last_seen_utc_us: None,
            last_seen_uptime_us: None,
            seen_count: None,
            crc: None,
            pc: None,
            access_spec_id: None,
        }
    }

    fn write(&self, w: &mut Writer) {
        let opt16 = |w: &mut Writer, kind: u8, v: Option<u16>| {
            if let Some(v) = v {
                w.tv(kind).u16(v);
            }
        };
        let opt64 = |w: &mut Writer, kind: u8, v: Option<u64>| {
            if let Some(v) = v {
                w.tv(kind).u64(v);
            }
        };
        w.tlv(Report::TAG_KIND, "TagReportData", |w| {
            if self.epc.bits == 96 {
                w.tv(13).raw(&self.epc.bytes);
            } else {
                w.tlv(241, "EPCData", |w| {
                    w.u16(self.epc.bits).raw(&self.epc.bytes);
                });
            }
            if let Some(v) = self.rospec_id {
                w.tv(9).u32(v);
            }
            opt16(w, 14, self.spec_index);
            opt16(w, 10, self.inventory_spec_id);
            opt16(w, 1, self.antenna);
            if let Some(v) = self.peak_rssi_dbm {
                w.tv(6).raw(&v.to_be_bytes());
            }
            opt16(w, 7, self.channel);
            opt64(w, 2, self.first_seen_utc_us);
            opt64(w, 3, self.first_seen_uptime_us);
            opt64(w, 4, self.last_seen_utc_us);
            opt64(w, 5, self.last_seen_uptime_us);
            opt16(w, 8, self.seen_count);
            opt16(w, 12, self.pc);
            opt16(w, 11, self.crc);
            if let Some(v) = self.access_spec_id {
                w.tv(16).u32(v);
            }
        });
    }

    fn read(c: Cursor<'_>) -> Result<Self, WireError> {
        let mut c = c.named("TagReportData");
        let mut tag = Self::of(EpcBits { bits: 0, bytes: Vec::new() });
        while let Some(param) = c.param()? {
            match param {
                Param::Tlv(241, body) => tag.epc = read_epc(body)?,
                Param::Tlv(_unknown, _) => {}
                Param::Tv(kind) => tag.read_tv(kind, &mut c)?,
            }
        }
        if tag.epc.bits == 0 {
            return Err(WireError::Missing { what: "TagReportData", part: "EPC" });
        }
        Ok(tag)
    }

    fn read_tv(&mut self, kind: u8, c: &mut Cursor<'_>) -> Result<(), WireError> {
        match kind {
            1 => self.antenna = Some(c.u16("AntennaID")?),
            2 => self.first_seen_utc_us = Some(c.u64("FirstSeenTimestampUTC")?),
            3 => self.first_seen_uptime_us = Some(c.u64("FirstSeenTimestampUptime")?),
            4 => self.last_seen_utc_us = Some(c.u64("LastSeenTimestampUTC")?),
            5 => self.last_seen_uptime_us = Some(c.u64("LastSeenTimestampUptime")?),
            6 => self.peak_rssi_dbm = Some(i8::from_be_bytes([c.u8("PeakRSSI")?])),
            7 => self.channel = Some(c.u16("ChannelIndex")?),
            8 => self.seen_count = Some(c.u16("TagSeenCount")?),
            9 => self.rospec_id = Some(c.u32("ROSpecID")?),
            10 => self.inventory_spec_id = Some(c.u16("InventoryParameterSpecID")?),
            11 => self.crc = Some(c.u16("C1G2CRC")?),
            12 => self.pc = Some(c.u16("C1G2PC")?),
            13 => self.epc = EpcBits { bits: 96, bytes: c.take(12, "EPC-96")?.to_vec() },
            14 => self.spec_index = Some(c.u16("SpecIndex")?),
            16 => self.access_spec_id = Some(c.u32("AccessSpecID")?),
            17 => {
                c.u16("OpSpecID")?;
            }
            kind => return Err(WireError::UnknownTv { what: "TagReportData", kind }),
        }
        Ok(())
    }
}

fn read_epc(c: Cursor<'_>) -> Result<EpcBits, WireError> {
    let mut c = c.named("EPCData");
    let bits = c.u16("EPCLengthBits")?;
    let bytes = c.take(usize::from(bits.div_ceil(8)), "EPC")?.to_vec();
    if bits == 0 || bytes.len() > 62 {
        return Err(WireError::Field { what: "EPCData", field: "EPCLengthBits", value: u32::from(bits) });
    }
    Ok(EpcBits { bits, bytes })
}
