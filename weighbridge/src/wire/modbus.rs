//! Indicators that show registers: the map is data, status and weight are read in one request. Framed for
//! TCP (Modbus Messaging on TCP/IP 1.0b, clause 3) or for a serial line (Modbus over Serial Line 1.02, RTU).

use super::said::{Basis, Fault, Said};
use super::systec::crc16;
use super::{Decimal, Unit};
use gate_types::observation::WeightRange;
use serde::Deserialize;
use std::path::Path;

/// Most registers of one request.
pub const MOST_REGISTERS: u16 = 125;
/// Longest frame of either framing.
const MOST_FRAME: usize = 260;

/// Which function reads the registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// 03.
    Holding,
    /// 04.
    Input,
}

/// How a number lies in its registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One register without sign.
    U16,
    /// One register, two's complement.
    I16,
    /// Two registers without sign.
    U32,
    /// Two registers, two's complement.
    I32,
}

/// One flag: set when any bit of the mask is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flag {
    /// Register, counted from the map's `start`.
    pub at: u16,
    /// Bits.
    pub mask: u16,
}

/// Where the weight lies.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weight {
    /// First register, counted from the map's `start`.
    pub at: u16,
    /// How it lies there.
    pub kind: Kind,
    /// The high word comes first.
    #[serde(default = "yes")]
    pub high_first: bool,
    /// Digits after the point.
    #[serde(default)]
    pub places: u8,
    /// `kg` or `t`.
    pub unit: String,
    /// It is the net weight, whose gross cannot be known.
    #[serde(default)]
    pub net: bool,
    /// Set when the number is negative, for maps with sign and magnitude.
    #[serde(default)]
    pub negative: Option<Flag>,
}

fn yes() -> bool {
    true
}

/// What an indicator's registers mean.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterMap {
    /// How they are read.
    pub function: Function,
    /// Address of the first register, counted from 0 (`40007` of a manual is 6).
    pub start: u16,
    /// How many are read, in one request.
    pub count: u16,
    /// The weight.
    pub weight: Weight,
    /// Set when the load stands still; computed where absent.
    #[serde(default)]
    pub stable: Option<Flag>,
    /// Set when it moves; instead of `stable`.
    #[serde(default)]
    pub motion: Option<Flag>,
    /// Over capacity.
    #[serde(default)]
    pub over: Option<Flag>,
    /// Under zero.
    #[serde(default)]
    pub under: Option<Flag>,
    /// Cell, converter or other error.
    #[serde(default)]
    pub error: Option<Flag>,
    /// Register and value that set zero.
    #[serde(default)]
    pub zero: Option<Write>,
}

/// One register to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Write {
    /// Address, counted from 0.
    pub address: u16,
    /// Value.
    pub value: u16,
}

impl RegisterMap {
    /// Reads and checks a map.
    pub fn load(file: &Path) -> Result<Self, String> {
        let told = |what: String| format!("register map {}: {what}", file.display());
        let text = std::fs::read_to_string(file).map_err(|e| told(e.to_string()))?;
        Self::parse(&text).map_err(told)
    }
    /// The same from its text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let map: Self = toml::from_str(text).map_err(|e| e.to_string())?;
        if !(1..=MOST_REGISTERS).contains(&map.count) || map.start.checked_add(map.count).is_none() {
            return Err(format!("count = {}: 1 to {MOST_REGISTERS} within the registers", map.count));
        }
        let wide = match map.weight.kind {
            Kind::U16 | Kind::I16 => 1,
            Kind::U32 | Kind::I32 => 2,
        };
        if map.weight.at.saturating_add(wide) > map.count {
            return Err(format!("weight.at = {}: not within the {} registers", map.weight.at, map.count));
        }
        let flags = [map.stable, map.motion, map.over, map.under, map.error, map.weight.negative];
        if let Some(flag) = flags.into_iter().flatten().find(|f| f.at >= map.count || f.mask == 0) {
            return Err(format!("flag at = {}, mask = {}: outside, or no bit", flag.at, flag.mask));
        }
        if !matches!(map.weight.unit.as_str(), "kg" | "t") || map.weight.places > 9 {
            return Err("weight: the unit is kg or t, places are 0 to 9".into());
        }
        if map.stable.is_some() && map.motion.is_some() {
            return Err("stable and motion: write one of them".into());
        }
        Ok(map)
    }
    /// Whether the registers tell standstill.
    pub fn tells_stability(&self) -> bool {
        self.stable.is_some() || self.motion.is_some()
    }
    /// What the registers say.
    pub fn said(&self, registers: &[u16]) -> Result<Said, Fault> {
        let short = Fault::Shape("fewer registers than asked for");
        let word = |at: u16| registers.get(usize::from(at)).copied().ok_or(short);
        let flag = |flag: Option<Flag>| flag.map(|f| word(f.at).map(|w| w & f.mask != 0)).transpose();
        let two = || -> Result<u32, Fault> {
            let (a, b) = (word(self.weight.at)?, word(self.weight.at + 1)?);
            let (high, low) = if self.weight.high_first { (a, b) } else { (b, a) };
            Ok(u32::from(high) << 16 | u32::from(low))
        };
        let number = match self.weight.kind {
            Kind::U16 => i64::from(word(self.weight.at)?),
            Kind::I16 => i64::from(word(self.weight.at)?.cast_signed()),
            Kind::U32 => i64::from(two()?),
            Kind::I32 => i64::from(two()?.cast_signed()),
        };
        let digits = if flag(self.weight.negative)? == Some(true) { -number.abs() } else { number };
        let (stable, motion) = (flag(self.stable)?, flag(self.motion)?);
        let on = |which| flag(which).map(|f| f == Some(true));
        let (range, fault) = if on(self.error)? {
            (WeightRange::Invalid, Some("it reports an error of cell or converter; see its display"))
        } else if on(self.over)? {
            (WeightRange::Over, None)
        } else if on(self.under)? {
            (WeightRange::Under, None)
        } else {
            (WeightRange::InRange, None)
        };
        Ok(Said {
            weight: Some(Decimal { digits, places: self.weight.places }),
            basis: if self.weight.net { Basis::NetOnly } else { Basis::Gross },
            unit: if self.weight.unit == "t" { Unit::Tonne } else { Unit::Kilogram },
            stable: stable.or(motion.map(|m| !m)),
            range,
            fault,
            interval: None,
            alibi: None,
        })
    }
}

/// How requests and answers are framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// With the header of Modbus TCP.
    Tcp,
    /// With address and CRC, on a serial line or through a converter.
    Rtu,
}

/// A client's side: one request at a time, and what belongs to it. An answer that belongs to no request is a
/// fault; after a missing one the line must be made anew, for a late answer cannot be told from a new one on
/// a serial line.
#[derive(Debug)]
pub struct Client {
    framing: Framing,
    unit_id: u8,
    transaction: u16,
    /// Function and data bytes awaited.
    awaited: Option<(u8, usize)>,
    held: Vec<u8>,
}

/// What an answer was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Registers.
    Registers(Vec<u16>),
    /// A write was done.
    Written,
    /// The indicator refuses, with the exception's code.
    Refused(u8),
}

impl Client {
    /// A client of one indicator.
    pub fn new(framing: Framing, unit_id: u8) -> Self {
        Self { framing, unit_id, transaction: 0, awaited: None, held: Vec::new() }
    }
    /// Bytes held of an unfinished answer.
    pub fn held_bytes(&self) -> usize {
        self.held.len()
    }
    /// The request for the map's registers.
    pub fn read(&mut self, map: &RegisterMap) -> Vec<u8> {
        let function = match map.function {
            Function::Holding => 3,
            Function::Input => 4,
        };
        self.awaited = Some((function, 1 + 2 * usize::from(map.count)));
        self.frame(function, map.start, map.count)
    }
    /// The request that writes one register (function 06).
    pub fn write(&mut self, write: Write) -> Vec<u8> {
        self.awaited = Some((6, 4));
        self.frame(6, write.address, write.value)
    }
    fn frame(&mut self, function: u8, first: u16, second: u16) -> Vec<u8> {
        self.held.clear();
        let mut pdu = vec![self.unit_id, function];
        pdu.extend(first.to_be_bytes());
        pdu.extend(second.to_be_bytes());
        match self.framing {
            Framing::Rtu => {
                pdu.extend(crc16(&pdu).to_le_bytes());
                pdu
            }
            Framing::Tcp => {
                self.transaction = self.transaction.wrapping_add(1);
                let mut out = self.transaction.to_be_bytes().to_vec();
                out.extend([0, 0, 0, 6]);
                out.extend(pdu);
                out
            }
        }
    }
    /// Takes from `input` up to the awaited answer. None: `input` is used up. After a fault nothing is
    /// awaited any more: make the line anew.
    pub fn take(&mut self, input: &mut &[u8]) -> Option<Result<(Answer, Vec<u8>), Fault>> {
        loop {
            if let Some(answer) = self.whole() {
                let raw = std::mem::take(&mut self.held);
                self.awaited = None;
                return Some(answer.map(|answer| (answer, raw)));
            }
            let (first, rest) = input.split_first()?;
            *input = rest;
            if self.awaited.is_none() || self.held.len() >= MOST_FRAME {
                (self.awaited, *input) = (None, &[]);
                self.held.clear();
                return Some(Err(Fault::Shape("bytes that nobody asked for")));
            }
            self.held.push(*first);
        }
    }
    /// The answer once it is whole.
    fn whole(&self) -> Option<Result<Answer, Fault>> {
        let (function, data) = self.awaited?;
        let body = match self.framing {
            Framing::Rtu => self.held.as_slice(),
            Framing::Tcp => {
                let head: &[u8; 6] = self.held.first_chunk()?;
                if head[..4] != [self.transaction.to_be_bytes()[0], self.transaction.to_be_bytes()[1], 0, 0] {
                    return Some(Err(Fault::Shape("the answer to another request")));
                }
                if usize::from(u16::from_be_bytes([head[4], head[5]])) > 2 + data {
                    return Some(Err(Fault::Shape("a longer answer than asked for")));
                }
                self.held.get(6..)?
            }
        };
        let [unit_id, answered, rest @ ..] = body else { return None };
        if *unit_id != self.unit_id || answered & 0x7f != function {
            return Some(Err(Fault::Shape("the answer of another device or function")));
        }
        let length = if answered & 0x80 != 0 { 1 } else { data };
        let tail = match self.framing {
            Framing::Tcp => 0,
            Framing::Rtu => 2,
        };
        if rest.len() < length + tail {
            return None;
        }
        if self.framing == Framing::Rtu {
            let (body, sum) = body.split_at(2 + length);
            let (got, want) = (u16::from_le_bytes([sum[0], sum[1]]), crc16(body));
            if got != want {
                return Some(Err(Fault::Checksum { got: u32::from(got), want: u32::from(want) }));
            }
        }
        let payload = rest.get(..length)?;
        Some(match (answered & 0x80 != 0, payload) {
            (true, [code]) => Ok(Answer::Refused(*code)),
            (false, _) if function == 6 => Ok(Answer::Written),
            (false, [count, words @ ..]) if usize::from(*count) == words.len() => Ok(Answer::Registers(
                words.chunks_exact(2).map(|w| u16::from_be_bytes([w[0], w[1]])).collect(),
            )),
            (_, _) => Err(Fault::Shape("the byte count is wrong")),
        })
    }
}
