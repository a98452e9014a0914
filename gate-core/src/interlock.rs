//! The last gate before the arm: the only place that can make a [`Cleared`] command.
//!
//! A raise needs a recorded decision or operator act for this very pass, unexpired and unused, a
//! vehicle on the approach, nobody under the arm, fresh inputs, the arm down, and neither fire nor
//! key switch nor barrier fault (I1, I2). A lower needs proof that the zone is free: every fitted
//! presence input freshly off for the configured time (I3). Withdrawing an authority never lowers.
//! This is control, not safety: the barrier's own safety devices have the last word (EN 12453).

use gate_types::entry::Authority;
use gate_types::observation::{ArmPosition, LaneInputs, Level};
use gate_types::{Mono, PassId};

/// What the arm can be told. Both are permissions in the form of momentary pulses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArmCommand {
    /// Rise.
    Raise,
    /// The barrier's own controller may lower.
    PermitLower,
}

/// A command that the interlock has cleared. It cannot be copied, and nothing else can make one.
///
/// A raise out of nothing does not compile:
///
/// ```compile_fail,E0451
/// use gate_core::{ArmCommand, Cleared};
/// let forged = Cleared { command: ArmCommand::Raise };
/// ```
///
/// nor does a second use of a command that was executed:
///
/// ```compile_fail,E0382
/// fn execute(_: gate_core::Cleared) {}
/// fn twice(cleared: gate_core::Cleared) {
///     execute(cleared);
///     execute(cleared);
/// }
/// ```
///
/// nor a copy that is kept for later:
///
/// ```compile_fail,E0308
/// fn keep(cleared: &gate_core::Cleared) -> gate_core::Cleared {
///     cleared.clone()
/// }
/// ```
///
/// nor a change of a permission to lower into a raise:
///
/// ```compile_fail,E0616
/// fn turn(mut cleared: gate_core::Cleared) {
///     cleared.command = gate_core::ArmCommand::Raise;
/// }
/// ```
///
/// Reading what was cleared does:
///
/// ```
/// fn is_raise(cleared: &gate_core::Cleared) -> bool {
///     cleared.command() == gate_core::ArmCommand::Raise
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Cleared {
    command: ArmCommand,
}

impl Cleared {
    /// The command.
    pub fn command(&self) -> ArmCommand {
        self.command
    }
}

/// Why the arm may not rise now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RaiseRefusal {
    /// No authority for this pass (I1).
    #[error("no recorded decision for this pass")]
    NoAuthority,
    /// The authority has expired; it is gone.
    #[error("the decision has expired")]
    Expired,
    /// Inputs are not fresh.
    #[error("the inputs are not fresh")]
    InputsUnknown,
    /// No vehicle stands on the approach loop.
    #[error("no vehicle on the approach loop")]
    NobodyThere,
    /// The vehicle before has not cleared the second loop or the curtain (I2).
    #[error("the zone under the arm is not free")]
    ZoneOccupied,
    /// The arm is not proven down.
    #[error("the arm is not down")]
    ArmNotDown,
    /// The key switch or the fire input has the barrier.
    #[error("the barrier is in other hands (key switch or fire)")]
    InOtherHands,
    /// The barrier's own controller reports a fault.
    #[error("the barrier reports a fault")]
    BarrierFault,
}

/// Why lowering may not be permitted now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LowerRefusal {
    /// Inputs are not fresh.
    #[error("the inputs are not fresh")]
    InputsUnknown,
    /// The lane has no presence input that could prove anything.
    #[error("no presence input is fitted")]
    NoPresenceInput,
    /// A presence input is on or unknown.
    #[error("the zone under the arm is not free")]
    ZoneOccupied,
    /// The zone is free, but not yet for long enough.
    #[error("the zone is not free for long enough yet")]
    TooSoon,
    /// The arm is neither up nor between the ends.
    #[error("the arm is not up")]
    ArmNotUp,
    /// The key switch or the fire input has the barrier.
    #[error("the barrier is in other hands (key switch or fire)")]
    InOtherHands,
}

/// A right to raise once, for one pass, for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Grant {
    pass: PassId,
    expires: Mono,
    by: Authority,
}

/// Inputs with their age, the standing grant, and the proof of the free zone.
#[derive(Debug, Clone)]
pub struct Interlock {
    stale_ms: u64,
    clear_ms: u64,
    inputs: LaneInputs,
    seen_at: Option<Mono>,
    free_since: Option<Mono>,
    grant: Option<Grant>,
}

impl Interlock {
    /// Nothing seen yet, nothing granted. `stale_ms`: inputs older than this are unknown.
    /// `clear_ms`: how long the zone must be free before lowering.
    pub fn new(stale_ms: u64, clear_ms: u64) -> Self {
        Self {
            stale_ms,
            clear_ms,
            inputs: LaneInputs::default(),
            seen_at: None,
            free_since: None,
            grant: None,
        }
    }

    /// Takes a whole input image that arrived at `at`. An image older than the last one is ignored.
    pub fn see(&mut self, inputs: LaneInputs, at: Mono) {
        if self.seen_at.is_some_and(|last| at < last) {
            return;
        }
        let gap = self.seen_at.is_none_or(|last| at.since_ms(last) > self.stale_ms);
        let free = zone_is_free(&inputs);
        self.free_since = match (free, self.free_since, gap) {
            (false, _, _) => None,
            (true, Some(since), false) => Some(since),
            (true, None, _) | (true, Some(_), true) => Some(at),
        };
        self.inputs = inputs;
        self.seen_at = Some(at);
    }

    /// The I/O is lost: every input is unknown until it is seen again.
    pub fn lose(&mut self) {
        self.inputs = LaneInputs::unknown_like(&self.inputs);
        self.free_since = None;
        self.seen_at = None;
    }

    /// True while the last image is not older than the limit.
    pub fn is_fresh(&self, now: Mono) -> bool {
        self.seen_at.is_some_and(|at| now.since_ms(at) <= self.stale_ms)
    }

    /// When the present image becomes stale.
    pub fn stale_at(&self) -> Option<Mono> {
        self.seen_at.map(|at| at.plus_ms(self.stale_ms + 1))
    }

    /// When lowering could be permitted at the earliest, if nothing changes.
    pub fn free_at(&self) -> Option<Mono> {
        self.free_since.map(|since| since.plus_ms(self.clear_ms))
    }

    /// The inputs as they count now: stale ones are unknown.
    pub fn inputs(&self, now: Mono) -> LaneInputs {
        if self.is_fresh(now) { self.inputs } else { LaneInputs::unknown_like(&self.inputs) }
    }

    /// Grants one raise for one pass until `expires`. The caller has put the decision or the
    /// operator's act that it rests on into the record before. Replaces any earlier grant.
    pub fn grant(&mut self, pass: PassId, expires: Mono, by: Authority) {
        self.grant = Some(Grant { pass, expires, by });
    }

    /// Takes the standing grant back. Never lowers anything.
    pub fn withdraw(&mut self) {
        self.grant = None;
    }

    /// Until when the standing grant for this pass is good.
    pub fn granted_until(&self, pass: &PassId) -> Option<Mono> {
        self.grant.as_ref().filter(|g| g.pass == *pass).map(|g| g.expires)
    }

    /// A raise is granted and not yet commanded.
    pub fn granted_any(&self) -> bool {
        self.grant.is_some()
    }

    /// Clears one raise for this pass and uses the grant up. Gives the authority for the record,
    /// which must become durable before the command is executed.
    pub fn clear_raise(&mut self, pass: &PassId, now: Mono) -> Result<(Cleared, Authority), RaiseRefusal> {
        let Some(grant) = self.grant.as_ref().filter(|g| g.pass == *pass) else {
            return Err(RaiseRefusal::NoAuthority);
        };
        if now >= grant.expires {
            self.grant = None;
            return Err(RaiseRefusal::Expired);
        }
        let seen = self.inputs(now);
        if !self.is_fresh(now) {
            return Err(RaiseRefusal::InputsUnknown);
        }
        if seen.fire.may_be_on() || seen.local_key.may_be_on() {
            return Err(RaiseRefusal::InOtherHands);
        }
        if seen.barrier_fault.may_be_on() {
            return Err(RaiseRefusal::BarrierFault);
        }
        if seen.arm() != ArmPosition::Down {
            return Err(RaiseRefusal::ArmNotDown);
        }
        if !seen.loop_approach.is_on() {
            return Err(RaiseRefusal::NobodyThere);
        }
        if seen.loop_under.may_be_on() || seen.curtain.may_be_on() {
            return Err(RaiseRefusal::ZoneOccupied);
        }
        match self.grant.take() {
            Some(grant) => Ok((Cleared { command: ArmCommand::Raise }, grant.by)),
            None => Err(RaiseRefusal::NoAuthority),
        }
    }

    /// Clears one permission to lower; gives the inputs that prove it, for the record.
    pub fn clear_lower(&self, now: Mono) -> Result<(Cleared, LaneInputs), LowerRefusal> {
        if !self.is_fresh(now) {
            return Err(LowerRefusal::InputsUnknown);
        }
        let seen = self.inputs;
        if seen.fire.may_be_on() || seen.local_key.may_be_on() {
            return Err(LowerRefusal::InOtherHands);
        }
        if seen.loop_under == Level::NotFitted && seen.curtain == Level::NotFitted {
            return Err(LowerRefusal::NoPresenceInput);
        }
        let Some(since) = self.free_since else {
            return Err(LowerRefusal::ZoneOccupied);
        };
        match seen.arm() {
            ArmPosition::Up | ArmPosition::Between => {}
            ArmPosition::Down | ArmPosition::Contradictory | ArmPosition::Unknown => {
                return Err(LowerRefusal::ArmNotUp);
            }
        }
        if now.since_ms(since) < self.clear_ms {
            return Err(LowerRefusal::TooSoon);
        }
        Ok((Cleared { command: ArmCommand::PermitLower }, seen))
    }
}

/// Free: nothing under the arm or in the curtain, as far as inputs are fitted; unknown is occupied.
/// The approach loop does not count: the next vehicle may stand there.
pub fn zone_is_free(inputs: &LaneInputs) -> bool {
    !inputs.loop_under.may_be_on() && !inputs.curtain.may_be_on()
}
