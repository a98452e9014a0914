use super::*;
use gate_types::observation::{CheckDigit, ReadKind, View};

fn read(text: &str, confidence: f32, x: f32, others: &[(&str, f32)]) -> OpticalRead {
    OpticalRead {
        kind: ReadKind::Plate,
        view: View::Front,
        text: text.into(),
        raw_text: text.into(),
        confidence,
        check_digit: CheckDigit::None,
        region: None,
        type_code: None,
        alternatives: others.iter().map(|(t, c)| Alternative { text: (*t).into(), confidence: *c }).collect(),
        at: PixelBox { x, y: 500.0, w: 120.0, h: 30.0 },
        frame_sha256: String::new(),
    }
}

#[test]
fn one_frame_keeps_its_confidence() {
    let mut f = Fusion::new();
    f.add_frame(&[read("AB123CD", 0.8, 0.0, &[("AB128CD", 0.1)])]);
    let got = f.fused();
    assert_eq!(got[0].text, "AB123CD");
    assert!((got[0].confidence - 0.8).abs() < 0.01, "{}", got[0].confidence);
    assert!((got[0].alternatives[0].confidence - 0.1).abs() < 0.01);
}

#[test]
fn frames_that_agree_raise_and_frames_that_differ_lower() {
    let mut f = Fusion::new();
    for _ in 0..3 {
        f.add_frame(&[read("AB123CD", 0.6, 0.0, &[("AB128CD", 0.3)])]);
    }
    let agreed = f.fused()[0].confidence;
    assert!(agreed > 0.7, "{agreed}");
    f.add_frame(&[read("AB128CD", 0.9, 5.0, &[("AB123CD", 0.05)])]);
    let got = f.fused();
    assert_eq!(got.len(), 1, "same place, same object");
    assert!(got[0].confidence < agreed);
}

#[test]
fn sure_evidence_beats_many_weak_votes() {
    let mut f = Fusion::new();
    for _ in 0..2 {
        f.add_frame(&[read("AB128CD", 0.5, 0.0, &[("AB123CD", 0.45)])]);
    }
    f.add_frame(&[read("AB123CD", 0.98, 0.0, &[])]);
    assert_eq!(f.fused()[0].text, "AB123CD");
}

#[test]
fn two_plates_of_one_frame_stay_two() {
    let mut f = Fusion::new();
    for x in [0.0, 20.0, 40.0] {
        f.add_frame(&[read("AB123CD", 0.9, x, &[]), read("XA456EF", 0.8, 600.0 + x, &[])]);
    }
    let got = f.fused();
    assert_eq!(got.len(), 2);
    assert!(got.iter().all(|r| r.confidence > 0.9), "{got:?}");
}

#[test]
fn nonsense_values_do_not_poison_the_sum() {
    let mut f = Fusion::new();
    f.add_frame(&[read("A", f32::NAN, 0.0, &[("B", f32::INFINITY)])]);
    f.add_frame(&[read("A", 0.9, 0.0, &[])]);
    assert!(f.fused().iter().all(|r| (0.0..=1.0).contains(&r.confidence)));
}

#[test]
fn a_fast_vehicle_misread_once_stays_one_object() {
    let mut f = Fusion::new();
    for (n, text) in ["AB123CD", "AB128CD", "A8123CD", "AB123CD"].into_iter().enumerate() {
        f.add_frame(&[read(text, 0.7, 400.0 * n as f32, &[("AB123CD", 0.2)])]);
    }
    let got = f.fused();
    assert_eq!(got.len(), 1, "{got:?}");
    assert_eq!(got[0].text, "AB123CD");
}

#[test]
fn the_same_mistake_over_many_frames_never_becomes_certain() {
    let fused = |n: usize| {
        let mut f = Fusion::new();
        for _ in 0..n {
            f.add_frame(&[read("AB123CD", 0.7, 0.0, &[("AB128CD", 0.2)])]);
        }
        f.fused()[0].confidence
    };
    assert!(fused(3) > fused(1) && fused(60) > fused(3));
    assert!(fused(60) < 0.985, "frames of one camera share their errors: {}", fused(60));
}

#[test]
fn cameras_are_fused_by_probability_and_count_more_than_frames() {
    let of = |text: &str, confidence, view, others: &[(&str, f32)]| OpticalRead {
        kind: ReadKind::Container,
        view,
        check_digit: CheckDigit::Valid,
        ..read(text, confidence, 0.0, others)
    };
    // Blind letters: both pass the check digit; two of three cameras see the right one weakly, one strongly.
    let reads = [
        of("CSCU1234562", 0.55, View::Side, &[("MSCU1234562", 0.4)]),
        of("CSCU1234562", 0.5, View::Rear, &[("MSCU1234562", 0.45)]),
        of("MSCU1234562", 0.97, View::Top, &[("CSCU1234562", 0.02)]),
        of("TGHU8643950", 0.9, View::Top, &[]),
    ];
    let got = across_cameras(&reads);
    assert_eq!(got.len(), 2, "{got:?}");
    let fused = got.iter().find(|r| r.text == "MSCU1234562").unwrap();
    assert_eq!(fused.alternatives[0].text, "CSCU1234562");
    assert!(fused.confidence > 0.9, "{}", fused.confidence);
    let mut one_camera = Fusion::new();
    for _ in 0..3 {
        one_camera.add_frame(&[of("MSCU1234562", 0.8, View::Side, &[("CSCU1234562", 0.1)])]);
    }
    let three: Vec<OpticalRead> = [View::Side, View::Top, View::Rear]
        .map(|v| of("MSCU1234562", 0.8, v, &[("CSCU1234562", 0.1)]))
        .to_vec();
    assert!(across_cameras(&three)[0].confidence > one_camera.fused()[0].confidence);
}

#[test]
fn a_text_that_no_frame_had_first_does_not_borrow_their_check_digit() {
    let of = |text: &str, others: &[(&str, f32)]| OpticalRead {
        kind: ReadKind::Container,
        check_digit: CheckDigit::Invalid,
        ..read(text, 0.5, 0.0, others)
    };
    let mut f = Fusion::new();
    f.add_frame(&[of("CSQU3054380", &[("CSQU3054383", 0.49)])]);
    f.add_frame(&[of("CSQU3054388", &[("CSQU3054383", 0.49)])]);
    let got = f.fused();
    assert_eq!((got[0].text.as_str(), got[0].check_digit), ("CSQU3054383", CheckDigit::Valid));
}
