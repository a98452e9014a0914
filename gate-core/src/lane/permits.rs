//! The permits that this lane holds for the time in which central is silent, and central's clock.

use super::Lane;
use crate::input::VerifiedSheet;
use crate::policy::permit::{CentralClock, Place, Wallet, stand_in};
use gate_types::Mono;
use gate_types::decision::Basis;
use gate_types::entry::EntryBody;
use gate_types::release::Permit;
use std::collections::{BTreeMap, BTreeSet};

/// What central said in advance.
#[derive(Debug, Default)]
pub(super) struct Permits {
    sheet: Vec<Permit>,
    signed: BTreeMap<String, String>,
    used: BTreeSet<String>,
    clock: Option<CentralClock>,
    /// Central's clock on the newest sheet.
    newest_ms: Option<i64>,
}

impl Permits {
    /// Central's clock was heard in a signed word.
    pub(super) fn hear(&mut self, signed_at_ms: i64, at: Mono) {
        self.clock = Some(CentralClock::hear(self.clock, signed_at_ms, at));
    }
}

/// Takes a sheet in place of the one before. An older one changes nothing. A permit that is not on it any
/// more is revoked: an admission that rests on it and has not raised the arm yet is taken back.
pub(super) fn take(lane: &mut Lane, sheet: VerifiedSheet) {
    let held = &mut lane.permits;
    held.used.extend(sheet.spent);
    if held.newest_ms.is_some_and(|newest| sheet.signed_at_ms < newest) {
        return;
    }
    held.newest_ms = Some(sheet.signed_at_ms);
    held.hear(sheet.signed_at_ms, sheet.heard);
    held.signed = sheet.permits.iter().map(|(p, signed)| (p.permit.clone(), signed.clone())).collect();
    held.sheet = sheet.permits.into_iter().map(|(permit, _)| permit).collect();
    // What is on no sheet can come back on none: its name holds version and leg.
    held.used.retain(|name| held.signed.contains_key(name));
    let revoked = lane
        .pass
        .as_ref()
        .and_then(|p| p.permit.clone())
        .filter(|name| !lane.permits.signed.contains_key(name) && lane.here.interlock.granted_any());
    if let Some(name) = revoked {
        lane.here.interlock.withdraw();
        if let Some(pass) = &mut lane.pass {
            pass.go = None;
            pass.permit = None;
        }
        let why = format!("permit {name} was revoked before the arm was commanded");
        lane.record(EntryBody::ReleaseRefused { nonce: name, why });
    }
}

/// What stands in for the answer of a silent central about the open pass.
pub(super) fn instead(lane: &mut Lane, why: &str) -> Basis {
    let now = lane.mono();
    let Some(pass) = &mut lane.pass else { return Basis::Silent { why: why.to_owned() } };
    let nobody = BTreeSet::new();
    let held = &lane.permits;
    // The one that the entry arm of a lock rose on is this vehicle's for the exit arm too.
    let mut used = held.used.clone();
    if let Some(own) = &pass.spent {
        used.remove(own);
    }
    let wallet = Wallet { permits: &held.sheet, used: &used, revoked: &nobody, clock: held.clock };
    let place =
        Place { node: &lane.spec.node, direction: lane.spec.direction, rule: &lane.spec.identity, now };
    let (basis, facts) = stand_in(&wallet, &place, &pass.identity, why);
    pass.permit = None;
    if let Basis::Permit { permit, .. } = &basis {
        pass.facts = facts;
        pass.permit = Some(permit.clone());
        let signed = held.signed.get(permit).cloned().unwrap_or_default();
        lane.record(EntryBody::ReleaseAnswered { signed });
    }
    basis
}

/// The arm is commanded on the pass's permit: it is used, once.
pub(super) fn use_up(lane: &mut Lane) {
    if let Some(name) = lane.pass.as_ref().and_then(|p| p.permit.clone()) {
        lane.permits.used.insert(name.clone());
        if let Some(pass) = &mut lane.pass {
            pass.spent = Some(name);
        }
    }
}
