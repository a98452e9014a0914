//! SMA SCP-0499, the open standard of the Scale Manufacturers Association: `LF ... CR`, a weight of 20
//! bytes `LF s r n m f weight(10) unit(3) CR`, demand or continuous.

use super::said::{Basis, Fault, Said};
use super::{Decimal, Unit};
use gate_types::observation::WeightRange;

/// Bytes between LF and CR of a weight.
const WEIGHT_BYTES: usize = 18;

/// Field `s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Blank.
    Normal,
    /// `Z`: centre of zero.
    CentreOfZero,
    /// `O`: over capacity.
    Over,
    /// `U`: under capacity.
    Under,
    /// `E`: zero error.
    ZeroError,
    /// `T`: tare error.
    TareError,
    /// `I`: zero was not captured at power-up.
    InitialZeroError,
}

/// Field `n`: what is weighed; small letters are high resolution, which is no legal weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `G`.
    Gross,
    /// `N`.
    Net,
    /// `T`: the weight shown is the tare itself.
    Tare,
}

/// One weight response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Field `s`.
    pub status: Status,
    /// Field `r`: weighing range, a digit.
    pub range: u8,
    /// Field `n`.
    pub mode: Mode,
    /// Field `n` in small letters.
    pub high_resolution: bool,
    /// Field `m`.
    pub motion: bool,
    /// Dashes on errors.
    pub weight: Option<Decimal>,
    /// Field `u`.
    pub unit: Unit,
}

/// A line of an SMA indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A weight.
    Weight(Response),
    /// `?`: the request is not known.
    Unknown,
    /// `!`: it cannot be done now.
    NotNow,
    /// Something else (`A`, `B`, `I` answers).
    Other(String),
}

/// Requests of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// `W`: the weight.
    Weight,
    /// `R`: the weight again and again.
    Repeat,
    /// `Z`: zero.
    Zero,
}

impl Request {
    /// Its bytes.
    pub fn encode(self) -> &'static [u8] {
        match self {
            Self::Weight => b"\nW\r",
            Self::Repeat => b"\nR\r",
            Self::Zero => b"\nZ\r",
        }
    }
    /// The request of a line without LF and CR.
    pub fn decode(line: &str) -> Option<Self> {
        match line {
            "W" => Some(Self::Weight),
            "R" => Some(Self::Repeat),
            "Z" => Some(Self::Zero),
            _other => None,
        }
    }
}

fn unit(text: &str) -> Option<Unit> {
    match text.trim_end() {
        "kg" => Some(Unit::Kilogram),
        "t" => Some(Unit::Tonne),
        "g" => Some(Unit::Gram),
        "lb" => Some(Unit::Pound),
        "oz" => Some(Unit::Ounce),
        "tn" => Some(Unit::ShortTon),
        _other => None,
    }
}

impl Reply {
    /// Reads a line without LF and CR.
    pub fn decode(line: &str) -> Result<Self, Fault> {
        match line {
            "?" => return Ok(Self::Unknown),
            "!" => return Ok(Self::NotNow),
            other if other.len() != WEIGHT_BYTES => return Ok(Self::Other(other.into())),
            _weight => {}
        }
        let (Some(head), Some(weight), Some(sign)) = (line.get(..5), line.get(5..15), line.get(15..)) else {
            return Err(Fault::Shape("a weight response is not ASCII"));
        };
        let [s, r, n, m, _f] = *head.as_bytes() else { return Err(Fault::Shape("the status is short")) };
        let status = match s {
            b' ' => Status::Normal,
            b'Z' => Status::CentreOfZero,
            b'O' => Status::Over,
            b'U' => Status::Under,
            b'E' => Status::ZeroError,
            b'T' => Status::TareError,
            b'I' => Status::InitialZeroError,
            _other => return Err(Fault::Shape("field s is not known")),
        };
        if !r.is_ascii_digit() {
            return Err(Fault::Shape("field r is no digit"));
        }
        let mode = match n.to_ascii_uppercase() {
            b'G' => Mode::Gross,
            b'N' => Mode::Net,
            b'T' => Mode::Tare,
            _other => return Err(Fault::Shape("field n is not known")),
        };
        let motion = match m {
            b'M' => true,
            b' ' => false,
            _other => return Err(Fault::Shape("field m is neither M nor blank")),
        };
        let digits = weight.trim();
        let dashes = !digits.is_empty() && digits.bytes().all(|b| matches!(b, b'-' | b'.'));
        let weight = match Decimal::parse(digits) {
            None if dashes => None,
            None => return Err(Fault::Shape("the weight is no number")),
            some => some,
        };
        let unit = unit(sign).ok_or(Fault::Shape("the unit is not known"))?;
        let high_resolution = n.is_ascii_lowercase();
        Ok(Self::Weight(Response { status, range: r - b'0', mode, high_resolution, motion, weight, unit }))
    }
}

impl Response {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let s = match self.status {
            Status::Normal => ' ',
            Status::CentreOfZero => 'Z',
            Status::Over => 'O',
            Status::Under => 'U',
            Status::ZeroError => 'E',
            Status::TareError => 'T',
            Status::InitialZeroError => 'I',
        };
        let n = match (self.mode, self.high_resolution) {
            (Mode::Gross, false) => 'G',
            (Mode::Net, false) => 'N',
            (Mode::Tare, false) => 'T',
            (Mode::Gross, true) => 'g',
            (Mode::Net, true) => 'n',
            (Mode::Tare, true) => 't',
        };
        let m = if self.motion { 'M' } else { ' ' };
        let weight = self.weight.map_or_else(|| "-".repeat(10), |w| w.text());
        let r = self.range % 10;
        format!("\n{s}{r}{n}{m} {weight:>10}{:<3}\r", self.unit.sign()).into_bytes()
    }
    /// What it comes down to.
    pub fn said(&self) -> Said {
        let (range, fault) = match self.status {
            _ if self.high_resolution => {
                (WeightRange::Invalid, Some("it shows high resolution, which is no legal weight"))
            }
            Status::Normal | Status::CentreOfZero => (WeightRange::InRange, None),
            Status::Over => (WeightRange::Over, None),
            Status::Under => (WeightRange::Under, None),
            Status::ZeroError => (WeightRange::Invalid, Some("it reports a zero error; empty and zero it")),
            Status::TareError => (WeightRange::Invalid, Some("it reports a tare error; clear the tare")),
            Status::InitialZeroError => {
                (WeightRange::Invalid, Some("zero was not captured since power-up; zero the empty scale"))
            }
        };
        let basis = match self.mode {
            Mode::Gross => Basis::Gross,
            Mode::Net | Mode::Tare => Basis::NetOnly,
        };
        Said { basis, range, fault, ..self.plain() }
    }
    fn plain(&self) -> Said {
        let mut said = Said::none(WeightRange::InRange, None);
        (said.weight, said.unit, said.stable) = (self.weight, self.unit, Some(!self.motion));
        said
    }
}
