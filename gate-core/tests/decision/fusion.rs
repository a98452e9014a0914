//! Fusion of many sources: units, wavering cameras, tags of the next lane, blind letters, the prior.

use crate::cases::{identity, read};
use crate::site::{TRACTOR, TRAILER, facts};
use gate_core::fusion::{Confusions, Evidence, Expectations, MAX_STATEMENTS, Resolution};
use gate_types::Mono;
use gate_types::identity::{Identity, Slot};
use gate_types::iso6346::check_digit;
use gate_types::observation::{
    Alternative, CheckDigit, OpticalRead, PixelBox, ReadKind, TagRead, TagRole, View,
};
use proptest::prelude::*;

const ONE: &str = "CSQU3054383";
const TWO: &str = "TEXU3070079";

fn said(kind: ReadKind, text: &str, raw: &str, confidence: f32, others: &[(&str, f32)]) -> OpticalRead {
    let other = |(t, c): &(&str, f32)| Alternative { text: (*t).to_owned(), confidence: *c };
    OpticalRead {
        kind,
        view: View::Side,
        text: text.to_owned(),
        raw_text: raw.to_owned(),
        confidence,
        check_digit: CheckDigit::None,
        region: None,
        type_code: None,
        alternatives: others.iter().map(other).collect(),
        at: PixelBox { x: 0.0, y: 0.0, w: 1.0, h: 1.0 },
        frame_sha256: String::new(),
    }
}

fn codes(words: &[(&str, &str, f32)]) -> Identity {
    let mut e = Evidence::default();
    for (at, (device, text, p)) in words.iter().enumerate() {
        e.add_read(device, View::Side, &said(ReadKind::Container, text, text, *p, &[]), Mono(at as u64));
    }
    e.fuse(0.8)
}

#[test]
fn two_units_that_one_camera_saw_are_two_units() {
    let id = codes(&[("left", ONE, 0.9), ("left", TWO, 0.92), ("right", TWO, 0.9)]);
    let (first, second) = (id.slot(Slot::Itu).unwrap(), id.slot(Slot::Itu2).unwrap());
    let mut values = [first.candidates[0].value.as_str(), second.candidates[0].value.as_str()];
    values.sort_unstable();
    assert_eq!(values, [ONE, TWO]);
    assert!(!first.conflict && !second.conflict);
}

#[test]
fn two_cameras_that_each_saw_one_unit_are_a_conflict() {
    let id = codes(&[("left", ONE, 0.95), ("right", TWO, 0.95)]);
    assert!(id.slot(Slot::Itu).unwrap().conflict);
    assert!(id.slot(Slot::Itu2).is_none());
}

#[test]
fn raw_and_corrected_text_stay_apart() {
    let mut e = Evidence::default();
    e.add_read("front", View::Front, &said(ReadKind::Plate, "AB123CD", "A8123CD", 0.9, &[]), Mono(0));
    e.add_read("other", View::Front, &said(ReadKind::Plate, "AB123CD", "AB123CD", 0.9, &[]), Mono(0));
    let id = e.fuse(0.8);
    let sources = &id.slot(Slot::TractorPlate).unwrap().sources;
    assert_eq!(sources.len(), 2);
    assert_eq!(sources[0].raw.as_deref(), Some("A8123CD"));
    assert_eq!(sources[1].raw, None);
}

#[test]
fn a_camera_that_wavers_is_less_sure_and_its_latest_word_leads() {
    let plates = |texts: &[(&str, f32)]| {
        let mut e = Evidence::default();
        for (at, (text, p)) in texts.iter().enumerate() {
            e.add_read("front", View::Front, &said(ReadKind::Plate, text, text, *p, &[]), Mono(at as u64));
        }
        e.fuse(0.8).best(Slot::TractorPlate).cloned().unwrap()
    };
    let steady = plates(&[("AB123CD", 0.9), ("AB123CD", 0.95)]);
    let wavering = plates(&[("EF456GH", 0.9), ("AB123CD", 0.95)]);
    assert!((steady.probability - 0.95).abs() < 1e-6, "the same text supersedes: {}", steady.probability);
    assert_eq!(wavering.value, "AB123CD");
    assert!(wavering.probability < steady.probability);
}

#[test]
fn letters_that_no_check_digit_tells_apart_stay_unsettled() {
    let sibling = {
        let body = "KSQU305438";
        format!("{body}{}", check_digit(body).unwrap())
    };
    let truth = {
        let body = "ASQU305438";
        format!("{body}{}", check_digit(body).unwrap())
    };
    let mut e = Evidence::default();
    let unsure = said(ReadKind::Container, &truth, &truth, 0.7, &[(&sibling, 0.2)]);
    e.add_read("left", View::Side, &unsure, Mono(0));
    assert!(e.fuse(0.8).slot(Slot::Itu).unwrap().blind, "a valid digit settles no letter of A, K and U");
    let sure = said(ReadKind::Container, &truth, &truth, 0.95, &[]);
    e.add_read("right", View::Side, &sure, Mono(0));
    let slot = e.fuse(0.8);
    let slot = slot.slot(Slot::Itu).unwrap();
    assert!(!slot.blind, "another camera's eyes settle them: {:?}", slot.candidates);
}

#[test]
fn the_next_lane_s_tag_and_a_reflection_are_no_identity() {
    let tag = |epc: &str, rssi_dbm, seen_count| TagRead {
        epc: epc.into(),
        uri: None,
        role: TagRole::Vehicle,
        antenna: 1,
        rssi_dbm,
        seen_count,
    };
    let mut e = Evidence::default();
    e.add_tag("reader", &tag("3414aa", -72, 2));
    e.add_tag("reader", &tag("3414bb", -48, 12));
    let best = e.fuse(0.8).best(Slot::VehicleTag).cloned().unwrap();
    assert!(best.value == "3414bb" && best.probability > 0.95, "{best:?}");
    let mut once = Evidence::default();
    once.add_tag("reader", &tag("3414aa", -72, 1));
    assert!(once.fuse(0.8).best(Slot::VehicleTag).unwrap().probability < 0.8, "seen once");
    let mut two = Evidence::default();
    two.add_tag("reader", &tag("3414aa", -50, 10));
    two.add_tag("reader", &tag("3414bb", -50, 10));
    assert!(two.fuse(0.8).best(Slot::VehicleTag).unwrap().probability < 0.6, "two tags in one cab");
}

#[test]
fn expected_missions_are_a_prior_that_names_what_it_changed() {
    let mission = facts().expected;
    let mut other = mission.clone();
    other.tractor_plate = Some("ZZ999ZZ".into());
    other.trailer_plate = Some("YY888YY".into());
    other.itus.clear();
    other.vehicle_tag = None;
    let index = Expectations::new([&other, &mission]);
    let id =
        identity(vec![read(Slot::TractorPlate, TRACTOR, 0.7), read(Slot::TrailerPlate, TRAILER, 0.9)], None);
    assert_eq!(
        index.resolve(&id, 0.6),
        Resolution::One { mission: 1, matched: vec![TRACTOR.into(), TRAILER.into()] }
    );
    let (weighed, changed) = index.weigh(&id, 10.0);
    assert!(weighed.best(Slot::TractorPlate).unwrap().probability > 0.9);
    assert_eq!(changed, [Slot::TractorPlate, Slot::TrailerPlate]);
    assert_eq!(index.weigh(&id, 1.0), (id.clone(), vec![]));
    let mixed = identity(
        vec![read(Slot::TractorPlate, "ZZ999ZZ", 0.9), read(Slot::TrailerPlate, TRAILER, 0.9)],
        None,
    );
    assert_eq!(index.resolve(&mixed, 0.6), Resolution::Several(vec![0, 1]));
}

proptest! {
    /// Frames of several cameras, codes and plates, alternatives, repeated and late: any order, one identity.
    #[test]
    fn any_permutation_gives_the_same_identity(
        (words, shuffled) in prop::collection::vec(
            (0..3usize, 0..6usize, 0.0f32..1.0, 0..6usize, 0.0f32..0.4, 0..6u64),
            0..40,
        ).prop_flat_map(|w| (Just(w.clone()), Just(w).prop_shuffle())),
    ) {
        let texts = [ONE, TWO, "CSQU3054399", "AB123CD", "AB123C0", "EF456GH"];
        let mut many = Vec::new();
        for n in 0..12u32 {
            let body = format!("MSCU{:06}", n * 7919);
            many.push(format!("{body}{}", check_digit(&body).unwrap()));
        }
        let fuse = |words: &[(usize, usize, f32, usize, f32, u64)]| {
            let mut e = Evidence::default();
            for (device, text, p, other, q, at) in words {
                for kind in [ReadKind::Plate, ReadKind::Container] {
                    let r = said(kind, texts[*text], texts[*text], *p, &[(texts[*other], *q)]);
                    e.add_read(&format!("c{device}"), View::Front, &r, Mono(*at));
                }
                // More texts than are kept of one camera.
                let code = &many[(*text * 6 + *other) % many.len()];
                e.add_read("many", View::Top, &said(ReadKind::Container, code, "", *p, &[]), Mono(*at));
            }
            e.fuse_with(0.8, &Confusions::built_in().into())
        };
        let mut twice = shuffled.clone();
        twice.extend(words.iter().take(5).copied());
        prop_assert_eq!(fuse(&words), fuse(&shuffled));
        prop_assert_eq!(fuse(&words), fuse(&twice));
        prop_assert!(MAX_STATEMENTS < many.len());
    }
}
