//! Telegrams, half ones and nonsense kept as files, given to every format in one piece and byte by byte; and any
//! bytes at any cut.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use device::Endpoint;
use proptest::prelude::*;
use weighbridge::wire::{Format, Heard, NAMES};

fn formats() -> Vec<Format> {
    let map = concat!(env!("CARGO_MANIFEST_DIR"), "/data/laumas-tlb.toml");
    let tcp = format!("modbus://h:502?registers={map}");
    let rtu = format!("modbus-rtu://h:4001?registers={map}");
    let lines = NAMES.iter().filter(|n| **n != "modbus").map(|n| format!("tcp://h:1?protocol={n}"));
    lines
        .chain([tcp, rtu])
        .map(|text| Format::of_endpoint(&Endpoint::parse(&text).unwrap()).unwrap())
        .collect()
}

/// Weights that every format found, in order.
fn heard(bytes: &[u8], cut: usize) -> Vec<String> {
    let mut told = Vec::new();
    for (n, mut format) in formats().into_iter().enumerate() {
        // An indicator of demand answers only what it was asked.
        let _request = format.request();
        'wire: for piece in bytes.chunks(cut) {
            let mut rest = piece;
            while let Some(taken) = format.take(&mut rest) {
                match taken {
                    Ok(telegram) => {
                        if let Heard::Weight(said) = telegram.heard {
                            told.push(format!("{n} {said:?}"));
                        }
                    }
                    Err(_) if format.pairs_answers() => break 'wire,
                    Err(_) => {}
                }
            }
        }
    }
    told
}

#[test]
fn the_corpus_is_borne_at_any_cut() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(heard(&bytes, 1), heard(&bytes, 4096), "{}", path.display());
        files += 1;
    }
    assert!(files >= 10, "{files}");
}

proptest! {
    #[test]
    fn any_bytes_are_borne_by_every_format(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 1usize..40) {
        let _any = heard(&bytes, cut);
    }

    #[test]
    fn telegrams_in_pieces_of_others_are_borne(
        parts in prop::collection::vec(prop::sample::select(vec![
            "\u{2}10 012345000000\r", "S S      123.45 kg\r\n", "ST,GS,  12345,kg\r\n", "\n  G    12345.6lb \r\n",
            "<0000010122:1500101  12345       0  12345kg     12345>", "=543210-", "\u{3}", "\u{2}", "\r", "-", "9999999999",
        ]), 0..12),
        cut in 1usize..30,
    ) {
        let _any = heard(parts.concat().as_bytes(), cut);
    }
}
