//! Systec IT: `<RM>` asks for the weight, `<RN>` registers a stable one in the alibi memory. The answer is
//! `<error(2) status(2) date(8) time(5) ident(4) scale(1) gross(8) tare(8) net(8) unit(2) tare code(2)
//! range(1) terminal(3) check(8)>`, or the error alone. The check is the CRC-16 of Modbus over the 54
//! characters before it, in decimal; the maker's published example agrees with it.

use super::said::{Basis, Fault, Said};
use super::{Decimal, Unit};
use gate_types::observation::WeightRange;

/// Characters before the check.
const BODY: usize = 54;
/// The terminal's port on Ethernet.
pub const PORT: u16 = 1234;

/// Requests of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// `<RM>`: the weight now.
    Read,
    /// `<RN>`: register the stable weight.
    Register,
    /// `<SZ>`: zero.
    Zero,
}

impl Request {
    /// Its bytes.
    pub fn encode(self) -> &'static [u8] {
        match self {
            Self::Read => b"<RM>",
            Self::Register => b"<RN>",
            Self::Zero => b"<SZ>",
        }
    }
    /// The request between `<` and `>`.
    pub fn decode(line: &str) -> Option<Self> {
        match line {
            "RM" => Some(Self::Read),
            "RN" => Some(Self::Register),
            "SZ" => Some(Self::Zero),
            _other => None,
        }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A weight.
    Weight {
        /// The scale moves.
        motion: bool,
        /// Date and time as the terminal shows them.
        at: String,
        /// Number in the alibi memory; `0` without one.
        ident: String,
        /// Gross weight.
        gross: Decimal,
        /// Unit.
        unit: Unit,
    },
    /// `00` alone: done.
    Done,
    /// An error's code alone.
    Error(u8),
}

/// CRC-16 of Modbus: polynomial 8005h reflected, from FFFFh.
pub(super) fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc, byte| {
        (0..8)
            .fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xa001 } else { crc >> 1 })
    })
}

impl Reply {
    /// Reads what stands between `<` and `>`.
    pub fn decode(line: &str) -> Result<Self, Fault> {
        let field = |from: usize, to: usize| line.get(from..to).ok_or(Fault::Shape("too short"));
        let error = field(0, 2)?.parse::<u8>().map_err(|_| Fault::Shape("the error code is no number"))?;
        if error != 0 {
            return Ok(Self::Error(error));
        }
        if line.len() == 2 {
            return Ok(Self::Done);
        }
        let got = field(BODY, BODY + 8)?.trim().parse::<u16>();
        let got = got.map_err(|_| Fault::Shape("the check is no number"))?;
        let want = crc16(field(0, BODY)?.as_bytes());
        if got != want {
            return Err(Fault::Checksum { got: u32::from(got), want: u32::from(want) });
        }
        let gross = Decimal::parse(field(22, 30)?.trim()).ok_or(Fault::Shape("the gross is no number"))?;
        let unit = Unit::of_sign(field(46, 48)?.trim()).ok_or(Fault::Shape("the unit is not known"))?;
        Ok(Self::Weight {
            motion: field(2, 3)? != "0",
            at: format!("{} {}", field(4, 12)?, field(12, 17)?),
            ident: field(17, 21)?.trim().into(),
            gross,
            unit,
        })
    }
    /// Its bytes, from terminal 1 and scale 1, without tare.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Weight { motion, at, ident, gross, unit } => {
                let status = format!("{}{}", u8::from(*motion), u8::from(gross.digits < 0));
                let (date, time) = at.split_once(' ').unwrap_or(("", ""));
                let (weight, unit) = (gross.text(), unit.sign());
                let body = format!(
                    "00{status}{date:<8}{time:<5}{ident:>4}1{weight:>8}{:>8}{weight:>8}{unit:<2}   {:>3}",
                    0, 1
                );
                format!("<{body}{:>8}>", crc16(body.as_bytes())).into_bytes()
            }
            Self::Done => b"<00>".to_vec(),
            Self::Error(code) => format!("<{code:02}>").into_bytes(),
        }
    }
    /// What it comes down to, a number in the alibi memory only where `registered`; none where it is no
    /// weight.
    pub fn said(&self, registered: bool) -> Option<Said> {
        match self {
            Self::Weight { motion, at, ident, gross, unit } => {
                // The number starts anew every day: the day belongs to it.
                let day = at.split(' ').next().unwrap_or("");
                let alibi = (registered && ident != "0").then(|| format!("{day}/{ident}"));
                Some(Said { basis: Basis::Gross, alibi, ..Said::gross(*gross, *unit, Some(!*motion)) })
            }
            Self::Error(12) => Some(Said::none(WeightRange::Over, None)),
            Self::Error(20) => Some(Said::none(WeightRange::Under, None)),
            Self::Error(11 | 14) => {
                Some(Said::none(WeightRange::Invalid, Some("its scale has failed; see its display")))
            }
            Self::Error(_) | Self::Done => None,
        }
    }
}
