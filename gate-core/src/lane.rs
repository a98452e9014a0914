//! The lane automaton: what should happen in a lane, one file per state.
//!
//! [`Lane::handle`] takes one input, [`Lane::tick`] lets time pass; both then settle: conditions that
//! hold in every state first (`guard`, `track`, `faults`), then the state's own `step` until nothing
//! changes. Only [`crate::interlock`] can make the command that an [`Effect::Actuate`] carries.

mod acts;
mod answer;
mod ask;
mod barrier;
pub mod chart;
mod clearing;
mod closed;
mod deadline;
mod deciding;
mod enclosed;
mod faulted;
mod faults;
mod guard;
mod held;
mod identifying;
mod idle;
mod intake;
mod local;
mod lock;
mod lowering;
mod pass;
mod passing;
mod permits;
mod presence;
mod raising;
mod referred;
mod restore;
mod starting;
mod state;
mod track;
mod vehicle;
mod verdict;
mod view;

use crate::effect::{Effect, LightColour};
use crate::fusion::Tables;
use crate::input::{Input, RestoredPass};
use crate::interlock::{Interlock, Side};
use crate::spec::LaneSpec;
use barrier::Barrier;
use faults::Faults;
use gate_types::console::LaneState;
use gate_types::entry::{Entry, EntryBody};
use gate_types::observation::{ArmPosition, LaneInputs};
use gate_types::verdict::Instruction;
use gate_types::{DeviceId, Mono, PassId, Stamp};
use lock::Stage;
use pass::Pass;
use permits::Permits;
use state::State;
use std::collections::VecDeque;

/// More transitions than this from one input would be a loop in the automaton.
const MOST_TRANSITIONS: usize = 16;

/// One lane: fed with inputs and time, gives effects.
#[derive(Debug)]
pub struct Lane {
    spec: LaneSpec,
    /// The barrier that the lane works at.
    here: Barrier,
    /// The other one of a two-barrier lock.
    other: Option<Barrier>,
    stage: Stage,
    /// `here` and `other` have changed places for a moment, see [`lock::aside`].
    aside: bool,
    state: State,
    pass: Option<Pass>,
    restored: Option<RestoredPass>,
    faults: Faults,
    permits: Permits,
    /// What misreading costs on each source.
    confusions: Tables,
    effects: VecDeque<Effect>,
    now: Stamp,
    started: Option<Mono>,
    /// An operator, or the fire input until its reset, keeps the lane closed.
    closed: bool,
    questions: u64,
    next_pass: u64,
    weight_kg: Option<f64>,
    shown: Option<Instruction>,
    watching: bool,
    moves: Vec<(LaneState, LaneState)>,
}

impl Lane {
    /// A lane at its start; `restored` is the pass that was open when the daemon stopped. Nothing is
    /// commanded before the inputs have been read (I7).
    pub fn new(spec: LaneSpec, restored: Option<RestoredPass>) -> Self {
        let interlock = || Interlock::new(spec.timers.inputs_stale_ms, spec.timers.clear_ms);
        let arm_of_lock = |io: &DeviceId, side| Barrier::new(io.clone(), interlock().of_lock(side));
        let io = &spec.devices.io;
        let other = spec.devices.exit_io.as_ref().map(|exit| arm_of_lock(exit, Side::Exit));
        let here = match &other {
            Some(_) => arm_of_lock(io, Side::Entry),
            None => Barrier::new(io.clone(), interlock()),
        };
        let after_restored = restored.as_ref().map_or(0, |r| r.pass.number.saturating_add(1));
        let confusions = Tables::new(&spec.rules().confusions);
        let next_pass = spec.next_pass.max(after_restored).max(1);
        Self {
            spec,
            here,
            other,
            stage: Stage::default(),
            aside: false,
            state: State::Starting,
            pass: None,
            restored,
            faults: Faults::default(),
            permits: Permits::default(),
            confusions,
            effects: VecDeque::new(),
            now: Stamp::default(),
            started: None,
            closed: false,
            questions: 0,
            next_pass,
            weight_kg: None,
            shown: None,
            watching: false,
            moves: Vec::new(),
        }
    }

    /// Takes one input that arrived at `now`.
    pub fn handle(&mut self, input: Input, now: Stamp) {
        self.advance_clock(now);
        match input {
            Input::Observed(observation) => intake::observed(self, observation),
            Input::PassShown { device, shown } => intake::shown(self, &device, shown),
            Input::Answer { nonce, answer } => answer::answered(self, nonce, answer),
            Input::Permits(sheet) => permits::take(self, sheet),
            Input::ArmWrite { ok, why } => intake::arm_written(self, ok, &why),
            Input::Corrected(correction) => acts::corrected(self, correction),
            Input::Operator { name, act, reason } => acts::operated(self, name, act, reason),
        }
        self.settle();
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Stamp) {
        self.advance_clock(now);
        self.settle();
    }

    /// When [`Lane::tick`] is needed next, if nothing else happens before.
    pub fn next_deadline(&self) -> Option<Mono> {
        deadline::next(self)
    }

    /// The vehicle's pass through the lane, where one is open.
    pub fn pass(&self) -> Option<&PassId> {
        self.pass.as_ref().map(|pass| &pass.id)
    }

    /// The changes of state that the last input or tick made, in order; see [`chart`].
    pub fn moves(&self) -> &[(LaneState, LaneState)] {
        &self.moves
    }

    /// The next effect, in order.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The monotonic clock never runs backwards here, whatever the shell says.
    fn advance_clock(&mut self, now: Stamp) {
        self.now = Stamp { mono_ms: self.now.mono_ms.max(now.mono_ms), wall_ms: now.wall_ms };
        self.started.get_or_insert(self.now.mono_ms);
        self.moves.clear();
    }

    fn settle(&mut self) {
        lock::follow(self);
        track::hands(self);
        lock::aside(self, track::hands);
        track::arms(self);
        vehicle::follow(self);
        for _ in 0..MOST_TRANSITIONS {
            let Some(next) = guard::step(self).or_else(|| state::step(self)) else { break };
            state::enter(self, next);
        }
        lock::put_down(self);
        faults::watch(self);
        lock::aside(self, faults::watch);
    }

    fn mono(&self) -> Mono {
        self.now.mono_ms
    }

    fn inputs(&self) -> LaneInputs {
        self.here.interlock.inputs(self.mono())
    }

    fn arm(&self) -> ArmPosition {
        self.inputs().arm()
    }

    fn record(&mut self, body: EntryBody) {
        // What happens at the barrier that the lane is not busy at belongs to no pass.
        let pass = self.pass.as_mut().filter(|_| !self.aside);
        let pass = pass.map(|pass| {
            pass.noted(&body);
            pass.id.clone()
        });
        let entry = Entry { lane: Some(self.spec.lane.clone()), pass, at: self.now, body };
        self.effects.push_back(Effect::Record(entry));
    }

    /// Sets the lamp, once for each change; at the other arm of a lock it is red. A shadow lane writes
    /// nothing to the barrier's I/O.
    fn light(&mut self, colour: LightColour) {
        if !self.spec.live {
            return;
        }
        let lamps = [(Some(&mut self.here), colour), (self.other.as_mut(), LightColour::Red)];
        for (barrier, colour) in lamps {
            if let Some(barrier) = barrier.filter(|b| b.light != Some(colour)) {
                barrier.light = Some(colour);
                self.effects.push_back(Effect::Light(colour, barrier.interlock.side()));
            }
        }
    }

    /// Shows an instruction, once for each change.
    fn show(&mut self, instruction: Instruction) {
        if self.shown.as_ref() != Some(&instruction) {
            let language = self.pass.as_ref().and_then(|p| p.facts.as_ref()?.language.clone());
            self.shown = Some(instruction.clone());
            self.effects.push_back(Effect::Show { instruction, language });
        }
    }

    fn watch(&mut self, on: bool) {
        if self.watching != on {
            self.watching = on;
            self.effects.push_back(Effect::Watch(on));
        }
    }
}
