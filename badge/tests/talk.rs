//! Panel and reader against each other, golden frames, and whatever else may come over the line.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use badge::{Framer, Key, MOST_FRAME_BYTES, Order, Panel, ReaderFace, Told, WrongAnswer};
use proptest::prelude::*;

const OWN: Key = Key::Own(*b"0123456789abcdef");

fn pair(panel: Key, reader: Key) -> (Panel, ReaderFace) {
    (Panel::new(5, panel, [7; 8]).unwrap(), ReaderFace::new(5, reader, [9; 8]))
}

fn turn(panel: &mut Panel, reader: &mut ReaderFace, order: Option<Order>) -> Result<Told, WrongAnswer> {
    let question = panel.ask(order)?;
    let answers = reader.push(&question);
    assert_eq!(answers.len(), 1, "{}", question.len());
    panel.answer(&answers[0])
}

fn ready(panel: &mut Panel, reader: &mut ReaderFace) {
    for _ in 0..6 {
        if turn(panel, reader, None).unwrap() == Told::Ready {
            return;
        }
    }
    panic!("not set up");
}

#[test]
fn a_question_is_the_frame_of_the_standard_s_form() {
    // Start, address 5, 9 bytes, number 0 and CRC, osdp_ID, type 0; CRC-16 of polynomial 1021 from 1D0F.
    let mut panel = Panel::new(5, Key::None, [0; 8]).unwrap();
    let frame = panel.ask(None).unwrap();
    assert_eq!(frame[..7], [0x53, 0x05, 0x09, 0x00, 0x04, 0x61, 0x00]);
    let crc = frame[..7].iter().fold(0x1d0f_u16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |c, _| if c >> 15 == 1 { c << 1 ^ 0x1021 } else { c << 1 })
    });
    assert_eq!(frame[7..], crc.to_le_bytes());
}

#[test]
fn badges_come_in_the_clear_and_secured() {
    for key in [Key::None, Key::Install, OWN] {
        let (mut panel, mut reader) = pair(key, key);
        ready(&mut panel, &mut reader);
        assert_eq!(reader.is_secured(), key != Key::None);
        assert!(reader.present(&[0xde, 0xad, 0xbe, 0x80], 26));
        let Told::Badge(badge) = turn(&mut panel, &mut reader, None).unwrap() else { panic!() };
        assert_eq!((badge.number.as_str(), badge.bits, badge.secured), ("deadbe80", 26, key == OWN));
        assert_eq!(turn(&mut panel, &mut reader, Some(Order::Beep)).unwrap(), Told::Nothing);
        assert_eq!(reader.beeps(), 1);
        reader.tamper(true);
        assert!(matches!(turn(&mut panel, &mut reader, None).unwrap(), Told::Local(Some(_))));
        reader.tamper(false);
        assert_eq!(turn(&mut panel, &mut reader, None).unwrap(), Told::Local(None));
        for _ in 0..20 {
            assert_eq!(turn(&mut panel, &mut reader, None).unwrap(), Told::Nothing);
        }
    }
}

#[test]
fn another_key_is_told_and_nothing_is_taken_in_the_clear() {
    let (mut panel, mut reader) = pair(OWN, Key::Own([1; 16]));
    let end = (0..6).find_map(|_| turn(&mut panel, &mut reader, None).err());
    assert_eq!(end, Some(WrongAnswer::Key));
    // A secured reader refuses a panel without a key.
    let (mut panel, mut reader) = pair(Key::None, OWN);
    let end = (0..6).find_map(|_| turn(&mut panel, &mut reader, None).err());
    assert!(matches!(end, Some(WrongAnswer::Refused(_))), "{end:?}");
    // Somebody on the line answers a secured panel in the clear.
    let (mut panel, mut reader) = pair(OWN, OWN);
    ready(&mut panel, &mut reader);
    let question = panel.ask(None).unwrap();
    let sqn = question[4] & 3;
    let raw = osdp::reply::Raw { reader: 0, format_code: 0, bit_count: 8, bits: vec![1] };
    let control = osdp::ControlByte::new(osdp::Sqn::new(sqn).unwrap(), osdp::packet::CtrlFlags::USE_CRC);
    let address = osdp::Address::reply(5).unwrap();
    let forged = osdp::packet::PacketBuilder::plain(address, control, 0x50, raw.encode().unwrap());
    assert_eq!(panel.answer(&forged.encode().unwrap()), Err(WrongAnswer::NotSecured));
    assert!(panel.ask(None).is_err(), "the conversation is over");
}

#[test]
fn a_question_asked_again_is_answered_again_and_a_badge_comes_once() {
    let (mut panel, mut reader) = pair(OWN, OWN);
    ready(&mut panel, &mut reader);
    reader.present(&[1], 8);
    let question = panel.ask(None).unwrap();
    let first = reader.push(&question);
    let again = reader.push(&question);
    assert_eq!(first, again);
    assert!(matches!(panel.answer(&again[0]).unwrap(), Told::Badge(_)));
    assert_eq!(turn(&mut panel, &mut reader, None).unwrap(), Told::Nothing);
}

#[test]
fn a_key_file_holds_32_hex_digits() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "30313233343536373839616263646566\n").unwrap();
    assert_eq!(Key::load(&file).unwrap(), OWN);
    for bad in ["", "3031", "zz313233343536373839616263646566"] {
        std::fs::write(&file, bad).unwrap();
        assert!(Key::load(&file).is_err(), "{bad}");
    }
    assert_eq!(format!("{OWN:?}"), "a key of its own", "a key is never written to a log");
}

/// Every file of the corpus goes through both sides: no panic, nothing held for ever.
#[test]
fn the_corpus_is_taken_by_both_sides() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        swallow(&bytes, 1);
        swallow(&bytes, bytes.len().max(1));
        files += 1;
    }
    assert!(files >= 5, "{files}");
}

fn swallow(bytes: &[u8], cut: usize) {
    let mut framer = Framer::new();
    let (mut panel, mut reader) = pair(OWN, OWN);
    ready(&mut panel, &mut reader);
    for piece in bytes.chunks(cut) {
        for frame in framer.push(piece) {
            assert!(frame.len() <= MOST_FRAME_BYTES);
            let _any = panel.answer(&frame);
        }
        let _answers = reader.push(piece);
    }
    // What hangs is over after a silence: a good frame is found.
    framer.silence();
    let good = Panel::new(1, Key::None, [0; 8]).unwrap().ask(None).unwrap();
    assert_eq!(framer.push(&good), [good]);
}

proptest! {
    #[test]
    fn any_bytes_at_any_cut_are_borne(bytes in prop::collection::vec(any::<u8>(), 0..400), cut in 1usize..50) {
        swallow(&bytes, cut);
    }

    #[test]
    fn frames_survive_any_cut_between_noise(
        noise in prop::collection::vec(any::<u8>().prop_filter("no start", |b| *b != 0x53), 0..40),
        cut in 1usize..20,
    ) {
        let good = Panel::new(1, Key::None, [0; 8]).unwrap().ask(None).unwrap();
        let wire = [noise.as_slice(), &good, &noise, &good].concat();
        let mut framer = Framer::new();
        let found: Vec<_> = wire.chunks(cut).flat_map(|piece| framer.push(piece)).collect();
        prop_assert_eq!(found, [good.clone(), good]);
    }

    #[test]
    fn a_changed_frame_is_never_a_badge(at in 0usize..40, bit in 0u8..8) {
        let (mut panel, mut reader) = pair(OWN, OWN);
        ready(&mut panel, &mut reader);
        reader.present(&[0xaa, 0xbb], 16);
        let question = panel.ask(None).unwrap();
        let mut answer = reader.push(&question).remove(0);
        let at = at % answer.len();
        answer[at] ^= 1 << bit;
        // The line's checksum is mended by whoever changed it.
        let end = answer.len() - 2;
        let crc = osdp::packet::crc16(&answer[..end]).to_le_bytes();
        if at < end {
            answer[end..].copy_from_slice(&crc);
        }
        prop_assert!(panel.answer(&answer).is_err());
    }
}
