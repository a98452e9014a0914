//! Questions to central.

use super::pass::Asked;
use super::{Lane, verdict};
use crate::effect::Effect;
use crate::lane::state::State;
use gate_types::entry::EntryBody;
use gate_types::release::ReleaseRequest;

/// Changed evidence asks anew no more often than this, milliseconds.
pub(super) const REASK_MS: u64 = 500;
/// A question without outcome is given up after this at least, milliseconds; the shell's own limit is
/// shorter and comes back as a failure.
const GIVE_UP_MS: u64 = 10_000;

/// Asks about the open pass with what is known now.
pub(super) fn ask(lane: &mut Lane) {
    let threshold = lane.spec.identity.read_threshold;
    let (now, epoch) = (lane.mono(), lane.spec.epoch.0);
    let Some(pass) = &mut lane.pass else { return };
    lane.questions += 1;
    let nonce = format!("{}/{epoch}/{}", pass.id, lane.questions);
    pass.asked = Some(Asked { nonce: nonce.clone(), at: now });
    pass.last_asked = Some(now);
    pass.asked_on = Some(pass.known(threshold));
    let request = ReleaseRequest {
        port: lane.spec.port.clone(),
        node: lane.spec.node.clone(),
        direction: lane.spec.direction,
        pass: pass.id.clone(),
        nonce,
        identity: pass.identity.clone(),
    };
    lane.record(EntryBody::ReleaseAsked { request: request.clone() });
    lane.effects.push_back(Effect::AskRelease(request));
}

/// Asks again where it is due, or where the evidence has changed since central was asked last.
pub(super) fn again(lane: &mut Lane, due: bool) {
    let now = lane.mono();
    let threshold = lane.spec.identity.read_threshold;
    let Some(pass) = &lane.pass else { return };
    if pass.asked.is_some() || pass.identity.slots.is_empty() {
        return;
    }
    let rested = pass.last_asked.is_none_or(|at| now.since_ms(at) >= REASK_MS);
    let changed = pass.asked_on.as_ref().is_none_or(|k| pass.known(threshold).differs(k));
    if due || (changed && rested) {
        ask(lane);
    }
}

/// How long a question may stay open here.
pub(super) fn give_up_ms(lane: &Lane) -> u64 {
    GIVE_UP_MS.max(lane.spec.ask_again_ms.saturating_mul(3))
}

/// Gives an open question up that the shell never answered.
pub(super) fn give_up(lane: &mut Lane) -> Option<State> {
    let (now, limit) = (lane.mono(), give_up_ms(lane));
    let pass = lane.pass.as_mut()?;
    let asked = pass.asked.take_if(|a| now.since_ms(a.at) >= limit)?;
    let why = format!("no outcome within {limit} ms");
    lane.record(EntryBody::ReleaseRefused { nonce: asked.nonce, why: why.clone() });
    Some(verdict::silent(lane, &why))
}
