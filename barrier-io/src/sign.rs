//! The text sign's wire format, both ways. Pure.
//!
//! To the sign: `STX line LF line ... ETX`, UTF-8, at most [`MAX_FRAME`] bytes with its delimiters. From the
//! sign: one `ACK` a frame taken over. The last text is repeated as heartbeat every [`REPEAT_MS`]; a sign
//! that hears nothing for [`FALL_BACK_MS`] shows its own text.

/// Start of text.
pub const STX: u8 = 0x02;
/// End of text.
pub const ETX: u8 = 0x03;
/// The sign took the text over.
pub const ACK: u8 = 0x06;
/// Line feed between lines.
pub const LF: u8 = 0x0a;
/// Longest frame with its delimiters, bytes.
pub const MAX_FRAME: usize = 512;
/// The last text is repeated this often, milliseconds.
pub const REPEAT_MS: u64 = 2_000;
/// A sign that hears nothing for this long shows its own fall-back text, milliseconds.
pub const FALL_BACK_MS: u64 = 6_000;

/// What a sign may receive instead of a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Bytes outside a frame.
    #[error("{0} bytes outside STX..ETX; a text starts with STX (02)")]
    Stray(usize),
    /// The frame never ended.
    #[error("a frame grew past {MAX_FRAME} bytes without ETX (03)")]
    TooLong,
    /// Not UTF-8.
    #[error("a frame is not UTF-8")]
    NotText,
    /// A frame began inside another.
    #[error("STX (02) inside a frame; the unfinished one is dropped")]
    Restarted,
}

/// The frame of a text on a sign of `lines` by `columns` characters. Surplus lines and characters are cut,
/// control characters become blanks, and the frame never passes [`MAX_FRAME`].
pub fn encode(text: &[String], lines: u8, columns: u8) -> Vec<u8> {
    let mut frame = vec![STX];
    for (n, line) in text.iter().take(usize::from(lines)).enumerate() {
        if n > 0 && frame.len() + 1 < MAX_FRAME {
            frame.push(LF);
        }
        for c in line.chars().take(usize::from(columns)) {
            let c = if c.is_control() { ' ' } else { c };
            if frame.len() + c.len_utf8() + 1 > MAX_FRAME {
                break;
            }
            frame.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    frame.push(ETX);
    frame
}

/// The sign's side: takes bytes in any pieces, gives texts and faults in order.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The open frame without STX.
    frame: Option<Vec<u8>>,
    stray: usize,
}

impl Decoder {
    /// A decoder outside any frame.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes; gives each text that ended in them, and each fault.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Result<Vec<String>, SignError>> {
        let mut out = Vec::new();
        for &byte in bytes {
            match (self.frame.take(), byte) {
                (None, STX) => {
                    self.flush_stray(&mut out);
                    self.frame = Some(Vec::new());
                }
                (None, _) => self.stray += 1,
                (Some(_), STX) => {
                    out.push(Err(SignError::Restarted));
                    self.frame = Some(Vec::new());
                }
                (Some(frame), ETX) => out.push(lines_of(&frame)),
                (Some(frame), _) if frame.len() + 2 >= MAX_FRAME => out.push(Err(SignError::TooLong)),
                (Some(mut frame), other) => {
                    frame.push(other);
                    self.frame = Some(frame);
                }
            }
        }
        self.flush_stray(&mut out);
        out
    }

    fn flush_stray(&mut self, out: &mut Vec<Result<Vec<String>, SignError>>) {
        if self.stray > 0 {
            out.push(Err(SignError::Stray(self.stray)));
            self.stray = 0;
        }
    }
}

fn lines_of(frame: &[u8]) -> Result<Vec<String>, SignError> {
    let text = std::str::from_utf8(frame).map_err(|_| SignError::NotText)?;
    if text.is_empty() {
        return Ok(Vec::new());
    }
    Ok(text.split('\n').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|l| (*l).to_owned()).collect()
    }

    #[test]
    fn a_text_arrives_in_any_pieces() {
        let sent = text(&["PROSEGUIRE", "Nodo 6 → Levante"]);
        let frame = encode(&sent, 4, 20);
        assert_eq!((frame[0], frame[frame.len() - 1]), (STX, ETX));
        for size in 1..frame.len() {
            let mut decoder = Decoder::new();
            let got: Vec<_> = frame.chunks(size).flat_map(|c| decoder.push(c)).collect();
            assert_eq!(got, vec![Ok(sent.clone())], "pieces of {size}");
        }
    }

    #[test]
    fn a_text_is_cut_to_the_sign_and_never_breaks_the_frame() {
        let frame = encode(&text(&["a\u{2}b\u{3}c\nd", "second", "third"]), 2, 6);
        assert_eq!(Decoder::new().push(&frame), vec![Ok(text(&["a b c ", "second"]))]);
        let long = vec!["é".repeat(400); 9];
        let frame = encode(&long, 200, 255);
        assert!(frame.len() <= MAX_FRAME);
        assert!(Decoder::new().push(&frame)[0].is_ok());
        assert_eq!(Decoder::new().push(&encode(&[], 4, 20)), vec![Ok(Vec::new())]);
    }

    #[test]
    fn faults_are_named_and_the_next_text_is_read() {
        let mut decoder = Decoder::new();
        assert_eq!(decoder.push(b"xyz"), vec![Err(SignError::Stray(3))]);
        assert_eq!(decoder.push(&[STX, 0xff, ETX]), vec![Err(SignError::NotText)]);
        assert_eq!(
            decoder.push(&[STX, b'a', STX, b'b', ETX]),
            vec![Err(SignError::Restarted), Ok(text(&["b"]))]
        );
        let mut flood = vec![STX];
        flood.extend(std::iter::repeat_n(b'x', 10_000));
        assert_eq!(decoder.push(&flood)[0], Err(SignError::TooLong));
        assert_eq!(decoder.push(&encode(&text(&["ok"]), 1, 20)), vec![Ok(text(&["ok"]))]);
    }
}
