//! Codecs against telegrams taken from makers' manuals, and against arbitrary bytes.

use proptest::prelude::*;
use weighbridge::wire::toledo::{self, Checksum, Increment, Telegram};
use weighbridge::wire::{Decimal, Lines, MAX_LINE_BYTES, Unit, sics};

fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|b| u8::from_str_radix(b, 16).unwrap()).collect()
}

fn all(deframer: &mut toledo::Deframer, bytes: &[u8]) -> Vec<Result<toledo::Received, toledo::Fault>> {
    let mut rest = bytes;
    let mut out = Vec::new();
    while let Some(r) = deframer.take(&mut rest) {
        out.push(r);
    }
    assert!(rest.is_empty());
    out
}

fn one(text: &str) -> Telegram {
    let bytes = hex(text);
    let mut got = all(&mut toledo::Deframer::new(Checksum::Present), &bytes);
    assert_eq!(got.len(), 1, "{got:?}");
    let got = got.remove(0).unwrap();
    assert_eq!(got.raw, bytes);
    assert_eq!(got.telegram.encode(Checksum::Present), bytes, "the encoder is the decoder's mirror");
    got.telegram
}

/// The status words follow the Mettler-Toledo Wildcat technical manual (12/00, tables 6-4 and 6-5) and
/// the Ohaus Defender 5000 manual (tables 5-3 and 5-4, unit tonne); checksums computed by hand.
#[test]
fn golden_telegrams_read_as_the_manuals_say() {
    let stable = one("02 2a 30 20 30 31 32 33 34 30 30 30 30 30 30 30 0d 2d");
    assert_eq!(stable.gross(), Some(Decimal { digits: 12_340, places: 0 }));
    assert_eq!((stable.unit, stable.motion, stable.net), (Unit::Kilogram, false, false));
    assert!(one("02 2a 38 20 30 31 32 33 34 30 30 30 30 30 30 30 0d 25").motion);
    let net = one("02 2a 31 20 30 30 38 31 32 30 30 30 34 32 32 30 0d 23");
    assert!(net.net);
    assert_eq!(net.shown().unwrap().digits, 8_120);
    assert_eq!(net.gross().unwrap().digits, 12_340);
    let under = one("02 2a 36 20 30 30 30 30 32 30 30 30 30 30 30 30 0d 2f");
    assert!(under.negative && under.out_of_range);
    assert_eq!(under.gross().unwrap().digits, -20);
    let over = one("02 2a 34 20 30 30 30 30 30 30 30 30 30 30 30 30 0d 33");
    assert!(over.out_of_range && !over.negative);
    assert!(one("02 2a 70 20 30 30 30 30 30 30 30 30 30 30 30 30 0d 77").zero_not_captured);
    let tonnes = one("02 2d 30 22 30 31 32 33 34 30 30 30 30 30 30 30 0d 28");
    assert_eq!(tonnes.gross().unwrap().kilograms(tonnes.unit), Some(12_340.0));
    let twenty = one("02 31 30 20 30 30 31 32 33 34 30 30 30 30 30 30 0d 26");
    assert_eq!(twenty.gross().unwrap().digits, 12_340);
    assert_eq!((twenty.increment, twenty.interval().digits), (Increment::Two, 20));
    assert_eq!(Telegram::gross_kg(12_333.0, 20.0).unwrap(), twenty);
}

#[test]
fn a_wrong_checksum_is_never_a_weight_and_the_next_telegram_is_found() {
    let good = hex("02 2a 30 20 30 31 32 33 34 30 30 30 30 30 30 30 0d 2d");
    for at in 0..good.len() {
        for bit in 0..7 {
            let mut stream = good.clone();
            stream[at] ^= 1 << bit;
            stream.extend_from_slice(b"\nnoise");
            stream.extend_from_slice(&good);
            let got = all(&mut toledo::Deframer::new(Checksum::Present), &stream);
            let weights: Vec<_> = got.into_iter().filter_map(Result::ok).collect();
            assert_eq!(weights.len(), 1, "byte {at} bit {bit}");
            assert_eq!(weights[0].raw, good);
        }
    }
}

#[test]
fn parity_bits_and_a_telegram_cut_by_another_are_survived() {
    let good = hex("02 2a 30 20 30 31 32 33 34 30 30 30 30 30 30 30 0d 2d");
    let parity: Vec<u8> = good.iter().map(|b| if b.count_ones() % 2 == 1 { b | 0x80 } else { *b }).collect();
    let mut stream = good[..9].to_vec();
    stream.extend_from_slice(&parity);
    let got = all(&mut toledo::Deframer::new(Checksum::Present), &stream);
    assert_eq!(got.iter().filter(|r| r.is_ok()).count(), 1);
    let without = all(&mut toledo::Deframer::new(Checksum::Absent), &good[..17]);
    assert_eq!(without.len(), 1);
}

/// Reply forms of the MT-SICS reference manual 11780711.
#[test]
fn sics_replies_read_and_write() {
    let weight = sics::Reply::Weight {
        stable: true,
        value: Decimal { digits: 12_340, places: 0 },
        unit: Unit::Kilogram,
    };
    let golden = hex("53 20 53 20 20 20 20 20 20 31 32 33 34 30 20 6b 67 0d 0a");
    assert_eq!(weight.encode(), golden);
    let mut rest = golden.as_slice();
    let line = Lines::new().take(&mut rest).unwrap().unwrap();
    assert_eq!(sics::Reply::decode(&line), Ok(weight.clone()));
    assert_eq!(sics::Reply::decode("SI S      12340 kg"), Ok(weight));
    assert_eq!(
        sics::Reply::decode("S D     -12.5 t"),
        Ok(sics::Reply::Weight {
            stable: false,
            value: Decimal { digits: -125, places: 1 },
            unit: Unit::Tonne
        })
    );
    assert_eq!(sics::Reply::decode("S I"), Ok(sics::Reply::NotNow));
    assert_eq!(sics::Reply::decode("S +"), Ok(sics::Reply::Over));
    assert_eq!(sics::Reply::decode("S -"), Ok(sics::Reply::Under));
    assert_eq!(sics::Reply::decode("ES"), Ok(sics::Reply::Refused('S')));
    assert_eq!(sics::Reply::decode("Z A"), Ok(sics::Reply::Zeroed(sics::Zeroed::Done)));
    assert_eq!(sics::Reply::decode("S S 12x40 kg"), Err(sics::Fault::Weight));
    assert_eq!(sics::Reply::decode("S S 12340 stone"), Err(sics::Fault::Weight));
    for request in [
        sics::Request::Stable,
        sics::Request::Immediate,
        sics::Request::Repeat,
        sics::Request::Zero,
        sics::Request::ZeroNow,
        sics::Request::Cancel,
    ] {
        let line = std::str::from_utf8(request.encode()).unwrap();
        assert_eq!(sics::Request::decode(line), Some(request));
    }
}

fn telegram() -> impl Strategy<Value = Telegram> {
    let unit = prop_oneof![Just(Unit::Kilogram), Just(Unit::Tonne), Just(Unit::Pound), Just(Unit::None)];
    let increment = prop_oneof![Just(Increment::One), Just(Increment::Two), Just(Increment::Five)];
    let field = || proptest::option::of(0u32..1_000_000);
    (0u8..8, increment, unit, any::<[bool; 8]>(), field(), field()).prop_map(
        |(point, increment, unit, b, weight, tare)| Telegram {
            point,
            increment,
            net: b[0],
            negative: b[1],
            out_of_range: b[2],
            motion: b[3],
            zero_not_captured: b[4],
            unit,
            print_request: b[5],
            expanded: b[6],
            maker_bit: b[7],
            weight,
            tare,
        },
    )
}

proptest! {
    #[test]
    fn telegrams_survive_any_split(t in telegram(), cuts in proptest::collection::vec(1usize..7, 0..12), sum in any::<bool>()) {
        let checksum = if sum { Checksum::Present } else { Checksum::Absent };
        let mut stream = t.encode(checksum);
        stream.extend(t.encode(checksum));
        let mut deframer = toledo::Deframer::new(checksum);
        let mut got = Vec::new();
        let mut rest = stream.as_slice();
        for cut in cuts.into_iter().chain(std::iter::once(usize::MAX)) {
            let (mut now, later) = rest.split_at(cut.min(rest.len()));
            rest = later;
            while let Some(r) = deframer.take(&mut now) {
                got.push(r.unwrap().telegram);
            }
        }
        prop_assert_eq!(got, vec![t.clone(), t]);
    }

    #[test]
    fn arbitrary_bytes_are_harmless_and_splits_do_not_matter(
        bytes in proptest::collection::vec(prop_oneof![3 => any::<u8>(), 1 => Just(2u8), 1 => Just(13u8), 3 => 0x20u8..0x3a], 0..400),
        at in 0usize..400,
    ) {
        let whole = all(&mut toledo::Deframer::new(Checksum::Present), &bytes);
        let (a, b) = bytes.split_at(at.min(bytes.len()));
        let mut deframer = toledo::Deframer::new(Checksum::Present);
        let mut parts = all(&mut deframer, a);
        prop_assert!(deframer.held_bytes() <= 18);
        parts.extend(all(&mut deframer, b));
        prop_assert_eq!(whole, parts);
        let mut lines = Lines::new();
        let mut rest = bytes.as_slice();
        while let Some(line) = lines.take(&mut rest) {
            if let Ok(line) = line {
                prop_assert!(line.len() <= MAX_LINE_BYTES);
                let _ = sics::Reply::decode(&line);
                let _ = sics::Request::decode(&line);
            }
        }
    }
}
