//! Modbus RTU frames: golden bytes, any bytes, any pieces.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use barrier_io::rtu::{Answer, Decoder, MOST_FRAME, Request, RtuError, crc16};
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|c| u8::from_str_radix(std::str::from_utf8(c).unwrap(), 16).unwrap()).collect()
}

/// Bodies from MODBUS Application Protocol V1.1b3 (clauses 6.1, 6.4, 6.5), framed for a unit; checksums by
/// pymodbus 3.16.1. The first checksum is the worked example of MODBUS over Serial Line V1.02, clause 6.2.2.
#[test]
fn frames_of_the_standard() {
    assert_eq!(crc16(&[0x02, 0x07]).to_le_bytes(), [0x41, 0x12]);
    let coils = Request::ReadCoils { start: 0x13, count: 0x13 };
    assert_eq!(coils.encode(1).to_vec(), hex("01 01 0013 0013 8c02"));
    let bits = coils.answer(1, &hex("01 01 03 cd6b05 0000")).unwrap_err();
    assert_eq!(bits, RtuError::Crc, "another checksum than its own");
    let mut frame = hex("01 01 03 cd6b05");
    frame.extend(crc16(&frame).to_le_bytes());
    let Some(Answer::Bits(bits)) = coils.answer(1, &frame).unwrap() else { panic!() };
    let told: String = bits.iter().map(|b| if *b { '1' } else { '0' }).collect();
    assert_eq!(told, "1011001111010110101");
    let input = Request::ReadInputs { start: 8, count: 1 };
    assert_eq!(input.encode(0x11).to_vec(), hex("11 04 0008 0001 b298"));
    let words = input.answer(0x11, &hex("11 04 02 000a f8f4")).unwrap();
    assert_eq!(words, Some(Answer::Words(vec![10])));
    let write = Request::WriteCoil { coil: 0xac, on: true };
    assert_eq!(write.encode(1).to_vec(), hex("01 05 00ac ff00 4c1b"));
    assert_eq!(
        write.answer(1, &hex("01 05 00ac ff00 4c1b")).unwrap(),
        Some(Answer::Wrote { coil: 0xac, on: true })
    );
    assert_eq!(coils.answer(1, &hex("01 81 02 c191")).unwrap(), Some(Answer::Exception(2)));
}

#[test]
fn an_answer_counts_only_whole_alone_and_of_its_kind() {
    let coils = Request::ReadCoils { start: 0, count: 5 };
    let inputs = Request::ReadInputs { start: 0, count: 2 };
    let answer = Answer::Words(vec![0xe4, 7]).encode(1, 4);
    for end in 0..answer.len() {
        assert_eq!(inputs.answer(1, &answer[..end]), Ok(None));
    }
    assert_eq!(coils.answer(1, &answer), Err(RtuError::Function(4)), "a late answer of the poll before");
    assert_eq!(inputs.answer(2, &answer), Err(RtuError::Unit(1)));
    let other = Answer::Words(vec![1, 2, 3]).encode(1, 4);
    assert_eq!(inputs.answer(1, &other), Err(RtuError::Count(6)));
    let two: Vec<u8> = [answer.clone(), answer.clone()].concat();
    assert_eq!(inputs.answer(1, &two), Err(RtuError::Surplus(answer.len())));
    let write = Request::WriteCoil { coil: 2, on: true };
    let echo = Answer::Wrote { coil: 2, on: false }.encode(1, 5);
    assert!(matches!(write.answer(1, &echo), Err(RtuError::Count(_))), "the echo of another write");
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        (any::<u16>(), 1u16..=2000).prop_map(|(start, count)| Request::ReadCoils { start, count }),
        (any::<u16>(), 1u16..=125).prop_map(|(start, count)| Request::ReadHolding { start, count }),
        (any::<u16>(), 1u16..=125).prop_map(|(start, count)| Request::ReadInputs { start, count }),
        (any::<u16>(), any::<bool>()).prop_map(|(coil, on)| Request::WriteCoil { coil, on }),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_no_answer_that_was_not_meant(request in request(), bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(Some(answer)) = request.answer(1, &bytes) {
            prop_assert_eq!(answer.encode(1, request.function()), bytes);
        }
        prop_assert!(request.answer_len() <= MOST_FRAME);
    }

    #[test]
    fn requests_are_found_in_any_pieces_after_any_noise(
        noise in prop::collection::vec(any::<u8>(), 0..40),
        requests in prop::collection::vec((any::<u8>(), request()), 1..6),
        cuts in prop::collection::vec(1usize..20, 1..30),
    ) {
        let mut decoder = Decoder::new();
        let mut wire = noise.clone();
        for (unit, request) in &requests {
            wire.extend(request.encode(*unit));
        }
        let mut found = Vec::new();
        let (mut rest, mut n) = (&wire[..], 0);
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(cuts[n % cuts.len()].min(rest.len()));
            found.extend(decoder.push(piece).into_iter().flatten());
            (rest, n) = (after, n + 1);
        }
        // Noise may by chance end in a request that takes the first bytes of a good one; the next is found.
        let kept = found.iter().filter(|f| requests.contains(f)).count();
        prop_assert!(kept + 1 >= requests.len(), "{:?} of {:?}", found, requests);
        if noise.is_empty() {
            prop_assert_eq!(found, requests);
        }
    }
}
