//! Telegrams of code readers kept as files, and any bytes, at any cut; whatever is shown is judged as a pass.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use barcode::line::{Decoder, MOST_TEXT};
use ed25519_dalek::SigningKey;
use gate_types::gate_pass;
use gate_types::{NodeId, PortId};
use proptest::prelude::*;

fn shown(bytes: &[u8], cut: usize) -> Vec<String> {
    let key = SigningKey::from_bytes(&[7; 32]).verifying_key();
    let (port, node) = (PortId::new("ITBRI").unwrap(), NodeId::new("1").unwrap());
    let mut decoder = Decoder::new();
    let texts: Vec<String> = bytes.chunks(cut).flat_map(|p| decoder.push(p)).filter_map(Result::ok).collect();
    for text in &texts {
        assert!(text.len() <= MOST_TEXT);
        assert!(gate_pass::read(&key, &port, &node, 0, text).is_err(), "nobody signed `{text}`");
    }
    texts
}

#[test]
fn the_corpus_is_borne_at_any_cut() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(shown(&bytes, 1), shown(&bytes, 4096), "{}", path.display());
        files += 1;
    }
    assert!(files >= 5, "{files}");
}

proptest! {
    #[test]
    fn any_bytes_are_borne(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 1usize..40) {
        prop_assert_eq!(shown(&bytes, cut), shown(&bytes, 1));
    }
}
