//! A lane on the bench: inputs by hand, virtual time, effects as text.

use crate::fusion::{read, weight};
use crate::site::facts;
use gate_core::{
    AnswerFailure, ArmCommand, Effect, Input, Lane, LaneSpec, OperatorAct, RestoredPass, VerifiedAnswer,
};
use gate_types::entry::{Authority, Entry, EntryBody};
use gate_types::observation::{
    Health, LaneInputs, Level, Observation, Observed, ReadKind, TagRead, TagRole, View,
};
use gate_types::release::{Finding, MissionFacts, ReleaseAnswer, ReleaseRequest};
use gate_types::verdict::{Instruction, Verdict};
use gate_types::{BootEpoch, DeviceId, Mono, PassId, Stamp, Wall};

/// How often the I/O says the same again, milliseconds.
const REFRESH_MS: u64 = 250;
const WALL_0: i64 = 1_700_000_000_000;

pub struct Bench {
    pub lane: Lane,
    pub spec: LaneSpec,
    pub now: u64,
    pub inputs: LaneInputs,
    pub asked: Option<ReleaseRequest>,
    pub entries: Vec<Entry>,
    /// Effects not yet taken by the test.
    pub out: Vec<Effect>,
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
    }
}

impl Bench {
    pub fn new(spec: LaneSpec) -> Self {
        let lane = Lane::new(spec.clone(), None);
        Self { lane, spec, now: 0, inputs: quiet(), asked: None, entries: Vec::new(), out: Vec::new() }
    }

    pub fn stamp(&self) -> Stamp {
        Stamp { mono_ms: Mono(self.now), wall_ms: Wall(WALL_0 + i64::try_from(self.now).unwrap()) }
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
        self.observe("io", Observed::Inputs(self.inputs));
    }

    fn collect(&mut self) {
        while let Some(effect) = self.lane.next_effect() {
            match &effect {
                Effect::Record(entry) => self.entries.push(entry.clone()),
                Effect::AskRelease(request) => self.asked = Some(request.clone()),
                Effect::Actuate(_) | Effect::Light(_) | Effect::Show { .. } | Effect::Watch(_) => {}
            }
            self.out.push(effect);
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

    pub fn tag(&mut self, epc: &str) {
        let tag = TagRead {
            epc: epc.into(),
            uri: None,
            role: TagRole::Vehicle,
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
        self.now = 0;
    }
}

/// One effect as one line.
pub fn line(effect: &Effect) -> String {
    match effect {
        Effect::Record(entry) => format!("record {}", body(&entry.body)),
        Effect::AskRelease(request) => format!("ask {}", request.nonce),
        Effect::Actuate(cleared) => match cleared.command() {
            ArmCommand::Raise => "actuate raise".into(),
            ArmCommand::PermitLower => "actuate permit_lower".into(),
        },
        Effect::Light(colour) => format!("light {colour:?}").to_lowercase(),
        Effect::Show { instruction, language } => {
            format!("show {} [{}]", told(instruction), language.as_deref().unwrap_or("-"))
        }
        Effect::Watch(on) => format!("watch {}", if *on { "on" } else { "off" }),
    }
}

fn told(instruction: &Instruction) -> String {
    let node = instruction.next_node.as_ref().map(|n| format!(" node {n}")).unwrap_or_default();
    let place = instruction.place.as_ref().map(|p| format!(" at {p}")).unwrap_or_default();
    format!("{:?}{node}{place}", instruction.kind)
}

fn judged(verdict: &Verdict) -> String {
    let word = match verdict {
        Verdict::Admit { .. } => "admit",
        Verdict::Hold { .. } => "hold",
        Verdict::Refer { .. } => "refer",
    };
    let reasons: Vec<String> =
        verdict.reasons().iter().map(|r| format!("{:?}: {}", r.code, r.text)).collect();
    format!("{word} {} {}", told(verdict.instruction()), reasons.join(" | ")).trim_end().to_owned()
}

fn body(body: &EntryBody) -> String {
    let kind = body.kind();
    match body {
        EntryBody::OpticalRead { device, read } => {
            format!("{kind} {device} {} {:.2}", read.text, read.confidence)
        }
        EntryBody::TagRead { device, tag } => format!("{kind} {device} {}", tag.epc),
        EntryBody::WeightRead { device, weight } => format!("{kind} {device} {} kg", weight.gross_kg),
        EntryBody::ReleaseAsked { request } => format!("{kind} {}", request.nonce),
        EntryBody::ReleaseRefused { nonce, why } => format!("{kind} {nonce}: {why}"),
        EntryBody::Decided { verdict, .. } => format!("{kind} {}", judged(verdict)),
        EntryBody::RaiseCommanded { authority } => match authority {
            Authority::Decision => format!("{kind} by decision"),
            Authority::Operator { name, .. } => format!("{kind} by {name}"),
        },
        EntryBody::PassClosed { summary } => {
            let verdict = summary
                .verdict
                .as_ref()
                .map_or("no verdict".into(), |v| judged(v).split(' ').next().unwrap_or_default().to_owned());
            let raised = if summary.raised_by.is_some() { "raised" } else { "not raised" };
            format!(
                "{kind} {:?}, {verdict}, {raised}, slots {}",
                summary.outcome,
                summary.identity.slots.len()
            )
        }
        EntryBody::FaultRaised { fault } | EntryBody::FaultCleared { fault } => {
            format!("{kind} {:?} {}", fault.kind, fault.device)
        }
        EntryBody::OperatorAct { name, act, .. } => format!("{kind} {name} {act}"),
        EntryBody::ArmMovedUncommanded { arm } => format!("{kind} {arm:?}"),
        EntryBody::DaemonStarted { .. }
        | EntryBody::DaemonStopped {}
        | EntryBody::PassOpened { .. }
        | EntryBody::ReleaseAnswered { .. }
        | EntryBody::RulesLoaded { .. }
        | EntryBody::Erased { .. }
        | EntryBody::ArmConfirmedUp {}
        | EntryBody::VehicleUnder {}
        | EntryBody::VehicleLeft {}
        | EntryBody::LowerPermitted { .. }
        | EntryBody::ArmConfirmedDown {} => kind.into(),
    }
}
