//! Toledo continuous output: `STX SWA SWB SWC weight(6) tare(6) CR [CHK]`.
//!
//! Status words and checksum as in the Mettler-Toledo 8142 family and its followers (IND series, the
//! "TOLEDO" mode of most other makes): SWA bits 0-2 place of the point, bits 3-4 interval; SWB bit 0
//! net, 1 negative, 2 out of range, 3 motion, 4 kilogram, 6 zero not captured since power-up; SWC bits
//! 0-2 unit, 3 print request, 4 expanded, 6 a maker's own. Bit 5 of each is constant; clones differ in
//! it, so it is not checked. The checksum makes the low seven bits of the sum of all bytes zero.
//!
//! Bit 7 is parity on 7-bit lines and carries nothing: it is dropped on arrival.

use super::said::{Basis, Said};
use super::{Decimal, Unit};
use gate_types::observation::WeightRange;

const STX: u8 = 0x02;
const CR: u8 = 0x0d;
/// Bytes of a telegram before its checksum.
pub const BODY_BYTES: usize = 17;

/// The interval's leading digit (SWA bits 3-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Increment {
    /// 1, 10, 100...
    One,
    /// 2, 20, 200...
    Two,
    /// 5, 50, 500...
    Five,
}

/// Whether telegrams carry a checksum: a setting of the indicator, never guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// The 18th byte.
    Present,
    /// 17 bytes.
    Absent,
}

/// One telegram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telegram {
    /// Place of the point: 0 `XXXX00`, 1 `XXXXX0`, 2 `XXXXXX`, 3 `XXXXX.X` to 7 `X.XXXXX`.
    pub point: u8,
    /// Leading digit of the interval.
    pub increment: Increment,
    /// The weight is net; gross otherwise.
    pub net: bool,
    /// The weight is negative.
    pub negative: bool,
    /// Over capacity, or under zero when negative.
    pub out_of_range: bool,
    /// The load moves.
    pub motion: bool,
    /// Zero was not captured since power-up.
    pub zero_not_captured: bool,
    /// Unit.
    pub unit: Unit,
    /// Somebody pressed print.
    pub print_request: bool,
    /// Ten times finer than legal for trade.
    pub expanded: bool,
    /// SWC bit 6, which makers use for themselves.
    pub maker_bit: bool,
    /// Weight digits as sent, 0..=999999; none where the field is blank, as some do out of range.
    pub weight: Option<u32>,
    /// Tare digits as sent, 0..=999999; none where blank.
    pub tare: Option<u32>,
}

/// Why bytes were passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The checksum is wrong.
    #[error("wrong checksum: {got:#04x}, computed {want:#04x}")]
    Checksum {
        /// As received.
        got: u8,
        /// As computed.
        want: u8,
    },
    /// An STX without a telegram behind it.
    #[error("no telegram behind STX: {what}")]
    Shape {
        /// What is not as it must be.
        what: &'static str,
    },
}

impl Telegram {
    /// A stable gross weight of `kg` in whole kilograms on a scale of interval `interval_kg` (1, 2, 5,
    /// 10, 20, 50, 100, 200 or 500), as an indicator shows it: rounded to the interval. None when the
    /// interval is none of these or the weight has more than six digits.
    pub fn gross_kg(kg: f64, interval_kg: f64) -> Option<Self> {
        let steps = [
            (1.0, 2u8, Increment::One),
            (2.0, 2, Increment::Two),
            (5.0, 2, Increment::Five),
            (10.0, 1, Increment::One),
            (20.0, 1, Increment::Two),
            (50.0, 1, Increment::Five),
            (100.0, 0, Increment::One),
            (200.0, 0, Increment::Two),
            (500.0, 0, Increment::Five),
        ];
        let (step, point, increment) = steps.into_iter().find(|(s, _, _)| *s == interval_kg)?;
        let shown = (kg / step).round() * step;
        let fixed_zeros = match point {
            0 => 100.0,
            1 => 10.0,
            _one => 1.0,
        };
        let digits = shown.abs() / fixed_zeros;
        if !digits.is_finite() || digits > 999_999.0 {
            return None;
        }
        Some(Self {
            point,
            increment,
            net: false,
            negative: shown < 0.0,
            out_of_range: false,
            motion: false,
            zero_not_captured: false,
            unit: Unit::Kilogram,
            print_request: false,
            expanded: false,
            maker_bit: false,
            weight: Some(digits.round() as u32),
            tare: Some(0),
        })
    }

    fn scaled(&self, digits: u32) -> Decimal {
        let digits = i64::from(digits);
        match self.point {
            0 => Decimal { digits: digits * 100, places: 0 },
            1 => Decimal { digits: digits * 10, places: 0 },
            point => Decimal { digits, places: point.saturating_sub(2) },
        }
    }
    /// The weight shown, with its sign.
    pub fn shown(&self) -> Option<Decimal> {
        let mut shown = self.scaled(self.weight?);
        if self.negative {
            shown.digits = -shown.digits;
        }
        Some(shown)
    }
    /// The gross weight: the weight shown, and the tare added when it is net.
    pub fn gross(&self) -> Option<Decimal> {
        let mut gross = self.shown()?;
        if self.net {
            gross.digits += self.scaled(self.tare?).digits;
        }
        Some(gross)
    }
    /// The interval that the telegram tells.
    pub fn interval(&self) -> Decimal {
        self.scaled(match self.increment {
            Increment::One => 1,
            Increment::Two => 2,
            Increment::Five => 5,
        })
    }

    /// What it comes down to.
    pub fn said(&self) -> Said {
        let (range, fault) = if self.expanded {
            let told = "it shows ten-fold resolution, which is no legal weight; switch it back";
            (WeightRange::Invalid, Some(told))
        } else if self.zero_not_captured {
            let told = "zero was not captured since power-up; zero the empty scale";
            (WeightRange::Invalid, Some(told))
        } else if self.out_of_range {
            (if self.negative { WeightRange::Under } else { WeightRange::Over }, None)
        } else {
            (WeightRange::InRange, None)
        };
        let basis = match (self.net, self.tare) {
            (false, _) => Basis::Gross,
            (true, Some(tare)) => Basis::Net(self.scaled(tare)),
            (true, None) => Basis::NetOnly,
        };
        Said {
            weight: self.shown(),
            basis,
            unit: self.unit,
            stable: Some(!self.motion),
            range,
            fault,
            interval: Some(self.interval()),
            alibi: None,
        }
    }

    /// The telegram's bytes.
    pub fn encode(&self, checksum: Checksum) -> Vec<u8> {
        let increment = match self.increment {
            Increment::One => 0b01,
            Increment::Two => 0b10,
            Increment::Five => 0b11,
        };
        let (kilogram, unit) = match self.unit {
            Unit::Kilogram => (1, 0),
            Unit::Pound => (0, 0),
            Unit::Gram => (1, 1),
            Unit::Tonne => (1, 2),
            Unit::Ounce => (0, 3),
            Unit::ShortTon => (0, 2),
            Unit::None => (1, 7),
        };
        let bit = |set: bool, n: u8| u8::from(set) << n;
        let mut out = Vec::with_capacity(BODY_BYTES + 1);
        out.push(STX);
        out.push(0x20 | increment << 3 | (self.point & 0x07));
        out.push(
            0x20 | bit(self.net, 0)
                | bit(self.negative, 1)
                | bit(self.out_of_range, 2)
                | bit(self.motion, 3)
                | kilogram << 4
                | bit(self.zero_not_captured, 6),
        );
        out.push(0x20 | unit | bit(self.print_request, 3) | bit(self.expanded, 4) | bit(self.maker_bit, 6));
        for field in [self.weight, self.tare] {
            match field {
                Some(digits) => out.extend_from_slice(format!("{:06}", digits % 1_000_000).as_bytes()),
                None => out.extend_from_slice(b"      "),
            }
        }
        out.push(CR);
        if checksum == Checksum::Present {
            out.push(checksum_of(&out));
        }
        out
    }

    /// Reads the 17 bytes before the checksum, bit 7 already dropped.
    fn read(b: &[u8; BODY_BYTES]) -> Result<Self, Fault> {
        let [_, swa, swb, swc, fields @ .., cr] = *b;
        if cr != CR {
            return Err(Fault::Shape { what: "byte 17 is not CR" });
        }
        let increment = match (swa >> 3) & 0b11 {
            0b01 => Increment::One,
            0b10 => Increment::Two,
            0b11 => Increment::Five,
            _zero => return Err(Fault::Shape { what: "the interval bits are 00" }),
        };
        let unit = match (swc & 0x07, swb & 0x10 != 0) {
            (0, true) => Unit::Kilogram,
            (0, false) => Unit::Pound,
            (1, _) => Unit::Gram,
            (2, true) => Unit::Tonne,
            (2, false) => Unit::ShortTon,
            (3, _) => Unit::Ounce,
            (7, _) => Unit::None,
            _undefined => return Err(Fault::Shape { what: "the unit bits are undefined" }),
        };
        let (weight, tare) = fields.split_at(6);
        Ok(Self {
            point: swa & 0x07,
            increment,
            net: swb & 0x01 != 0,
            negative: swb & 0x02 != 0,
            out_of_range: swb & 0x04 != 0,
            motion: swb & 0x08 != 0,
            zero_not_captured: swb & 0x40 != 0,
            unit,
            print_request: swc & 0x08 != 0,
            expanded: swc & 0x10 != 0,
            maker_bit: swc & 0x40 != 0,
            weight: digits(weight)?,
            tare: digits(tare)?,
        })
    }
}

/// Leading blanks count as zeros; a field of blanks only has no number.
fn digits(field: &[u8]) -> Result<Option<u32>, Fault> {
    let mut number = None;
    for b in field {
        number = match (b, number) {
            (b'0'..=b'9', n) => Some(n.unwrap_or(0) * 10 + u32::from(b - b'0')),
            (b' ', None) => None,
            _other => return Err(Fault::Shape { what: "a weight field holds something else than digits" }),
        };
    }
    Ok(number)
}

/// The checksum over all bytes before it: two's complement of the sum's low seven bits.
fn checksum_of(bytes: &[u8]) -> u8 {
    let sum = bytes.iter().fold(0u8, |sum, b| sum.wrapping_add(*b));
    sum.wrapping_neg() & 0x7f
}

/// A telegram and the bytes that it came as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The telegram.
    pub telegram: Telegram,
    /// Its bytes, bit 7 dropped.
    pub raw: Vec<u8>,
}

/// Finds telegrams in a stream, whatever comes between them. Holds at most one telegram's bytes.
#[derive(Debug)]
pub struct Deframer {
    checksum: Checksum,
    held: Vec<u8>,
}

impl Deframer {
    /// A deframer for an indicator with or without checksum.
    pub fn new(checksum: Checksum) -> Self {
        Self { checksum, held: Vec::with_capacity(BODY_BYTES + 1) }
    }
    /// Bytes held, less than one telegram.
    pub fn held_bytes(&self) -> usize {
        self.held.len()
    }
    /// Takes from `input` up to the next telegram or fault. None: `input` is used up.
    /// After a fault the search goes on behind the STX that it began with.
    pub fn take(&mut self, input: &mut &[u8]) -> Option<Result<Received, Fault>> {
        let whole = match self.checksum {
            Checksum::Present => BODY_BYTES + 1,
            Checksum::Absent => BODY_BYTES,
        };
        while self.held.len() < whole {
            let (first, rest) = input.split_first()?;
            *input = rest;
            let byte = first & 0x7f;
            if self.held.is_empty() && byte != STX {
                continue;
            }
            self.held.push(byte);
        }
        let result = self.judge();
        match &result {
            Ok(_) => self.held.clear(),
            Err(_) => self.skip_to_next_stx(),
        }
        Some(result)
    }
    fn judge(&self) -> Result<Received, Fault> {
        let body: &[u8; BODY_BYTES] = self.held.first_chunk().ok_or(Fault::Shape { what: "short" })?;
        let telegram = Telegram::read(body)?;
        if let (Checksum::Present, Some(got)) = (self.checksum, self.held.get(BODY_BYTES).copied()) {
            let want = checksum_of(body);
            if got != want {
                return Err(Fault::Checksum { got, want });
            }
        }
        Ok(Received { telegram, raw: self.held.clone() })
    }
    fn skip_to_next_stx(&mut self) {
        let next = self.held.iter().skip(1).position(|b| *b == STX).map_or(self.held.len(), |at| at + 1);
        self.held.drain(..next);
    }
}
