//! The lane automaton.

use crate::effect::Effect;
use crate::input::{Input, RestoredPass};
use crate::interlock::Interlock;
use crate::spec::LaneSpec;
use gate_types::console::{LaneState, LaneView};
use gate_types::identity::Identity;
use gate_types::observation::Observed;
use gate_types::{Mono, Stamp};
use std::collections::VecDeque;

/// One lane: fed with inputs and time, gives effects.
#[derive(Debug)]
pub struct Lane {
    spec: LaneSpec,
    interlock: Interlock,
    now: Stamp,
    restored: Option<RestoredPass>,
    effects: VecDeque<Effect>,
}

impl Lane {
    /// A lane at its start; `restored` is the pass that was open when the daemon stopped.
    pub fn new(spec: LaneSpec, restored: Option<RestoredPass>) -> Self {
        let interlock = Interlock::new(spec.timers.inputs_stale_ms, spec.timers.clear_ms);
        Self { spec, interlock, now: Stamp::default(), restored, effects: VecDeque::new() }
    }
    /// Takes one input that arrived at `now`.
    pub fn handle(&mut self, input: Input, now: Stamp) {
        if let Input::Observed(o) = input
            && let Observed::Inputs(i) = o.what
        {
            self.interlock.see(i, o.at.mono_ms);
        }
        self.tick(now);
    }
    /// Lets time pass.
    pub fn tick(&mut self, now: Stamp) {
        self.now = now;
    }
    /// When [`Lane::tick`] is needed next, if nothing else happens before.
    pub fn next_deadline(&self) -> Option<Mono> {
        self.interlock.stale_at().filter(|at| *at > self.now.mono_ms)
    }
    /// The next effect, in order.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }
    /// The lane as it is now; `reads`, `sign` and `cameras` are the shell's to fill.
    pub fn snapshot(&self) -> LaneView {
        let inputs = self.interlock.inputs(self.now.mono_ms);
        LaneView {
            node: self.spec.node.clone(),
            lane: self.spec.lane.clone(),
            direction: self.spec.direction,
            state: LaneState::Starting,
            pass: self.restored.as_ref().map(|r| r.pass.clone()),
            inputs,
            arm: inputs.arm(),
            identity: Identity::default(),
            reads: Default::default(),
            weight_kg: None,
            mission: None,
            verdict: None,
            instruction: None,
            sign: Vec::new(),
            faults: Vec::new(),
            cameras: Vec::new(),
        }
    }
}
