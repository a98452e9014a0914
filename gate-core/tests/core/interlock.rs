//! Every combination of inputs against the interlock's two questions (I1, I2, I3).

use gate_core::ArmCommand;
use gate_core::interlock::{Interlock, RaiseRefusal};
use gate_types::entry::Authority;
use gate_types::observation::{LaneInputs, Level};
use gate_types::{LaneId, Mono, PassId};

const LEVELS: [Level; 4] = [Level::On, Level::Off, Level::Unknown, Level::NotFitted];

fn pass(number: u64) -> PassId {
    PassId { lane: LaneId::new("n1-in-1").unwrap(), number }
}

/// Every combination of the eight inputs: 65,536.
fn each_image(mut f: impl FnMut(LaneInputs)) {
    for bits in 0..(1u32 << 16) {
        let level = |i: u32| LEVELS[((bits >> (2 * i)) & 3) as usize];
        f(LaneInputs {
            loop_approach: level(0),
            loop_under: level(1),
            curtain: level(2),
            limit_up: level(3),
            limit_down: level(4),
            local_key: level(5),
            fire: level(6),
            barrier_fault: level(7),
            ..LaneInputs::default()
        });
    }
}

fn quiet(level: Level) -> bool {
    level == Level::Off || level == Level::NotFitted
}

#[test]
fn a_raise_needs_every_condition_at_once() {
    let mut cleared = 0;
    each_image(|image| {
        let mut lock = Interlock::new(1_000, 500);
        lock.see(image, Mono(10));
        lock.grant(pass(1), Mono(5_000), Authority::Decision);
        let may = image.loop_approach == Level::On
            && quiet(image.loop_under)
            && quiet(image.curtain)
            && quiet(image.limit_up)
            && image.limit_down == Level::On
            && quiet(image.local_key)
            && quiet(image.fire)
            && quiet(image.barrier_fault);
        let outcome = lock.clear_raise(&pass(1), Mono(20));
        assert_eq!(outcome.is_ok(), may, "{image:?}: {outcome:?}");
        if let Ok((command, by)) = outcome {
            cleared += 1;
            assert_eq!((command.command(), by), (ArmCommand::Raise, Authority::Decision));
            assert_eq!(lock.clear_raise(&pass(1), Mono(21)), Err(RaiseRefusal::NoAuthority), "used once");
        }
    });
    assert_eq!(cleared, 64);
}

#[test]
fn a_lower_needs_proof_of_the_free_zone() {
    let mut cleared = 0;
    each_image(|image| {
        let mut lock = Interlock::new(1_000, 500);
        lock.see(image, Mono(100));
        lock.see(image, Mono(600));
        let up = matches!(
            (image.limit_up, image.limit_down),
            (Level::On, Level::Off | Level::NotFitted) | (Level::Off, Level::Off)
        );
        let fitted = image.loop_under != Level::NotFitted || image.curtain != Level::NotFitted;
        let may = quiet(image.loop_under)
            && quiet(image.curtain)
            && fitted
            && up
            && quiet(image.local_key)
            && quiet(image.fire);
        assert_eq!(lock.clear_lower(Mono(600)).is_ok(), may, "{image:?}");
        assert!(lock.clear_lower(Mono(599)).is_err(), "too soon");
        assert!(lock.clear_lower(Mono(1_601)).is_err(), "stale");
        cleared += u32::from(may);
    });
    assert!(cleared > 0);
}

fn standing() -> LaneInputs {
    LaneInputs {
        loop_approach: Level::On,
        loop_under: Level::Off,
        limit_up: Level::Off,
        limit_down: Level::On,
        ..LaneInputs::default()
    }
}

#[test]
fn a_grant_is_for_one_pass_and_one_time_span() {
    let mut lock = Interlock::new(1_000, 500);
    lock.see(standing(), Mono(0));
    assert_eq!(lock.clear_raise(&pass(1), Mono(1)), Err(RaiseRefusal::NoAuthority));
    lock.grant(pass(1), Mono(100), Authority::Decision);
    assert_eq!(lock.clear_raise(&pass(2), Mono(1)), Err(RaiseRefusal::NoAuthority));
    assert_eq!(lock.clear_raise(&pass(1), Mono(100)), Err(RaiseRefusal::Expired));
    assert_eq!(lock.clear_raise(&pass(1), Mono(99)), Err(RaiseRefusal::NoAuthority), "expired is gone");
    lock.grant(pass(1), Mono(5_000), Authority::Decision);
    assert_eq!(lock.clear_raise(&pass(1), Mono(1_001)), Err(RaiseRefusal::InputsUnknown));
    lock.withdraw();
    lock.see(standing(), Mono(1_002));
    assert_eq!(lock.clear_raise(&pass(1), Mono(1_003)), Err(RaiseRefusal::NoAuthority));
}

#[test]
fn presence_or_a_gap_starts_the_proof_anew() {
    let up =
        LaneInputs { loop_approach: Level::On, limit_up: Level::On, limit_down: Level::Off, ..standing() };
    let mut lock = Interlock::new(1_000, 500);
    lock.see(up, Mono(0));
    lock.see(LaneInputs { loop_under: Level::On, ..up }, Mono(400));
    lock.see(up, Mono(450));
    assert!(lock.clear_lower(Mono(900)).is_err());
    assert!(lock.clear_lower(Mono(950)).is_ok());
    lock.see(up, Mono(2_500));
    assert!(lock.clear_lower(Mono(2_999)).is_err(), "nothing was seen for longer than the limit");
    lock.see(up, Mono(3_000));
    assert!(lock.clear_lower(Mono(3_000)).is_ok());
    lock.lose();
    assert!(lock.clear_lower(Mono(3_001)).is_err());
    lock.see(up, Mono(3_002));
    assert!(lock.clear_lower(Mono(3_100)).is_err());
    lock.see(LaneInputs { loop_under: Level::On, ..up }, Mono(2_000));
    assert!(lock.clear_lower(Mono(3_502)).is_ok(), "an older image is ignored");
}
