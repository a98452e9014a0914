//! Random action sequences: I1, I2, I3 and the order of entries after every event.

use crate::bench::{Bench, line, quiet};
use crate::site::{TRACTOR, TRAILER, spec};
use gate_core::{ArmCommand, Effect, OperatorAct};
use gate_types::PassId;
use gate_types::entry::{Authority, EntryBody};
use gate_types::fault::FaultKind;
use gate_types::mission::CustomsStatus;
use gate_types::observation::{ArmPosition, Level};
use gate_types::release::Finding;
use gate_types::verdict::Verdict;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use std::collections::BTreeSet;

#[derive(Debug, Clone)]
enum Step {
    Approach(Level),
    Under(Level),
    Curtain(Level),
    Fire(bool),
    Key(bool),
    Fault(bool),
    Arm(ArmPosition),
    /// The barrier does what it was told last.
    Obey,
    /// A vehicle comes, is read and answered for, passes, leaves.
    Truck(u8),
    Wait(u64),
    Silence(u64),
    Read(bool),
    Answer(u8),
    Operator(OperatorAct),
    Written(bool),
    IoDown(bool),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let level = || prop::sample::select(vec![Level::On, Level::Off, Level::Off, Level::On, Level::Unknown]);
    let arm = prop::sample::select(vec![
        ArmPosition::Up,
        ArmPosition::Down,
        ArmPosition::Between,
        ArmPosition::Contradictory,
        ArmPosition::Unknown,
    ]);
    let acts = prop::sample::select(vec![
        OperatorAct::Admit,
        OperatorAct::TurnBack,
        OperatorAct::CloseLane,
        OperatorAct::OpenLane,
        OperatorAct::OpenLane,
    ]);
    prop_oneof![
        6 => level().prop_map(Step::Approach),
        4 => level().prop_map(Step::Under),
        1 => level().prop_map(Step::Curtain),
        1 => any::<bool>().prop_map(Step::Fire),
        1 => any::<bool>().prop_map(Step::Key),
        1 => any::<bool>().prop_map(Step::Fault),
        2 => arm.prop_map(Step::Arm),
        8 => Just(Step::Obey),
        8 => (0..8u8).prop_map(Step::Truck),
        8 => (1..6_000u64).prop_map(Step::Wait),
        2 => (1..3_000u64).prop_map(Step::Silence),
        8 => any::<bool>().prop_map(Step::Read),
        10 => (0..6u8).prop_map(Step::Answer),
        3 => acts.prop_map(Step::Operator),
        1 => any::<bool>().prop_map(Step::Written),
        1 => any::<bool>().prop_map(Step::IoDown),
        1 => Just(Step::Restart),
    ]
}

/// What may raise the arm for which pass: used once.
#[derive(Debug, Default)]
struct Watchman {
    decision: Option<(PassId, u64)>,
    operator: Option<(PassId, u64)>,
    open: Option<PassId>,
    last_pass: u64,
    faults: BTreeSet<(FaultKind, String)>,
    before: Option<String>,
    told: Option<ArmCommand>,
    raises: u32,
    lowers: u32,
    closed: u32,
}

impl Watchman {
    fn see(&mut self, bench: &Bench, effect: &Effect) {
        match effect {
            Effect::Record(entry) => {
                assert!(
                    entry.pass.is_none()
                        || entry.pass == self.open
                        || matches!(entry.body, EntryBody::PassOpened { .. })
                );
                match &entry.body {
                    EntryBody::PassOpened { .. } => {
                        assert!(self.open.is_none(), "a pass was opened in a pass");
                        let pass = entry.pass.clone().unwrap();
                        assert!(pass.number > self.last_pass, "a pass number was used again");
                        self.last_pass = pass.number;
                        self.open = Some(pass);
                    }
                    EntryBody::PassClosed { .. } => {
                        self.open = None;
                        self.decision = None;
                        self.operator = None;
                        self.closed += 1;
                    }
                    EntryBody::Decided { verdict: Verdict::Admit { .. }, .. } => {
                        self.decision = entry.pass.clone().map(|p| (p, bench.now));
                    }
                    EntryBody::OperatorAct { act, .. } if act == "admit" => {
                        self.operator = entry.pass.clone().map(|p| (p, bench.now));
                    }
                    EntryBody::RaiseCommanded { authority } => {
                        let right = match authority {
                            Authority::Decision => self.decision.take(),
                            Authority::Operator { .. } => self.operator.take(),
                        };
                        let (pass, at) = right.expect("I1: a raise rests on a recorded decision, once");
                        assert_eq!(Some(&pass), self.open.as_ref(), "I1: of this very pass");
                        assert!(bench.now - at < bench.spec.timers.decision_valid_ms, "I1: unexpired");
                    }
                    EntryBody::FaultRaised { fault } => {
                        assert!(
                            self.faults.insert((fault.kind, fault.device.clone())),
                            "I12: {fault:?} stands"
                        );
                    }
                    EntryBody::FaultCleared { fault } => {
                        assert!(self.faults.remove(&(fault.kind, fault.device.clone())), "I12: {fault:?}");
                    }
                    _ => {}
                }
            }
            Effect::Actuate(cleared) => {
                assert!(bench.spec.live, "a shadow lane moved the arm");
                self.told = Some(cleared.command());
                let seen = bench.inputs;
                match cleared.command() {
                    ArmCommand::Raise => {
                        assert!(
                            self.before.as_deref().unwrap_or_default().starts_with("record raise_commanded")
                        );
                        assert!(seen.loop_approach.is_on() && seen.arm() == ArmPosition::Down);
                        assert!(!seen.loop_under.may_be_on() && !seen.curtain.may_be_on(), "I2: {seen:?}");
                        self.raises += 1;
                    }
                    ArmCommand::PermitLower => {
                        assert_eq!(self.before.as_deref(), Some("record lower_permitted"));
                        assert!(!seen.loop_under.may_be_on() && !seen.curtain.may_be_on(), "I3: {seen:?}");
                        self.lowers += 1;
                    }
                }
            }
            Effect::AskRelease(_) | Effect::Light(_) | Effect::Show { .. } | Effect::Watch(_) => {}
        }
        self.before = Some(line(effect));
    }

    fn drain(&mut self, bench: &mut Bench) {
        for effect in std::mem::take(&mut bench.out) {
            self.see(bench, &effect);
        }
    }
}

fn place(bench: &mut Bench, arm: ArmPosition) {
    let (up, down) = match arm {
        ArmPosition::Up => (Level::On, Level::Off),
        ArmPosition::Down => (Level::Off, Level::On),
        ArmPosition::Between => (Level::Off, Level::Off),
        ArmPosition::Contradictory => (Level::On, Level::On),
        ArmPosition::Unknown => (Level::Unknown, Level::Off),
    };
    bench.inputs.limit_up = up;
    bench.inputs.limit_down = down;
    bench.send_inputs();
}

fn obey(bench: &mut Bench, told: Option<ArmCommand>) {
    match told {
        Some(ArmCommand::Raise) => place(bench, ArmPosition::Up),
        Some(ArmCommand::PermitLower) => place(bench, ArmPosition::Down),
        None => {}
    }
}

/// A well-behaved truck; `stages` cut it short.
fn truck(bench: &mut Bench, watch: &mut Watchman, stages: u8) {
    let on = |b: bool| if b { Level::On } else { Level::Off };
    let scenes: [(bool, bool); 4] = [(true, false), (true, true), (false, true), (false, false)];
    for (i, (approach, under)) in scenes.into_iter().enumerate() {
        if usize::from(stages) <= i {
            return;
        }
        if i == 1 {
            for _ in 0..2 {
                bench.plate("front", TRACTOR, 0.97);
                bench.plate("rear", TRAILER, 0.97);
                watch.drain(bench);
                bench.answer_mission(|_| {});
                watch.drain(bench);
                obey(bench, watch.told.take());
                watch.drain(bench);
            }
        }
        bench.inputs.loop_approach = on(approach);
        bench.inputs.loop_under = on(under);
        bench.send_inputs();
        watch.drain(bench);
        wait(bench, watch, 1_200, true);
    }
    obey(bench, watch.told.take());
    watch.drain(bench);
}

/// Waits in small steps, so that every effect is judged by the inputs of its own moment.
fn wait(bench: &mut Bench, watch: &mut Watchman, ms: u64, fresh: bool) {
    bench.wait(ms, fresh);
    watch.drain_late(bench, ms);
}

impl Watchman {
    /// As `drain`, for effects of a whole waiting time: stamps of the entries tell their moment.
    fn drain_late(&mut self, bench: &mut Bench, ms: u64) {
        let end = bench.now;
        bench.now = end - ms;
        for effect in std::mem::take(&mut bench.out) {
            if let Effect::Record(entry) = &effect {
                bench.now = entry.at.mono_ms.0;
            }
            self.see(bench, &effect);
        }
        bench.now = end;
    }
}

fn run(live: bool, weighed: bool, steps: &[Step]) -> Watchman {
    let mut bench = Bench::new(spec(live, weighed));
    let mut watch = Watchman::default();
    bench.inputs = quiet();
    bench.send_inputs();
    let on = |b: bool| if b { Level::On } else { Level::Off };
    for step in steps {
        match step {
            Step::Approach(level) => bench.inputs.loop_approach = *level,
            Step::Under(level) => bench.inputs.loop_under = *level,
            Step::Curtain(level) => bench.inputs.curtain = *level,
            Step::Fire(b) => bench.inputs.fire = on(*b),
            Step::Key(b) => bench.inputs.local_key = on(*b),
            Step::Fault(b) => bench.inputs.barrier_fault = on(*b),
            Step::Arm(arm) => place(&mut bench, *arm),
            Step::Obey => obey(&mut bench, watch.told.take()),
            Step::Truck(stages) => {
                bench.inputs = quiet();
                bench.send_inputs();
                watch.drain(&mut bench);
                wait(&mut bench, &mut watch, 500, true);
                truck(&mut bench, &mut watch, *stages);
            }
            Step::Wait(ms) => wait(&mut bench, &mut watch, *ms, true),
            Step::Silence(ms) => wait(&mut bench, &mut watch, *ms, false),
            Step::Read(front) => {
                let (camera, text) = if *front { ("front", TRACTOR) } else { ("rear", TRAILER) };
                bench.plate(camera, text, 0.97);
                bench.weigh(35_000.0, true);
            }
            Step::Answer(0) => bench.answer_silent(),
            Step::Answer(1) => bench.answer_with(Finding::Nothing { near: vec![] }),
            Step::Answer(2) => bench.answer_mission(|f| f.status = CustomsStatus::Pending),
            Step::Answer(_) => bench.answer_mission(|_| {}),
            Step::Operator(act) => bench.operator(*act),
            Step::Written(ok) => bench.arm_write(*ok),
            Step::IoDown(down) => bench.health("io", if *down { "down" } else { "up" }),
            Step::Restart => {
                watch.drain(&mut bench);
                bench.restart();
                watch.faults.clear();
                watch.decision = None;
                watch.operator = None;
            }
        }
        match step {
            Step::Approach(_)
            | Step::Under(_)
            | Step::Curtain(_)
            | Step::Fire(_)
            | Step::Key(_)
            | Step::Fault(_) => {
                bench.send_inputs();
            }
            _ => {}
        }
        watch.drain(&mut bench);
        // Standing faults on the console are those of the record.
        let shown: BTreeSet<_> =
            bench.lane.snapshot().faults.into_iter().map(|f| (f.kind, f.device)).collect();
        assert_eq!(shown, watch.faults);
    }
    watch
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn no_sequence_breaks_the_invariants(
        live in prop::bool::weighted(0.85),
        weighed in any::<bool>(),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        run(live, weighed, &steps);
    }
}

#[test]
fn well_behaved_trucks_pass_one_after_the_other() {
    let mut bench = Bench::new(spec(true, false));
    let mut watch = Watchman::default();
    bench.send_inputs();
    for _ in 0..5 {
        truck(&mut bench, &mut watch, 8);
        wait(&mut bench, &mut watch, 500, true);
    }
    assert_eq!((watch.raises, watch.lowers, watch.closed), (5, 5, 5));
    assert!(watch.open.is_none() && watch.faults.is_empty());
}

#[test]
fn random_sequences_do_move_the_arm() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut raises, mut lowers, mut closed) = (0, 0, 0);
    for _ in 0..60 {
        let steps = prop::collection::vec(step(), 120).new_tree(&mut runner).unwrap().current();
        let watch = run(true, false, &steps);
        raises += watch.raises;
        lowers += watch.lowers;
        closed += watch.closed;
    }
    assert!(raises > 60 && lowers > 30 && closed > 60, "{raises} raises, {lowers} lowers, {closed} passes");
}
