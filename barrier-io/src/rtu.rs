//! Modbus RTU frames (MODBUS over Serial Line V1.02, clause 2.5.1), both directions. Pure.
//!
//! An RTU answer has neither length nor transaction number: how long it is follows from its request, and
//! whose it is follows from nothing. So an answer is taken only whole, alone and of the request's own kind;
//! the session adds silence and alternation (see `modbus`).

use std::fmt;

/// Longest frame, bytes (clause 2.5.1.1).
pub const MOST_FRAME: usize = 256;
/// Every request of [`Request`] is this long: unit, function, two words, CRC.
pub const REQUEST_LEN: usize = 8;
/// Unit, function with its high bit, code, CRC.
const EXCEPTION_LEN: usize = 5;

/// What a lane asks of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Function 01.
    ReadCoils {
        /// First coil.
        start: u16,
        /// Coils, 1 to 2000.
        count: u16,
    },
    /// Function 03.
    ReadHolding {
        /// First register.
        start: u16,
        /// Registers, 1 to 125.
        count: u16,
    },
    /// Function 04.
    ReadInputs {
        /// First register.
        start: u16,
        /// Registers, 1 to 125.
        count: u16,
    },
    /// Function 05.
    WriteCoil {
        /// The coil.
        coil: u16,
        /// On or off.
        on: bool,
    },
}

/// What a block answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Coils, as many as were asked for.
    Bits(Vec<bool>),
    /// Registers, as many as were asked for.
    Words(Vec<u16>),
    /// The echo of a write.
    Wrote {
        /// The coil.
        coil: u16,
        /// On or off.
        on: bool,
    },
    /// The block refuses this request.
    Exception(u8),
}

/// Bytes that are not the answer to the request, or not a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RtuError {
    /// The checksum does not hold.
    Crc,
    /// Another unit's frame.
    Unit(u8),
    /// Another function's frame: a late answer, or another master's.
    Function(u8),
    /// The counts inside do not fit what was asked.
    Count(u8),
    /// More bytes than one frame.
    Surplus(usize),
    /// Bytes that begin no request; skipped by a [`Decoder`].
    Skipped(usize),
}

impl fmt::Display for RtuError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RtuError::Crc => write!(f, "wrong CRC; check baud rate, parity and wiring"),
            RtuError::Unit(unit) => write!(f, "an answer of unit {unit}, which was not asked"),
            RtuError::Function(code) => write!(f, "an answer of function {code:#04x}, which was not asked"),
            RtuError::Count(count) => {
                write!(f, "an answer of {count} data bytes, which does not fit the request")
            }
            RtuError::Surplus(bytes) => {
                write!(f, "{bytes} bytes after the answer: a late answer or a second master")
            }
            RtuError::Skipped(bytes) => write!(f, "{bytes} bytes that begin no request"),
        }
    }
}

impl Request {
    /// The function code.
    pub fn function(&self) -> u8 {
        match self {
            Request::ReadCoils { .. } => 1,
            Request::ReadHolding { .. } => 3,
            Request::ReadInputs { .. } => 4,
            Request::WriteCoil { .. } => 5,
        }
    }
    /// The frame for a unit.
    pub fn encode(&self, unit: u8) -> [u8; REQUEST_LEN] {
        let (first, second) = match *self {
            Request::ReadCoils { start, count }
            | Request::ReadHolding { start, count }
            | Request::ReadInputs { start, count } => (start, count),
            Request::WriteCoil { coil, on } => (coil, if on { 0xff00 } else { 0 }),
        };
        let mut frame = [unit, self.function(), 0, 0, 0, 0, 0, 0];
        frame[2..4].copy_from_slice(&first.to_be_bytes());
        frame[4..6].copy_from_slice(&second.to_be_bytes());
        let crc = crc16(&frame[..6]);
        frame[6..8].copy_from_slice(&crc.to_le_bytes());
        frame
    }
    fn decode(frame: &[u8]) -> Option<(u8, Self)> {
        let [unit, function, a, b, c, d, ..] = *frame else { return None };
        let (first, second) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let request = match (function, second) {
            (1, 1..=2000) => Request::ReadCoils { start: first, count: second },
            (3, 1..=125) => Request::ReadHolding { start: first, count: second },
            (4, 1..=125) => Request::ReadInputs { start: first, count: second },
            (5, 0xff00) => Request::WriteCoil { coil: first, on: true },
            (5, 0) => Request::WriteCoil { coil: first, on: false },
            (_, _) => return None,
        };
        Some((unit, request))
    }
    /// How long a good answer is, bytes.
    pub fn answer_len(&self) -> usize {
        match self {
            Request::ReadCoils { count, .. } => 5 + usize::from(*count).div_ceil(8),
            Request::ReadHolding { count, .. } | Request::ReadInputs { count, .. } => {
                5 + 2 * usize::from(*count)
            }
            Request::WriteCoil { .. } => REQUEST_LEN,
        }
    }
    /// Reads the answer of `unit` from all bytes that came since the request. `Ok(None)`: it is not whole
    /// yet. Never waits for more than [`MOST_FRAME`] bytes.
    pub fn answer(&self, unit: u8, bytes: &[u8]) -> Result<Option<Answer>, RtuError> {
        let [told, function, rest @ ..] = bytes else { return Ok(None) };
        if *told != unit {
            return Err(RtuError::Unit(*told));
        }
        let refused = *function == self.function() | 0x80;
        if !refused && *function != self.function() {
            return Err(RtuError::Function(*function));
        }
        let wanted = if refused { EXCEPTION_LEN } else { self.answer_len() };
        let counted = match self {
            Request::ReadCoils { .. } | Request::ReadHolding { .. } | Request::ReadInputs { .. } => !refused,
            Request::WriteCoil { .. } => false,
        };
        if let (true, Some(count)) = (counted, rest.first())
            && usize::from(*count) + 5 != wanted
        {
            return Err(RtuError::Count(*count));
        }
        if bytes.len() < wanted {
            return Ok(None);
        }
        let (body, crc) = bytes.split_at(wanted - 2);
        if crc.get(..2) != Some(&crc16(body).to_le_bytes()) {
            return Err(RtuError::Crc);
        }
        if bytes.len() > wanted {
            return Err(RtuError::Surplus(bytes.len() - wanted));
        }
        let inside = body.get(2..).unwrap_or_default();
        if refused {
            return Ok(inside.first().map(|code| Answer::Exception(*code)));
        }
        let values = inside.get(1..).unwrap_or_default();
        Ok(Some(match self {
            Request::ReadCoils { count, .. } => Answer::Bits(
                values
                    .iter()
                    .flat_map(|b| (0..8).map(move |n| b >> n & 1 == 1))
                    .take(usize::from(*count))
                    .collect(),
            ),
            Request::ReadHolding { .. } | Request::ReadInputs { .. } => {
                Answer::Words(values.chunks_exact(2).map(|w| u16::from_be_bytes([w[0], w[1]])).collect())
            }
            Request::WriteCoil { coil, on } => {
                if body.get(2..6) != self.encode(unit).get(2..6) {
                    return Err(RtuError::Count(body.len().try_into().unwrap_or(u8::MAX)));
                }
                Answer::Wrote { coil: *coil, on: *on }
            }
        }))
    }
}

impl Answer {
    /// The frame of a unit's answer to a request of this function code.
    pub fn encode(&self, unit: u8, function: u8) -> Vec<u8> {
        let mut frame = vec![unit, function];
        match self {
            Answer::Bits(bits) => {
                let bytes: Vec<u8> = bits
                    .chunks(8)
                    .map(|c| c.iter().enumerate().fold(0, |b, (n, on)| b | u8::from(*on) << n))
                    .take(MOST_FRAME - 5)
                    .collect();
                frame.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
                frame.extend(bytes);
            }
            Answer::Words(words) => {
                let words = &words[..words.len().min(125)];
                frame.push(u8::try_from(2 * words.len()).unwrap_or(u8::MAX));
                frame.extend(words.iter().flat_map(|w| w.to_be_bytes()));
            }
            Answer::Wrote { coil, on } => {
                frame.extend(coil.to_be_bytes());
                frame.extend(if *on { [0xff, 0] } else { [0, 0] });
            }
            Answer::Exception(code) => {
                frame[1] = function | 0x80;
                frame.push(*code);
            }
        }
        let crc = crc16(&frame);
        frame.extend(crc.to_le_bytes());
        frame
    }
}

/// The block's side: requests out of bytes in any pieces. Where no request begins it skips one byte, so
/// that it finds the next good request after at most 7 others; it never holds more than one frame.
#[derive(Debug, Default)]
pub struct Decoder {
    held: Vec<u8>,
}

impl Decoder {
    /// A decoder at a silent line.
    pub fn new() -> Self {
        Self::default()
    }
    /// Takes bytes, gives requests with their unit, and what was skipped.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Result<(u8, Request), RtuError>> {
        let (mut out, mut skipped) = (Vec::new(), 0);
        for byte in bytes {
            self.held.push(*byte);
            if self.held.len() < REQUEST_LEN {
                continue;
            }
            let (body, crc) = self.held.split_at(REQUEST_LEN - 2);
            let good = *crc == crc16(body).to_le_bytes();
            match Request::decode(body).filter(|_| good) {
                Some(request) => {
                    if skipped > 0 {
                        out.push(Err(RtuError::Skipped(skipped)));
                        skipped = 0;
                    }
                    out.push(Ok(request));
                    self.held.clear();
                }
                None => {
                    skipped += 1;
                    self.held.remove(0);
                }
            }
        }
        if skipped > 0 {
            out.push(Err(RtuError::Skipped(skipped)));
        }
        out
    }
    /// The line was silent for longer than a frame's pause: what was begun is over.
    pub fn silence(&mut self) {
        self.held.clear();
    }
}

/// CRC-16 of the serial line (clause 6.2.2: polynomial A001 reflected, start FFFF), sent low byte first.
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |c: u16, _| if c & 1 == 1 { c >> 1 ^ 0xa001 } else { c >> 1 })
    })
}
