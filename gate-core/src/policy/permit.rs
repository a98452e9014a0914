//! Central is silent: may a permit stand in for its answer? Only a signed, unexpired, unused permit for
//! this unit, this node and this direction. Expiry is judged by the last time that central signed plus the
//! monotonic time since; unknown, as after a start without contact, is no permission. No wall clock is read.

use gate_types::decision::{Basis, PermitFault};
use gate_types::identity::{Identity, Slot};
use gate_types::mission::Direction;
use gate_types::plate::fold;
use gate_types::release::{MissionFacts, Permit};
use gate_types::rules::IdentityRule;
use gate_types::{Mono, NodeId};
use std::collections::BTreeSet;

/// Central's clock as this gate knows it: what central last signed, and when that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CentralClock {
    /// Central's clock when it signed, milliseconds since 1970.
    pub signed_at_ms: i64,
    /// When the signed word arrived, on the gate's monotonic clock of this run.
    pub heard: Mono,
}

impl CentralClock {
    /// Central's clock at `now`; it can only be later than this by the word's way here.
    pub fn at(&self, now: Mono) -> i64 {
        let since = i64::try_from(now.since_ms(self.heard)).unwrap_or(i64::MAX);
        self.signed_at_ms.saturating_add(since)
    }
    /// The later of what is known and a newly heard word: central's clock never runs backwards here, so a
    /// replayed old word cannot make a permit young again.
    pub fn hear(known: Option<Self>, signed_at_ms: i64, heard: Mono) -> Self {
        let new = Self { signed_at_ms, heard };
        match known {
            Some(old) if old.at(heard) >= signed_at_ms => old,
            Some(_) | None => new,
        }
    }
}

/// The permits of one gate, whose signatures its shell has verified.
#[derive(Debug, Clone, Copy)]
pub struct Wallet<'a> {
    /// Permits at hand.
    pub permits: &'a [Permit],
    /// Names of permits that were used; kept over restarts by the journal.
    pub used: &'a BTreeSet<String>,
    /// Names of permits that central revoked.
    pub revoked: &'a BTreeSet<String>,
    /// Central's clock, none before the first contact since the start.
    pub clock: Option<CentralClock>,
}

/// Where and when a permit would be used.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The lane's node.
    pub node: &'a NodeId,
    /// The lane's direction.
    pub direction: Direction,
    /// The lane's rule for identity.
    pub rule: &'a IdentityRule,
    /// Now.
    pub now: Mono,
}

/// What stands in for the answer of a silent central: the basis of a decision, with the facts beside it.
pub fn stand_in(
    wallet: &Wallet<'_>,
    place: &Place<'_>,
    identity: &Identity,
    why: &str,
) -> (Basis, Option<Box<MissionFacts>>) {
    let silent = || (Basis::Silent { why: why.to_owned() }, None);
    let here = |p: &&Permit| p.node == *place.node && p.direction == place.direction;
    let mut fitting: Vec<&Permit> =
        wallet.permits.iter().filter(here).filter(|p| is_for(p, place.rule, identity)).collect();
    // The youngest word counts; names decide between equals, so that the order of arrival does not.
    fitting.sort_by(|a, b| (b.signed_at_ms, &b.permit).cmp(&(a.signed_at_ms, &a.permit)));
    let units: BTreeSet<&str> = fitting.iter().map(|p| p.facts.mission.as_str()).collect();
    // Permits of two missions for one vehicle: nobody here can say which.
    let (Some(permit), true) = (fitting.first(), units.len() == 1) else { return silent() };
    match fault(wallet, permit, place.now) {
        Ok(central_now_ms) => {
            let basis = Basis::Permit {
                permit: permit.permit.clone(),
                central_now_ms,
                expires_at_ms: permit.expires_at_ms,
                why: why.to_owned(),
            };
            (basis, Some(permit.facts.clone()))
        }
        Err(fault) => {
            (Basis::PermitRefused { permit: permit.permit.clone(), fault, why: why.to_owned() }, None)
        }
    }
}

/// Central's clock where the permit is good, else why it is not.
fn fault(wallet: &Wallet<'_>, permit: &Permit, now: Mono) -> Result<i64, PermitFault> {
    if wallet.revoked.contains(&permit.permit) {
        return Err(PermitFault::Revoked);
    }
    if wallet.used.contains(&permit.permit) {
        return Err(PermitFault::Used);
    }
    let central_now_ms = wallet.clock.ok_or(PermitFault::TimeUnknown)?.at(now);
    if central_now_ms < permit.signed_at_ms {
        return Err(PermitFault::NotYetValid);
    }
    if central_now_ms >= permit.expires_at_ms {
        return Err(PermitFault::Expired);
    }
    Ok(central_now_ms)
}

/// The permit's unit is the one that was read: some identifier is equal and strong. Whether that is
/// enough to admit is the policy's question.
fn is_for(permit: &Permit, rule: &IdentityRule, identity: &Identity) -> bool {
    let expected = &permit.facts.expected;
    let read = |slot: Slot| {
        let strong = move |c: &&gate_types::identity::Candidate| c.probability >= rule.read_threshold;
        identity
            .slot(slot)
            .filter(|e| !e.blind)
            .into_iter()
            .flat_map(move |e| e.candidates.iter().filter(strong))
    };
    let plate = |slot, value: &Option<String>| {
        value.as_ref().is_some_and(|v| read(slot).any(|c| fold(&c.value) == fold(v)))
    };
    let unit = |slot| read(slot).any(|c| expected.itus.contains(&c.value));
    let tag = expected.vehicle_tag.as_ref();
    let shown = read(Slot::GatePass).any(|c| c.value == permit.facts.mission.as_str());
    plate(Slot::TractorPlate, &expected.tractor_plate)
        || plate(Slot::TrailerPlate, &expected.trailer_plate)
        || unit(Slot::Itu)
        || unit(Slot::Itu2)
        || shown
        || tag.is_some_and(|t| read(Slot::VehicleTag).any(|c| c.value.eq_ignore_ascii_case(t)))
}
