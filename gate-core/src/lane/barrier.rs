//! One barrier of a lane as far as the lane knows it: inputs with their proofs, and what it was told.

use super::presence::Presence;
use crate::effect::LightColour;
use crate::interlock::Interlock;
use gate_types::observation::{ArmPosition, LaneInputs};
use gate_types::{DeviceId, Mono};

/// A barrier with its loops, behind one remote I/O.
#[derive(Debug)]
pub(super) struct Barrier {
    /// The remote I/O.
    pub(super) io: DeviceId,
    pub(super) interlock: Interlock,
    pub(super) approach: Presence,
    pub(super) under: Presence,
    pub(super) curtain: Presence,
    /// Who had the lane by key switch or fire input, and where the arm was then: as recorded last.
    pub(super) hands: Option<(bool, bool, ArmPosition)>,
    /// The last end at which the arm was proven; none while it is on its way or unknown from the start.
    pub(super) arm_end: Option<ArmPosition>,
    /// The arm was seen at its lower end in every image since the last raise was commanded.
    pub(super) arm_held_down: bool,
    /// A raise of ours is not yet answered by the arm being down again.
    pub(super) may_rise: bool,
    /// A permission to lower of ours is not yet answered by the arm being down.
    pub(super) may_fall: bool,
    /// Since when lowering is permitted while the lane is busy at its other barrier.
    pub(super) put_down: Option<Mono>,
    pub(super) io_down: Option<String>,
    pub(super) light: Option<LightColour>,
}

impl Barrier {
    pub(super) fn new(io: DeviceId, interlock: Interlock) -> Self {
        Self {
            io,
            interlock,
            approach: Presence::default(),
            under: Presence::default(),
            curtain: Presence::default(),
            hands: None,
            arm_end: None,
            arm_held_down: false,
            may_rise: false,
            may_fall: false,
            put_down: None,
            io_down: None,
            light: None,
        }
    }

    /// The inputs as they count now: stale ones are unknown.
    pub(super) fn inputs(&self, now: Mono) -> LaneInputs {
        self.interlock.inputs(now)
    }

    /// Follows the presence inputs; `approach` is the loop before the arm as the vehicle comes.
    pub(super) fn follow(&mut self, approach: gate_types::observation::Level, now: Mono) {
        let inputs = self.inputs(now);
        self.approach.see(approach, now);
        self.under.see(inputs.loop_under, now);
        self.curtain.see(inputs.curtain, now);
    }

    /// It is the exit arm of a two-barrier lock.
    pub(super) fn is_exit(&self) -> bool {
        self.interlock.side() == crate::interlock::Side::Exit
    }
}
