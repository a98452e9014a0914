//! The lane automaton: what should happen in a lane, one file per state.
//!
//! [`Lane::handle`] takes one input, [`Lane::tick`] lets time pass; both then settle: conditions that
//! hold in every state first (`guard`, `track`, `faults`), then the state's own `step` until nothing
//! changes. Only [`crate::interlock`] can make the command that an [`Effect::Actuate`] carries.

mod acts;
mod answer;
mod ask;
pub mod chart;
mod clearing;
mod closed;
mod deadline;
mod deciding;
mod faulted;
mod faults;
mod guard;
mod held;
mod identifying;
mod idle;
mod intake;
mod local;
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
use crate::input::{Input, RestoredPass};
use crate::interlock::Interlock;
use crate::spec::LaneSpec;
use faults::Faults;
use gate_types::console::LaneState;
use gate_types::entry::{Entry, EntryBody};
use gate_types::observation::{ArmPosition, LaneInputs};
use gate_types::verdict::Instruction;
use gate_types::{Mono, Stamp};
use pass::Pass;
use permits::Permits;
use presence::Presence;
use state::State;
use std::collections::VecDeque;

/// More transitions than this from one input would be a loop in the automaton.
const MOST_TRANSITIONS: usize = 16;

/// One lane: fed with inputs and time, gives effects.
#[derive(Debug)]
pub struct Lane {
    spec: LaneSpec,
    interlock: Interlock,
    state: State,
    pass: Option<Pass>,
    restored: Option<RestoredPass>,
    faults: Faults,
    permits: Permits,
    effects: VecDeque<Effect>,
    now: Stamp,
    started: Option<Mono>,
    approach: Presence,
    under: Presence,
    curtain: Presence,
    /// Who had the lane by key switch or fire input, and where the arm was then: as recorded last.
    hands: Option<(bool, bool, ArmPosition)>,
    /// The last end at which the arm was proven; none while it is on its way or unknown from the start.
    arm_end: Option<ArmPosition>,
    /// The arm was seen at its lower end in every image since the last raise was commanded.
    arm_held_down: bool,
    /// A raise of ours is not yet answered by the arm being down again.
    may_rise: bool,
    /// A permission to lower of ours is not yet answered by the arm being down.
    may_fall: bool,
    /// An operator, or the fire input until its reset, keeps the lane closed.
    closed: bool,
    io_down: Option<String>,
    questions: u64,
    next_pass: u64,
    weight_kg: Option<f64>,
    light: Option<LightColour>,
    shown: Option<Instruction>,
    watching: bool,
    moves: Vec<(LaneState, LaneState)>,
}

impl Lane {
    /// A lane at its start; `restored` is the pass that was open when the daemon stopped. Nothing is
    /// commanded before the inputs have been read (I7).
    pub fn new(spec: LaneSpec, restored: Option<RestoredPass>) -> Self {
        let interlock = Interlock::new(spec.timers.inputs_stale_ms, spec.timers.clear_ms);
        let after_restored = restored.as_ref().map_or(0, |r| r.pass.number.saturating_add(1));
        let next_pass = spec.next_pass.max(after_restored).max(1);
        Self {
            spec,
            interlock,
            state: State::Starting,
            pass: None,
            restored,
            faults: Faults::default(),
            permits: Permits::default(),
            effects: VecDeque::new(),
            now: Stamp::default(),
            started: None,
            approach: Presence::default(),
            under: Presence::default(),
            curtain: Presence::default(),
            hands: None,
            arm_end: None,
            arm_held_down: false,
            may_rise: false,
            may_fall: false,
            closed: false,
            io_down: None,
            questions: 0,
            next_pass,
            weight_kg: None,
            light: None,
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
            Input::Answer { nonce, answer } => answer::answered(self, nonce, answer),
            Input::Permits(sheet) => permits::take(self, sheet),
            Input::ArmWrite { ok, why } => intake::arm_written(self, ok, &why),
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
        let inputs = self.inputs();
        self.approach.see(inputs.loop_approach, self.mono());
        self.under.see(inputs.loop_under, self.mono());
        self.curtain.see(inputs.curtain, self.mono());
        track::hands(self);
        track::arm(self);
        vehicle::follow(self);
        for _ in 0..MOST_TRANSITIONS {
            let Some(next) = guard::step(self).or_else(|| state::step(self)) else { break };
            state::enter(self, next);
        }
        faults::watch(self);
    }

    fn mono(&self) -> Mono {
        self.now.mono_ms
    }

    fn inputs(&self) -> LaneInputs {
        self.interlock.inputs(self.mono())
    }

    fn arm(&self) -> ArmPosition {
        self.inputs().arm()
    }

    fn record(&mut self, body: EntryBody) {
        if let Some(pass) = &mut self.pass {
            pass.noted(&body);
        }
        let entry = Entry {
            lane: Some(self.spec.lane.clone()),
            pass: self.pass.as_ref().map(|p| p.id.clone()),
            at: self.now,
            body,
        };
        self.effects.push_back(Effect::Record(entry));
    }

    /// Sets the lamp, once for each change. A shadow lane writes nothing to the barrier's I/O.
    fn light(&mut self, colour: LightColour) {
        if self.spec.live && self.light != Some(colour) {
            self.light = Some(colour);
            self.effects.push_back(Effect::Light(colour));
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
