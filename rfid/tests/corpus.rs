//! Hostile and odd frames kept as files, in one piece and byte by byte: answered by a message, an error or more
//! waiting, never by a panic or by memory that a length asks for.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use rfid::wire::{Deframer, MAX_MESSAGE_BYTES, Message};

fn swallow(bytes: &[u8], cut: usize) -> usize {
    let (mut deframer, mut messages) = (Deframer::new(), 0);
    for piece in bytes.chunks(cut) {
        let mut rest = piece;
        loop {
            match deframer.take(&mut rest) {
                Ok(Some(frame)) => messages += usize::from(Message::decode(&frame).is_ok()),
                Ok(None) => break,
                // The stream cannot be used further.
                Err(_) => return messages,
            }
        }
        assert!(deframer.held_bytes() <= MAX_MESSAGE_BYTES && deframer.held_bytes() <= bytes.len());
    }
    messages
}

#[test]
fn the_corpus_is_borne_at_any_cut() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(swallow(&bytes, 1), swallow(&bytes, 4096), "{}", path.display());
        files += 1;
    }
    assert!(files >= 10, "{files}");
}
