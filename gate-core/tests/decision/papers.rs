//! What drivers show and what tags say: gate passes, container tags, seals by tag, by camera and by hand.

use crate::cases::{Whole, answered, read};
use gate_core::fusion::{Evidence, entered};
use gate_types::circumstances::{SealFact, SealState};
use gate_types::gate_pass::{PassFault, ShownPass};
use gate_types::identity::{RefusedPass, SealSeen, Slot};
use gate_types::observation::{CheckDigit, OpticalRead, PixelBox, ReadKind, TagRead, TagRole, View};
use gate_types::rules::{Check, CheckKind, OnFail};
use gate_types::verdict::{ReasonCode, Verdict};
use gate_types::{MissionId, Mono};

fn optical(kind: ReadKind, text: &str, confidence: f32) -> OpticalRead {
    OpticalRead {
        kind,
        view: View::Side,
        text: text.into(),
        raw_text: text.into(),
        confidence,
        check_digit: CheckDigit::None,
        region: None,
        type_code: None,
        alternatives: vec![],
        at: PixelBox { x: 0.0, y: 0.0, w: 1.0, h: 1.0 },
        frame_sha256: String::new(),
    }
}

fn tag(role: TagRole, epc: &str, uri: &str, rssi_dbm: i16) -> TagRead {
    TagRead { epc: epc.into(), uri: Some(uri.into()), role, antenna: 1, rssi_dbm, seen_count: 4 }
}

fn valid(mission: &str) -> ShownPass {
    let mission = MissionId::new(mission).unwrap();
    ShownPass::Valid { id: format!("of {mission}"), mission, expires_at_ms: 1 }
}

fn refused(fault: PassFault) -> ShownPass {
    ShownPass::Refused { fault, why: format!("{fault:?}") }
}

fn codes(whole: &Whole) -> Vec<ReasonCode> {
    whole.decide().verdict.reasons().iter().map(|r| r.code).collect()
}

#[test]
fn a_containers_tag_speaks_beside_the_cameras() {
    let container = |code: &str| tag(TagRole::Container, "dc20", &format!("urn:epc:id:bic:{code}"), -50);
    let mut alone = Evidence::default();
    alone.add_read("side", View::Side, &optical(ReadKind::Container, "CSQU3054383", 0.8), Mono(5));
    let mut both = alone.clone();
    assert!(both.add_tag("reader", &container("CSQU3054383")));
    let (one, two) = (alone.fuse(0.8), both.fuse(0.8));
    let (before, after) = (one.best(Slot::Itu).unwrap(), two.best(Slot::Itu).unwrap());
    assert!(after.probability > before.probability, "{} after {}", after.probability, before.probability);
    assert_eq!(after.support, ["reader", "side"]);
    assert_eq!(two.best(Slot::ContainerTag).map(|c| c.value.as_str()), Some("dc20"));

    let mut against = Evidence::default();
    against.add_read("side", View::Side, &optical(ReadKind::Container, "MAEU7994762", 0.96), Mono(5));
    against.add_tag("reader", &container("CSQU3054383"));
    let fused = against.fuse(0.8);
    assert!(fused.slot(Slot::Itu).unwrap().conflict && fused.slot(Slot::Itu2).is_none());

    // Another lane's unit is heard weakly; no code is in an opaque tag.
    let mut near = both.clone();
    near.add_tag("reader", &tag(TagRole::Container, "dc21", "urn:epc:id:bic:MAEU7994762", -74));
    let fused = near.fuse(0.8);
    assert_eq!(fused.best(Slot::Itu).map(|c| c.value.as_str()), Some("CSQU3054383"));
    assert!(!fused.slot(Slot::Itu).unwrap().conflict && fused.slot(Slot::Itu2).is_none());
    let mut opaque = Evidence::default();
    opaque.add_tag("reader", &tag(TagRole::Container, "33aa", "urn:epc:tag:grai-96:3.1.2.3", -50));
    assert!(opaque.fuse(0.8).slot(Slot::Itu).is_none());
}

#[test]
fn two_units_whose_tags_answer_are_two_units() {
    let mut evidence = Evidence::default();
    for (epc, code) in [("dc20", "CSQU3054383"), ("dc21", "MAEU7994762")] {
        evidence.add_tag("reader", &tag(TagRole::Container, epc, &format!("urn:epc:id:bic:{code}"), -50));
    }
    let fused = evidence.fuse(0.8);
    let best = |slot| fused.best(slot).map(|c| c.value.clone()).unwrap();
    let mut units = [best(Slot::Itu), best(Slot::Itu2)];
    units.sort();
    assert_eq!(units, ["CSQU3054383", "MAEU7994762"]);
}

#[test]
fn a_seal_is_one_seal_by_tag_by_camera_and_by_hand() {
    let seal = |state: &str| tag(TagRole::Seal, "3039AA", &format!("urn:varco:seal:30390a{state}"), -50);
    let mut evidence = Evidence::default();
    evidence.add_tag("reader", &seal(":closed"));
    evidence.add_read("rear", View::Rear, &optical(ReadKind::Seal, "30390A", 0.9), Mono(5));
    let fused = evidence.fuse(0.8);
    let slot = fused.slot(Slot::Seal).unwrap();
    assert_eq!((slot.candidates[0].value.as_str(), slot.conflict), ("30390A", false));
    assert_eq!(slot.candidates[0].support, ["reader", "rear"]);
    assert_eq!((fused.seals[0].epc.as_str(), fused.seals[0].state), ("3039aa", SealState::Intact));
    // What was seen open stays open, in either order.
    let mut other = Evidence::default();
    for state in [":open", ":closed", ""] {
        other.add_tag("reader", &seal(state));
    }
    evidence.add_tag("reader", &seal(":open"));
    assert_eq!(evidence.fuse(0.8).seals[0].state, SealState::Broken);
    assert_eq!(other.fuse(0.8).seals, evidence.fuse(0.8).seals);
    assert_eq!(entered(Slot::Seal, "ml-it 0012345").as_deref(), Some("MLIT0012345"));
    assert_eq!(entered(Slot::GatePass, "M-1"), None, "nobody writes a signed pass by hand");
}

#[test]
fn a_seals_number_and_state_are_held_against_the_documents() {
    let mut whole = Whole::good();
    let declare = |whole: &mut Whole, number: &str, state| {
        whole.facts().circumstances.seal = Some(SealFact { numbers: vec![number.into()], state });
    };
    let seen =
        |state| SealSeen { device: "reader".into(), epc: "3039aa".into(), number: "AA01".into(), state };
    declare(&mut whole, "aa-01", SealState::Intact);
    whole.identity.slots.push(read(Slot::Seal, "AA01", 0.97));
    assert_eq!(codes(&whole), [], "numbers are compared by letters and digits");
    whole.identity.seals = vec![seen(SealState::Unknown)];
    declare(&mut whole, "3039AA", SealState::Intact);
    assert_eq!(codes(&whole), [], "declared by its EPC");
    whole.identity.seals = vec![seen(SealState::Broken)];
    assert_eq!(codes(&whole), [ReasonCode::SealBroken], "the seal's own word now outweighs the last report");
    whole.identity.seals = vec![seen(SealState::Intact)];
    declare(&mut whole, "BB02", SealState::Intact);
    assert_eq!(codes(&whole), [ReasonCode::SealMismatch]);
    declare(&mut whole, "AA01", SealState::Intact);
    let slot = whole.identity.slots.last_mut().unwrap();
    slot.conflict = true;
    assert_eq!(codes(&whole), [ReasonCode::SealMismatch], "sources that disagree are no seal");
}

#[test]
fn what_is_wrong_with_a_gate_pass_has_a_code_of_its_own_and_never_admits() {
    let cases = [
        (PassFault::Forged, ReasonCode::GatePassForged),
        (PassFault::Foreign, ReasonCode::GatePassForeign),
        (PassFault::Expired, ReasonCode::GatePassExpired),
        (PassFault::Used, ReasonCode::GatePassUsed),
    ];
    for (fault, code) in cases {
        let mut whole = Whole::good();
        assert!(whole.decide().verdict.admits());
        whole.identity.refused_pass =
            Some(RefusedPass { device: "codes".into(), fault, why: "it is so".into() });
        assert_eq!(codes(&whole), [code], "judged by a set that names no such check");
        assert!(matches!(whole.decide().verdict, Verdict::Refer { .. }));
    }
    let mut whole = Whole::good();
    whole.identity.slots.push(read(Slot::GatePass, "M-2", 0.99));
    assert_eq!(codes(&whole), [ReasonCode::GatePassMismatch]);
    let mut whole = Whole::good();
    whole.identity.slots.push(read(Slot::GatePass, "M-1", 0.99));
    assert!(whole.decide().verdict.admits());
    whole.identity.slots.retain(|s| s.slot == Slot::GatePass);
    assert!(!whole.decide().verdict.admits(), "a pass alone admits nobody");
    whole.basis = answered();
}

#[test]
fn a_set_that_demands_a_pass_waits_for_it() {
    let mut whole = Whole::good();
    let check = Check { required: true, ..Check::of(CheckKind::GatePass, OnFail::Hold) };
    whole.set.checks.push(check);
    assert_eq!(codes(&whole), [ReasonCode::GatePassMissing]);
    assert!(matches!(whole.decide().verdict, Verdict::Hold { .. }));
    whole.identity.slots.push(read(Slot::GatePass, "M-1", 0.99));
    assert!(whole.decide().verdict.admits());
}

#[test]
fn passes_merge_alike_in_either_order_and_the_last_showing_counts() {
    let shown = [
        (refused(PassFault::Expired), 1),
        (valid("M-1"), 2),
        (refused(PassFault::Foreign), 3),
        (valid("M-1"), 4),
    ];
    let mut forth = Evidence::default();
    let mut back = Evidence::default();
    for (pass, at) in &shown {
        assert!(forth.add_pass("codes", pass, Mono(*at)));
    }
    for (pass, at) in shown.iter().rev() {
        back.add_pass("codes", pass, Mono(*at));
        back.add_pass("codes", pass, Mono(*at));
    }
    let fused = forth.fuse(0.8);
    assert_eq!(fused, back.fuse(0.8));
    assert_eq!(
        (fused.best(Slot::GatePass).map(|c| c.value.as_str()), &fused.refused_pass),
        (Some("M-1"), &None)
    );
    forth.add_pass("codes", &refused(PassFault::Used), Mono(5));
    assert_eq!(forth.fuse(0.8).refused_pass.map(|p| p.fault), Some(PassFault::Used));
    back.add_pass("front", &valid("M-2"), Mono(6));
    assert!(back.fuse(0.8).slot(Slot::GatePass).unwrap().conflict);
}
