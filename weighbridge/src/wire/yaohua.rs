//! Yaohua XK3190 and Keli, three of their continuous outputs. None of them tells motion or unit, and the
//! first two tell no overload: stability is computed, the unit is the site's.
//!
//! Continuous: `STX sign digits(6) places xor(2) ETX`, the XOR over the eight bytes before it, each nibble
//! plus 30h, or plus 37h from ten on. Reversed: `=` and eight characters from the last to the first.
//! Line (A12E): `WG004.139kg3D` CR LF, the XOR in hexadecimal.

use super::said::{Basis, Fault, Said};
use super::{Decimal, Unit};
use gate_types::observation::WeightRange;

/// Bytes of a continuous telegram.
pub const CONTINUOUS_BYTES: usize = 12;
/// Bytes of a reversed telegram.
pub const REVERSED_BYTES: usize = 9;
/// First and last byte of a continuous telegram.
pub const STX: u8 = 0x02;
const ETX: u8 = 0x03;

fn xor(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |all, b| all ^ b)
}
fn nibble(n: u8) -> u8 {
    if n < 10 { n + 0x30 } else { n + 0x37 }
}

fn untold(weight: Decimal, unit: Unit) -> Said {
    Said { basis: Basis::Untold, ..Said::gross(weight, unit, None) }
}

/// Reads a continuous telegram.
pub fn read_continuous(bytes: &[u8]) -> Result<Said, Fault> {
    let [STX, body @ .., high, low, ETX] = bytes else { return Err(Fault::Shape("no ETX at its end")) };
    let [sign, digits @ .., places] = body else { return Err(Fault::Shape("short")) };
    let want = xor(body);
    let got = [*high, *low];
    if got != [nibble(want >> 4), nibble(want & 15)] {
        let shown = |b: u8| u32::from(if b >= 0x41 { b.wrapping_sub(0x37) } else { b.wrapping_sub(0x30) });
        return Err(Fault::Checksum { got: shown(*high) << 4 | shown(*low), want: u32::from(want) });
    }
    let negative = match sign {
        b'+' => false,
        b'-' => true,
        _other => return Err(Fault::Shape("the sign is neither + nor -")),
    };
    let places = match places {
        b'0'..=b'4' => places - b'0',
        _other => return Err(Fault::Shape("the places are not 0 to 4")),
    };
    let mut number = 0i64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Err(Fault::Shape("a digit is none"));
        }
        number = number * 10 + i64::from(digit - b'0');
    }
    Ok(untold(Decimal { digits: if negative { -number } else { number }, places }, Unit::None))
}

/// The bytes of a continuous telegram; none where the weight has more than six digits or four places.
pub fn write_continuous(weight: Decimal) -> Option<Vec<u8>> {
    if weight.digits.unsigned_abs() > 999_999 || weight.places > 4 {
        return None;
    }
    let sign = if weight.digits < 0 { '-' } else { '+' };
    let body = format!("{sign}{:06}{}", weight.digits.unsigned_abs(), weight.places).into_bytes();
    let sum = xor(&body);
    let mut out = vec![STX];
    out.extend_from_slice(&body);
    out.extend([nibble(sum >> 4), nibble(sum & 15), ETX]);
    Some(out)
}

/// Reads a reversed telegram: `=00.1000-` is -1.00. It has no checksum; only its form protects it.
pub fn read_reversed(bytes: &[u8]) -> Result<Said, Fault> {
    let [b'=', body @ ..] = bytes else { return Err(Fault::Shape("it does not begin with =")) };
    let text: String = body.iter().rev().copied().map(char::from).collect();
    let (negative, number) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix([' ', '+']).unwrap_or(&text)),
    };
    if !number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Err(Fault::Shape("something else than digits and a point"));
    }
    let number = number.strip_suffix('.').unwrap_or(number);
    let weight = Decimal::parse(number).ok_or(Fault::Shape("no number"))?;
    let digits = if negative { -weight.digits } else { weight.digits };
    Ok(untold(Decimal { digits, ..weight }, Unit::None))
}

/// The bytes of a reversed telegram; none where the weight does not fit.
pub fn write_reversed(weight: Decimal) -> Option<Vec<u8>> {
    let sign = if weight.digits < 0 { '-' } else { '0' };
    let text = Decimal { digits: weight.digits.saturating_abs(), ..weight }.text();
    let whole = format!("{sign}{text:0>7}");
    if whole.len() != REVERSED_BYTES - 1 {
        return None;
    }
    Some(std::iter::once(b'=').chain(whole.bytes().rev()).collect())
}

/// Reads a line of the A12E without its ending.
pub fn read_line(line: &str) -> Result<Said, Fault> {
    let at = line.len().checked_sub(2).ok_or(Fault::Shape("short"))?;
    let (Some(body), Some(sum)) = (line.get(..at), line.get(at..)) else { return Err(Fault::NotText) };
    let got = u8::from_str_radix(sum, 16).map_err(|_| Fault::Shape("the checksum is not hexadecimal"))?;
    let want = xor(body.as_bytes());
    if got != want {
        return Err(Fault::Checksum { got: u32::from(got), want: u32::from(want) });
    }
    if body.trim() == "OL" {
        return Ok(Said { stable: None, ..Said::none(WeightRange::Over, None) });
    }
    let basis = match body.get(..2) {
        Some("WG") => Basis::Gross,
        Some("WN") => Basis::NetOnly,
        Some(_) | None => return Err(Fault::Shape("neither WG nor WN")),
    };
    let rest = body.get(2..).unwrap_or("");
    let split = rest.find(|c: char| c.is_ascii_alphabetic()).ok_or(Fault::Shape("no unit"))?;
    let (number, sign) = rest.split_at(split);
    let weight = Decimal::parse(number.trim()).ok_or(Fault::Shape("no number"))?;
    let unit = Unit::of_sign(sign).ok_or(Fault::Shape("the unit is not known"))?;
    Ok(Said { basis, ..untold(weight, unit) })
}

/// The line of a gross weight in kilograms with CR LF; overload where there is none.
pub fn write_line(weight: Option<Decimal>) -> Vec<u8> {
    let body = match weight {
        Some(weight) => {
            let sign = if weight.digits < 0 { "-" } else { "" };
            let text = Decimal { digits: weight.digits.saturating_abs(), ..weight }.text();
            format!("WG{sign}{text:0>width$}kg", width = 7 - sign.len())
        }
        None => format!("{:9}OL", ""),
    };
    format!("{body}{:02X}\r\n", xor(body.as_bytes())).into_bytes()
}
