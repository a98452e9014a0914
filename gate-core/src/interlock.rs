//! The last gate before the arm: the only place that can make a [`Cleared`] command.
//!
//! A raise needs a recorded decision or operator act for this very pass, unexpired and unused, a
//! vehicle on the approach, nobody under the arm, fresh inputs, the arm down, and neither fire nor
//! key switch nor barrier fault (I1, I2). A lower needs proof that the zone is free: every fitted
//! presence input freshly off for the configured time (I3). Withdrawing an authority never lowers.
//! In a two-barrier lock the other arm has to be proven down as well, and the entry arm rises only into an
//! empty lock. This is control, not safety: the barrier's own safety devices have the last word (EN 12453).

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

/// Which arm of a lane. A lane with one arm has an entry arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Side {
    /// The arm that a vehicle comes to first.
    #[default]
    Entry,
    /// The second arm of a two-barrier lock.
    Exit,
}

/// The way of a vehicle past an arm of a two-barrier lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In, past the entry arm.
    In,
    /// Out onwards, past the exit arm.
    Out,
    /// Out by the entry arm again.
    Back,
}

/// A command that the interlock has cleared. It cannot be copied, and nothing else can make one.
///
/// A raise out of nothing does not compile:
///
/// ```compile_fail,E0451
/// use gate_core::{ArmCommand, Cleared};
/// let forged = Cleared { command: ArmCommand::Raise, side: gate_core::Side::Entry };
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
    side: Side,
}

impl Cleared {
    /// The command.
    pub fn command(&self) -> ArmCommand {
        self.command
    }
    /// The arm that it is for.
    pub fn side(&self) -> Side {
        self.side
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
    /// The other arm of the lock is not proven down, or nobody asked about it.
    #[error("the other arm of the lock is not proven down")]
    OtherArmNotDown,
    /// Somebody is, or may be, between the arms.
    #[error("the lock is not empty")]
    LockOccupied,
    /// Somebody stands, or may stand, before the entry arm in the way of the vehicle that goes back.
    #[error("the way back is not free")]
    WayBackOccupied,
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
    /// The record says that the vehicle is between the arms: the loop before the arm need not see it.
    between: bool,
}

/// Inputs with their age, the standing grant, and the proof of the free zone.
#[derive(Debug, Clone)]
pub struct Interlock {
    side: Side,
    /// One of two arms: never cleared to rise without the other one.
    of_lock: bool,
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
            side: Side::Entry,
            of_lock: false,
            stale_ms,
            clear_ms,
            inputs: LaneInputs::default(),
            seen_at: None,
            free_since: None,
            grant: None,
        }
    }

    /// The same for an arm of a two-barrier lock.
    pub fn of_lock(self, side: Side) -> Self {
        Self { side, of_lock: true, ..self }
    }

    /// Which arm it guards.
    pub fn side(&self) -> Side {
        self.side
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
        self.grant = Some(Grant { pass, expires, by, between: false });
    }

    /// Grants one raise for a vehicle that is between the arms of a lock by the record, on an operator's
    /// authority alone: he has looked, so the loop before the arm need not see it. Nobody is kept enclosed by
    /// a dead loop.
    pub fn grant_way_out(&mut self, pass: PassId, expires: Mono, name: &str, reason: &str) {
        let by = Authority::Operator { name: name.to_owned(), reason: reason.to_owned() };
        self.grant = Some(Grant { pass, expires, by, between: self.of_lock });
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
        self.clear(pass, now, None)
    }

    /// Clears one raise in a two-barrier lock. `other` guards the other arm, which must be proven down by
    /// fresh inputs.
    pub fn clear_raise_beside(
        &mut self,
        pass: &PassId,
        now: Mono,
        other: &Interlock,
        way: Way,
    ) -> Result<(Cleared, Authority), RaiseRefusal> {
        self.clear(pass, now, Some((other, way)))
    }

    fn clear(
        &mut self,
        pass: &PassId,
        now: Mono,
        lock: Option<(&Interlock, Way)>,
    ) -> Result<(Cleared, Authority), RaiseRefusal> {
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
        let before = match lock {
            Some((other, Way::Back)) => other.inputs(now).loop_approach,
            Some((_, Way::In | Way::Out)) | None => seen.loop_approach,
        };
        if !before.is_on() && !grant.between {
            return Err(RaiseRefusal::NobodyThere);
        }
        if seen.loop_under.may_be_on() || seen.curtain.may_be_on() {
            return Err(RaiseRefusal::ZoneOccupied);
        }
        match lock {
            Some((other, way)) => other_arm_allows(&seen, other, way, now)?,
            None if self.of_lock => return Err(RaiseRefusal::OtherArmNotDown),
            None => {}
        }
        match self.grant.take() {
            Some(grant) => Ok((Cleared { command: ArmCommand::Raise, side: self.side }, grant.by)),
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
        Ok((Cleared { command: ArmCommand::PermitLower, side: self.side }, seen))
    }
}

/// What the other arm of a lock has to say: down in any case, and where the vehicle goes nobody else is.
fn other_arm_allows(own: &LaneInputs, other: &Interlock, way: Way, now: Mono) -> Result<(), RaiseRefusal> {
    let seen = other.inputs(now);
    if !other.is_fresh(now) || seen.arm() != ArmPosition::Down {
        return Err(RaiseRefusal::OtherArmNotDown);
    }
    if seen.fire.may_be_on() || seen.local_key.may_be_on() {
        return Err(RaiseRefusal::InOtherHands);
    }
    match way {
        Way::In if seen.barrier_fault.may_be_on() => Err(RaiseRefusal::BarrierFault),
        Way::In if seen.loop_approach.may_be_on() || !zone_is_free(&seen) => Err(RaiseRefusal::LockOccupied),
        Way::Back if own.loop_approach.may_be_on() => Err(RaiseRefusal::WayBackOccupied),
        Way::In | Way::Out | Way::Back => Ok(()),
    }
}

/// Free: nothing under the arm or in the curtain, as far as inputs are fitted; unknown is occupied.
/// The approach loop does not count: the next vehicle may stand there.
pub fn zone_is_free(inputs: &LaneInputs) -> bool {
    !inputs.loop_under.may_be_on() && !inputs.curtain.may_be_on()
}
