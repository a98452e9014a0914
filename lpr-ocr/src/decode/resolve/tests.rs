use super::*;
use crate::decode::Alphabet;
use crate::decode::alphabet::{LATIN, symbol};
use crate::decode::beam::{STEPS, logits_in, made_logits};
use proptest::prelude::*;

fn crop(text: &str, line_a: usize, strength: f32) -> Probabilities {
    Probabilities::from_logits(&made_logits(text, line_a, strength)).unwrap()
}

/// A clear text where the reader hesitates at some places: the character there `logit` against 20.
fn hesitating(text: &str, line_a: usize, at: &[(usize, char, f32)]) -> Probabilities {
    let mut logits = made_logits(text, line_a, 20.0);
    for &(place, other, logit) in at {
        let t = if place < line_a { 2 * place + 1 } else { STEPS / 2 + 2 * (place - line_a) + 1 };
        logits[(usize::from(symbol(other).unwrap()) + 1) * STEPS + t] = logit;
    }
    Probabilities::from_logits(&logits).unwrap()
}

fn resolver(regions: &[&str]) -> Resolver {
    let regions: Vec<String> = regions.iter().map(|r| (*r).to_owned()).collect();
    Resolver::new(&regions).unwrap()
}

fn plate(r: &Resolver, p: Probabilities) -> Resolved {
    r.resolve(ReadKind::Plate, &[p]).unwrap()
}

#[test]
fn each_kind_gives_its_canonical_text() {
    let r = resolver(&[]);
    let read = plate(&r, crop("EK679XR", 7, 20.0));
    assert_eq!(read.candidates[0].text, "EK679XR");
    assert!(read.candidates[0].confidence > 0.9, "{read:?}");
    let code = r.resolve(ReadKind::Container, &[crop("CSQU3054383", 4, 20.0)]).unwrap();
    assert_eq!((code.candidates[0].text.as_str(), code.check_digit), ("CSQU3054383", CheckDigit::Valid));
    assert!(code.two_rows && code.candidates[0].confidence > 0.97, "{code:?}");
    let panel = r.resolve(ReadKind::Adr, &[crop("331203", 2, 20.0)]).unwrap();
    assert_eq!(panel.candidates[0].text, "33/1203");
    assert!(panel.candidates[0].confidence > 0.95, "{panel:?}");
}

#[test]
fn look_alikes_are_resolved_by_their_place() {
    let r = resolver(&[]);
    // (what the reader slightly prefers, the place it hesitates at, the other character, right)
    for (seen, place, other, right) in [
        ("RKO99AN", 2, '0', "RK099AN"),
        ("BA5O8CD", 3, '0', "BA508CD"),
        ("EKI11XR", 2, '1', "EK111XR"),
        ("OYO9FEU", 2, '0', "OY09FEU"),
        ("34A8C123", 3, 'B', "34ABC123"),
        ("DW5S123", 3, '5', "DW55123"),
        ("KA1Z34AB", 3, '2', "KA1234AB"),
        ("B7B2ABC", 2, '8', "B782ABC"),
        ("6D12CLU", 0, 'G', "GD12CLU"),
        ("AA1Z3BB", 3, '2', "AA123BB"),
    ] {
        let read = plate(&r, hesitating(seen, seen.len(), &[(place, other, 19.5)]));
        assert_eq!(read.candidates[0].text, right, "{seen} {read:?}");
        assert!(read.candidates.iter().any(|c| c.text == seen), "{seen} stays an alternative: {read:?}");
        assert_eq!(read.raw_text, seen, "raw text knows no rule");
    }
}

#[test]
fn a_clear_text_stays_whatever_the_grammars_say() {
    let r = resolver(&["sk"]);
    for text in ["GWAGEN1", "RKM99AN", "123KK4"] {
        let read = plate(&r, crop(text, text.len(), 20.0));
        assert_eq!(read.candidates[0].text, text);
    }
    let lettering = plate(&r, crop("LOGISTICA", 9, 20.0));
    assert!(lettering.candidates[0].confidence < 0.5, "{lettering:?}");
}

#[test]
fn letters_drawn_like_digits_are_decided_by_the_grammar() {
    // Slovak plates carry three digits after the district: the O that the reader is sure of is a 0 of the same form.
    let read = plate(&resolver(&["sk"]), crop("RKO99AN", 7, 20.0));
    assert_eq!(read.candidates[0].text, "RK099AN");
    assert!(read.candidates.iter().any(|c| c.text == "RKO99AN"), "{read:?}");
    assert_eq!(read.raw_text, "RKO99AN");
}

#[test]
fn the_sites_region_decides_between_countries() {
    // Sweden's new series or Hungary's and Finland's: last place B or 8.
    let seen = || hesitating("ABC12B", 6, &[(5, '8', 20.0)]);
    assert_eq!(plate(&resolver(&["se"]), seen()).candidates[0].text, "ABC128");
    let gb = plate(&resolver(&["gb"]), hesitating("LK12CD0", 7, &[(6, 'O', 20.0)]));
    assert_eq!(gb.candidates[0].text, "LK12CDO");
    assert_eq!(gb.region.as_deref(), Some("GB"));
}

#[test]
fn arabic_plates_come_out_in_normal_form_and_native() {
    let all = Alphabet::new(&format!("{LATIN}٠١٢٣٤٥٦٧٨٩ابجدرسصطعفقلمنهوي")).unwrap();
    let r = resolver(&[]);
    for (native, normal, country) in [("12345ب6", "12345B6", "MA"), ("٣٤٥سصط", "345SXT", "EG")] {
        let p = Probabilities::with_alphabet(&logits_in(&all, native, 7, 20.0), &all).unwrap();
        let read = plate(&r, p);
        assert_eq!((read.candidates[0].text.as_str(), read.raw_text.as_str()), (normal, native));
        assert_eq!(read.region.as_deref(), Some(country));
        assert!(read.candidates[0].confidence > 0.9, "{read:?}");
    }
}

#[test]
fn a_clear_code_with_a_wrong_digit_is_told_but_not_believed() {
    let code = resolver(&[]).resolve(ReadKind::Container, &[crop("CSQU3054380", 11, 20.0)]).unwrap();
    assert_eq!(code.check_digit, CheckDigit::Invalid);
    assert_eq!(code.candidates[0].text, "CSQU3054380");
    assert!(code.candidates[0].confidence < 0.5, "{code:?}");
}

#[test]
fn an_ilu_code_is_read_where_no_container_code_fits() {
    for owner in ["ABCK", "HELD", "XYZA"] {
        let digit = gate_types::iso6346::check_digit(&format!("{owner}123456")).unwrap();
        let text = format!("{owner}123456{digit}");
        let code = resolver(&[]).resolve(ReadKind::Container, &[crop(&text, 11, 20.0)]).unwrap();
        assert_eq!((code.candidates[0].text.as_str(), code.check_digit), (text.as_str(), CheckDigit::Valid));
    }
}

#[test]
fn blind_letters_stay_alternatives_and_the_owner_decides_close_calls() {
    let r = resolver(&[]);
    let code = |text: &str, at| r.resolve(ReadKind::Container, &[hesitating(text, 11, at)]).unwrap();
    // MSCU is an owner that is often seen; CSCU is not, and passes the same check digit.
    let digit = gate_types::iso6346::check_digit("MSCU123456").unwrap();
    assert_eq!(Some(digit), gate_types::iso6346::check_digit("CSCU123456"));
    let close = code(&format!("CSCU123456{digit}"), &[(0, 'M', 19.6)]);
    assert_eq!(close.candidates[0].text, format!("MSCU123456{digit}"), "{close:?}");
    assert_eq!(close.candidates[1].text, format!("CSCU123456{digit}"));
    assert!(close.candidates[0].confidence < 0.9, "not certain: {close:?}");
    // Where the reader is clear, the owner's fame changes nothing, and the blind ones stay listed.
    let clear = code(&format!("CSCU123456{digit}"), &[]);
    assert_eq!(clear.candidates[0].text, format!("CSCU123456{digit}"));
    assert!(clear.candidates.iter().any(|c| c.text.starts_with("MSCU")), "{clear:?}");
}

#[test]
fn other_texts_are_no_confident_codes() {
    for text in ["TRANSPORT", "0805556677", "MAX", "22G1"] {
        let read = resolver(&[]).resolve(ReadKind::Container, &[crop(text, text.len(), 20.0)]);
        assert!(read.as_ref().is_none_or(|c| c.candidates[0].confidence < 0.1), "{text} {read:?}");
    }
}

#[test]
fn size_and_type_codes_are_read_by_their_tables() {
    let r = resolver(&[]);
    let read = r.size_type(&[hesitating("22GI", 4, &[(3, '1', 18.0)])]).unwrap();
    assert_eq!(read.text, "22G1");
    let clear = r.size_type(&[crop("L5R1", 4, 20.0)]).unwrap();
    assert!(clear.text == "L5R1" && clear.confidence > 0.9, "{clear:?}");
    assert!(r.size_type(&[crop("TRANSPORT", 9, 20.0)]).is_none_or(|c| c.confidence < 0.1));
}

#[test]
fn panels_follow_the_pair() {
    let r = resolver(&[]);
    let panel = |text: &str, at: &[(usize, char, f32)]| {
        r.resolve(ReadKind::Adr, &[hesitating(text, text.len() - 4, at)]).unwrap()
    };
    // 33 and petrol belong together, 38 and petrol do not.
    let close = panel("381203", &[(1, '3', 19.7)]);
    assert_eq!(close.candidates[0].text, "33/1203");
    assert!(close.candidates.iter().any(|c| c.text == "38/1203"));
    // 23/1965, not 23/1985; the table has no 1985.
    assert_eq!(panel("231985", &[(4, '6', 19.7)]).candidates[0].text, "23/1965");
    // Clear, legal, unlisted: told, a little less sure. Contradicting: told, doubted. No such number: referred.
    let [listed, possible, against, illegal] =
        ["331203", "331004", "301203", "341203"].map(|t| panel(t, &[]).candidates[0].clone());
    assert_eq!(illegal.text, "34/1203");
    assert!(listed.confidence > possible.confidence && possible.confidence > against.confidence);
    assert!(against.confidence > illegal.confidence && illegal.confidence < 0.5, "{against:?} {illegal:?}");
    // A blank panel has no numbers and is no reading.
    assert!(r.resolve(ReadKind::Adr, &[crop("", 0, 20.0)]).is_none_or(|p| p.candidates[0].confidence < 0.05));
}

#[test]
fn a_doubtful_place_gives_an_alternative_and_less_confidence() {
    let read = plate(&resolver(&["it"]), hesitating("EK679XR", 7, &[(0, 'F', 19.8)]));
    assert_eq!(read.candidates[0].text, "EK679XR");
    assert_eq!(read.candidates[1].text, "FK679XR");
    assert!(read.candidates[0].confidence < 0.7 && read.candidates[1].confidence > 0.1, "{read:?}");
    assert_eq!(read.region.as_deref(), Some("IT"));
}

#[test]
fn crops_are_fused_and_one_spoilt_crop_does_not_win() {
    let r = resolver(&["it"]);
    let weak = || hesitating("EK679XR", 7, &[(0, 'F', 20.3)]);
    let strong = || hesitating("EK679XR", 7, &[(0, 'F', 16.0)]);
    let spoilt = || crop("XR5", 3, 4.0);
    let one = r.resolve(ReadKind::Plate, &[weak()]).unwrap();
    assert_eq!(one.candidates[0].text, "FK679XR");
    let fused = r.resolve(ReadKind::Plate, &[weak(), strong(), spoilt()]).unwrap();
    assert_eq!(fused.candidates[0].text, "EK679XR", "{fused:?}");
    let same = r.resolve(ReadKind::Plate, &[strong(), strong(), strong()]).unwrap();
    assert!(same.candidates[0].confidence >= fused.candidates[0].confidence);
}

#[test]
fn a_weak_box_makes_a_reading_less_sure() {
    let weights = "[plate]\nbias=-3.0\nodds=0.5\nfound=2.0\nheight=0.5\n[container]\nbias=0\n[adr]\nbias=0\n";
    let r = resolver(&[]).with_calibration(Calibration::parse(weights).unwrap());
    let mut read = plate(&r, crop("EK679XR", 7, 20.0));
    let before = read.candidates[0].confidence;
    r.seen(&mut read, 0.2, 9.0);
    assert!(read.candidates[0].confidence < before && read.features.found < 0.21);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_output_is_answered(values in proptest::collection::vec(
        prop_oneof![4 => -20f32..20.0, 1 => Just(f32::NAN), 1 => Just(f32::INFINITY), 1 => Just(f32::MAX)], 64 * 4),
        steps in 1usize..50) {
        let all = Alphabet::new(&format!("{LATIN}٠١٢٣٤٥٦٧٨٩ابجدرسصطعفقلمنهوي")).unwrap();
        let r = resolver(&[]);
        let clean: Vec<f32> = values.iter().map(|v| if v.is_finite() { *v } else { 0.0 }).collect();
        for alphabet in [Alphabet::latin(), all] {
            let n = alphabet.classes() * steps;
            let cycled = |v: &[f32]| v.iter().copied().cycle().take(n).collect::<Vec<f32>>();
            let _ = Probabilities::with_alphabet(&cycled(&values), &alphabet);
            if let Ok(p) = Probabilities::with_alphabet(&cycled(&clean), &alphabet) {
                for kind in [ReadKind::Plate, ReadKind::Container, ReadKind::Adr] {
                    let read = r.resolve(kind, &[p.clone(), p.clone()]);
                    prop_assert!(read.is_none_or(|r| r.candidates.iter().all(|c| (0.0..=1.0).contains(&c.confidence))));
                }
                let _ = r.size_type(std::slice::from_ref(&p));
            }
        }
    }
}
