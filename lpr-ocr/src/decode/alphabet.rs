//! Characters: what a reader's classes mean, and the one table between native and normal form.
//!
//! A *symbol* is a number below [`SYMBOLS`], the same for every model: 0 to 9 the digits, 10 to 35 the
//! Latin capitals, 36 to 45 the Arabic-Indic digits, 46 to 62 the Arabic letters of plates. A model's card
//! says which of them its classes are, in any order; nothing behind the [`Alphabet`] knows the model.

use std::fmt;

/// Characters that can be told apart at all.
pub const SYMBOLS: usize = 63;
/// Symbols that texts in normal form consist of: digits and Latin capitals.
pub const NORMAL: usize = 36;
/// The alphabet of readers that know digits and Latin capitals only.
pub const LATIN: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

const FIRST_INDIC: u8 = 36;
const FIRST_ARABIC: u8 = 46;
const INDIC_ZERO: u32 = 0x0660;

/// Arabic letters of Moroccan and Egyptian plates, each with the Latin capital of its normal form. No
/// capital stands twice: the table can be read in both directions.
pub const ARABIC: [(char, char); 17] = [
    ('ا', 'A'),
    ('ب', 'B'),
    ('ج', 'J'),
    ('د', 'D'),
    ('ر', 'R'),
    ('س', 'S'),
    ('ص', 'X'),
    ('ط', 'T'),
    ('ع', 'E'),
    ('ف', 'F'),
    ('ق', 'Q'),
    ('ل', 'L'),
    ('م', 'M'),
    ('ن', 'N'),
    ('ه', 'H'),
    ('و', 'W'),
    ('ي', 'Y'),
];

/// What script a character has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// A digit 0 to 9 or a Latin capital.
    Latin,
    /// An Arabic-Indic digit or an Arabic letter.
    Arabic,
}

/// The symbol of a native character; `None` for a character that no reader knows.
pub fn symbol(c: char) -> Option<u8> {
    match c {
        '0'..='9' => Some(c as u8 - b'0'),
        'A'..='Z' => Some(c as u8 - b'A' + 10),
        '\u{660}'..='\u{669}' => Some((u32::from(c) - INDIC_ZERO) as u8 + FIRST_INDIC),
        _ => ARABIC.iter().position(|a| a.0 == c).map(|n| n as u8 + FIRST_ARABIC),
    }
}

/// The native character of a symbol.
pub fn character(symbol: u8) -> Option<char> {
    match symbol {
        0..=9 => Some(char::from(b'0' + symbol)),
        10..=35 => Some(char::from(b'A' + symbol - 10)),
        FIRST_INDIC..=45 => char::from_u32(INDIC_ZERO + u32::from(symbol - FIRST_INDIC)),
        _ => ARABIC.get(usize::from(symbol.checked_sub(FIRST_ARABIC)?)).map(|a| a.0),
    }
}

/// The script of a symbol.
pub fn script(symbol: u8) -> Script {
    if symbol < FIRST_INDIC { Script::Latin } else { Script::Arabic }
}

/// The symbol of the normal form: below [`NORMAL`], itself for Latin symbols.
pub fn normal(of: u8) -> u8 {
    match of {
        FIRST_INDIC..=45 => of - FIRST_INDIC,
        FIRST_ARABIC.. => {
            ARABIC.get(usize::from(of - FIRST_ARABIC)).and_then(|a| symbol(a.1)).unwrap_or(NORMAL as u8 - 1)
        }
        _ => of,
    }
}

/// The symbol of a script whose normal form is `of`; `None` where the script has none (Arabic C, G ...).
/// `native(normal(s), script(s)) == Some(s)` for every symbol.
pub fn native(of: u8, script: Script) -> Option<u8> {
    match (script, of) {
        (Script::Latin, 0..=35) => Some(of),
        (Script::Arabic, 0..=9) => Some(of + FIRST_INDIC),
        (Script::Arabic, 10..=35) => {
            let c = character(of)?;
            ARABIC.iter().position(|a| a.1 == c).map(|n| n as u8 + FIRST_ARABIC)
        }
        (Script::Latin | Script::Arabic, _) => None,
    }
}

/// The native text of symbols, in the order read.
pub fn text_of(symbols: &[u8]) -> String {
    symbols.iter().filter_map(|&s| character(s)).collect()
}

/// The normal form of symbols: digits and Latin capitals only.
pub fn normal_of(symbols: &[u8]) -> String {
    symbols.iter().filter_map(|&s| character(normal(s))).collect()
}

/// The symbols of a native text; characters that no reader knows are left out.
pub fn symbols_of(text: &str) -> Vec<u8> {
    text.chars().filter_map(symbol).collect()
}

/// The normal form of a native text; characters that no reader knows are left out.
pub fn normalise(text: &str) -> String {
    normal_of(&symbols_of(text))
}

/// Why an alphabet is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AlphabetError {
    /// No characters.
    #[error("alphabet: empty, expected one character per class")]
    Empty,
    /// A character without a symbol.
    #[error(
        "alphabet: `{0}` is not a digit, a capital, an Arabic-Indic digit or one of the Arabic letters of plates"
    )]
    Unknown(char),
    /// A character that stands twice.
    #[error("alphabet: `{0}` stands twice")]
    Twice(char),
}

/// What the classes of a reader mean: class 0 is blank, class k + 1 the k-th character.
#[derive(Clone, PartialEq, Eq)]
pub struct Alphabet(Vec<u8>);

impl Alphabet {
    /// The alphabet of a model card.
    pub fn new(characters: &str) -> Result<Self, AlphabetError> {
        let mut symbols = Vec::new();
        for c in characters.chars() {
            let s = symbol(c).ok_or(AlphabetError::Unknown(c))?;
            if symbols.contains(&s) {
                return Err(AlphabetError::Twice(c));
            }
            symbols.push(s);
        }
        if symbols.is_empty() { Err(AlphabetError::Empty) } else { Ok(Self(symbols)) }
    }
    /// Digits and Latin capitals.
    pub fn latin() -> Self {
        Self((0..NORMAL as u8).collect())
    }
    /// Classes of the reader's output, the blank among them.
    pub fn classes(&self) -> usize {
        self.0.len() + 1
    }
    /// The symbols of classes 1 and up.
    pub fn symbols(&self) -> &[u8] {
        &self.0
    }
    /// The class of a symbol.
    pub fn class(&self, symbol: u8) -> Option<usize> {
        self.0.iter().position(|&s| s == symbol).map(|n| n + 1)
    }
}

impl fmt::Debug for Alphabet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Alphabet({})", text_of(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_and_normal_form_are_one_to_one_within_a_script() {
        for s in 0..SYMBOLS as u8 {
            assert_eq!(character(s).and_then(symbol), Some(s));
            assert!(usize::from(normal(s)) < NORMAL);
            assert_eq!(native(normal(s), script(s)), Some(s));
        }
        assert_eq!(character(SYMBOLS as u8), None);
        assert_eq!(native(12, Script::Arabic), None, "C has no Arabic letter");
        assert_eq!(normalise("٣٤٥ س ص ط"), "345SXT");
    }

    #[test]
    fn an_alphabet_is_that_of_its_card() {
        let long = format!("{LATIN}٠١٢٣٤٥٦٧٨٩ابجدرسصطعفقلمنهوي");
        assert_eq!(Alphabet::new(&long).map(|a| a.classes()), Ok(64));
        assert_eq!(Alphabet::new(LATIN), Ok(Alphabet::latin()));
        let other = Alphabet::new("BA10").unwrap();
        assert_eq!((other.class(10), other.class(0), other.class(12)), (Some(2), Some(4), None));
        assert_eq!(Alphabet::new("AB?"), Err(AlphabetError::Unknown('?')));
        assert_eq!(Alphabet::new("ABA"), Err(AlphabetError::Twice('A')));
        assert_eq!(Alphabet::new(""), Err(AlphabetError::Empty));
    }
}
