//! Signs of other makers: the frame of a text as data. Pure.

use crate::points::PointMapError;
use crate::sign::{MAX_FRAME, REPEAT_MS};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Characters as the sign knows them; others become `?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// ISO 8859-1.
    Latin1,
    /// 20 to 7E.
    Ascii,
}

/// A check of the frame: two capital hex digits after the suffix, over all bytes after the first one of the
/// prefix up to the suffix and with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checksum {
    /// None.
    None,
    /// Exclusive or of the bytes.
    Xor,
    /// Sum of the bytes, its low eight bits.
    Sum,
}

/// How a text becomes a frame. Bytes are written as hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignTemplate {
    /// For people.
    pub name: String,
    /// Before the text.
    pub prefix: String,
    /// Between lines.
    pub between: String,
    /// After the text.
    pub suffix: String,
    /// Characters.
    pub encoding: Encoding,
    /// Every line of the sign is sent, filled with blanks to its end.
    #[serde(default)]
    pub filled: bool,
    /// A check.
    pub checksum: Checksum,
    /// What the sign answers to a frame that it took; empty: it answers nothing.
    pub ack: String,
    /// The last text is repeated this often, milliseconds, 200..=60,000.
    #[serde(default = "repeat_ms")]
    pub repeat_ms: u64,
}

fn repeat_ms() -> u64 {
    REPEAT_MS
}

impl SignTemplate {
    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<Self, PointMapError> {
        let fail = |problems| PointMapError { file: path.to_path_buf(), problems };
        let text = std::fs::read_to_string(path)
            .map_err(|e| fail(vec![format!("cannot be read: {e}; check the path and its rights")]))?;
        Self::parse(&text).map_err(|e| PointMapError { file: path.to_path_buf(), ..e })
    }

    /// Parses and checks a text.
    pub fn parse(text: &str) -> Result<Self, PointMapError> {
        let fail = |problems| PointMapError { file: PathBuf::new(), problems };
        let told: Self = toml::from_str(text).map_err(|e| fail(vec![e.message().to_owned()]))?;
        let mut problems = Vec::new();
        for (name, hex) in [
            ("prefix", &told.prefix),
            ("between", &told.between),
            ("suffix", &told.suffix),
            ("ack", &told.ack),
        ] {
            match bytes(hex) {
                Some(bytes) if bytes.len() <= 16 => {}
                Some(_) | None => {
                    problems.push(format!("{name}: `{hex}` is not up to 16 bytes in hex digits"))
                }
            }
        }
        if told.prefix.is_empty() && told.suffix.is_empty() {
            problems.push("prefix, suffix: one of them must mark where a text begins or ends".to_owned());
        }
        if !(200..=60_000).contains(&told.repeat_ms) {
            problems.push(format!("repeat_ms: {} is not 200 to 60000 milliseconds", told.repeat_ms));
        }
        if problems.is_empty() { Ok(told) } else { Err(fail(problems)) }
    }

    /// The frame of a text on a sign of `lines` by `columns` characters. Surplus lines and characters are cut,
    /// control characters become blanks, and the text never passes [`MAX_FRAME`] bytes.
    pub fn encode(&self, text: &[String], lines: u8, columns: u8) -> Vec<u8> {
        let part = |hex: &str| bytes(hex).unwrap_or_default();
        let (between, mut frame) = (part(&self.between), part(&self.prefix));
        let blank = String::new();
        let shown = if self.filled { usize::from(lines) } else { text.len().min(usize::from(lines)) };
        for n in 0..shown {
            if n > 0 {
                frame.extend(&between);
            }
            let line = text.get(n).unwrap_or(&blank);
            let columns = usize::from(columns);
            let fill = if self.filled { columns.saturating_sub(line.chars().count()) } else { 0 };
            for c in line.chars().take(columns).chain(std::iter::repeat_n(' ', fill)) {
                if frame.len() + 8 > MAX_FRAME {
                    break;
                }
                self.character(c, &mut frame);
            }
        }
        frame.extend(part(&self.suffix));
        let checked = frame.get(1..).unwrap_or_default();
        let check = match self.checksum {
            Checksum::None => return frame,
            Checksum::Xor => checked.iter().fold(0, |c, b| c ^ b),
            Checksum::Sum => checked.iter().fold(0u8, |c, b| c.wrapping_add(*b)),
        };
        frame.extend(format!("{check:02X}").as_bytes());
        frame
    }

    /// The answer to a frame that was taken; empty where there is none.
    pub fn ack(&self) -> Vec<u8> {
        bytes(&self.ack).unwrap_or_default()
    }

    fn character(&self, c: char, frame: &mut Vec<u8>) {
        let c = if c.is_control() { ' ' } else { c };
        match (self.encoding, u8::try_from(u32::from(c))) {
            (Encoding::Utf8, _) => frame.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            (Encoding::Latin1, Ok(byte)) => frame.push(byte),
            (Encoding::Ascii, Ok(byte @ 0x20..=0x7e)) => frame.push(byte),
            (Encoding::Latin1 | Encoding::Ascii, _) => frame.push(b'?'),
        }
    }
}

/// Bytes of hex digits, blanks between them allowed.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<char> = hex.chars().filter(|c| !c.is_whitespace()).collect();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |c: char| c.to_digit(16).and_then(|d| u8::try_from(d).ok());
    digits.chunks(2).map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"
        name = "two lines of sixteen"
        prefix = "02 41"
        between = "0d"
        suffix = "03"
        encoding = "latin1"
        filled = true
        checksum = "xor"
        ack = "06"
    "#;

    #[test]
    fn a_text_becomes_the_frame_that_the_template_says() {
        let template = SignTemplate::parse(TEMPLATE).unwrap();
        let frame = template.encode(&["Pròva→".to_owned()], 2, 8);
        let mut wanted = b"\x02APr\xf2va?  \r        \x03".to_vec();
        let check = wanted[1..].iter().fold(0, |c, b| c ^ b);
        wanted.extend(format!("{check:02X}").as_bytes());
        assert_eq!((frame, template.ack(), template.repeat_ms), (wanted, vec![6], 2_000));
        let long = vec!["x".repeat(500); 9];
        assert!(template.encode(&long, 200, 255).len() < 2 * MAX_FRAME);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let wrong = TEMPLATE
            .replace("02 41", "")
            .replace("suffix = \"03\"", "suffix = \"\"")
            .replace("\"06\"", "\"6\"");
        let told = SignTemplate::parse(&format!("{wrong}\nrepeat_ms = 1")).unwrap_err();
        assert_eq!(told.problems.len(), 3, "{told}");
    }
}
