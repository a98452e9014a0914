//! Random action sequences: the invariants after every effect, then a heal phase that demands progress;
//! the same sequence again gives the same (I6), and at another wall clock as well (I10).

use crate::bench::{Bench, quiet};
use crate::site::{lock_spec, spec};
use crate::steps::{Step, lock_step, obey, place, place_at, step, take, truck};
use crate::tell;
use crate::watchman::Watchman;
use gate_core::{OperatorAct, Side};
use gate_types::console::LaneState;
use gate_types::fault::FaultKind;
use gate_types::observation::{ArmPosition, Level};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use std::collections::BTreeSet;

/// A lane for a sequence: live or shadow, with or without scale and curtain.
#[derive(Debug, Clone, Copy)]
struct Kind {
    live: bool,
    weighed: bool,
    curtain: bool,
    /// Two arms; always live, unweighed and with curtains.
    lock: bool,
}

const PLAIN: Kind = Kind { live: true, weighed: false, curtain: true, lock: false };
const LOCK: Kind = Kind { lock: true, ..PLAIN };

fn bench(kind: Kind) -> Bench {
    let spec = if kind.lock { lock_spec() } else { spec(kind.live, kind.weighed) };
    let mut bench = Bench::new(spec);
    if !kind.curtain {
        bench.inputs.curtain = Level::NotFitted;
    }
    bench.send_inputs();
    bench
}

fn run(kind: Kind, steps: &[Step], wall_jumps: bool) -> (Bench, Watchman) {
    let (mut bench, mut watch) = (bench(kind), Watchman::default());
    for step in steps {
        let fitted = match step {
            Step::Curtain(_) => kind.curtain,
            _ => true,
        };
        if fitted {
            take(&mut bench, &mut watch, step, wall_jumps);
        }
    }
    (bench, watch)
}

/// Every fault ends and everybody behaves: the lane has to be idle within two minutes, and then to let a
/// truck through.
fn heal(bench: &mut Bench, watch: &mut Watchman) {
    let curtain = bench.inputs.curtain;
    let arm = bench.inputs.arm();
    bench.inputs = quiet();
    if curtain == Level::NotFitted {
        bench.inputs.curtain = curtain;
    }
    bench.health("io", "up");
    if bench.is_lock() {
        let end = if bench.exit.arm() == ArmPosition::Up { ArmPosition::Up } else { ArmPosition::Down };
        bench.exit = quiet();
        bench.health("exit", "up");
        place_at(bench, Side::Exit, end);
        watch.look(bench);
    }
    // Whoever repaired the arm left it at an end.
    let end = if arm == ArmPosition::Up { ArmPosition::Up } else { ArmPosition::Down };
    watch.told = None;
    place(bench, end);
    watch.look(bench);
    // Loops that chattered have rested after this.
    bench.wait(4_000, true);
    watch.look(bench);
    bench.operator(OperatorAct::OpenLane);
    watch.look(bench);
    for second in 0..120 {
        bench.wait(1_000, true);
        watch.look(bench);
        if bench.is_lock() && second % 10 == 9 {
            // A person has looked: nobody is between the arms.
            bench.operator(OperatorAct::OpenLane);
            watch.look(bench);
        }
        if !bench.spec.live {
            // The other controller lowers its arm.
            place(bench, ArmPosition::Down);
        }
        obey(bench, watch);
        if bench.lane.snapshot().state == LaneState::Idle {
            break;
        }
    }
    let view = bench.lane.snapshot();
    assert_eq!(
        (view.state, view.pass),
        (LaneState::Idle, None),
        "no rest after the faults: {:?}",
        view.faults
    );
    if !bench.spec.live {
        return;
    }
    let (raises, lowers, closed) = (watch.raises, watch.lowers, watch.closed);
    truck(bench, watch, 8);
    bench.wait(500, true);
    watch.look(bench);
    let arms = if bench.is_lock() { 2 } else { 1 };
    let done = (watch.raises - raises, watch.lowers - lowers, watch.closed - closed);
    assert_eq!(done, (arms, arms, 1), "one truck, one raise and one permission an arm, one pass");
    assert_eq!(bench.lane.snapshot().state, LaneState::Idle);
    let standing: Vec<_> = watch.faults.iter().filter(|(k, _)| *k != FaultKind::DeviceDown).collect();
    assert!(standing.is_empty(), "I12: {standing:?} after everything was well");
}

/// What the record says, without the wall clock.
fn record(bench: &Bench) -> Vec<String> {
    let words = |e: &gate_types::entry::Entry| {
        let mut e = e.clone();
        e.at.wall_ms = gate_types::Wall(0);
        format!("{:?} {:?} {}", e.at.mono_ms, e.pass, tell::entry(&e.body))
    };
    bench.entries.iter().map(words).collect()
}

fn kinds() -> impl Strategy<Value = Kind> {
    (prop::bool::weighted(0.85), any::<bool>(), prop::bool::weighted(0.6))
        .prop_map(|(live, weighed, curtain)| Kind { live, weighed, curtain, lock: false })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn no_sequence_breaks_the_invariants_and_every_lane_recovers(
        kind in kinds(),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let (mut bench, mut watch) = run(kind, &steps, true);
        heal(&mut bench, &mut watch);
    }

    #[test]
    fn no_sequence_breaks_a_lock_and_every_lock_recovers(
        steps in prop::collection::vec(lock_step(), 1..120),
    ) {
        let (mut bench, mut watch) = run(LOCK, &steps, true);
        heal(&mut bench, &mut watch);
    }

    #[test]
    fn the_same_again_in_a_lock_gives_the_same(
        steps in prop::collection::vec(lock_step(), 1..60),
    ) {
        let (first, _) = run(LOCK, &steps, false);
        let (second, _) = run(LOCK, &steps, true);
        prop_assert_eq!(record(&first), record(&second));
    }

    #[test]
    fn the_same_again_gives_the_same_at_any_wall_clock(
        kind in kinds(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let (first, _) = run(kind, &steps, false);
        let (second, _) = run(kind, &steps, true);
        prop_assert_eq!(record(&first), record(&second));
    }
}

/// Changes of state of 400 sequences, the same ones always.
pub fn moves() -> BTreeSet<(LaneState, LaneState)> {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut moves = BTreeSet::new();
    for n in 0..400 {
        let steps = prop::collection::vec(step(), 120).new_tree(&mut runner).unwrap().current();
        let kind = Kind { live: n % 5 != 0, weighed: n % 2 == 0, curtain: n % 3 != 0, lock: false };
        moves.append(&mut run(kind, &steps, true).0.moves);
    }
    for _ in 0..400 {
        let steps = prop::collection::vec(lock_step(), 120).new_tree(&mut runner).unwrap().current();
        moves.append(&mut run(LOCK, &steps, true).0.moves);
    }
    moves
}

#[test]
fn well_behaved_trucks_pass_one_after_the_other() {
    let (mut bench, mut watch) = (bench(PLAIN), Watchman::default());
    for _ in 0..5 {
        truck(&mut bench, &mut watch, 8);
        bench.wait(500, true);
        watch.look(&mut bench);
    }
    assert_eq!((watch.raises, watch.lowers, watch.closed), (5, 5, 5));
    assert!(watch.open.is_none() && watch.faults.is_empty());
}

#[test]
fn well_behaved_trucks_pass_a_lock_one_after_the_other() {
    let (mut bench, mut watch) = (bench(LOCK), Watchman::default());
    for _ in 0..3 {
        truck(&mut bench, &mut watch, 8);
        bench.wait(500, true);
        watch.look(&mut bench);
    }
    assert_eq!((watch.raises, watch.lowers, watch.closed), (6, 6, 3));
    assert!(watch.open.is_none() && watch.faults.is_empty());
}

#[test]
fn random_sequences_do_move_the_arm() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut raises, mut lowers, mut closed) = (0, 0, 0);
    for _ in 0..60 {
        let steps = prop::collection::vec(step(), 120).new_tree(&mut runner).unwrap().current();
        let (_, watch) = run(PLAIN, &steps, true);
        raises += watch.raises;
        lowers += watch.lowers;
        closed += watch.closed;
    }
    assert!(raises > 60 && lowers > 30 && closed > 60, "{raises} raises, {lowers} lowers, {closed} passes");
}
