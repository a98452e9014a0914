//! The telegram of a code: its text and a line end (CR, LF or both), or its text between STX and ETX, as
//! hand-held and fixed readers are set at the factory. Bytes below a space end nothing else.

/// Longest text, bytes: version 40 of QR at level L.
pub const MOST_TEXT: usize = 2_953;

const STX: u8 = 2;
const ETX: u8 = 3;

/// Bytes that are no telegram. Reading goes on with the next one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Longer than a code can be; skipped up to its end.
    #[error("a text of more than {MOST_TEXT} bytes; check baud rate and the suffix of the reader (CR or LF)")]
    Long,
    /// Not UTF-8.
    #[error("a text that is no UTF-8; check baud rate and parity")]
    NotText,
    /// The reader says that it saw no code (`NR`, `NoRead`, `ERROR`, `?`).
    #[error("the reader saw no code")]
    NoRead,
}

/// Texts out of bytes in any pieces; never holds more than one text.
#[derive(Debug, Default)]
pub struct Decoder {
    held: Vec<u8>,
    /// The rest of a text that was too long is skipped.
    skipping: bool,
}

impl Decoder {
    /// A decoder between two telegrams.
    pub fn new() -> Self {
        Self::default()
    }
    /// Takes bytes, gives the texts that ended in them.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Result<String, LineError>> {
        let mut out = Vec::new();
        for byte in bytes {
            match *byte {
                STX => {
                    self.held.clear();
                    self.skipping = false;
                }
                b'\r' | b'\n' | ETX => {
                    let held = std::mem::take(&mut self.held);
                    if std::mem::take(&mut self.skipping) || held.is_empty() {
                        continue;
                    }
                    out.push(text_of(held));
                }
                _ if self.skipping => {}
                _ if self.held.len() == MOST_TEXT => {
                    self.held.clear();
                    self.skipping = true;
                    out.push(Err(LineError::Long));
                }
                other => self.held.push(other),
            }
        }
        out
    }
}

fn text_of(held: Vec<u8>) -> Result<String, LineError> {
    let text = String::from_utf8(held).map_err(|_| LineError::NotText)?;
    let text = without_symbology(text.trim());
    match text {
        "" | "?" | "NR" | "NoRead" | "NOREAD" | "ERROR" => Err(LineError::NoRead),
        text => Ok(text.to_owned()),
    }
}

/// Without the symbology identifier that readers may put before the text (ISO/IEC 15424: `]Q1`, `]d2`).
fn without_symbology(text: &str) -> &str {
    match text.as_bytes() {
        [b']', kind, modifier, ..] if kind.is_ascii_alphabetic() && modifier.is_ascii_alphanumeric() => {
            &text[3..]
        }
        _ => text,
    }
}

/// The telegram of a text, as a reader with the usual settings sends it.
pub fn encode(text: &str) -> Vec<u8> {
    let mut bytes: Vec<u8> = text.bytes().filter(|b| !matches!(*b, STX | ETX | b'\r' | b'\n')).collect();
    bytes.truncate(MOST_TEXT);
    bytes.extend(b"\r\n");
    bytes
}
