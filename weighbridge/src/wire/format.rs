//! One indicator's format behind one face: bytes in, telegrams out, requests where it speaks on demand.

use super::lines::{Fixed, Lines};
use super::said::{Fault, Heard, Said, Telegram};
use super::{dini, modbus, rice_lake, sics, sma, systec, toledo, yaohua};
use gate_types::endpoint::Endpoint;
use std::path::Path;

/// The formats by the name that an endpoint's `protocol=` gives them.
pub const NAMES: [&str; 10] = [
    "toledo",
    "sics",
    "sma",
    "dini",
    "rice-lake",
    "yaohua",
    "yaohua-reversed",
    "yaohua-line",
    "systec",
    "modbus",
];

/// An indicator's format, with what is held of an unfinished telegram.
#[derive(Debug)]
pub enum Format {
    /// Toledo continuous.
    Toledo(toledo::Deframer),
    /// MT-SICS.
    Sics(Lines),
    /// SMA SCP-0499; on demand unless the indicator is set to send by itself.
    Sma {
        /// Lines between LF and CR.
        lines: Lines,
        /// Ask for each weight.
        ask: bool,
    },
    /// Dini Argeo.
    Dini {
        /// Lines.
        lines: Lines,
        /// Ask for each weight.
        ask: bool,
    },
    /// Rice Lake stream.
    RiceLake(Lines),
    /// Yaohua continuous.
    Yaohua(Fixed),
    /// Yaohua reversed.
    YaohuaReversed(Fixed),
    /// Yaohua A12E.
    YaohuaLine(Lines),
    /// Systec IT.
    Systec {
        /// Frames between `<` and `>`.
        lines: Lines,
        /// The answer awaited is that of a registration.
        registering: bool,
    },
    /// A register map.
    Modbus {
        /// The requests and their answers.
        client: modbus::Client,
        /// The map.
        map: modbus::RegisterMap,
    },
}

impl Format {
    /// The format that an endpoint asks for; its `protocol`, and `checksum`, `mode`, `unit_id`, `registers`
    /// where the format has a use for them.
    pub fn of_endpoint(endpoint: &Endpoint) -> Result<Self, String> {
        let get = |key: &str, default: &'static str| {
            endpoint.query.get(key).cloned().unwrap_or_else(|| default.to_owned())
        };
        let one_of = |key: &str, first: &'static str, second: &'static str| {
            let text = get(key, first);
            match text.as_str() {
                text if text == first => Ok(true),
                text if text == second => Ok(false),
                other => Err(format!("endpoint: {key}=`{other}`: {first} or {second}")),
            }
        };
        let by_scheme = if endpoint.scheme.starts_with("modbus") { "modbus" } else { "toledo" };
        Ok(match get("protocol", by_scheme).as_str() {
            "toledo" => Self::Toledo(toledo::Deframer::new(if one_of("checksum", "yes", "no")? {
                toledo::Checksum::Present
            } else {
                toledo::Checksum::Absent
            })),
            "sics" => Self::Sics(Lines::new()),
            "sma" => Self::Sma {
                lines: Lines::between(b'\n', b"\r"),
                ask: one_of("mode", "demand", "continuous")?,
            },
            "dini" => Self::Dini { lines: Lines::new(), ask: one_of("mode", "demand", "continuous")? },
            "rice-lake" => Self::RiceLake(Lines::between(0x02, b"\r\n")),
            "yaohua" => Self::Yaohua(Fixed::new(yaohua::STX, yaohua::CONTINUOUS_BYTES)),
            "yaohua-reversed" => Self::YaohuaReversed(Fixed::new(b'=', yaohua::REVERSED_BYTES)),
            "yaohua-line" => Self::YaohuaLine(Lines::new()),
            "systec" => Self::Systec { lines: Lines::between(b'<', b">"), registering: false },
            "modbus" => {
                let file = endpoint.query.get("registers").ok_or(
                    "endpoint: a Modbus indicator needs its register map: registers=FILE".to_owned(),
                )?;
                let framing = match endpoint.scheme.as_str() {
                    "serial" | "modbus-rtu" => modbus::Framing::Rtu,
                    _tcp => modbus::Framing::Tcp,
                };
                let text = get("unit_id", "1");
                let unit_id = text.parse().map_err(|_| format!("endpoint: unit_id=`{text}`: 0 to 255"))?;
                let map = modbus::RegisterMap::load(Path::new(file))?;
                Self::Modbus { client: modbus::Client::new(framing, unit_id), map }
            }
            other => return Err(format!("endpoint: protocol=`{other}`: {}", NAMES.join(", "))),
        })
    }
    /// Whether its telegrams carry a flag of standstill.
    pub fn tells_stability(&self) -> bool {
        match self {
            Self::Yaohua(_) | Self::YaohuaReversed(_) | Self::YaohuaLine(_) => false,
            Self::Modbus { map, .. } => map.tells_stability(),
            Self::Toledo(_)
            | Self::Sics(_)
            | Self::Sma { .. }
            | Self::Dini { .. }
            | Self::RiceLake(_)
            | Self::Systec { .. } => true,
        }
    }
    /// Whether its telegrams name their unit.
    pub fn tells_unit(&self) -> bool {
        !matches!(self, Self::Yaohua(_) | Self::YaohuaReversed(_))
    }
    /// Whether a line that missed an answer must be made anew, for a late one would pass for a new one.
    pub fn pairs_answers(&self) -> bool {
        matches!(self, Self::Modbus { .. })
    }
    /// The request for a weight; none from an indicator that speaks by itself.
    pub fn request(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Sics(_) => Some(sics::Request::Immediate.encode().to_vec()),
            Self::Sma { ask: true, .. } => Some(sma::Request::Weight.encode().to_vec()),
            Self::Dini { ask: true, .. } => Some(dini::Request::Read.encode().to_vec()),
            Self::Systec { registering, .. } => {
                *registering = false;
                Some(systec::Request::Read.encode().to_vec())
            }
            Self::Modbus { client, map } => Some(client.read(map)),
            Self::Sma { ask: false, .. }
            | Self::Dini { ask: false, .. }
            | Self::Toledo(_)
            | Self::RiceLake(_)
            | Self::Yaohua(_)
            | Self::YaohuaReversed(_)
            | Self::YaohuaLine(_) => None,
        }
    }
    /// True where [`Format::request`] gives one.
    pub fn is_asked(&self) -> bool {
        match self {
            Self::Sics(_) | Self::Systec { .. } | Self::Modbus { .. } => true,
            Self::Sma { ask, .. } | Self::Dini { ask, .. } => *ask,
            Self::Toledo(_)
            | Self::RiceLake(_)
            | Self::Yaohua(_)
            | Self::YaohuaReversed(_)
            | Self::YaohuaLine(_) => false,
        }
    }
    /// What sets zero; none where the format has no command for it.
    pub fn zero(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Toledo(_) => Some(b"Z".to_vec()),
            Self::Sics(_) => Some(sics::Request::Zero.encode().to_vec()),
            Self::Sma { .. } => Some(sma::Request::Zero.encode().to_vec()),
            Self::Dini { .. } => Some(dini::Request::Zero.encode().to_vec()),
            Self::RiceLake(_) => Some(rice_lake::ZERO.to_vec()),
            Self::Systec { .. } => Some(systec::Request::Zero.encode().to_vec()),
            Self::Modbus { client, map } => map.zero.map(|zero| client.write(zero)),
            Self::Yaohua(_) | Self::YaohuaReversed(_) | Self::YaohuaLine(_) => None,
        }
    }
    /// What keeps the stable weight in the indicator's alibi memory; none where it has none.
    pub fn register(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Dini { .. } => Some(dini::Request::Keep.encode().to_vec()),
            Self::Systec { registering, .. } => {
                *registering = true;
                Some(systec::Request::Register.encode().to_vec())
            }
            Self::Toledo(_)
            | Self::Sics(_)
            | Self::Sma { .. }
            | Self::RiceLake(_)
            | Self::Yaohua(_)
            | Self::YaohuaReversed(_)
            | Self::YaohuaLine(_)
            | Self::Modbus { .. } => None,
        }
    }

    /// Takes from `input` up to the next telegram or fault. None: `input` is used up.
    pub fn take(&mut self, input: &mut &[u8]) -> Option<Result<Telegram, String>> {
        let weight = |said: Said, raw: Vec<u8>| Telegram { heard: Heard::Weight(said), raw };
        Some(match self {
            Self::Toledo(deframer) => match deframer.take(input)? {
                Ok(received) => Ok(weight(received.telegram.said(), received.raw)),
                Err(fault) => Err(fault.to_string()),
            },
            Self::Yaohua(frames) => match frames.take(input, yaohua::read_continuous)? {
                Ok((said, raw)) => Ok(weight(said, raw)),
                Err(fault) => Err(fault.to_string()),
            },
            Self::YaohuaReversed(frames) => match frames.take(input, yaohua::read_reversed)? {
                Ok((said, raw)) => Ok(weight(said, raw)),
                Err(fault) => Err(fault.to_string()),
            },
            Self::Modbus { client, map } => match client.take(input)? {
                Ok((modbus::Answer::Registers(words), raw)) => {
                    map.said(&words).map(|said| weight(said, raw)).map_err(|f| f.to_string())
                }
                Ok((modbus::Answer::Written, raw)) => Ok(Telegram { heard: Heard::Alive, raw }),
                Ok((modbus::Answer::Refused(code), raw)) => {
                    Ok(Telegram { heard: Heard::Foreign(format!("Modbus exception {code}")), raw })
                }
                Err(fault) => Err(fault.to_string()),
            },
            Self::Sics(lines) => heard(lines.take(input)?, |line| {
                sics::Reply::decode(line).map(|r| r.heard()).map_err(|f| f.to_string())
            }),
            Self::Sma { lines, .. } => heard(lines.take(input)?, |line| {
                told(sma::Reply::decode(line), |reply| match reply {
                    sma::Reply::Weight(response) => Heard::Weight(response.said()),
                    sma::Reply::NotNow => Heard::Alive,
                    sma::Reply::Unknown => Heard::Foreign("`?`: the request is not known to it".into()),
                    sma::Reply::Other(text) => Heard::Foreign(text),
                })
            }),
            Self::Dini { lines, .. } => heard(lines.take(input)?, |line| {
                told(dini::Reply::decode(line), |reply| match (reply.said(), reply) {
                    (Some(said), _) => Heard::Weight(said),
                    (None, dini::Reply::Other(text)) => Heard::Foreign(text),
                    (None, _) => Heard::Alive,
                })
            }),
            Self::RiceLake(lines) => heard(lines.take(input)?, |line| {
                told(rice_lake::Telegram::decode(line), |t| Heard::Weight(t.said()))
            }),
            Self::YaohuaLine(lines) => {
                heard(lines.take(input)?, |line| told(yaohua::read_line(line), Heard::Weight))
            }
            Self::Systec { lines, registering } => {
                let registered = *registering;
                heard(lines.take(input)?, |line| {
                    told(systec::Reply::decode(line), |reply| match (reply.said(registered), reply) {
                        (Some(said), _) => Heard::Weight(said),
                        // 13: in motion, no standstill within its time.
                        (None, systec::Reply::Error(13)) => Heard::Alive,
                        (None, systec::Reply::Error(code)) => Heard::Foreign(format!("error {code:02}")),
                        (None, _) => Heard::Alive,
                    })
                })
            }
        })
    }
}

fn told<T>(decoded: Result<T, Fault>, heard: impl FnOnce(T) -> Heard) -> Result<Heard, String> {
    decoded.map(heard).map_err(|fault| fault.to_string())
}

fn heard(
    line: Result<String, Fault>,
    read: impl FnOnce(&str) -> Result<Heard, String>,
) -> Result<Telegram, String> {
    let line = line.map_err(|fault| fault.to_string())?;
    Ok(Telegram { heard: read(&line)?, raw: line.into_bytes() })
}
