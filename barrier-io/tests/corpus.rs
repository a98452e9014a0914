//! Frames of lane blocks and signs kept as files, and any bytes, for both sides of both codecs at any cut.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use barrier_io::rtu::{Decoder, Request};
use barrier_io::sign;
use proptest::prelude::*;

const REQUESTS: [Request; 4] = [
    Request::ReadInputs { start: 0, count: 2 },
    Request::ReadHolding { start: 0, count: 2 },
    Request::ReadCoils { start: 0, count: 8 },
    Request::WriteCoil { coil: 1, on: true },
];

fn swallow(bytes: &[u8], cut: usize) -> (usize, usize) {
    for request in REQUESTS {
        let _any = request.answer(1, bytes);
        for end in (0..bytes.len()).step_by(cut) {
            let _any = request.answer(1, &bytes[..end]);
        }
    }
    let (mut block, mut board) = (Decoder::new(), sign::Decoder::new());
    let (mut asked, mut shown) = (0, 0);
    for piece in bytes.chunks(cut) {
        asked += block.push(piece).iter().filter(|r| r.is_ok()).count();
        shown += board.push(piece).iter().filter(|t| t.is_ok()).count();
    }
    (asked, shown)
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
    assert!(files >= 8, "{files}");
}

proptest! {
    #[test]
    fn any_bytes_are_borne(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 1usize..40) {
        prop_assert_eq!(swallow(&bytes, cut), swallow(&bytes, 1));
    }

    #[test]
    fn a_text_is_shown_after_any_noise(
        noise in prop::collection::vec(any::<u8>().prop_filter("no mark", |b| !(2..=3).contains(b)), 0..60),
        cut in 1usize..20,
    ) {
        let text = ["WAIT".to_owned(), "LANE 1".to_owned()];
        let wire = [noise, sign::encode(&text, 2, 16)].concat();
        let mut board = sign::Decoder::new();
        let shown: Vec<_> = wire.chunks(cut).flat_map(|p| board.push(p)).filter_map(Result::ok).collect();
        prop_assert_eq!(shown.last().map(Vec::as_slice), Some(&text[..]));
    }
}
