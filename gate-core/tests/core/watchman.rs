//! Watches a lane's effects from outside and knows nothing of its states: I1, I2, I3, I7, I8, I9, I11 and
//! I12 of the reliability notes, as far as they can be seen at the core, after every effect.

use crate::bench::{Bench, Deed};
use gate_core::{ArmCommand, Cleared, Effect, Side};
use gate_types::console::LaneState;
use gate_types::entry::{Authority, Entry, EntryBody};
use gate_types::fault::FaultKind;
use gate_types::observation::{ArmPosition, LaneInputs};
use gate_types::verdict::Verdict;
use gate_types::{LaneId, PassId};
use std::collections::BTreeSet;

/// Most effects that one step of a sequence may have (I9).
const MOST_EFFECTS: usize = 512;
/// Most entries of evidence of one pass (I9).
const MOST_EVIDENCE: u32 = 24;
/// A degraded lane is told of within this, milliseconds (I8).
const TOLD_WITHIN_MS: u64 = 5_000;

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Watchman {
    /// What may raise the arm for which pass, and since when: used once.
    decision: Option<(PassId, u64)>,
    operator: Option<(PassId, u64)>,
    pub open: Option<PassId>,
    last_pass: u64,
    /// The vehicle of the open pass was under the arm.
    under: bool,
    evidence: u32,
    pub faults: BTreeSet<(FaultKind, String)>,
    /// The last word on key switch and fire input, at the entry and at the exit.
    held: [bool; 2],
    /// The vehicle of the open pass is between the arms of a lock.
    pub enclosed: bool,
    before: Option<&'static str>,
    /// What the arm was told and has not done yet.
    pub told: Option<(ArmCommand, Side)>,
    pub raises: u32,
    pub lowers: u32,
    pub closed: u32,
}

impl Watchman {
    /// Takes what the lane did since the last look, then looks at the lane as a person would.
    pub fn look(&mut self, bench: &mut Bench) {
        let deeds = std::mem::take(&mut bench.out);
        assert!(deeds.len() <= MOST_EFFECTS, "I9: {} effects", deeds.len());
        for deed in deeds {
            self.see(bench, &deed);
        }
        let view = bench.lane.snapshot();
        let shown: BTreeSet<_> = view.faults.into_iter().map(|f| (f.kind, f.device)).collect();
        assert_eq!(shown, self.faults, "the faults on the console are those on record");
        let degraded = view.state == LaneState::Faulted
            || (view.state == LaneState::Starting && bench.now > TOLD_WITHIN_MS);
        assert!(!degraded || !self.faults.is_empty(), "I8: {:?} and no fault", view.state);
        match view.state {
            LaneState::Local => assert!(self.held != [false; 2], "I11: hands that are not on record"),
            LaneState::Starting | LaneState::Faulted => {}
            LaneState::Idle
            | LaneState::Identifying
            | LaneState::Deciding
            | LaneState::Held
            | LaneState::Referred
            | LaneState::Enclosed
            | LaneState::Raising
            | LaneState::Passing
            | LaneState::Clearing
            | LaneState::Lowering
            | LaneState::Closed => {
                assert_eq!(self.held, [false; 2], "I11: {:?} while people have the lane", view.state);
            }
        }
        assert!(view.state != LaneState::Closed || !self.enclosed, "closed with a vehicle between the arms");
        assert_eq!(view.pass.is_some(), self.open.is_some());
    }

    /// The daemon starts anew: what stood in its memory is gone.
    pub fn restarted(&mut self) {
        self.faults.clear();
        self.decision = None;
        self.operator = None;
        self.held = [false; 2];
    }

    fn see(&mut self, bench: &Bench, deed: &Deed) {
        self.before = match &deed.effect {
            Effect::Record(entry) => {
                self.entry(bench, entry, deed.at);
                Some(entry.body.kind())
            }
            Effect::Actuate(cleared) => {
                self.actuate(bench, cleared, deed);
                None
            }
            Effect::AskRelease(_) | Effect::Light(..) | Effect::Show { .. } | Effect::Watch(_) => None,
        };
    }

    fn entry(&mut self, bench: &Bench, entry: &Entry, at: u64) {
        let lane: &LaneId = &bench.spec.lane;
        assert_eq!(entry.lane.as_ref(), Some(lane));
        let opens = matches!(entry.body, EntryBody::PassOpened { .. });
        assert!(entry.pass.is_none() || entry.pass == self.open || opens, "an entry of another pass");
        match &entry.body {
            EntryBody::PassOpened { .. } => {
                assert!(self.open.is_none(), "a pass was opened in a pass");
                let pass = entry.pass.clone().unwrap();
                assert!(pass.number > self.last_pass, "a pass number was used again");
                self.last_pass = pass.number;
                self.open = Some(pass);
                (self.under, self.evidence) = (false, 0);
            }
            EntryBody::PassClosed { .. } => {
                (self.open, self.decision, self.operator) = (None, None, None);
                self.enclosed = false;
                self.closed += 1;
            }
            EntryBody::OpticalRead { .. } | EntryBody::TagRead { .. } | EntryBody::WeightRead { .. } => {
                self.evidence += 1;
                assert!(self.evidence <= MOST_EVIDENCE, "I9: {} entries of evidence", self.evidence);
            }
            EntryBody::Decided { verdict: Verdict::Admit { .. }, .. } => {
                self.decision = entry.pass.clone().map(|p| (p, at));
            }
            EntryBody::Decided { .. } => self.decision = None,
            EntryBody::OperatorAct { act, .. } if act == "admit" => {
                self.operator = entry.pass.clone().map(|p| (p, at));
            }
            EntryBody::OperatorAct { act, .. } if act == "turn_back" && self.enclosed => {
                // Out by the entry arm: a raise of its own.
                (self.decision, self.operator) = (None, entry.pass.clone().map(|p| (p, at)));
            }
            EntryBody::OperatorAct { act, .. } if act == "turn_back" => {
                (self.decision, self.operator) = (None, None);
            }
            EntryBody::RaiseCommanded { authority } => {
                let right = match authority {
                    Authority::Decision => self.decision.take(),
                    Authority::Operator { .. } => self.operator.take(),
                };
                let (pass, decided) = right.expect("I1: a raise rests on a recorded decision, once");
                assert_eq!(Some(&pass), self.open.as_ref(), "I1: of this very pass");
                assert!(at - decided < bench.spec.timers.decision_valid_ms, "I1: unexpired");
                assert!(!self.under, "I2: the vehicle of this pass was under the arm already");
            }
            EntryBody::VehicleUnder {} => self.under = true,
            EntryBody::VehicleEnclosed {} => (self.under, self.enclosed) = (false, true),
            EntryBody::VehicleSentBack {} => {
                assert!(self.enclosed, "sent back out of nowhere");
                self.under = false;
            }
            EntryBody::LocalHands { key, fire, exit, .. } => self.held[usize::from(*exit)] = *key || *fire,
            EntryBody::FaultRaised { fault } => {
                let new = self.faults.insert((fault.kind, fault.device.clone()));
                assert!(new, "I12: {fault:?} stands already");
            }
            EntryBody::FaultCleared { fault } => {
                assert!(self.faults.remove(&(fault.kind, fault.device.clone())), "I12: {fault:?}");
            }
            _ => {}
        }
    }

    fn actuate(&mut self, bench: &Bench, cleared: &Cleared, deed: &Deed) {
        assert!(bench.spec.live, "a shadow lane moved the arm");
        let command = cleared.command();
        let (own, other) = match cleared.side() {
            Side::Entry => (deed.seen, deed.seen_exit),
            Side::Exit => (deed.seen_exit, deed.seen),
        };
        let (sent, inputs): (u64, LaneInputs) = own.expect("I7: inputs are read before anything moves");
        if bench.is_lock() && command == ArmCommand::Raise {
            let (sent, beyond) = other.expect("I7: the other arm is read before anything rises");
            assert!(deed.at - sent <= bench.spec.timers.inputs_stale_ms, "the other arm is not known");
            assert_eq!(beyond.arm(), ArmPosition::Down, "both arms of a lock up");
            match (cleared.side(), self.enclosed) {
                (Side::Exit, enclosed) => assert!(enclosed, "the exit arm without a vehicle inside"),
                (Side::Entry, true) => assert!(!inputs.loop_approach.may_be_on(), "back onto somebody"),
                (Side::Entry, false) => {
                    let free = [beyond.loop_approach, beyond.loop_under, beyond.curtain];
                    assert!(!free.iter().any(|l| l.may_be_on()), "into a lock that is not empty");
                }
            }
        }
        assert!(deed.at - sent <= bench.spec.timers.inputs_stale_ms, "I3: inputs of {sent} at {}", deed.at);
        let free = !inputs.loop_under.may_be_on() && !inputs.curtain.may_be_on();
        assert!(!inputs.local_key.may_be_on() && !inputs.fire.may_be_on(), "I11: others have the barrier");
        self.told = Some((command, cleared.side()));
        match command {
            ArmCommand::Raise => {
                assert_eq!(self.before, Some("raise_commanded"), "recorded just before");
                assert_eq!(inputs.arm(), ArmPosition::Down, "{inputs:?}");
                assert!(inputs.loop_approach.is_on() || self.enclosed, "{inputs:?}");
                assert!(free, "I2: {inputs:?}");
                self.raises += 1;
            }
            ArmCommand::PermitLower => {
                assert_eq!(self.before, Some("lower_permitted"), "recorded just before");
                assert!(free, "I3: {inputs:?}");
                self.lowers += 1;
            }
        }
    }
}
