//! Central's answers, and their absence.

use super::{Lane, faults, state, verdict};
use crate::input::{AnswerFailure, VerifiedAnswer};
use crate::policy;
use gate_types::entry::EntryBody;
use gate_types::fault::FaultKind;
use gate_types::release::ReleaseAnswer;

/// The device name of central in faults.
pub(super) const CENTRAL: &str = "central";

pub(super) fn answered(lane: &mut Lane, nonce: String, answer: Result<VerifiedAnswer, AnswerFailure>) {
    let asked = lane.pass.as_mut().and_then(|p| p.asked.take_if(|a| a.nonce == nonce));
    if answer.is_ok() {
        faults::clear(lane, FaultKind::CentralDown, CENTRAL);
    }
    if asked.is_none() {
        let why = "the question is not open any more, or never was".to_owned();
        lane.record(EntryBody::ReleaseRefused { nonce, why });
        return;
    }
    let next = match answer {
        Ok(verified) => match mismatch(lane, &nonce, &verified.answer) {
            None => usable(lane, verified),
            Some(why) => {
                lane.record(EntryBody::ReleaseRefused { nonce, why: why.clone() });
                verdict::unusable(lane, &why)
            }
        },
        Err(failure) => {
            lane.record(EntryBody::ReleaseRefused { nonce, why: failure.to_string() });
            match failure {
                AnswerFailure::Silent(why) => verdict::silent(lane, &why),
                AnswerFailure::NotUsable(why) => verdict::unusable(lane, &why),
            }
        }
    };
    state::enter(lane, next);
}

/// Why an answer is not the one to this lane's question.
fn mismatch(lane: &Lane, nonce: &str, answer: &ReleaseAnswer) -> Option<String> {
    let pass = lane.pass.as_ref().map(|p| &p.id);
    if answer.nonce != nonce {
        return Some(format!("the answer is for question {}, not {nonce}", answer.nonce));
    }
    if answer.node != lane.spec.node {
        return Some(format!("the answer is for node {}, not {}", answer.node, lane.spec.node));
    }
    if pass != Some(&answer.pass) {
        return Some(format!("the answer is for pass {}", answer.pass));
    }
    (answer.valid_ms == 0).then(|| "the answer is valid for no time".to_owned())
}

fn usable(lane: &mut Lane, verified: VerifiedAnswer) -> state::State {
    let VerifiedAnswer { answer, signed } = verified;
    lane.record(EntryBody::ReleaseAnswered { signed });
    let heard = lane.mono();
    lane.permits.hear(answer.signed_at_ms, heard);
    let until = lane.mono().plus_ms(answer.valid_ms.min(lane.spec.timers.decision_valid_ms));
    let (basis, facts) = policy::basis_of(&answer.nonce, answer.signed_at_ms, &answer.finding);
    let Some(pass) = &mut lane.pass else { return lane.state };
    pass.facts = facts;
    pass.permit = None;
    verdict::take(lane, &basis, until)
}
