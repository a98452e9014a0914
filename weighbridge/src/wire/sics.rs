//! MT-SICS, the demand protocol of Mettler-Toledo and its followers: CR LF ended lines of ASCII, one
//! request and one reply. Replies `S S`, `S D`, `S I`, `S +`, `S -`; followers that repeat the request's
//! own letters (`SI S`, `SI D`) are understood too.

use super::said::{Heard, Said};
use super::{Decimal, MAX_LINE_BYTES, Unit};
use gate_types::observation::WeightRange;

/// What a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// `S`: the stable weight, waiting for it.
    Stable,
    /// `SI`: the weight now.
    Immediate,
    /// `SIR`: the weight now, and again and again.
    Repeat,
    /// `Z`: zero when stable.
    Zero,
    /// `ZI`: zero now.
    ZeroNow,
    /// `@`: cancel.
    Cancel,
}

/// Zeroing's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zeroed {
    /// Done.
    Done,
    /// Not now (moving).
    NotNow,
    /// Above the zeroing range.
    Over,
    /// Below the zeroing range.
    Under,
}

/// What the indicator answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A weight.
    Weight {
        /// `S`; `D` is dynamic.
        stable: bool,
        /// Its value.
        value: Decimal,
        /// Its unit.
        unit: Unit,
    },
    /// `S I`: no weight now.
    NotNow,
    /// `S +`: over capacity.
    Over,
    /// `S -`: under zero.
    Under,
    /// `Z A`, `Z I`, `Z +`, `Z -`.
    Zeroed(Zeroed),
    /// `ES` syntax, `ET` transmission, `EL` logic error.
    Refused(char),
    /// A line that says something else.
    Other(String),
}

/// Why a line was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A weight reply whose weight or unit cannot be read.
    #[error("a weight reply without a readable weight and unit")]
    Weight,
}

impl Request {
    /// Its line with CR LF.
    pub fn encode(self) -> &'static [u8] {
        match self {
            Self::Stable => b"S\r\n",
            Self::Immediate => b"SI\r\n",
            Self::Repeat => b"SIR\r\n",
            Self::Zero => b"Z\r\n",
            Self::ZeroNow => b"ZI\r\n",
            Self::Cancel => b"@\r\n",
        }
    }
    /// The request of a line without its ending; none for what an indicator answers with `ES`.
    pub fn decode(line: &str) -> Option<Self> {
        Some(match line.trim_end() {
            "S" => Self::Stable,
            "SI" => Self::Immediate,
            "SIR" => Self::Repeat,
            "Z" => Self::Zero,
            "ZI" => Self::ZeroNow,
            "@" => Self::Cancel,
            _other => return None,
        })
    }
}

impl Reply {
    /// Its line with CR LF.
    pub fn encode(&self) -> Vec<u8> {
        let line = match self {
            Self::Weight { stable, value, unit } => {
                format!("S {} {:>10} {}", if *stable { 'S' } else { 'D' }, value.text(), unit.sign())
            }
            Self::NotNow => "S I".into(),
            Self::Over => "S +".into(),
            Self::Under => "S -".into(),
            Self::Zeroed(Zeroed::Done) => "Z A".into(),
            Self::Zeroed(Zeroed::NotNow) => "Z I".into(),
            Self::Zeroed(Zeroed::Over) => "Z +".into(),
            Self::Zeroed(Zeroed::Under) => "Z -".into(),
            Self::Refused(letter) => format!("E{letter}"),
            Self::Other(text) => text.clone(),
        };
        format!("{line}\r\n").into_bytes()
    }
    /// Reads a line without its ending.
    pub fn decode(line: &str) -> Result<Self, Fault> {
        let line = line.trim_end();
        let mut words = line.split_ascii_whitespace();
        let other = || Ok(Self::Other(line.chars().take(MAX_LINE_BYTES).collect()));
        match (words.next(), words.next()) {
            (Some("S" | "SI" | "SIR"), Some(state)) => match state {
                "S" | "D" => Self::weight(state == "S", words),
                "I" => Ok(Self::NotNow),
                "+" => Ok(Self::Over),
                "-" => Ok(Self::Under),
                _other => other(),
            },
            (Some("Z" | "ZI"), Some(state)) => match state {
                "A" | "S" | "D" => Ok(Self::Zeroed(Zeroed::Done)),
                "I" => Ok(Self::Zeroed(Zeroed::NotNow)),
                "+" => Ok(Self::Zeroed(Zeroed::Over)),
                "-" => Ok(Self::Zeroed(Zeroed::Under)),
                _other => other(),
            },
            (Some("ES"), None) => Ok(Self::Refused('S')),
            (Some("ET"), None) => Ok(Self::Refused('T')),
            (Some("EL"), None) => Ok(Self::Refused('L')),
            (_, _) => other(),
        }
    }
    /// What it comes down to.
    pub fn heard(&self) -> Heard {
        match self {
            Self::Weight { stable, value, unit } => Heard::Weight(Said::gross(*value, *unit, Some(*stable))),
            Self::Over => Heard::Weight(Said::none(WeightRange::Over, None)),
            Self::Under => Heard::Weight(Said::none(WeightRange::Under, None)),
            Self::NotNow | Self::Zeroed(_) => Heard::Alive,
            Self::Refused(letter) => Heard::Foreign(format!("E{letter}")),
            Self::Other(text) => Heard::Foreign(text.clone()),
        }
    }
    /// The words after the state: `12340 kg`, or `- 20 kg` with the sign apart.
    fn weight<'a>(stable: bool, mut words: impl Iterator<Item = &'a str>) -> Result<Self, Fault> {
        let mut number = words.next().ok_or(Fault::Weight)?.to_owned();
        if number == "-" {
            number.push_str(words.next().ok_or(Fault::Weight)?);
        }
        let value = Decimal::parse(&number).ok_or(Fault::Weight)?;
        let unit = Unit::of_sign(words.next().unwrap_or("")).ok_or(Fault::Weight)?;
        if words.next().is_some() {
            return Err(Fault::Weight);
        }
        Ok(Self::Weight { stable, value, unit })
    }
}
