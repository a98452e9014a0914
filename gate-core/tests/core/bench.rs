//! A lane on the bench: inputs by hand, virtual time, effects as text.

use crate::fusion::{read, weight};
use crate::site::facts;
use gate_core::lane::chart;
use gate_core::{AnswerFailure, Effect, Input, Lane, LaneSpec, OperatorAct, RestoredPass, VerifiedAnswer};
use gate_types::console::LaneState;
use gate_types::entry::{Entry, EntryBody};
use gate_types::gate_pass::ShownPass;
use gate_types::observation::{
    Health, LaneInputs, Level, Observation, Observed, ReadKind, TagRead, TagRole, View,
};
use gate_types::release::{Finding, MissionFacts, ReleaseAnswer, ReleaseRequest};
use gate_types::{BootEpoch, DeviceId, Mono, PassId, Stamp, Wall};
use std::collections::BTreeSet;

/// How often the I/O says the same again, milliseconds.
const REFRESH_MS: u64 = 250;
const WALL_0: i64 = 1_700_000_000_000;

/// An effect with its moment and what the lane had been told of its inputs by then.
pub struct Deed {
    pub at: u64,
    /// The last image since the start, and when it was sent.
    pub seen: Option<(u64, LaneInputs)>,
    /// The same at the exit arm of a lock.
    pub seen_exit: Option<(u64, LaneInputs)>,
    pub effect: Effect,
}

pub struct Bench {
    pub lane: Lane,
    pub spec: LaneSpec,
    pub now: u64,
    pub inputs: LaneInputs,
    /// Inputs at the exit arm; only a lock has them.
    pub exit: LaneInputs,
    seen: Option<(u64, LaneInputs)>,
    seen_exit: Option<(u64, LaneInputs)>,
    /// What the wall clock says at monotonic zero, milliseconds.
    pub wall_0: i64,
    pub asked: Option<ReleaseRequest>,
    pub entries: Vec<Entry>,
    /// Effects not yet taken by the test.
    pub out: Vec<Deed>,
    /// Every change of state so far.
    pub moves: BTreeSet<(LaneState, LaneState)>,
}

pub fn quiet() -> LaneInputs {
    LaneInputs {
        loop_approach: Level::Off,
        loop_under: Level::Off,
        curtain: Level::Off,
        limit_up: Level::Off,
        limit_down: Level::On,
        local_key: Level::Off,
        fire: Level::Off,
        barrier_fault: Level::Off,
        ..LaneInputs::default()
    }
}

impl Bench {
    pub fn new(spec: LaneSpec) -> Self {
        let lane = Lane::new(spec.clone(), None);
        Self {
            lane,
            spec,
            now: 0,
            inputs: quiet(),
            exit: quiet(),
            seen: None,
            seen_exit: None,
            wall_0: WALL_0,
            asked: None,
            entries: Vec::new(),
            out: Vec::new(),
            moves: BTreeSet::new(),
        }
    }

    pub fn stamp(&self) -> Stamp {
        Stamp { mono_ms: Mono(self.now), wall_ms: Wall(self.wall_0 + i64::try_from(self.now).unwrap()) }
    }

    pub fn input(&mut self, input: Input) {
        self.lane.handle(input, self.stamp());
        self.collect();
    }

    pub fn observe(&mut self, device: &str, what: Observed) {
        let device = DeviceId::new(format!("n1-in-1.{device}")).unwrap();
        self.input(Input::Observed(Observation { device, at: self.stamp(), what }));
    }

    pub fn send_inputs(&mut self) {
        self.seen = Some((self.now, self.inputs));
        self.observe("io", Observed::Inputs(self.inputs));
        if self.is_lock() {
            self.seen_exit = Some((self.now, self.exit));
            self.observe("exit", Observed::Inputs(self.exit));
        }
    }

    pub fn is_lock(&self) -> bool {
        self.spec.devices.exit_io.is_some()
    }

    fn collect(&mut self) {
        assert!(self.lane.moves().len() < 16, "the automaton ran in a circle: {:?}", self.lane.moves());
        for (from, to) in self.lane.moves() {
            let known = chart::allows(*from, *to) || std::env::var_os("CHART").is_some();
            assert!(known, "{from:?} to {to:?} is not in the state chart");
            self.moves.insert((*from, *to));
        }
        while let Some(effect) = self.lane.next_effect() {
            match &effect {
                Effect::Record(entry) => self.entries.push(entry.clone()),
                Effect::AskRelease(request) => self.asked = Some(request.clone()),
                Effect::Actuate(_) | Effect::Light(..) | Effect::Show { .. } | Effect::Watch(_) => {}
            }
            let (seen, seen_exit) = (self.seen, self.seen_exit);
            self.out.push(Deed { at: self.now, seen, seen_exit, effect });
        }
        if let Some(due) = self.lane.next_deadline() {
            assert!(due.0 > self.now, "a deadline in the past");
        }
    }

    /// Lets time pass, with or without fresh inputs on the way; ticks at the lane's deadlines.
    pub fn wait(&mut self, ms: u64, fresh: bool) {
        let end = self.now + ms;
        let mut refresh = self.now + REFRESH_MS;
        while self.now < end {
            let due = self.lane.next_deadline().map_or(end, |d| d.0);
            let next = due.min(end).min(if fresh { refresh } else { end });
            self.now = next;
            if fresh && next == refresh {
                refresh += REFRESH_MS;
                self.send_inputs();
            } else {
                self.lane.tick(self.stamp());
                self.collect();
            }
        }
    }

    pub fn plate(&mut self, camera: &str, text: &str, confidence: f32) {
        let view = if camera == "front" { View::Front } else { View::Rear };
        self.observe(camera, Observed::Read(read(ReadKind::Plate, view, text, confidence, &[])));
    }

    pub fn container(&mut self, camera: &str, code: &str, confidence: f32) {
        let what = read(ReadKind::Container, View::Side, code, confidence, &[]);
        self.observe(camera, Observed::Read(what));
    }

    pub fn pass_shown(&mut self, shown: ShownPass) {
        let device = DeviceId::new("n1-in-1.codes").unwrap();
        self.input(Input::PassShown { device, shown });
    }

    pub fn tag(&mut self, epc: &str) {
        self.tag_of(TagRole::Vehicle, epc, None);
    }

    pub fn tag_of(&mut self, role: TagRole, epc: &str, uri: Option<&str>) {
        let tag = TagRead {
            epc: epc.into(),
            uri: uri.map(str::to_owned),
            role,
            antenna: 1,
            rssi_dbm: -50,
            seen_count: 4,
        };
        self.observe("reader", Observed::Tag(tag));
    }

    pub fn weigh(&mut self, kg: f64, stable: bool) {
        self.observe("scale", Observed::Weight(weight(kg, stable)));
    }

    pub fn health(&mut self, device: &str, word: &str) {
        let why = "no connection".to_owned();
        let health = match word {
            "up" => Health::Up,
            "down" => Health::Down { why },
            _ => Health::Degraded { why },
        };
        self.observe(device, Observed::Health(health));
    }

    pub fn answer_with(&mut self, finding: Finding) {
        let Some(request) = self.asked.take() else { return };
        let answer = ReleaseAnswer {
            nonce: request.nonce.clone(),
            node: request.node,
            pass: request.pass,
            signed_at_ms: WALL_0,
            valid_ms: 10_000,
            finding,
        };
        let verified = VerifiedAnswer { answer, signed: "a.b.c".into() };
        self.input(Input::Answer { nonce: request.nonce, answer: Ok(verified) });
    }

    pub fn answer_mission(&mut self, change: impl FnOnce(&mut MissionFacts)) {
        let mut facts = facts();
        change(&mut facts);
        self.answer_with(Finding::Mission { facts: Box::new(facts), matched: vec![] });
    }

    pub fn answer_silent(&mut self) {
        let Some(request) = self.asked.take() else { return };
        let answer = Err(AnswerFailure::Silent("timed out".into()));
        self.input(Input::Answer { nonce: request.nonce, answer });
    }

    pub fn operator(&mut self, act: OperatorAct) {
        self.input(Input::Operator { name: "Rossi".into(), act, reason: "seen on camera".into() });
    }

    pub fn arm_write(&mut self, ok: bool) {
        let why = if ok { String::new() } else { "no route to the I/O".into() };
        self.input(Input::ArmWrite { ok, why });
    }

    /// The daemon starts anew on the same journal.
    pub fn restart(&mut self) {
        let mut open: Option<PassId> = None;
        for entry in &self.entries {
            match &entry.body {
                EntryBody::PassOpened { .. } => open = entry.pass.clone(),
                EntryBody::PassClosed { .. } => open = None,
                _ => {}
            }
        }
        let passes = self.entries.iter().filter_map(|e| e.pass.as_ref()).map(|p| p.number).max();
        self.spec.epoch = BootEpoch(self.spec.epoch.0 + 1);
        self.spec.next_pass = passes.unwrap_or(0) + 1;
        let restored = open.map(|pass| {
            let entries = self.entries.iter().filter(|e| e.pass.as_ref() == Some(&pass)).cloned().collect();
            RestoredPass { pass, entries }
        });
        self.lane = Lane::new(self.spec.clone(), restored);
        self.asked = None;
        self.seen = None;
        self.seen_exit = None;
        self.now = 0;
        self.lane.tick(self.stamp());
        self.collect();
    }
}
