//! Frames between the gate's daemon and a vision worker over stdin and stdout; `docs/wire/ocr-worker.md`.
//!
//! A frame is: total length (u32, big endian, of all that follows it), header length (u32, big endian),
//! a JSON header, then bytes up to the total length (a JPEG, or none).

use crate::spec::CameraSpec;
use gate_types::observation::OpticalRead;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Largest frame, bytes, its first word not counted.
pub const MOST_FRAME_BYTES: usize = 4 << 20;
/// The protocol's version, told in `ready`.
pub const VERSION: u32 = 2;

/// Most codes of one round that are told.
pub const MOST_CODES: usize = 16;

/// Gate to worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum ToWorker {
    /// The camera that this worker serves; once, first.
    Open {
        /// It.
        camera: CameraSpec,
        /// The file whose lock is the turn to read a frame, common to the workers of a lane.
        #[serde(default)]
        turns: Option<PathBuf>,
        /// The file of the scene that the camera was set up for; none: not kept.
        #[serde(default)]
        scene: Option<PathBuf>,
    },
    /// Read from now on (`on`), or rest.
    Observe {
        /// A vehicle is there.
        on: bool,
        /// Counts the vehicles of this driver; reads carry it back, so that late ones are told apart.
        round: u32,
        /// No vehicle is in the lane: the scene may be learned, and another one is told.
        #[serde(default)]
        empty: bool,
    },
    /// Asks for a `pong`.
    Ping {
        /// Comes back in `pong`.
        nonce: u32,
    },
}

/// How the camera is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CameraState {
    /// Delivers usable frames.
    Up,
    /// Delivers none.
    Down,
    /// Delivers frames that cannot be used.
    Degraded,
}

/// Worker to gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum FromWorker {
    /// The models are loaded; first message.
    Ready {
        /// [`VERSION`].
        version: u32,
        /// Name, version and first digits of the checksums of the models.
        models: String,
    },
    /// What one frame said (possibly nothing). The bytes are the frame as JPEG.
    Read {
        /// The vehicle's number from `observe`.
        round: u32,
        /// What was read, best first.
        reads: Vec<OpticalRead>,
        /// SHA-256 of the bytes, lower-case hex; empty where there are none.
        frame_sha256: String,
        /// Frame width, pixels.
        width: u32,
        /// Frame height, pixels.
        height: u32,
        /// Decoding, detecting and reading, milliseconds.
        ms: f32,
    },
    /// Codes (QR) on a frame that were not told since the round began.
    Codes {
        /// The vehicle's number from `observe`.
        round: u32,
        /// Their texts, at most [`MOST_CODES`].
        texts: Vec<String>,
    },
    /// The camera's state changed.
    CameraHealth {
        /// Its state.
        state: CameraState,
        /// What is wrong, where, and what to do; empty when up.
        why: String,
    },
    /// Answer to `ping`.
    Pong {
        /// From `ping`.
        nonce: u32,
        /// How long the frame in work has been in work, milliseconds; 0 when idle.
        busy_ms: u64,
    },
}

/// A frame or a stream that breaks the rules. The stream cannot be used further.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// Too long.
    #[error("frame of {0} bytes, at most {MOST_FRAME_BYTES} allowed")]
    Long(usize),
    /// The header does not fit into the frame.
    #[error("header of {header} bytes in a frame of {total}")]
    Header {
        /// Header length told.
        header: usize,
        /// Frame length told.
        total: usize,
    },
    /// The header is not the JSON expected.
    #[error("header: {0}")]
    Json(#[from] serde_json::Error),
}

/// One frame as bytes.
pub fn encode<M: Serialize>(message: &M, blob: &[u8]) -> Result<Vec<u8>, ProtocolError> {
    let header = serde_json::to_vec(message)?;
    let total = 4 + header.len() + blob.len();
    let (Ok(total_word), Ok(header_word)) = (u32::try_from(total), u32::try_from(header.len())) else {
        return Err(ProtocolError::Long(total));
    };
    if total > MOST_FRAME_BYTES {
        return Err(ProtocolError::Long(total));
    }
    let mut out = Vec::with_capacity(4 + total);
    out.extend_from_slice(&total_word.to_be_bytes());
    out.extend_from_slice(&header_word.to_be_bytes());
    out.extend_from_slice(&header);
    out.extend_from_slice(blob);
    Ok(out)
}

/// Takes bytes in any pieces and gives frames.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    start: usize,
}

impl Decoder {
    /// A decoder at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds bytes. Call [`Decoder::take`] until it gives `None` after each piece: then the buffer never
    /// holds more than one frame and one piece.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }
    /// The next whole frame.
    pub fn take<M: DeserializeOwned>(&mut self) -> Result<Option<(M, Vec<u8>)>, ProtocolError> {
        let rest = &self.buffer[self.start..];
        let Some(total) = word(rest, 0) else { return Ok(None) };
        if total > MOST_FRAME_BYTES {
            return Err(ProtocolError::Long(total));
        }
        if total < 4 {
            return Err(ProtocolError::Header { header: 0, total });
        }
        let Some(header) = word(rest, 4) else { return Ok(None) };
        if header > total - 4 {
            return Err(ProtocolError::Header { header, total });
        }
        let Some(frame) = rest.get(8..4 + total) else { return Ok(None) };
        let (json, blob) = frame.split_at(header);
        let message = serde_json::from_slice(json)?;
        let blob = blob.to_vec();
        self.start += 4 + total;
        Ok(Some((message, blob)))
    }
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let b = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes([b[0], b[1], b[2], b[3]]) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_frame_of_the_document_is_the_frame_on_the_wire() {
        let bytes = encode(&ToWorker::Ping { nonce: 7 }, b"").unwrap();
        let mut wanted = vec![0, 0, 0, 0x20, 0, 0, 0, 0x1c];
        wanted.extend_from_slice(br#"{"message":"ping","nonce":7}"#);
        assert_eq!(bytes, wanted);
    }

    #[test]
    fn what_breaks_the_rules_is_an_error() {
        let mut d = Decoder::new();
        d.push(&[0xff, 0xff, 0xff, 0xff]);
        assert!(matches!(d.take::<ToWorker>(), Err(ProtocolError::Long(_))));
        let mut d = Decoder::new();
        d.push(&[0, 0, 0, 8, 0, 0, 0, 9]);
        assert!(matches!(d.take::<ToWorker>(), Err(ProtocolError::Header { .. })));
        let mut d = Decoder::new();
        d.push(&[0, 0, 0, 6, 0, 0, 0, 2, b'{', b'}']);
        assert!(matches!(d.take::<ToWorker>(), Err(ProtocolError::Json(_))));
        assert!(encode(&ToWorker::Ping { nonce: 0 }, &vec![0; MOST_FRAME_BYTES]).is_err());
    }

    proptest! {
        #[test]
        fn frames_survive_any_cutting(
            nonces in prop::collection::vec(any::<u32>(), 1..8),
            blob in prop::collection::vec(any::<u8>(), 0..300),
            cuts in prop::collection::vec(1usize..60, 1..40),
        ) {
            let mut wire = Vec::new();
            for n in &nonces {
                wire.extend(encode(&ToWorker::Ping { nonce: *n }, &blob).unwrap());
            }
            let mut d = Decoder::new();
            let mut got = Vec::new();
            let (mut rest, mut i) = (&wire[..], 0);
            while !rest.is_empty() {
                let n = cuts[i % cuts.len()].min(rest.len());
                d.push(&rest[..n]);
                rest = &rest[n..];
                i += 1;
                while let Some((ToWorker::Ping { nonce }, b)) = d.take::<ToWorker>().unwrap() {
                    prop_assert_eq!(&b, &blob);
                    got.push(nonce);
                }
            }
            prop_assert_eq!(got, nonces);
        }

        #[test]
        fn any_bytes_end_in_frames_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut d = Decoder::new();
            d.push(&bytes);
            for _ in 0..60 {
                match d.take::<FromWorker>() {
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) => break,
                }
            }
        }
    }
}
