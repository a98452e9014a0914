//! Dini Argeo and the many that print the same shape (A&D, Kern, Autoda): `[aa]ST,GS,   12340,kg` CR LF,
//! on demand (`READ`) or continuous. `PID` stores the weighing in the alibi memory and tells its number.

use super::said::{Basis, Fault, Said};
use super::{Decimal, Unit};
use gate_types::observation::WeightRange;

/// First field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// `ST`.
    Stable,
    /// `US`.
    Unstable,
    /// `OL`.
    Over,
    /// `UL`.
    Under,
    /// `TL`: the scale is tilted.
    Tilted,
}

/// Second field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `GS`.
    Gross,
    /// `NT`.
    Net,
}

/// A line of the indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The standard string.
    Weight {
        /// First field.
        status: Status,
        /// Second field.
        mode: Mode,
        /// Weight; none where the field holds no number, as out of range.
        weight: Option<Decimal>,
        /// Unit.
        unit: Unit,
    },
    /// The answer to `PID`.
    Kept {
        /// As above.
        status: Status,
        /// Gross weight.
        gross: Decimal,
        /// Unit.
        unit: Unit,
        /// `XXXXX-YYYYYY`; none where the weighing was not stored.
        alibi: Option<String>,
    },
    /// `OK`.
    Done,
    /// `ERR..`, or a line that says something else.
    Other(String),
}

/// Requests of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// `READ`.
    Read,
    /// `Z`.
    Zero,
    /// `PID`: keep this weighing.
    Keep,
}

impl Request {
    /// Its bytes.
    pub fn encode(self) -> &'static [u8] {
        match self {
            Self::Read => b"READ\r\n",
            Self::Zero => b"Z\r\n",
            Self::Keep => b"PID\r\n",
        }
    }
    /// The request of a line.
    pub fn decode(line: &str) -> Option<Self> {
        match line.trim() {
            "READ" => Some(Self::Read),
            "Z" => Some(Self::Zero),
            "PID" => Some(Self::Keep),
            _other => None,
        }
    }
}

fn status(text: &str) -> Option<Status> {
    Some(match text {
        "ST" => Status::Stable,
        "US" => Status::Unstable,
        "OL" => Status::Over,
        "UL" => Status::Under,
        "TL" => Status::Tilted,
        _other => return None,
    })
}

fn status_text(status: Status) -> &'static str {
    match status {
        Status::Stable => "ST",
        Status::Unstable => "US",
        Status::Over => "OL",
        Status::Under => "UL",
        Status::Tilted => "TL",
    }
}

/// `  12340kg` as number and unit; the number is none for blanks, dashes and circumflexes.
fn weight_and_unit(text: &str) -> Result<(Option<Decimal>, Unit), Fault> {
    let text = text.trim();
    let at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, sign) = text.split_at(at);
    let unit = Unit::of_sign(sign.trim()).ok_or(Fault::Shape("the unit is not known"))?;
    Ok((number_of(number)?, unit))
}

fn number_of(text: &str) -> Result<Option<Decimal>, Fault> {
    let text = text.trim();
    if text.bytes().all(|b| matches!(b, b'-' | b'^' | b'_' | b'.')) {
        return Ok(None);
    }
    Decimal::parse(text).map(Some).ok_or(Fault::Shape("the weight is no number"))
}

impl Reply {
    /// Reads a line without its ending.
    pub fn decode(line: &str) -> Result<Self, Fault> {
        let line = line.trim();
        // An address of two digits stands before the string on RS-485.
        let bare = match line.get(..2) {
            Some(aa) if aa.bytes().all(|b| b.is_ascii_digit()) => line.get(2..).unwrap_or(""),
            Some(_) | None => line,
        };
        if bare == "OK" {
            return Ok(Self::Done);
        }
        let other = || Ok(Self::Other(line.into()));
        let mut fields = bare.split(',');
        let first = fields.next().unwrap_or("");
        if let Some(status) = first.strip_prefix("PID").and_then(status) {
            return Self::kept(status, fields);
        }
        let Some(status) = status(first) else { return other() };
        let mode = match fields.next().map(str::trim) {
            Some("GS" | "G") => Mode::Gross,
            Some("NT" | "N") => Mode::Net,
            Some(_) | None => return other(),
        };
        let number = fields.next().ok_or(Fault::Shape("the weight is missing"))?;
        let (weight, unit) = match (fields.next(), fields.next()) {
            (Some(sign), None) => {
                let unit = Unit::of_sign(sign.trim()).ok_or(Fault::Shape("the unit is not known"))?;
                (number_of(number)?, unit)
            }
            (None, _) => weight_and_unit(number)?,
            (Some(_), Some(_)) => return other(),
        };
        Ok(Self::Weight { status, mode, weight, unit })
    }
    fn kept<'a>(status: Status, mut fields: impl Iterator<Item = &'a str>) -> Result<Self, Fault> {
        let short = Fault::Shape("the answer to PID is short");
        let (_channel, gross) = (fields.next().ok_or(short)?, fields.next().ok_or(short)?);
        let (gross, unit) = weight_and_unit(gross)?;
        let (_tare, id) = (fields.next().ok_or(short)?, fields.next().ok_or(short)?.trim());
        let alibi = (id != "NO").then(|| id.chars().take(32).collect());
        Ok(Self::Kept { status, gross: gross.ok_or(short)?, unit, alibi })
    }
    /// Its line with CR LF.
    pub fn encode(&self) -> Vec<u8> {
        let text = |w: &Option<Decimal>| w.map_or_else(String::new, |w| w.text());
        let line = match self {
            Self::Weight { status, mode, weight, unit } => {
                let mode = match mode {
                    Mode::Gross => "GS",
                    Mode::Net => "NT",
                };
                format!("{},{mode},{:>8},{:<2}", status_text(*status), text(weight), unit.sign())
            }
            Self::Kept { status, gross, unit, alibi } => {
                let (gross, sign) = (gross.text(), unit.sign());
                let id = alibi.as_deref().unwrap_or("NO");
                format!("PID{},1,{gross:>10}{sign:<2},  {:>10}{sign:<2},{id}", status_text(*status), 0)
            }
            Self::Done => "OK".into(),
            Self::Other(text) => text.clone(),
        };
        format!("{line}\r\n").into_bytes()
    }
    /// What it comes down to; none where it is no weight.
    pub fn said(&self) -> Option<Said> {
        let (status, basis, weight, unit, alibi) = match self {
            Self::Weight { status, mode: Mode::Gross, weight, unit } => {
                (*status, Basis::Gross, *weight, *unit, None)
            }
            Self::Weight { status, mode: Mode::Net, weight, unit } => {
                (*status, Basis::NetOnly, *weight, *unit, None)
            }
            Self::Kept { status, gross, unit, alibi } => {
                (*status, Basis::Gross, Some(*gross), *unit, alibi.clone())
            }
            Self::Done | Self::Other(_) => return None,
        };
        let (range, fault) = match status {
            Status::Stable | Status::Unstable => (WeightRange::InRange, None),
            Status::Over => (WeightRange::Over, None),
            Status::Under => (WeightRange::Under, None),
            Status::Tilted => (WeightRange::Invalid, Some("it reports that the scale is tilted; level it")),
        };
        let stable = Some(status == Status::Stable);
        Some(Said { weight, basis, unit, stable, range, fault, interval: None, alibi })
    }
}
