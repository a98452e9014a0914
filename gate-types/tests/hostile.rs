//! What the broker and the code readers bring, kept as files and at random: nobody signed it, so it is refused.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use ed25519_dalek::SigningKey;
use gate_types::command::{self, Came};
use gate_types::gate_pass;
use gate_types::{LaneId, NodeId, PortId};
use proptest::prelude::*;

fn refused(payload: &[u8]) {
    let key = SigningKey::from_bytes(&[7; 32]).verifying_key();
    let (port, node) = (PortId::new("ITBRI").unwrap(), NodeId::new("1").unwrap());
    let lane = LaneId::new("n1-in-1").unwrap();
    let came =
        Came { port: &port, node: &node, lane: &lane, name: "close_lane", retained: false, now_ms: 1_000 };
    assert!(command::read(&key, &came, payload).is_err());
    assert!(command::read(&key, &Came { retained: true, ..came }, payload).is_err());
    let text = String::from_utf8_lossy(payload);
    for text in [text.to_string(), format!("VARCO1:{text}")] {
        assert!(gate_pass::read(&key, &port, &node, 1_000, &text).is_err());
    }
}

#[test]
fn the_corpus_is_refused() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        refused(&std::fs::read(entry.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files >= 8, "{files}");
}

proptest! {
    #[test]
    fn any_bytes_are_refused(payload in prop::collection::vec(any::<u8>(), 0..400)) {
        refused(&payload);
    }

    #[test]
    fn anything_of_three_parts_is_refused(text in "[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,200}\\.[A-Za-z0-9_-]{80,90}") {
        refused(text.as_bytes());
    }
}
