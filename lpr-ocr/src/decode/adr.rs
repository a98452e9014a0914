//! ADR panels: the hazard identification numbers of ADR 5.3.2.3.2 above a UN number.

use super::language::{DIGITS, Pattern, PatternError, PatternSet};
use super::symbol_of;

/// Hazard identification numbers (Kemler codes) in use, ADR 5.3.2.3.2.
pub const KEMLER: &[&str] = &[
    "20", "22", "223", "225", "228", "23", "238", "239", "25", "26", "263", "265", "268", "28", "285", "30",
    "323", "X323", "33", "333", "X333", "336", "338", "X338", "339", "36", "362", "X362", "368", "38", "382",
    "X382", "39", "40", "423", "X423", "43", "X432", "44", "446", "46", "462", "X462", "48", "482", "X482",
    "50", "539", "55", "556", "558", "559", "56", "568", "58", "59", "60", "606", "62", "623", "63", "638",
    "639", "64", "642", "65", "66", "663", "664", "665", "668", "X668", "669", "68", "687", "69", "70",
    "768", "78", "80", "X80", "823", "X823", "83", "X83", "836", "839", "X839", "84", "842", "85", "856",
    "86", "X86", "87", "874", "878", "88", "X88", "883", "X883", "884", "885", "886", "X886", "89", "90",
    "99",
];

/// The set of panels: each code above a UN number from 1000 to 3999 (the numbers in use on tanks and
/// bulk; explosives, below 1000, carry panels without numbers).
pub fn panels() -> Result<PatternSet, PatternError> {
    let un = [0b1110, DIGITS, DIGITS, DIGITS];
    let pattern = |k: &&str| {
        let code = k.bytes().filter_map(symbol_of).map(|s| 1u64 << s);
        Pattern(code.chain(un).collect())
    };
    PatternSet::new(&KEMLER.iter().map(pattern).collect::<Vec<_>>())
}

/// `331203` written as `33/1203`; `None` where there are not four digits behind the code.
pub fn canonical(joined: &str) -> Option<String> {
    let at = joined.len().checked_sub(4).filter(|at| *at >= 2 && joined.is_ascii())?;
    let (code, un) = joined.split_at(at);
    (KEMLER.contains(&code) && un.bytes().all(|b| b.is_ascii_digit())).then(|| format!("{code}/{un}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_are_a_code_above_a_number() {
        let set = panels().unwrap();
        let symbols: Vec<u8> = "331203".bytes().filter_map(symbol_of).collect();
        assert_eq!(set.fitting(&symbols).len(), 1);
        assert_eq!(canonical("331203").as_deref(), Some("33/1203"));
        assert_eq!(canonical("X4231428").as_deref(), Some("X423/1428"));
        for bad in ["1203", "31203", "341203", "33120A", "", "33É203"] {
            assert_eq!(canonical(bad), None, "{bad}");
        }
    }
}
