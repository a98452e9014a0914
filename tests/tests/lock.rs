//! A two-barrier lock with the built daemon and two PLC blocks: never both arms up, a decision for each arm,
//! a restart with a vehicle between the arms, and the way back that an operator gives.
#![allow(clippy::unwrap_used, reason = "tests")]

use gate_types::api::MissionChange;
use gate_types::console::LaneState;
use gate_types::mission::CustomsStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tests::{Block, Camera, ContainerLane, LANE, released_export, root, side_view, until};

/// The lane of the stories with a second arm.
async fn lock(picture: Vec<u8>) -> (ContainerLane, Block) {
    let exit = Block::start().await;
    let camera = Camera::start(picture).await;
    let endpoint = exit.endpoint();
    let lane = ContainerLane::edited(camera, |lane| {
        let points = root().join("config/points/neutral.toml").display().to_string();
        let mut io = lane["io"].as_table().unwrap().clone();
        io.insert("id".into(), format!("{LANE}.exit").into());
        io.insert("endpoint".into(), endpoint.into());
        io.insert("points".into(), points.into());
        lane.insert("exit_io".into(), io.into());
    })
    .await;
    (lane, exit)
}

/// Watches both arms until it is told to stop: true where both were off their lower ends at once.
fn both_up(entry: &Block, exit: &Block) -> (Arc<AtomicBool>, tokio::task::JoinHandle<bool>) {
    let stop = Arc::new(AtomicBool::new(false));
    let (entry, exit, until) = (entry.clone(), exit.clone(), stop.clone());
    let task = tokio::spawn(async move {
        let mut every = tokio::time::interval(std::time::Duration::from_millis(5));
        let mut both = false;
        while !until.load(Ordering::SeqCst) {
            every.tick().await;
            both |= entry.arm() > 0.0 && exit.arm() > 0.0;
        }
        both
    });
    (stop, task)
}

/// Drives the admitted vehicle into the lock; the entry arm is down behind it.
async fn drive_in(lane: &ContainerLane, exit: &Block) {
    until("the entry arm to rise", 30, || async { (lane.block.arm() >= 1.0).then_some(()) }).await;
    assert_eq!((exit.arm(), exit.raises()), (0.0, 0), "only the entry arm rises");
    lane.block.loops(true, true);
    lane.until("the vehicle under the arm", 10, |l| l.inputs.loop_under.is_on()).await;
    exit.loops(true, false);
    lane.block.loops(false, true);
    lane.until("the first loop free", 10, |l| !l.inputs.loop_approach.is_on()).await;
    lane.block.loops(false, false);
    until("the entry arm down", 20, || async { (lane.block.arm() <= 0.0).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_lets_one_vehicle_through_two_arms_and_survives_a_restart_between_them() {
    let (picture, code) = side_view();
    let (mut lane, exit) = lock(picture).await;
    let (stop, watched) = both_up(&lane.block, &exit);
    let mission = lane.central.create(&released_export(&code)).await;
    lane.block.loops(true, false);
    drive_in(&lane, &exit).await;
    lane.gate = lane.gate.crash_and_restart().await;
    // Decided about anew for the exit arm, by the same pass.
    until("the exit arm to rise", 30, || async { (exit.arm() >= 1.0).then_some(()) }).await;
    assert_eq!((lane.block.arm(), lane.block.raises(), exit.raises()), (0.0, 1, 1));
    let view = lane.until("the vehicle in the lock", 10, |l| l.state == LaneState::Passing).await;
    assert!(view.exit_inputs.is_some_and(|i| i.loop_approach.is_on()), "{view:?}");
    exit.loops(true, true);
    let under = |l: &gate_types::console::LaneView| l.exit_inputs.is_some_and(|i| i.loop_under.is_on());
    lane.until("the vehicle under the exit arm", 10, under).await;
    exit.loops(false, true);
    lane.until("the loop between free", 10, |l| l.exit_inputs.is_some_and(|i| !i.loop_approach.is_on()))
        .await;
    exit.loops(false, false);
    lane.until("the pass to end", 20, |l| l.pass.is_none() && l.state == LaneState::Idle).await;
    assert_eq!((exit.arm(), lane.block.arm(), lane.block.lowers(), exit.lowers()), (0.0, 0.0, 1, 1));
    stop.store(true, Ordering::SeqCst);
    assert!(!watched.await.unwrap(), "both arms were up at once");
    until("the passage at central", 20, || async {
        (lane.central.mission(&mission.id).await.passed.len() == 1).then_some(())
    })
    .await;
    assert!(journal::verify(&lane.stand.path().join("state/journal.db")).is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_refused_in_a_lock_gets_out_backwards_by_an_operator() {
    let (picture, code) = side_view();
    let (lane, exit) = lock(picture).await;
    let mission = lane.central.create(&released_export(&code)).await;
    lane.block.loops(true, false);
    until("the entry arm to rise", 30, || async { (lane.block.arm() >= 1.0).then_some(()) }).await;
    let refused = MissionChange {
        status: Some(CustomsStatus::Refused),
        holds: None,
        conditions: None,
        circumstances: None,
        by: "a test".into(),
    };
    lane.central.change(&mission.id, &refused).await;
    drive_in(&lane, &exit).await;
    lane.until("refused between the arms", 20, |l| l.state == LaneState::Referred).await;
    assert_eq!(exit.raises(), 0);
    let token = std::fs::read_to_string(lane.stand.path().join("state/console-token")).unwrap();
    assert!(lane.gate.act(&token, LANE, "turn_back").await);
    until("the entry arm to rise", 20, || async { (lane.block.arm() >= 1.0).then_some(()) }).await;
    assert_eq!((exit.arm(), lane.block.raises()), (0.0, 2));
    lane.block.loops(false, true);
    lane.until("the vehicle under the entry arm", 10, |l| l.inputs.loop_under.is_on()).await;
    exit.loops(false, false);
    lane.until("the lock free", 10, |l| l.exit_inputs.is_some_and(|i| !i.loop_approach.is_on())).await;
    lane.block.loops(false, false);
    let view = lane.until("the pass to end", 20, |l| l.pass.is_none()).await;
    assert_eq!((lane.block.arm(), exit.raises()), (0.0, 0), "{view:?}");
}
