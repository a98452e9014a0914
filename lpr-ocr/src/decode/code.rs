//! Container (ISO 6346) and ILU (EN 13044-1) codes as languages whose every complete text has the right
//! check digit: the digit is fixed by the ten characters before it.

use super::beam::Language;
use gate_types::iso6346;

/// Which codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Fourth letter U, J or Z.
    Container,
    /// Fourth letter any other.
    Ilu,
}

/// Codes of one family; with `any_digit` also those whose check digit is wrong.
#[derive(Debug, Clone, Copy)]
pub struct CodeLanguage {
    /// The family.
    pub family: Family,
    /// Let every last digit pass.
    pub any_digit: bool,
}

/// The running sum of ISO 6346, annex A: sum and next weight, both modulo 11.
#[derive(Debug, Clone, Copy)]
pub struct Sum {
    sum: u32,
    weight: u32,
}

impl Language for CodeLanguage {
    type State = Sum;
    fn start(&self) -> Sum {
        Sum { sum: 0, weight: 1 }
    }
    fn step(&self, state: Sum, len: usize, symbol: u8) -> Option<Sum> {
        let category = matches!(symbol, 19 | 30 | 35); // J, U, Z
        let fits = match len {
            0..=2 => (10..36).contains(&symbol),
            3 => (10..36).contains(&symbol) && category == (self.family == Family::Container),
            4..=9 => symbol < 10,
            10 => symbol < 10 && (self.any_digit || u32::from(symbol) == state.sum % 10),
            11.. => false,
        };
        if !fits {
            return None;
        }
        let value = iso6346::value(super::alphabet::character(symbol)? as u8)?;
        Some(Sum { sum: (state.sum + value * state.weight) % 11, weight: state.weight * 2 % 11 })
    }
    fn complete(&self, _: Sum, len: usize) -> bool {
        len == 11
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::beam::{Probabilities, STEPS, made_logits, search};
    use crate::decode::{symbol_of, text_of};
    use gate_types::iso6346::ContainerCode;

    const VALID: CodeLanguage = CodeLanguage { family: Family::Container, any_digit: false };

    #[test]
    fn every_complete_text_has_the_right_digit() {
        let p = Probabilities::from_logits(&made_logits("CSQU3054383", 11, 6.0)).unwrap();
        let found = search(&p, &VALID, 48);
        assert!(found.len() > 5);
        assert_eq!(text_of(&found[0].symbols), "CSQU3054383");
        for s in &found {
            let text = text_of(&s.symbols);
            assert!(ContainerCode::parse(&text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_doubtful_digit_is_put_right_by_the_check_digit() {
        // The reader prefers CSQU3054883 slightly; only CSQU3054383 has a right digit.
        let mut logits = made_logits("CSQU3054883", 4, 12.0);
        let t = 48 + 2 * 4 + 1;
        logits[(usize::from(symbol_of(b'3').unwrap()) + 1) * STEPS + t] = 11.0;
        let p = Probabilities::from_logits(&logits).unwrap();
        let found = search(&p, &VALID, 48);
        assert_eq!(text_of(&found[0].symbols), "CSQU3054383");
        let any = search(&p, &CodeLanguage { any_digit: true, ..VALID }, 48);
        assert_eq!(text_of(&any[0].symbols), "CSQU3054883");
    }

    #[test]
    fn a_letter_in_the_serial_is_no_code() {
        let p = Probabilities::from_logits(&made_logits("TRAILER", 7, 20.0)).unwrap();
        let found = search(&p, &VALID, 48);
        assert!(found.first().is_none_or(|s| s.log_p < -40.0), "{found:?}");
    }
}
