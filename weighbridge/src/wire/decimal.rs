//! A weight exactly as printed, and its unit.

/// A decimal number: `digits` / 10^`places`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    /// All digits with the sign.
    pub digits: i64,
    /// Digits after the point, 0..=9.
    pub places: u8,
}

/// A unit of mass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Kilogram.
    Kilogram,
    /// Tonne.
    Tonne,
    /// Gram.
    Gram,
    /// Pound.
    Pound,
    /// Ounce.
    Ounce,
    /// Short ton of 2000 lb.
    ShortTon,
    /// The telegram names none.
    None,
}

impl Unit {
    /// Its sign as printed; empty for none.
    pub fn sign(self) -> &'static str {
        match self {
            Unit::Kilogram => "kg",
            Unit::Tonne => "t",
            Unit::Gram => "g",
            Unit::Pound => "lb",
            Unit::Ounce => "oz",
            Unit::ShortTon => "tn",
            Unit::None => "",
        }
    }
    /// The unit of a sign.
    pub fn of_sign(sign: &str) -> Option<Self> {
        [Unit::Kilogram, Unit::Tonne, Unit::Gram, Unit::Pound, Unit::Ounce, Unit::ShortTon, Unit::None]
            .into_iter()
            .find(|u| u.sign().eq_ignore_ascii_case(sign))
    }
}

impl Decimal {
    /// Parses `-12.340`, `12340`, `+7`; at most 12 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, number) = match text.strip_prefix('-') {
            Some(rest) => (true, rest.trim_start()),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let count = whole.len() + part.len();
        if whole.is_empty() || count > 12 || part.len() > 9 {
            return None;
        }
        let mut digits: i64 = 0;
        for b in whole.bytes().chain(part.bytes()) {
            if !b.is_ascii_digit() {
                return None;
            }
            digits = digits * 10 + i64::from(b - b'0');
        }
        let places = u8::try_from(part.len()).ok()?;
        Some(Self { digits: if negative { -digits } else { digits }, places })
    }
    /// The sum, with the finer of both resolutions; none where it has more digits than fit.
    pub fn plus(self, other: Self) -> Option<Self> {
        let places = self.places.max(other.places);
        let raised = |d: Self| d.digits.checked_mul(10i64.checked_pow(u32::from(places - d.places))?);
        Some(Self { digits: raised(self)?.checked_add(raised(other)?)?, places })
    }
    /// As printed, without leading blanks.
    pub fn text(&self) -> String {
        let sign = if self.digits < 0 { "-" } else { "" };
        let all = self.digits.unsigned_abs().to_string();
        let places = usize::from(self.places);
        if places == 0 {
            return format!("{sign}{all}");
        }
        let padded = format!("{all:0>width$}", width = places + 1);
        let (whole, part) = padded.split_at(padded.len() - places);
        format!("{sign}{whole}.{part}")
    }
    /// Kilograms, for the two units that a gate takes; none for every other.
    pub fn kilograms(&self, unit: Unit) -> Option<f64> {
        let factor = match unit {
            Unit::Kilogram => 1.0,
            Unit::Tonne => 1_000.0,
            Unit::Gram | Unit::Pound | Unit::Ounce | Unit::ShortTon | Unit::None => return None,
        };
        // Below 2^53 the product is exact, so the one division rounds correctly.
        Some(self.digits as f64 * factor / 10f64.powi(i32::from(self.places)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_weight_survives() {
        for text in ["12340", "-20", "12.340", "0.05", "-0.5", "0"] {
            assert_eq!(Decimal::parse(text).unwrap().text(), text);
        }
        assert_eq!(Decimal::parse("+7").unwrap().digits, 7);
        for bad in ["", "-", ".", "1.2.3", "12kg", "1234567890123", "٣"] {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
        assert_eq!(Decimal::parse("12.340").unwrap().kilograms(Unit::Tonne), Some(12_340.0));
        assert_eq!(Decimal::parse("40").unwrap().kilograms(Unit::Pound), None);
    }
}
