//! Fusion does not depend on the order in which evidence arrives.

use gate_core::fusion::Evidence;
use gate_types::Mono;
use gate_types::identity::Slot;
use gate_types::observation::{
    Alternative, CheckDigit, OpticalRead, PixelBox, ReadKind, StableSource, TagRead, TagRole, View,
    WeightRange, WeightRead,
};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Piece {
    Read { device: usize, view: View, read: OpticalRead, at: u64 },
    Tag { device: usize, tag: TagRead },
    Weight { read: WeightRead, at: u64 },
}

pub fn read(kind: ReadKind, view: View, text: &str, confidence: f32, others: &[(&str, f32)]) -> OpticalRead {
    let alternative = |(t, c): &(&str, f32)| Alternative { text: (*t).to_owned(), confidence: *c };
    OpticalRead {
        kind,
        view,
        text: text.to_owned(),
        raw_text: text.to_owned(),
        confidence,
        check_digit: CheckDigit::None,
        region: None,
        type_code: None,
        alternatives: others.iter().map(alternative).collect(),
        at: PixelBox { x: 0.0, y: 0.0, w: 1.0, h: 1.0 },
        frame_sha256: String::new(),
    }
}

fn apply(evidence: &mut Evidence, piece: &Piece) {
    match piece {
        Piece::Read { device, view, read, at } => {
            evidence.add_read(&format!("camera-{device}"), *view, read, Mono(*at));
        }
        Piece::Tag { device, tag } => {
            evidence.add_tag(&format!("reader-{device}"), tag);
        }
        Piece::Weight { read, at } => {
            evidence.add_weight("scale", read, Mono(*at));
        }
    }
}

fn piece() -> impl Strategy<Value = Piece> {
    let texts =
        prop::sample::select(vec!["AB123CD", "AB123CO", "AB123C0", "EF456GH", "CSQU3054383", "33/1203", "?"]);
    let kinds = prop::sample::select(vec![ReadKind::Plate, ReadKind::Container, ReadKind::Adr]);
    let views = prop::sample::select(vec![View::Front, View::Rear, View::Side]);
    let optical = (0..3usize, kinds, views, texts.clone(), 0.0f32..=1.0, texts, 0.0f32..0.5, 0..5u64)
        .prop_map(|(device, kind, view, text, c, other, oc, at)| Piece::Read {
            device,
            view,
            read: read(kind, view, text, c, &[(other, oc)]),
            at,
        });
    let roles = prop::sample::select(vec![TagRole::Vehicle, TagRole::Container, TagRole::Seal]);
    let tags = (0..2usize, 0..4u32, roles, -80i16..-30, 1..50u32).prop_map(
        |(device, n, role, rssi_dbm, seen_count)| Piece::Tag {
            device,
            tag: TagRead { epc: format!("3414{n:04x}"), uri: None, role, antenna: 1, rssi_dbm, seen_count },
        },
    );
    let weights = (0.0f64..60_000.0, any::<bool>(), 0..5u64)
        .prop_map(|(gross_kg, stable, at)| Piece::Weight { read: weight(gross_kg, stable), at });
    prop_oneof![4 => optical, 2 => tags, 1 => weights]
}

pub fn weight(gross_kg: f64, stable: bool) -> WeightRead {
    WeightRead {
        gross_kg,
        stable,
        stable_source: StableSource::Indicator,
        range: WeightRange::InRange,
        alibi: None,
        raw: String::new(),
    }
}

proptest! {
    #[test]
    fn late_and_out_of_order_evidence_merges_identically(
        (pieces, shuffled) in prop::collection::vec(piece(), 0..24)
            .prop_flat_map(|p| (Just(p.clone()), Just(p).prop_shuffle())),
    ) {
        let (mut a, mut b) = (Evidence::default(), Evidence::default());
        pieces.iter().for_each(|p| apply(&mut a, p));
        shuffled.iter().for_each(|p| apply(&mut b, p));
        shuffled.iter().for_each(|p| apply(&mut b, p));
        let (a, b) = (a.fuse(0.8), b.fuse(0.8));
        prop_assert_eq!(&a, &b);
        for slot in &a.slots {
            let sum: f64 = slot.candidates.iter().map(|c| c.probability).sum();
            prop_assert!(sum <= 1.0 + 1e-9 && slot.candidates.len() <= 8);
            prop_assert!(slot.candidates.is_sorted_by(|x, y| x.probability >= y.probability));
        }
    }
}

#[test]
fn front_and_rear_are_separate_facts_and_bad_codes_no_candidates() {
    let mut e = Evidence::default();
    assert!(e.add_read("f", View::Front, &read(ReadKind::Plate, View::Front, "AB123CD", 0.9, &[]), Mono(0)));
    assert!(e.add_read("r", View::Rear, &read(ReadKind::Plate, View::Rear, "XA456YZ", 0.9, &[]), Mono(0)));
    assert!(!e.add_read("s", View::Side, &read(ReadKind::Plate, View::Side, "AB123CD", 0.9, &[]), Mono(0)));
    assert!(!e.add_read(
        "s",
        View::Side,
        &read(ReadKind::Container, View::Side, "CSQU3054384", 0.9, &[]),
        Mono(0)
    ));
    let id = e.fuse(0.8);
    assert_eq!(id.best(Slot::TractorPlate).unwrap().value, "AB123CD");
    assert_eq!(id.best(Slot::TrailerPlate).unwrap().value, "XA456YZ");
    assert!(id.slot(Slot::Itu).is_none());
}

#[test]
fn only_a_stable_plausible_weight_counts_and_the_latest_wins() {
    let mut e = Evidence::default();
    assert!(!e.add_weight("s", &weight(30_000.0, false), Mono(1)));
    assert!(!e.add_weight("s", &weight(20.0, true), Mono(2)));
    assert!(!e.add_weight("s", &weight(f64::NAN, true), Mono(2)));
    assert!(e.add_weight("s", &weight(35_020.0, true), Mono(4)));
    assert!(e.add_weight("s", &weight(35_000.0, true), Mono(3)));
    assert_eq!(e.fuse(0.8).weight.unwrap().vehicle_gross_kg, 35_020.0);
}
