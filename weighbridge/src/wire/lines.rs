//! Cutting a stream into lines of ASCII, whatever comes between them, and into frames of fixed length.

use super::Fault;

/// Longest line taken, without its ending.
pub const MAX_LINE_BYTES: usize = 128;

/// Cuts a stream into lines. Holds at most [`MAX_LINE_BYTES`]; a longer line is passed over whole.
#[derive(Debug)]
pub struct Lines {
    start: Option<u8>,
    ends: &'static [u8],
    held: Vec<u8>,
    within: bool,
    passing: bool,
}

impl Default for Lines {
    fn default() -> Self {
        Self::new()
    }
}

impl Lines {
    /// Lines ended by CR LF, LF or CR.
    pub fn new() -> Self {
        Self { start: None, ends: b"\r\n", held: Vec::new(), within: true, passing: false }
    }
    /// Lines that begin with `start`, which is not given, and end with one of `ends`. What is outside of
    /// them is passed over.
    pub fn between(start: u8, ends: &'static [u8]) -> Self {
        Self { start: Some(start), ends, held: Vec::new(), within: false, passing: false }
    }
    /// Bytes held of an unfinished line, at most [`MAX_LINE_BYTES`].
    pub fn held_bytes(&self) -> usize {
        self.held.len()
    }
    /// Takes from `input` up to the end of the next line. None: `input` is used up. Empty lines are no
    /// lines. Bit 7 (parity) is dropped.
    pub fn take(&mut self, input: &mut &[u8]) -> Option<Result<String, Fault>> {
        loop {
            let (first, rest) = input.split_first()?;
            *input = rest;
            let byte = first & 0x7f;
            if Some(byte) == self.start {
                let cut = self.within && (self.passing || !self.held.is_empty());
                self.held.clear();
                (self.within, self.passing) = (true, false);
                if cut {
                    return Some(Err(Fault::Shape("a telegram begins within another")));
                }
            } else if !self.within {
            } else if self.ends.contains(&byte) {
                let (line, passing) = (std::mem::take(&mut self.held), self.passing);
                (self.within, self.passing) = (self.start.is_none(), false);
                if passing {
                    return Some(Err(Fault::TooLong));
                }
                if line.is_empty() {
                    continue;
                }
                let text = line.iter().all(|b| matches!(b, 0x20..=0x7e));
                return Some(if text {
                    Ok(line.iter().copied().map(char::from).collect())
                } else {
                    Err(Fault::NotText)
                });
            } else if self.passing {
            } else if self.held.len() == MAX_LINE_BYTES {
                self.held.clear();
                self.passing = true;
            } else {
                self.held.push(byte);
            }
        }
    }
}

/// Cuts frames of a fixed length that begin with a known byte. Holds less than one frame.
#[derive(Debug)]
pub struct Fixed {
    start: u8,
    length: usize,
    held: Vec<u8>,
}

impl Fixed {
    /// Frames of `length` bytes that begin with `start`.
    pub fn new(start: u8, length: usize) -> Self {
        Self { start, length, held: Vec::with_capacity(length) }
    }
    /// Bytes held of an unfinished frame.
    pub fn held_bytes(&self) -> usize {
        self.held.len()
    }
    /// Takes from `input` up to the next frame that `read` accepts or refuses. None: `input` is used up.
    /// After a refusal the search goes on behind the start byte. Bit 7 (parity) is dropped.
    pub fn take<T>(
        &mut self,
        input: &mut &[u8],
        read: impl Fn(&[u8]) -> Result<T, Fault>,
    ) -> Option<Result<(T, Vec<u8>), Fault>> {
        while self.held.len() < self.length {
            let (first, rest) = input.split_first()?;
            *input = rest;
            let byte = first & 0x7f;
            if self.held.is_empty() && byte != self.start {
                continue;
            }
            self.held.push(byte);
        }
        match read(&self.held) {
            Ok(read) => Some(Ok((read, std::mem::take(&mut self.held)))),
            Err(fault) => {
                let next = self.held.iter().skip(1).position(|b| *b == self.start);
                self.held.drain(..next.map_or(self.held.len(), |at| at + 1));
                Some(Err(fault))
            }
        }
    }
}
