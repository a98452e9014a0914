//! Cutting a stream of bytes into messages, at whatever places it arrives.

use super::WireError;

/// Bytes of a message header (clause 16.1.1).
pub const HEADER_BYTES: usize = 10;
/// Longest message taken or sent, header included.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// The header's version field of LLRP 1.0.1.
pub const VERSION_1_0_1: u8 = 1;

/// A whole message, not yet looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Protocol version, 0..=7.
    pub version: u8,
    /// Message type, 0..=1023.
    pub kind: u16,
    /// Message id; a response repeats its request's.
    pub id: u32,
    /// Everything after the header.
    pub body: Vec<u8>,
}

impl Frame {
    /// The bytes of the whole message.
    pub fn encode(&self) -> Result<Vec<u8>, WireError> {
        let length = HEADER_BYTES + self.body.len();
        if length > MAX_MESSAGE_BYTES {
            return Err(WireError::DoesNotFit { what: "message" });
        }
        let length = u32::try_from(length).map_err(|_| WireError::DoesNotFit { what: "message" })?;
        let mut out = Vec::with_capacity(HEADER_BYTES + self.body.len());
        let head = (u16::from(self.version & 0x07) << 10) | (self.kind & 0x03ff);
        out.extend_from_slice(&head.to_be_bytes());
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&self.id.to_be_bytes());
        out.extend_from_slice(&self.body);
        Ok(out)
    }
}

/// Cuts messages out of a stream. After an error the stream has no known boundary any more: close the
/// connection and start with a new deframer.
#[derive(Debug, Default)]
pub struct Deframer {
    held: Vec<u8>,
}

impl Deframer {
    /// A deframer at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }
    /// Bytes held of an unfinished message, at most [`MAX_MESSAGE_BYTES`].
    pub fn held_bytes(&self) -> usize {
        self.held.len()
    }
    /// Takes from `input` what the next message needs, and gives the message once it is whole. Call
    /// again until it gives none; `input` is then empty.
    pub fn take(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, WireError> {
        self.fill_to(HEADER_BYTES, input);
        let Some((head, length, id)) = header(&self.held) else { return Ok(None) };
        let whole = usize::try_from(length).unwrap_or(usize::MAX);
        if whole < HEADER_BYTES {
            return Err(WireError::TooShort { length });
        }
        if whole > MAX_MESSAGE_BYTES {
            return Err(WireError::TooLong { length });
        }
        self.fill_to(whole, input);
        if self.held.len() < whole {
            return Ok(None);
        }
        let body = self.held.split_off(HEADER_BYTES);
        self.held.clear();
        let version = u8::try_from((head >> 10) & 0x07).unwrap_or(0);
        Ok(Some(Frame { version, kind: head & 0x03ff, id, body }))
    }
    fn fill_to(&mut self, target: usize, input: &mut &[u8]) {
        let wanted = target.saturating_sub(self.held.len()).min(input.len());
        let (now, later) = input.split_at(wanted);
        self.held.extend_from_slice(now);
        *input = later;
    }
}

fn header(held: &[u8]) -> Option<(u16, u32, u32)> {
    let head: &[u8; HEADER_BYTES] = held.first_chunk()?;
    let [k1, k0, l3, l2, l1, l0, i3, i2, i1, i0] = *head;
    Some((
        u16::from_be_bytes([k1, k0]),
        u32::from_be_bytes([l3, l2, l1, l0]),
        u32::from_be_bytes([i3, i2, i1, i0]),
    ))
}
