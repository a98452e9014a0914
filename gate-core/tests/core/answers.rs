//! F-CEN2, F-CEN3, F-CEN4: late, replayed, reordered, cross-lane and wrongly signed answers never open; a
//! later word that does not admit takes back an earlier one that did.

use crate::bench::Bench;
use crate::site::{TRACTOR, TRAILER, facts, spec};
use gate_core::{AnswerFailure, ArmCommand, Effect, Input, VerifiedAnswer, VerifiedSheet};
use gate_types::entry::EntryBody;
use gate_types::mission::CustomsStatus;
use gate_types::observation::Level;
use gate_types::release::{Finding, Permit, ReleaseAnswer, ReleaseRequest};
use gate_types::verdict::Verdict;
use gate_types::{LaneId, Mono, NodeId, PassId};
use proptest::prelude::*;

#[derive(Debug, Clone, Copy)]
enum Bad {
    OtherNonce,
    OtherNode,
    OtherLane,
    OtherPass,
    NoTime,
    WrongKey,
    Silent,
    Replay,
}

fn released() -> Finding {
    Finding::Mission { facts: Box::new(facts()), matched: vec![TRACTOR.into()] }
}

fn answer(of: &ReleaseRequest) -> ReleaseAnswer {
    ReleaseAnswer {
        nonce: of.nonce.clone(),
        node: of.node.clone(),
        pass: of.pass.clone(),
        signed_at_ms: 1_700_000_000_000,
        valid_ms: 10_000,
        finding: released(),
    }
}

fn give(bench: &mut Bench, nonce: &str, answer: ReleaseAnswer) {
    let verified = VerifiedAnswer { answer, signed: "a.b.c".into() };
    bench.input(Input::Answer { nonce: nonce.to_owned(), answer: Ok(verified) });
}

/// A vehicle stands there, two plates are read, central is asked.
fn asked(bench: &mut Bench) -> ReleaseRequest {
    bench.send_inputs();
    bench.inputs.loop_approach = Level::On;
    bench.send_inputs();
    bench.wait(400, true);
    bench.plate("front", TRACTOR, 0.97);
    bench.plate("rear", TRAILER, 0.97);
    bench.asked.clone().expect("central is asked")
}

fn raised(bench: &mut Bench) -> usize {
    let is_raise = |e: &Effect| matches!(e, Effect::Actuate(c) if c.command() == ArmCommand::Raise);
    bench.out.iter().filter(|d| is_raise(&d.effect)).count()
}

fn spoil(bench: &mut Bench, bad: Bad, old: &ReleaseAnswer) {
    let Some(request) = bench.asked.clone() else { return };
    let mut wrong = answer(&request);
    let mut nonce = request.nonce.clone();
    match bad {
        Bad::OtherNonce => {
            wrong.nonce.push('x');
            nonce.push('x');
        }
        Bad::OtherNode => wrong.node = NodeId::new("9").unwrap(),
        Bad::OtherLane => {
            wrong.pass = PassId { lane: LaneId::new("n1-in-2").unwrap(), number: request.pass.number };
        }
        Bad::OtherPass => wrong.pass.number += 1,
        Bad::NoTime => wrong.valid_ms = 0,
        Bad::Replay => {
            // Yesterday's signed word under today's question, and under its own.
            give(bench, &old.nonce, old.clone());
            wrong = old.clone();
        }
        Bad::WrongKey | Bad::Silent => {
            let failure = match bad {
                Bad::Silent => AnswerFailure::Silent("timed out".into()),
                _ => AnswerFailure::NotUsable("signature does not hold under the known key".into()),
            };
            bench.asked = None;
            bench.input(Input::Answer { nonce, answer: Err(failure) });
            return;
        }
    }
    bench.asked = None;
    give(bench, &nonce, wrong);
}

fn old_answer() -> ReleaseAnswer {
    let mut bench = Bench::new(spec(true, false));
    let request = asked(&mut bench);
    let mut old = answer(&request);
    old.nonce = "n1-in-1:1/0/1".into();
    old
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn no_wrong_answer_opens_and_the_right_one_does(
        bad in prop::collection::vec(
            prop::sample::select(vec![
                Bad::OtherNonce, Bad::OtherNode, Bad::OtherLane, Bad::OtherPass,
                Bad::NoTime, Bad::WrongKey, Bad::Silent, Bad::Replay,
            ]),
            0..8,
        ),
    ) {
        let old = old_answer();
        let mut bench = Bench::new(spec(true, false));
        asked(&mut bench);
        for bad in bad {
            for _ in 0..40 {
                if bench.asked.is_some() { break; }
                bench.wait(500, true);
            }
            spoil(&mut bench, bad, &old);
            prop_assert_eq!(raised(&mut bench), 0, "{:?} opened", bad);
        }
        for _ in 0..40 {
            if bench.asked.is_some() { break; }
            bench.wait(500, true);
        }
        let request = bench.asked.clone().expect("the lane asks again");
        give(&mut bench, &request.nonce, answer(&request));
        prop_assert_eq!(raised(&mut bench), 1, "the right answer opens, once");
        give(&mut bench, &request.nonce, answer(&request));
        prop_assert_eq!(raised(&mut bench), 1, "and not again");
    }
}

#[test]
fn a_late_release_after_a_refusal_s_question_is_closed_opens_nothing() {
    let mut bench = Bench::new(spec(true, false));
    let first = asked(&mut bench);
    // The first question is given up by its vehicle's departure; its answer comes to the next vehicle.
    bench.inputs.loop_approach = Level::Off;
    bench.send_inputs();
    bench.wait(1_000, true);
    bench.asked = None;
    let second = asked(&mut bench);
    assert_ne!(first.nonce, second.nonce);
    give(&mut bench, &first.nonce, answer(&first));
    assert_eq!(raised(&mut bench), 0);
    let mut crossed = answer(&first);
    crossed.nonce.clone_from(&second.nonce);
    give(&mut bench, &second.nonce, crossed);
    assert_eq!(raised(&mut bench), 0, "of another pass");
}

#[test]
fn a_revoked_release_takes_back_what_was_not_yet_raised() {
    let mut bench = Bench::new(spec(true, false));
    let request = asked(&mut bench);
    // Admitted, but somebody stands in the zone: the raise waits.
    bench.inputs.loop_under = Level::On;
    bench.send_inputs();
    give(&mut bench, &request.nonce, answer(&request));
    assert_eq!(raised(&mut bench), 0);
    // The zone stays occupied until the decision has run out, and the lane asks again: customs holds now.
    bench.asked = None;
    for _ in 0..40 {
        if bench.asked.is_some() {
            break;
        }
        bench.wait(500, true);
    }
    let again = bench.asked.clone().expect("an expired decision asks again");
    let mut held = answer(&again);
    let mut now = facts();
    now.status = CustomsStatus::Held;
    held.finding = Finding::Mission { facts: Box::new(now), matched: vec![] };
    give(&mut bench, &again.nonce, held);
    bench.inputs.loop_under = Level::Off;
    bench.send_inputs();
    bench.wait(1_500, true);
    assert_eq!(raised(&mut bench), 0, "the later word counts");
}

#[test]
fn a_decision_names_the_entries_that_it_rests_on() {
    let mut bench = Bench::new(spec(true, false));
    let request = asked(&mut bench);
    give(&mut bench, &request.nonce, answer(&request));
    let of_pass: Vec<_> = bench.entries.iter().filter(|e| e.pass.as_ref() == Some(&request.pass)).collect();
    let decided = of_pass.iter().find_map(|e| match &e.body {
        EntryBody::Decided { record, verdict: Verdict::Admit { .. }, rules, .. } => Some((record, rules)),
        _ => None,
    });
    let (record, rules) = decided.unwrap();
    assert_eq!(rules, "varco-rules/1");
    let kinds: Vec<&str> =
        record.as_ref().unwrap().rests_on.iter().map(|n| of_pass[*n as usize].body.kind()).collect();
    assert_eq!(kinds, ["optical_read", "optical_read", "release_answered"]);
}

/// A sheet with one permit for the vehicle of these tests.
fn sheet(bench: &Bench, signed_at_ms: i64, name: &str) -> VerifiedSheet {
    let permit = Permit {
        permit: name.to_owned(),
        port: bench.spec.port.clone(),
        node: bench.spec.node.clone(),
        direction: bench.spec.direction,
        signed_at_ms,
        expires_at_ms: signed_at_ms + 60_000,
        facts: Box::new(facts()),
    };
    VerifiedSheet {
        signed_at_ms,
        heard: Mono(bench.now),
        permits: vec![(permit, "p.e.r".to_owned())],
        ..VerifiedSheet::default()
    }
}

const SIGNED: i64 = 1_700_000_000_000;

#[test]
fn a_permit_opens_once_while_central_is_silent() {
    let mut bench = Bench::new(spec(true, false));
    let held = sheet(&bench, SIGNED, "M-1/1/1-in");
    bench.input(Input::Permits(held.clone()));
    asked(&mut bench);
    bench.answer_silent();
    assert_eq!(raised(&mut bench), 1, "{:?}", bench.entries.last());
    let kinds: Vec<&str> = bench.entries.iter().map(|e| e.body.kind()).collect();
    assert!(kinds.contains(&"release_answered"), "the permit itself is on record: {kinds:?}");
    // The vehicle backs out before the arm is up; its like comes again, the same sheet once more with it.
    bench.inputs.limit_up = Level::On;
    bench.inputs.limit_down = Level::Off;
    bench.inputs.loop_approach = Level::Off;
    bench.send_inputs();
    bench.wait(10_000, true);
    bench.inputs.limit_up = Level::Off;
    bench.inputs.limit_down = Level::On;
    bench.send_inputs();
    bench.wait(2_000, true);
    bench.input(Input::Permits(held));
    bench.asked = None;
    asked(&mut bench);
    bench.answer_silent();
    assert_eq!(raised(&mut bench), 1, "a permit is for one use");
}

#[test]
fn a_revoked_spent_or_undated_permit_opens_nothing() {
    // Spent by another lane of this gate.
    let mut bench = Bench::new(spec(true, false));
    let mut held = sheet(&bench, SIGNED, "M-1/1/1-in");
    held.spent.insert("M-1/1/1-in".into());
    bench.input(Input::Permits(held));
    asked(&mut bench);
    bench.answer_silent();
    assert_eq!(raised(&mut bench), 0);
    // Missing on a newer sheet; the older sheet comes late and changes nothing.
    let mut bench = Bench::new(spec(true, false));
    let (old, mut new) = (sheet(&bench, SIGNED, "M-1/1/1-in"), sheet(&bench, SIGNED + 5_000, "x"));
    new.permits.clear();
    bench.input(Input::Permits(old.clone()));
    bench.input(Input::Permits(new));
    bench.input(Input::Permits(old));
    asked(&mut bench);
    bench.answer_silent();
    assert_eq!(raised(&mut bench), 0);
    // Expired by central's clock plus the time since, whatever the wall says.
    let mut bench = Bench::new(spec(true, false));
    let held = sheet(&bench, SIGNED, "M-1/1/1-in");
    bench.input(Input::Permits(held));
    bench.send_inputs();
    bench.wait(61_000, true);
    asked(&mut bench);
    bench.answer_silent();
    assert_eq!(raised(&mut bench), 0);
    // A start forgets sheet and clock.
    let mut bench = Bench::new(spec(true, false));
    let held = sheet(&bench, SIGNED, "M-1/1/1-in");
    bench.input(Input::Permits(held));
    bench.restart();
    asked(&mut bench);
    bench.answer_silent();
    assert_eq!(raised(&mut bench), 0);
}

#[test]
fn a_permit_revoked_between_decision_and_raise_is_taken_back() {
    let mut bench = Bench::new(spec(true, false));
    let held = sheet(&bench, SIGNED, "M-1/1/1-in");
    bench.input(Input::Permits(held));
    asked(&mut bench);
    bench.inputs.loop_under = Level::On;
    bench.send_inputs();
    bench.answer_silent();
    assert_eq!(raised(&mut bench), 0, "the zone is occupied");
    let mut newer = sheet(&bench, SIGNED + 2_000, "x");
    newer.permits.clear();
    bench.input(Input::Permits(newer));
    bench.inputs.loop_under = Level::Off;
    bench.send_inputs();
    bench.wait(1_500, true);
    assert_eq!(raised(&mut bench), 0, "revoked before the arm was commanded");
}
