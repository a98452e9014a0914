//! Rice Lake stream: `STX pol weight(7) unit mode status CR LF`, 14 bytes, continuous.

use super::said::{Basis, Fault, Said};
use super::{Decimal, Unit};
use gate_types::observation::WeightRange;

/// The command that sets zero.
pub const ZERO: &[u8] = b"KZERO\r\n";

/// Last field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Blank.
    Valid,
    /// `I`.
    Invalid,
    /// `M`.
    Motion,
    /// `O`: over or under range; the polarity tells which.
    OutOfRange,
    /// `Z`: centre of zero.
    CentreOfZero,
}

/// One telegram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telegram {
    /// Negative.
    pub negative: bool,
    /// Weight without its sign; none where the field holds no number.
    pub weight: Option<Decimal>,
    /// Unit.
    pub unit: Unit,
    /// Net; gross otherwise.
    pub net: bool,
    /// Last field.
    pub status: Status,
}

impl Telegram {
    /// Reads what stands between STX and CR.
    pub fn decode(line: &str) -> Result<Self, Fault> {
        let (Some(pol), Some(weight), Some(rest)) = (line.get(..1), line.get(1..8), line.get(8..)) else {
            return Err(Fault::Shape("too short"));
        };
        let [unit, mode, status] = *rest.as_bytes() else {
            return Err(Fault::Shape("not 11 characters between STX and CR"));
        };
        let negative = match pol {
            "-" => true,
            " " => false,
            _other => return Err(Fault::Shape("the polarity is neither - nor blank")),
        };
        let digits = weight.trim();
        let weight = match Decimal::parse(digits) {
            None if digits.bytes().all(|b| matches!(b, b'-' | b'^' | b'_')) => None,
            None => return Err(Fault::Shape("the weight is no number")),
            Some(weight) if weight.digits < 0 => return Err(Fault::Shape("a sign within the weight")),
            some => some,
        };
        let unit = match unit {
            b'K' => Unit::Kilogram,
            b'L' => Unit::Pound,
            b'T' => Unit::ShortTon,
            b'G' => Unit::Gram,
            b'O' => Unit::Ounce,
            _other => return Err(Fault::Shape("the unit is not known")),
        };
        let net = match mode {
            b'G' => false,
            b'N' => true,
            _other => return Err(Fault::Shape("neither G nor N")),
        };
        let status = match status {
            b' ' => Status::Valid,
            b'I' => Status::Invalid,
            b'M' => Status::Motion,
            b'O' => Status::OutOfRange,
            b'Z' => Status::CentreOfZero,
            _other => return Err(Fault::Shape("the status is not known")),
        };
        Ok(Self { negative, weight, unit, net, status })
    }
    /// Its bytes; none for a unit that the format does not have.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let pol = if self.negative { '-' } else { ' ' };
        let weight = self.weight.map_or_else(String::new, |w| w.text());
        let unit = match self.unit {
            Unit::Kilogram => 'K',
            Unit::Pound => 'L',
            Unit::ShortTon => 'T',
            Unit::Gram => 'G',
            Unit::Ounce => 'O',
            Unit::Tonne | Unit::None => return None,
        };
        let mode = if self.net { 'N' } else { 'G' };
        let status = match self.status {
            Status::Valid => ' ',
            Status::Invalid => 'I',
            Status::Motion => 'M',
            Status::OutOfRange => 'O',
            Status::CentreOfZero => 'Z',
        };
        Some(format!("\x02{pol}{weight:>7}{unit}{mode}{status}\r\n").into_bytes())
    }
    /// What it comes down to.
    pub fn said(&self) -> Said {
        let (range, fault) = match self.status {
            Status::Valid | Status::Motion | Status::CentreOfZero => (WeightRange::InRange, None),
            Status::Invalid => (WeightRange::Invalid, Some("it reports an invalid weight; see its display")),
            Status::OutOfRange if self.negative => (WeightRange::Under, None),
            Status::OutOfRange => (WeightRange::Over, None),
        };
        let sign = if self.negative { -1 } else { 1 };
        Said {
            weight: self.weight.map(|w| Decimal { digits: sign * w.digits, ..w }),
            basis: if self.net { Basis::NetOnly } else { Basis::Gross },
            unit: self.unit,
            stable: Some(matches!(self.status, Status::Valid | Status::CentreOfZero)),
            range,
            fault,
            interval: None,
            alibi: None,
        }
    }
}
