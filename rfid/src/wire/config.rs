//! Reader configuration and capabilities (clauses 10 and 13).

use super::bits::{Cursor, Writer};
use super::{RawTlv, WireError};

/// KeepaliveSpec (220).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepaliveSpec {
    /// No keepalives.
    Off,
    /// One every so many milliseconds.
    Periodic {
        /// Period, milliseconds.
        period_ms: u32,
    },
}

/// What SET_READER_CONFIG carries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReaderSettings {
    /// Back to the factory's settings first.
    pub reset: bool,
    /// Which events are wanted, as (type, wanted); see [`super::event_type`].
    pub events: Vec<(u16, bool)>,
    /// Keepalives.
    pub keepalive: Option<KeepaliveSpec>,
    /// Hold events and reports after a reconnect until ENABLE_EVENTS_AND_REPORTS.
    pub hold: Option<bool>,
    /// Everything else (antenna settings, vendors'), not looked into.
    pub more: Vec<RawTlv>,
}

impl ReaderSettings {
    pub(super) fn write(&self, w: &mut Writer) {
        w.flag(self.reset);
        if !self.events.is_empty() {
            w.tlv(244, "ReaderEventNotificationSpec", |w| {
                for (kind, wanted) in &self.events {
                    w.tlv(245, "EventNotificationState", |w| {
                        w.u16(*kind).flag(*wanted);
                    });
                }
            });
        }
        w.raws(&self.more);
        if let Some(keepalive) = self.keepalive {
            w.tlv(220, "KeepaliveSpec", |w| {
                match keepalive {
                    KeepaliveSpec::Off => w.u8(0).u32(0),
                    KeepaliveSpec::Periodic { period_ms } => w.u8(1).u32(period_ms),
                };
            });
        }
        if let Some(hold) = self.hold {
            w.tlv(226, "EventsAndReports", |w| {
                w.flag(hold);
            });
        }
    }

    pub(super) fn read(mut c: Cursor<'_>) -> Result<Self, WireError> {
        let mut out = Self { reset: c.flag("ResetToFactoryDefault")?, ..Self::default() };
        while let Some((kind, mut body)) = c.tlv()? {
            match kind {
                244 => {
                    let mut b = body.named("ReaderEventNotificationSpec");
                    while let Some((kind, mut state)) = b.tlv()? {
                        if kind == 245 {
                            out.events.push((state.u16("EventType")?, state.flag("NotificationState")?));
                        }
                    }
                }
                220 => {
                    let mut b = body.named("KeepaliveSpec");
                    let (kind, period_ms) = (b.u8("KeepaliveTriggerType")?, b.u32("PeriodicTriggerValue")?);
                    out.keepalive = Some(match kind {
                        0 => KeepaliveSpec::Off,
                        1 => KeepaliveSpec::Periodic { period_ms },
                        other => {
                            return Err(WireError::Field {
                                what: "KeepaliveSpec",
                                field: "KeepaliveTriggerType",
                                value: other.into(),
                            });
                        }
                    });
                }
                226 => out.hold = Some(body.flag("HoldEventsAndReportsUponReconnect")?),
                kind => out.more.push(RawTlv { kind, body: body.remaining().to_vec() }),
            }
        }
        Ok(out)
    }
}

/// GeneralDeviceCapabilities (137).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneralCapabilities {
    /// Number of antenna ports.
    pub antennas: u16,
    /// The reader has a UTC clock.
    pub utc_clock: bool,
    /// Manufacturer, IANA private enterprise number.
    pub manufacturer: u32,
    /// Model, the manufacturer's own number.
    pub model: u32,
    /// Firmware version.
    pub firmware: String,
    /// Tables of sensitivities, inputs and air protocols (139..=141, 149), not looked into.
    pub more: Vec<RawTlv>,
}

/// What GET_READER_CAPABILITIES_RESPONSE carries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// The device.
    pub general: Option<GeneralCapabilities>,
    /// Protocol, regulatory and air capabilities (142, 143, 327), not looked into.
    pub more: Vec<RawTlv>,
}

fn raw(kind: u16, fill: impl FnOnce(&mut Writer)) -> RawTlv {
    let mut w = Writer::default();
    fill(&mut w);
    RawTlv { kind, body: w.finish().unwrap_or_default() }
}

impl Capabilities {
    /// Capabilities of a plain European C1G2 reader (four fixed channels of ETSI EN 302 208) with
    /// `antennas` ports, as the reader face tells them.
    pub fn of_plain_reader(antennas: u16) -> Self {
        let mut tables = vec![
            raw(139, |w| {
                w.u16(1).u16(0);
            }),
            raw(141, |w| {
                w.u16(0).u16(0);
            }),
        ];
        tables.extend((1..=antennas).map(|antenna| {
            raw(140, |w| {
                w.u16(antenna).u16(1).u8(1);
            })
        }));
        let protocol = raw(142, |w| {
            // RF survey, buffer warning, client request, state aware, holding: none but holding.
            w.u8(0x08).u8(8).u16(0).u32(8).u32(1).u32(1).u32(0).u32(0);
        });
        let regulatory = raw(143, |w| {
            // Country 380 (Italy), standard 2 (ETSI 302 208).
            w.u16(380).u16(2);
            w.tlv(144, "UHFBandCapabilities", |w| {
                w.tlv(145, "TransmitPowerLevelTableEntry", |w| {
                    w.u16(1).u16(3_000);
                });
                w.tlv(146, "FrequencyInformation", |w| {
                    w.flag(false);
                    w.tlv(148, "FixedFrequencyTable", |w| {
                        w.u16(4).u32(865_700).u32(866_300).u32(866_900).u32(867_500);
                    });
                });
                w.tlv(328, "UHFC1G2RFModeTable", |w| {
                    w.tlv(329, "UHFC1G2RFModeTableEntry", |w| {
                        // Mode 0: DR 64/3, Miller 4, PR-ASK, dense reader, 256 kbit/s, PIE 1.5, Tari 25 us.
                        w.u32(0).u8(0x80).u8(2).u8(1).u8(2);
                        w.u32(256_000).u32(1_500).u32(25_000).u32(25_000).u32(0);
                    });
                });
            });
        });
        let air = raw(327, |w| {
            w.u8(0).u16(0);
        });
        Self {
            general: Some(GeneralCapabilities {
                antennas,
                utc_clock: true,
                manufacturer: 0,
                model: 0,
                firmware: env!("CARGO_PKG_VERSION").to_owned(),
                more: tables,
            }),
            more: vec![protocol, regulatory, air],
        }
    }

    pub(super) fn write(&self, w: &mut Writer) {
        if let Some(g) = &self.general {
            w.tlv(137, "GeneralDeviceCapabilities", |w| {
                w.u16(g.antennas).u16(if g.utc_clock { 0x4000 } else { 0 });
                w.u32(g.manufacturer).u32(g.model);
                w.text(&g.firmware, "GeneralDeviceCapabilities").raws(&g.more);
            });
        }
        w.raws(&self.more);
    }

    pub(super) fn add(&mut self, kind: u16, mut c: Cursor<'_>) -> Result<(), WireError> {
        if kind == 137 {
            let mut c = c.named("GeneralDeviceCapabilities");
            let antennas = c.u16("MaxNumberOfAntennaSupported")?;
            let utc_clock = c.u16("flags")? & 0x4000 != 0;
            let (manufacturer, model) = (c.u32("DeviceManufacturerName")?, c.u32("ModelName")?);
            let firmware = c.text("ReaderFirmwareVersion")?;
            let more = c.raws()?;
            self.general =
                Some(GeneralCapabilities { antennas, utc_clock, manufacturer, model, firmware, more });
        } else {
            self.more.push(RawTlv { kind, body: c.remaining().to_vec() });
        }
        Ok(())
    }
}
