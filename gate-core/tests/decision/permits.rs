//! Central is silent: a permit admits once, in its time, at its node, for its unit, and never otherwise.

use crate::cases::{NOW, Whole, identity, read};
use crate::site::{TRACTOR, TRAILER, facts, identity_rule, legs, node};
use gate_core::policy::permit::{CentralClock, Place, Wallet, stand_in};
use gate_types::decision::{Basis, PermitFault};
use gate_types::identity::Slot;
use gate_types::mission::{CustomsStatus, Direction};
use gate_types::release::Permit;
use gate_types::verdict::{ReasonCode, Verdict};
use gate_types::{Mono, PortId};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn permit(name: &str) -> Permit {
    let mut facts = facts();
    facts.progress = legs(&["1-in", "2-in"]);
    Permit {
        permit: name.into(),
        port: PortId::new("ITBRI").unwrap(),
        node: node("6"),
        direction: Direction::In,
        signed_at_ms: NOW,
        expires_at_ms: NOW + 60_000,
        facts: Box::new(facts),
    }
}

struct At {
    permits: Vec<Permit>,
    used: BTreeSet<String>,
    revoked: BTreeSet<String>,
    clock: Option<CentralClock>,
    now: u64,
    node: &'static str,
    direction: Direction,
}

impl At {
    fn good() -> Self {
        Self {
            permits: vec![permit("p1")],
            used: BTreeSet::new(),
            revoked: BTreeSet::new(),
            clock: Some(CentralClock { signed_at_ms: NOW, heard: Mono(1_000) }),
            now: 11_000,
            node: "6",
            direction: Direction::In,
        }
    }
    fn judge(&self, whole: &Whole) -> (Basis, Verdict) {
        let wallet =
            Wallet { permits: &self.permits, used: &self.used, revoked: &self.revoked, clock: self.clock };
        let (node, rule) = (node(self.node), identity_rule());
        let place = Place { node: &node, direction: self.direction, rule: &rule, now: Mono(self.now) };
        let (basis, facts) = stand_in(&wallet, &place, &whole.identity, "timed out");
        let mut whole = whole.clone();
        whole.basis = basis.clone();
        whole.facts = facts.map(|f| *f);
        (basis, whole.decide().verdict)
    }
}

fn refused(at: &At) -> (PermitFault, Verdict) {
    match at.judge(&Whole::good()) {
        (Basis::PermitRefused { fault, .. }, verdict) => (fault, verdict),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_good_permit_admits() {
    let (basis, verdict) = At::good().judge(&Whole::good());
    assert!(verdict.admits(), "{verdict:?}");
    let Basis::Permit { permit, central_now_ms, .. } = basis else { panic!("{basis:?}") };
    assert_eq!((permit.as_str(), central_now_ms), ("p1", NOW + 10_000));
}

#[test]
fn time_unknown_after_a_start_refers() {
    let (fault, verdict) = refused(&At { clock: None, ..At::good() });
    assert_eq!(fault, PermitFault::TimeUnknown);
    assert!(matches!(verdict, Verdict::Refer { .. }), "{verdict:?}");
}

#[test]
fn expired_used_revoked_and_early_permits_do_not_admit() {
    let (fault, verdict) = refused(&At { now: 61_000, ..At::good() });
    assert_eq!(fault, PermitFault::Expired);
    assert!(matches!(verdict, Verdict::Hold { .. }), "{verdict:?}");
    let used = BTreeSet::from(["p1".to_owned()]);
    let (fault, verdict) = refused(&At { used: used.clone(), ..At::good() });
    assert_eq!(fault, PermitFault::Used);
    assert!(matches!(verdict, Verdict::Refer { .. }));
    let (fault, verdict) = refused(&At { revoked: used.clone(), used, ..At::good() });
    assert_eq!(fault, PermitFault::Revoked, "a revocation wins");
    assert!(verdict.reasons().iter().any(|r| r.code == ReasonCode::PermitRevoked));
    let clock = Some(CentralClock { signed_at_ms: NOW - 60_000, heard: Mono(1_000) });
    assert_eq!(refused(&At { clock, ..At::good() }).0, PermitFault::NotYetValid);
}

#[test]
fn another_node_direction_or_unit_is_silence() {
    for at in [At { node: "5", ..At::good() }, At { direction: Direction::Out, ..At::good() }] {
        let (basis, verdict) = at.judge(&Whole::good());
        assert!(matches!(basis, Basis::Silent { .. }) && matches!(verdict, Verdict::Hold { .. }));
    }
    let mut other = Whole::good();
    other.identity = identity(
        vec![read(Slot::TractorPlate, "ZZ999ZZ", 0.97), read(Slot::TrailerPlate, "YY888YY", 0.97)],
        Some(35_100.0),
    );
    assert!(matches!(At::good().judge(&other).0, Basis::Silent { .. }));
    let mut two = At::good();
    let mut stranger = permit("p2");
    stranger.facts.mission = "M-2".parse().unwrap();
    two.permits.push(stranger);
    assert!(matches!(two.judge(&Whole::good()).0, Basis::Silent { .. }), "two missions: nobody can say");
}

#[test]
fn a_permit_is_central_s_word_and_no_more() {
    let mut held = At::good();
    held.permits[0].facts.status = CustomsStatus::Held;
    assert!(!held.judge(&Whole::good()).1.admits());
    let mut one = Whole::good();
    one.identity.slots.truncate(1);
    assert!(!At::good().judge(&one).1.admits(), "one factor of two");
    let mut newer = At::good();
    let mut revised = permit("p2");
    revised.signed_at_ms += 5_000;
    revised.facts.status = CustomsStatus::Refused;
    newer.permits.push(revised);
    assert!(!newer.judge(&Whole::good()).1.admits(), "the younger word counts");
    newer.permits.reverse();
    assert!(!newer.judge(&Whole::good()).1.admits(), "whatever arrived first");
    let _ = (TRACTOR, TRAILER);
}

#[test]
fn central_s_clock_never_runs_backwards() {
    let first = CentralClock::hear(None, NOW, Mono(1_000));
    let old = CentralClock::hear(Some(first), NOW - 60_000, Mono(2_000));
    assert_eq!(old, first, "a replayed word makes nothing young again");
    let new = CentralClock::hear(Some(first), NOW + 5_000, Mono(2_000));
    assert_eq!(new.at(Mono(3_000)), NOW + 6_000);
}

proptest! {
    /// However clock, use, revocation, node and unit are mixed: an Admit only within every limit.
    #[test]
    fn only_within_every_limit(
        signed in -120_000i64..120_000, heard in 0u64..200_000, now in 0u64..400_000,
        known in any::<bool>(), used in any::<bool>(), revoked in any::<bool>(),
        here in any::<bool>(), inward in any::<bool>(), ours in any::<bool>(),
    ) {
        let mut at = At::good();
        at.now = heard + now;
        at.clock = known.then_some(CentralClock { signed_at_ms: NOW + signed, heard: Mono(heard) });
        if used { at.used.insert("p1".into()); }
        if revoked { at.revoked.insert("p1".into()); }
        if !here { at.node = "5"; }
        if !inward { at.direction = Direction::Out; }
        let mut whole = Whole::good();
        if !ours { whole.identity.slots.clear(); }
        let central = NOW + signed + i64::try_from(now).unwrap();
        let in_time = known && (NOW..NOW + 60_000).contains(&central);
        let (_, verdict) = at.judge(&whole);
        prop_assert_eq!(verdict.admits(), in_time && !used && !revoked && here && inward && ours);
    }
}
