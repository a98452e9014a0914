//! One vehicle's way through the lane, as far as it has come.

use super::faults::{part, raise};
use super::lock::Stage;
use super::state::{Cause, State};
use super::{Lane, lock};
use crate::fusion::Evidence;
use gate_types::entry::{Authority, EntryBody, PassOutcome, PassSummary};
use gate_types::fault::FaultKind;
use gate_types::identity::{Identity, Slot};
use gate_types::observation::{ArmPosition, Level};
use gate_types::release::MissionFacts;
use gate_types::verdict::{Instruction, Reason, ReasonCode, Verdict};
use gate_types::{Mono, PassId, Stamp};
use std::collections::BTreeMap;

/// Most entries of evidence that a pass records (I9).
pub(super) const MAX_EVIDENCE_ENTRIES: u32 = 24;
/// Most entries that a decision names.
const MAX_RESTS_ON: usize = 64;
/// Weights closer than this are the same weight, kilograms.
const SAME_WEIGHT_KG: f64 = 200.0;

/// A question to central that has no answer yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) nonce: String,
    pub(super) at: Mono,
}

/// The open pass.
#[derive(Debug)]
pub(super) struct Pass {
    pub(super) id: PassId,
    /// Evidence stamped before this belongs to somebody else.
    pub(super) opened: Stamp,
    pub(super) evidence: Evidence,
    pub(super) identity: Identity,
    pub(super) facts: Option<Box<MissionFacts>>,
    pub(super) verdict: Option<Verdict>,
    pub(super) raised_by: Option<Authority>,
    pub(super) up_seen: bool,
    pub(super) under_seen: bool,
    pub(super) left_seen: bool,
    /// It was on the second loop and off the first one: it has gone on.
    pub(super) onwards: bool,
    /// It left the second loop by the side that it came from.
    pub(super) went_back: bool,
    /// Central or an operator said otherwise after the raise was commanded: it has no authority any more.
    pub(super) revoked: bool,
    /// A raise was commanded, and neither the arm nor its time limit has told yet what became of it.
    pub(super) raise_open: bool,
    /// The arm had not risen when the daemon stopped (only known of a restored pass).
    pub(super) raise_failed: bool,
    /// The remote I/O has acknowledged the raise.
    pub(super) raise_written: bool,
    /// A raise that provably did not move the arm was given up once, and central asked anew.
    pub(super) raise_given_up: bool,
    pub(super) lower_permitted: bool,
    /// The arm's lower end is on record already (only known of a restored pass).
    pub(super) down_recorded: bool,
    /// What the driver is told when the arm is up.
    pub(super) go: Option<Instruction>,
    pub(super) asked: Option<Asked>,
    pub(super) last_asked: Option<Mono>,
    /// What was known when central was last asked, or when the pass was last referred without asking.
    pub(super) asked_on: Option<Known>,
    /// What was known when the pass was referred.
    pub(super) referred_on: Option<Known>,
    pub(super) entries: u32,
    /// Last recorded text and probability of each source.
    pub(super) recorded: BTreeMap<(String, String), f64>,
    /// The pass was open when the daemon started.
    pub(super) restored: bool,
    /// The permit that the admission rests on, where central was silent.
    pub(super) permit: Option<String>,
    /// The permit on which the entry arm of a lock rose for this pass: good for its exit arm as well.
    pub(super) spent: Option<String>,
    /// Why the entry arm of a lock rose.
    pub(super) entered_by: Option<Authority>,
    /// Another vehicle came into the lock behind this one.
    pub(super) followed: bool,
    /// Entries of this pass so far.
    pub(super) noted: u32,
    /// Those among them that a decision rests on: evidence and answers.
    pub(super) rests_on: Vec<u32>,
}

/// What an identity says as far as a new question to central could answer differently.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    slots: Vec<(Slot, String, bool, bool)>,
    weight_kg: Option<f64>,
}

impl Known {
    /// True where the difference is worth a new question.
    pub(super) fn differs(&self, other: &Known) -> bool {
        let weight = match (self.weight_kg, other.weight_kg) {
            (Some(a), Some(b)) => (a - b).abs() >= SAME_WEIGHT_KG,
            (None, None) => false,
            (Some(_), None) | (None, Some(_)) => true,
        };
        weight || self.slots != other.slots
    }
}

impl Pass {
    pub(super) fn new(id: PassId, opened: Stamp) -> Self {
        Self {
            id,
            opened,
            evidence: Evidence::default(),
            identity: Identity::default(),
            facts: None,
            verdict: None,
            raised_by: None,
            up_seen: false,
            under_seen: false,
            left_seen: false,
            onwards: false,
            went_back: false,
            revoked: false,
            raise_open: false,
            raise_failed: false,
            raise_written: false,
            raise_given_up: false,
            lower_permitted: false,
            down_recorded: false,
            go: None,
            asked: None,
            last_asked: None,
            asked_on: None,
            referred_on: None,
            entries: 0,
            recorded: BTreeMap::new(),
            restored: false,
            permit: None,
            spent: None,
            entered_by: None,
            followed: false,
            noted: 0,
            rests_on: Vec::new(),
        }
    }
    /// Counts an entry of this pass, before it is recorded.
    pub(super) fn noted(&mut self, body: &EntryBody) {
        let carries = body.is_evidence() || matches!(body, EntryBody::ReleaseAnswered { .. });
        if carries && self.rests_on.len() < MAX_RESTS_ON {
            self.rests_on.push(self.noted);
        }
        self.noted = self.noted.saturating_add(1);
    }
    pub(super) fn known(&self, threshold: f64) -> Known {
        let slots = self.identity.slots.iter().filter_map(|s| {
            let best = s.candidates.first()?;
            Some((s.slot, best.value.clone(), best.probability >= threshold, s.conflict))
        });
        Known { slots: slots.collect(), weight_kg: self.identity.weight.as_ref().map(|w| w.vehicle_gross_kg) }
    }
    /// Whoever stands there now is read anew; a decision from before the start is never used.
    pub(super) fn begin_anew(&mut self, now: Mono) {
        self.evidence = Evidence::default();
        self.identity = Identity::default();
        self.facts = None;
        self.verdict = None;
        self.opened.mono_ms = now;
        self.restored = false;
    }
    /// The vehicle is done with one arm of a lock: nothing is known of the next one.
    pub(super) fn cross_anew(&mut self) {
        if let Some(by) = self.raised_by.take() {
            self.entered_by.get_or_insert(by);
        }
        self.up_seen = false;
        self.under_seen = false;
        self.left_seen = false;
        self.onwards = false;
        self.went_back = false;
        self.revoked = false;
        self.raise_open = false;
        self.raise_failed = false;
        self.raise_written = false;
        self.raise_given_up = false;
        self.lower_permitted = false;
        self.down_recorded = false;
        self.go = None;
        self.asked = None;
    }
    /// The arm was told to rise for this pass, and the right to it stands.
    pub(super) fn is_raised_for(&self) -> bool {
        self.raised_by.is_some() && !self.revoked
    }
    /// An operator told it to turn back.
    pub(super) fn is_sent_back(&self) -> bool {
        let by_operator = |r: &Reason| r.code == ReasonCode::OperatorDecision;
        self.verdict.as_ref().is_some_and(|v| v.reasons().iter().any(by_operator))
    }
    /// An arm was up for this pass, or the vehicle went under it.
    pub(super) fn has_moved(&self) -> bool {
        self.up_seen || self.under_seen
    }
}

/// Opens a pass for the vehicle on the approach loop.
pub(super) fn open(lane: &mut Lane) -> State {
    let id = PassId { lane: lane.spec.lane.clone(), number: lane.next_pass };
    lane.next_pass = lane.next_pass.saturating_add(1);
    lane.pass = Some(Pass::new(id, lane.now));
    let direction = lane.spec.direction;
    lane.record(EntryBody::PassOpened { direction });
    State::Identifying { since: lane.mono() }
}

/// Closes the open pass, if there is one, and goes on to the next vehicle.
pub(super) fn close(lane: &mut Lane, outcome: PassOutcome) -> State {
    if let Some(pass) = &lane.pass {
        let summary = PassSummary {
            direction: lane.spec.direction,
            outcome,
            opened_at_ms: pass.opened.wall_ms.0,
            identity: pass.identity.clone(),
            mission: pass.facts.clone(),
            verdict: pass.verdict.clone(),
            raised_by: pass.raised_by.clone().or_else(|| pass.entered_by.clone()),
        };
        lane.record(EntryBody::PassClosed { summary: Box::new(summary) });
        lane.here.interlock.withdraw();
        lane.here.may_rise = false;
        lane.here.may_fall = false;
        lane.pass = None;
        lock::to(lane, Stage::Entry);
    }
    if lock::exit_fails(lane) {
        // Nobody is let in who could not get out; a person who has looked opens the lane again.
        return State::Faulted { cause: Cause::NotRaised };
    }
    if lane.closed { State::Closed } else { State::Idle }
}

/// The vehicle has left the approach while the arm is down: by the side that it came from.
pub(super) fn turned_back(lane: &mut Lane) -> Option<State> {
    if lock::holds(lane) {
        return lock::broke_out(lane);
    }
    let gone = lane.here.approach.off_for(lane.mono(), lane.spec.timers.presence_ms);
    if !gone || lane.arm() != ArmPosition::Down {
        return None;
    }
    let outcome = match &lane.pass {
        // It broke through: the pass ends when it has left the second loop.
        Some(pass) if pass.under_seen && !pass.left_seen => return None,
        Some(pass) if pass.under_seen && !pass.went_back && lane.other.is_some() => {
            return Some(lock::enclose(lane));
        }
        Some(pass) if pass.under_seen && !pass.went_back => PassOutcome::Passed,
        Some(_) | None => PassOutcome::TurnedBack,
    };
    Some(close(lane, outcome))
}

/// In a shadow lane another controller raises the arm; the pass follows what the arm does.
pub(super) fn shadow_moves(lane: &Lane) -> Option<State> {
    let away = match lane.arm() {
        ArmPosition::Up | ArmPosition::Between => true,
        ArmPosition::Down | ArmPosition::Contradictory | ArmPosition::Unknown => false,
    };
    (!lane.spec.live && away).then_some(State::Raising { since: lane.mono() })
}

/// The arm is down again after it was up: what that means for the pass.
pub(super) fn after_down(lane: &mut Lane) -> State {
    lane.here.may_rise = false;
    lane.here.may_fall = false;
    if let Some(next) = lock::after_lowering(lane) {
        return next;
    }
    let approach_free = lane.here.approach.is_off();
    // Without a curtain nothing else would have seen a vehicle.
    let unguarded = lane.spec.live && lane.inputs().curtain == Level::NotFitted;
    let Some(pass) = &mut lane.pass else {
        return if lane.closed { State::Closed } else { State::Idle };
    };
    if pass.went_back {
        return close(lane, PassOutcome::TurnedBack);
    }
    if pass.under_seen || (pass.restored && pass.up_seen) {
        return close(lane, PassOutcome::Passed);
    }
    if approach_free && pass.raised_by.is_some() && pass.up_seen && unguarded {
        let text = "the arm rose and came down again and nobody was seen under it: the vehicle went back, \
                    or the loop under the arm is dead; look at the pictures and check the loop"
            .to_owned();
        raise(lane, FaultKind::LoopSilent, part(lane, "loop_under"), text);
        return close(lane, PassOutcome::TurnedBack);
    }
    if approach_free || (pass.up_seen && pass.raised_by.is_some()) {
        return close(lane, PassOutcome::TurnedBack);
    }
    // The vehicle still stands there: the arm was moved by others, or never reached its upper end.
    pass.up_seen = false;
    pass.lower_permitted = false;
    State::Identifying { since: lane.mono() }
}
