//! Whole frames out of bytes in any pieces (clause 5.9: start, address, length, control, ..., CRC).

use osdp::packet::ParsedPacket;

/// Longest frame, bytes (clause 5.6: what any device has to bear).
pub const MOST_FRAME_BYTES: usize = osdp::MAX_BUS_PACKET;
/// Start, address, length, control, code and checksum.
const LEAST_FRAME_BYTES: usize = 7;

/// Takes bytes, gives frames whose checksum holds. What begins no frame is skipped byte by byte, so that the
/// next good frame is found once the false one's length (at most [`MOST_FRAME_BYTES`]) has come, or after a
/// silence. Never holds more than one frame's length and one piece.
#[derive(Debug, Default)]
pub struct Framer {
    held: Vec<u8>,
    skipped: usize,
}

impl Framer {
    /// At a silent line.
    pub fn new() -> Self {
        Self::default()
    }
    /// The line was silent: what was begun is over.
    pub fn silence(&mut self) {
        self.held.clear();
    }
    /// Bytes skipped so far, the mark byte before a frame not counted.
    pub fn skipped(&self) -> usize {
        self.skipped
    }
    /// Takes bytes and gives the frames that they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.held.extend_from_slice(bytes);
        let (mut frames, mut at) = (Vec::new(), 0);
        while let Some(rest) = self.held.get(at..).filter(|rest| !rest.is_empty()) {
            if rest[0] != osdp::SOM {
                self.skipped += usize::from(rest[0] != 0xff);
                at += 1;
                continue;
            }
            let [_, _, low, high, ..] = *rest else { break };
            let length = usize::from(u16::from_le_bytes([low, high]));
            if !(LEAST_FRAME_BYTES..=MOST_FRAME_BYTES).contains(&length) {
                self.skipped += 1;
                at += 1;
                continue;
            }
            let Some(frame) = rest.get(..length) else { break };
            if ParsedPacket::parse(frame).is_ok() {
                frames.push(frame.to_vec());
                at += length;
            } else {
                self.skipped += 1;
                at += 1;
            }
        }
        self.held.drain(..at);
        frames
    }
}
