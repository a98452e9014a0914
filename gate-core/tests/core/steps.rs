//! Steps of random sequences: what devices, people, central and faults do to a lane.

use crate::bench::{Bench, quiet};
use crate::site::{TRACTOR, TRAILER};
use crate::watchman::Watchman;
use gate_core::{ArmCommand, OperatorAct, Side};
use gate_types::mission::CustomsStatus;
use gate_types::observation::{ArmPosition, Level};
use gate_types::release::Finding;
use proptest::prelude::*;

#[derive(Debug, Clone)]
pub enum Step {
    Approach(Level),
    Under(Level),
    Curtain(Level),
    Fire(bool),
    Key(bool),
    Fault(bool),
    Arm(ArmPosition),
    /// The barrier does what it was told last.
    Obey,
    /// A vehicle comes, is read and answered for, passes, leaves; a number of scenes.
    Truck(u8),
    /// One loop changes that many times, 100 ms each.
    Chatter(bool, u8),
    Wait(u64),
    Silence(u64),
    Read(bool),
    Answer(u8),
    Operator(OperatorAct),
    Written(bool),
    IoDown(bool),
    /// The wall clock jumps to that many hours from its first word.
    Wall(i64),
    Restart,
    /// At the exit arm of a lock.
    Exit(ExitStep),
}

/// The same at the exit arm; its first loop lies between the arms.
#[derive(Debug, Clone)]
pub enum ExitStep {
    Inside(Level),
    Under(Level),
    Curtain(Level),
    Arm(ArmPosition),
    Key(bool),
    Fire(bool),
    Fault(bool),
    IoDown(bool),
}

/// Steps of a two-barrier lock.
pub fn lock_step() -> impl Strategy<Value = Step> {
    let level = || prop::sample::select(vec![Level::On, Level::Off, Level::Off, Level::On, Level::Unknown]);
    let arm = prop::sample::select(vec![
        ArmPosition::Up,
        ArmPosition::Down,
        ArmPosition::Down,
        ArmPosition::Between,
        ArmPosition::Unknown,
    ]);
    let exit = prop_oneof![
        6 => level().prop_map(ExitStep::Inside),
        4 => level().prop_map(ExitStep::Under),
        1 => level().prop_map(ExitStep::Curtain),
        2 => arm.prop_map(ExitStep::Arm),
        1 => any::<bool>().prop_map(ExitStep::Key),
        1 => any::<bool>().prop_map(ExitStep::Fire),
        1 => any::<bool>().prop_map(ExitStep::Fault),
        1 => any::<bool>().prop_map(ExitStep::IoDown),
    ];
    prop_oneof![
        4 => step(),
        1 => exit.prop_map(Step::Exit),
        1 => (6..14u8).prop_map(Step::Truck),
        1 => prop::sample::select(vec![OperatorAct::Admit, OperatorAct::TurnBack, OperatorAct::OpenLane])
            .prop_map(Step::Operator),
    ]
}

pub fn step() -> impl Strategy<Value = Step> {
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
        1 => (any::<bool>(), 1..20u8).prop_map(|(approach, times)| Step::Chatter(approach, times)),
        8 => (1..6_000u64).prop_map(Step::Wait),
        2 => (1..3_000u64).prop_map(Step::Silence),
        8 => any::<bool>().prop_map(Step::Read),
        10 => (0..6u8).prop_map(Step::Answer),
        3 => acts.prop_map(Step::Operator),
        2 => any::<bool>().prop_map(Step::Written),
        1 => any::<bool>().prop_map(Step::IoDown),
        1 => (-100_000..100_000i64).prop_map(Step::Wall),
        1 => Just(Step::Restart),
    ]
}

fn level(on: bool) -> Level {
    if on { Level::On } else { Level::Off }
}

pub fn place(bench: &mut Bench, arm: ArmPosition) {
    place_at(bench, Side::Entry, arm);
}

pub fn place_at(bench: &mut Bench, side: Side, arm: ArmPosition) {
    let (up, down) = match arm {
        ArmPosition::Up => (Level::On, Level::Off),
        ArmPosition::Down => (Level::Off, Level::On),
        ArmPosition::Between => (Level::Off, Level::Off),
        ArmPosition::Contradictory => (Level::On, Level::On),
        ArmPosition::Unknown => (Level::Unknown, Level::Off),
    };
    let inputs = match side {
        Side::Entry => &mut bench.inputs,
        Side::Exit => &mut bench.exit,
    };
    inputs.limit_up = up;
    inputs.limit_down = down;
    bench.send_inputs();
}

/// The barrier acknowledges and does what it was told last.
pub fn obey(bench: &mut Bench, watch: &mut Watchman) {
    match watch.told.take() {
        Some((ArmCommand::Raise, side)) => place_at(bench, side, ArmPosition::Up),
        Some((ArmCommand::PermitLower, side)) => place_at(bench, side, ArmPosition::Down),
        None => {}
    }
    watch.look(bench);
}

/// A well-behaved truck; `scenes` cut it short.
pub fn truck(bench: &mut Bench, watch: &mut Watchman, scenes: u8) {
    if bench.is_lock() {
        return truck_in_lock(bench, watch, scenes);
    }
    let all: [(bool, bool); 4] = [(true, false), (true, true), (false, true), (false, false)];
    for (i, (approach, under)) in all.into_iter().enumerate() {
        if usize::from(scenes) <= i {
            return;
        }
        if i == 1 {
            for _ in 0..2 {
                bench.plate("front", TRACTOR, 0.97);
                bench.plate("rear", TRAILER, 0.97);
                bench.weigh(35_000.0, true);
                watch.look(bench);
                bench.answer_mission(|_| {});
                watch.look(bench);
                obey(bench, watch);
            }
        }
        bench.inputs.loop_approach = level(approach);
        bench.inputs.loop_under = level(under);
        bench.send_inputs();
        watch.look(bench);
        bench.wait(1_200, true);
        watch.look(bench);
    }
    obey(bench, watch);
}

fn truck_in_lock(bench: &mut Bench, watch: &mut Watchman, scenes: u8) {
    // Approach, arm loop, inside, exit arm loop.
    let all = [
        [true, false, false, false],
        [true, true, false, false],
        [false, true, true, false],
        [false, false, true, false],
        [false, false, true, true],
        [false, false, false, true],
        [false, false, false, false],
    ];
    for (i, scene) in all.into_iter().enumerate() {
        if usize::from(scenes) <= i {
            return;
        }
        if i == 1 || i == 4 {
            for _ in 0..3 {
                bench.plate("front", TRACTOR, 0.97);
                bench.plate("rear", TRAILER, 0.97);
                watch.look(bench);
                bench.answer_mission(|_| {});
                watch.look(bench);
                obey(bench, watch);
            }
        }
        let [approach, under, inside, exit_under] = scene.map(level);
        (bench.inputs.loop_approach, bench.inputs.loop_under) = (approach, under);
        (bench.exit.loop_approach, bench.exit.loop_under) = (inside, exit_under);
        bench.send_inputs();
        watch.look(bench);
        bench.wait(1_400, true);
        watch.look(bench);
        if i == 3 {
            obey(bench, watch);
            bench.wait(400, true);
            watch.look(bench);
        }
    }
    obey(bench, watch);
}

fn at_exit(bench: &mut Bench, step: &ExitStep) {
    let inputs = &mut bench.exit;
    match step {
        ExitStep::Inside(to) => inputs.loop_approach = *to,
        ExitStep::Under(to) => inputs.loop_under = *to,
        ExitStep::Curtain(to) => inputs.curtain = *to,
        ExitStep::Arm(arm) => place_at(bench, Side::Exit, *arm),
        ExitStep::Key(on) => inputs.local_key = level(*on),
        ExitStep::Fire(on) => inputs.fire = level(*on),
        ExitStep::Fault(on) => inputs.barrier_fault = level(*on),
        ExitStep::IoDown(down) => bench.health("exit", if *down { "down" } else { "up" }),
    }
    bench.send_inputs();
}

/// Does one step.
pub fn take(bench: &mut Bench, watch: &mut Watchman, step: &Step, wall_jumps: bool) {
    let inputs = &mut bench.inputs;
    match step {
        Step::Approach(to) => inputs.loop_approach = *to,
        Step::Under(to) => inputs.loop_under = *to,
        Step::Curtain(to) => inputs.curtain = *to,
        Step::Fire(on) => inputs.fire = level(*on),
        Step::Key(on) => inputs.local_key = level(*on),
        Step::Fault(on) => inputs.barrier_fault = level(*on),
        Step::Arm(arm) => place(bench, *arm),
        Step::Obey => obey(bench, watch),
        Step::Truck(scenes) => {
            let curtain = bench.inputs.curtain;
            bench.inputs = quiet();
            bench.exit = quiet();
            if curtain == Level::NotFitted {
                bench.inputs.curtain = curtain;
            }
            bench.send_inputs();
            bench.wait(500, true);
            watch.look(bench);
            truck(bench, watch, *scenes);
        }
        Step::Chatter(approach, times) => {
            for n in 0..*times {
                let to = level(n % 2 == 0);
                if *approach {
                    bench.inputs.loop_approach = to;
                } else {
                    bench.inputs.loop_under = to;
                }
                bench.send_inputs();
                bench.wait(100, true);
            }
        }
        Step::Wait(ms) => bench.wait(*ms, true),
        Step::Silence(ms) => bench.wait(*ms, false),
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
        Step::Exit(step) => at_exit(bench, step),
        Step::Wall(hours) => {
            if wall_jumps {
                bench.wall_0 += hours * 3_600_000;
            }
        }
        Step::Restart => {
            watch.look(bench);
            bench.restart();
            watch.restarted();
        }
    }
    match step {
        Step::Approach(_)
        | Step::Under(_)
        | Step::Curtain(_)
        | Step::Fire(_)
        | Step::Key(_)
        | Step::Fault(_) => bench.send_inputs(),
        Step::Arm(_)
        | Step::Obey
        | Step::Truck(_)
        | Step::Chatter(..)
        | Step::Wait(_)
        | Step::Silence(_)
        | Step::Read(_)
        | Step::Answer(_)
        | Step::Operator(_)
        | Step::Written(_)
        | Step::IoDown(_)
        | Step::Wall(_)
        | Step::Exit(_)
        | Step::Restart => {}
    }
    watch.look(bench);
}
