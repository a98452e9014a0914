//! The remote I/O driver against a real Modbus TCP server.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

mod common;

use barrier_io::{IoCommand, Light};
use common::{Access, Block, Lane, eventually, free, map};
use device::{Health, Observed};
use gate_types::observation::{LaneInputs, Level};
use std::time::Duration;
use tokio::sync::oneshot;

#[tokio::test]
async fn inputs_follow_the_block_and_repeat_while_unchanged() {
    let block = Block::new();
    let (address, _server) = block.serve("127.0.0.1:0").await;
    let mut lane = Lane::start(address);
    lane.until_inputs(free()).await;
    let occupied = LaneInputs { loop_approach: Level::On, ..free() };
    block.set(|s| s.inputs = occupied);
    lane.until_inputs(occupied).await;
    for _ in 0..3 {
        let again = lane.until("a repeat", |o| matches!(o, Observed::Inputs(_))).await;
        assert_eq!(again, Observed::Inputs(occupied));
    }
    assert!(lane.heard.contains(&Observed::Health(Health::Up)));
}

#[tokio::test]
async fn the_first_action_is_a_read_and_nothing_is_commanded_unasked() {
    let block = Block::new();
    let (address, _server) = block.serve("127.0.0.1:0").await;
    let mut lane = Lane::start(address);
    lane.until_up().await;
    assert_eq!(block.state.lock().unwrap().seen[0].0, Access::Read);
    assert_eq!(block.deeds(), vec![]);
}

#[tokio::test]
async fn a_raise_is_one_pulse_and_polling_goes_on_in_it() {
    let block = Block::new();
    let (address, _server) = block.serve("127.0.0.1:0").await;
    let mut lane = Lane::start(address);
    lane.until_up().await;
    lane.raise().await.unwrap().unwrap();
    let (raise, lower) = (map().outputs.raise, map().outputs.permit_lower);
    let pulse = [(raise, false), (lower, false), (raise, true), (raise, false)];
    assert_eq!(block.deeds(), pulse[..3], "done fires at the acknowledged write");
    eventually("the pulse's end", || block.deeds() == pulse).await;
    let state = block.state.lock().unwrap();
    let at = |on| state.seen.iter().rfind(|(a, _)| *a == Access::Write { coil: raise, on }).unwrap().1;
    let (on, off) = (at(true), at(false));
    assert!(off - on >= Duration::from_millis(280), "{:?}", off - on);
    let reads = state.seen.iter().filter(|(a, t)| *a == Access::Read && *t > on && *t < off).count();
    assert!(reads >= 3, "{reads} reads within the pulse");
}

#[tokio::test]
async fn a_new_pulse_ends_the_one_before() {
    let block = Block::new();
    let (address, _server) = block.serve("127.0.0.1:0").await;
    let mut lane = Lane::start(address);
    lane.until_up().await;
    let (done, permitted) = oneshot::channel();
    lane.commands.send(IoCommand::PermitLower { done }).await.unwrap();
    permitted.await.unwrap().unwrap();
    lane.raise().await.unwrap().unwrap();
    let (raise, lower) = (map().outputs.raise, map().outputs.permit_lower);
    assert_eq!(block.deeds()[2..], [(lower, true), (lower, false), (raise, true)]);
}

/// The daemon before was killed within its pulse, and the coupler holds its outputs.
#[tokio::test]
async fn a_coil_that_another_left_on_goes_off_before_the_first_pulse_and_not_sooner() {
    let block = Block::new();
    let (raise, lower) = (map().outputs.raise, map().outputs.permit_lower);
    block.set(|s| {
        s.coils.insert(raise, true);
    });
    let (address, _server) = block.serve("127.0.0.1:0").await;
    let mut lane = Lane::start(address);
    lane.until_up().await;
    assert_eq!(block.deeds(), vec![], "a shadow lane writes nothing");
    lane.raise().await.unwrap().unwrap();
    assert_eq!(block.deeds(), vec![(raise, false), (lower, false), (raise, true)]);
}

#[tokio::test]
async fn lamps_exclude_each_other_and_the_heartbeat_toggles() {
    let block = Block::new();
    let (address, _server) = block.serve("127.0.0.1:0").await;
    let mut lane = Lane::start(address);
    lane.until_up().await;
    let out = map().outputs;
    lane.commands.send(IoCommand::Light(Light::Green)).await.unwrap();
    lane.commands.send(IoCommand::Light(Light::Red)).await.unwrap();
    let expected =
        vec![(out.lamp_red, false), (out.lamp_green, true), (out.lamp_green, false), (out.lamp_red, true)];
    eventually("both lamps", || block.deeds() == expected).await;
    eventually("four beats", || block.writes().iter().filter(|(c, _)| *c == out.heartbeat).count() >= 4)
        .await;
    let writes = block.writes();
    let beats: Vec<bool> = writes.iter().filter(|(c, _)| *c == out.heartbeat).map(|(_, on)| *on).collect();
    assert!(beats.windows(2).all(|w| w[0] != w[1]), "{beats:?}");
}

#[tokio::test]
async fn a_refused_write_is_told_and_the_link_stays() {
    let block = Block::new();
    let (address, _server) = block.serve("127.0.0.1:0").await;
    let mut lane = Lane::start(address);
    lane.until_up().await;
    let out = map().outputs;
    block.set(|s| s.refuse_writes_to = Some(out.raise));
    let why = lane.raise().await.unwrap().unwrap_err();
    assert!(why.contains("exception"), "{why}");
    block.set(|s| s.refuse_writes_to = Some(out.lamp_red));
    lane.commands.send(IoCommand::Light(Light::Red)).await.unwrap();
    lane.until(
        "degraded",
        |o| matches!(o, Observed::Health(Health::Degraded { why }) if why.contains("lamp")),
    )
    .await;
    block.set(|s| s.refuse_writes_to = None);
    lane.commands.send(IoCommand::Light(Light::Red)).await.unwrap();
    lane.until_up().await;
}

/// A stalled server that answers late with an old picture: the late answer is never taken for a fresh one.
#[tokio::test]
async fn a_late_answer_is_never_taken_for_a_fresh_one() {
    let block = Block::new();
    let (address, _server) = block.serve("127.0.0.1:0").await;
    let mut lane = Lane::start(address);
    lane.until_inputs(free()).await;
    // The stalled read has taken its picture of a free lane; then a vehicle comes.
    block.open.send_replace(false);
    let reads = |b: &Block| b.state.lock().unwrap().seen.iter().filter(|(a, _)| *a == Access::Read).count();
    let before = reads(&block);
    eventually("the stalled read", || reads(&block) > before).await;
    let occupied = LaneInputs { loop_under: Level::On, ..free() };
    block.set(|s| s.inputs = occupied);
    let why = lane.until_down().await;
    assert!(why.contains("n1-in-1.io") && why.contains("no answer within 300 ms"), "{why}");
    let lost = lane.heard.len();
    assert_eq!(
        lane.heard[lost - 2],
        Observed::Inputs(map().unknown()),
        "inputs are unknown before down is said"
    );
    block.open.send_replace(true);
    lane.until_inputs(occupied).await;
    for heard in &lane.heard[lost..] {
        assert_ne!(*heard, Observed::Inputs(free()), "an old picture was taken for a fresh one");
    }
}

#[tokio::test]
async fn a_command_of_a_lost_link_is_not_made_up_for() {
    let block = Block::new();
    let (address, server) = block.serve("127.0.0.1:0").await;
    let mut lane = Lane::start(address);
    lane.until_up().await;
    server.abort();
    let why = lane.until_down().await;
    assert!(why.contains(&address.to_string()), "{why}");
    // Answered with an error by the connecting driver, or dropped by the waiting supervisor.
    assert!(!matches!(lane.raise().await, Ok(Ok(_))));
    let (_, _server) = block.serve(&address.to_string()).await;
    lane.until_up().await;
    lane.until_inputs(free()).await;
    assert_eq!(block.deeds(), vec![], "the raise was not replayed");
    lane.raise().await.unwrap().unwrap();
}

#[tokio::test]
async fn a_pulse_that_a_loss_left_on_is_ended_after_the_first_read() {
    let block = Block::new();
    let (address, server) = block.serve("127.0.0.1:0").await;
    let mut lane = Lane::start(address);
    lane.until_up().await;
    lane.raise().await.unwrap().unwrap();
    server.abort();
    lane.until_down().await;
    let (raise, at) = (map().outputs.raise, block.state.lock().unwrap().seen.len());
    assert!(block.state.lock().unwrap().coils[&raise]);
    let (_, _server) = block.serve(&address.to_string()).await;
    eventually("the pulse's end", || !block.state.lock().unwrap().coils[&raise]).await;
    assert_eq!(block.state.lock().unwrap().seen[at].0, Access::Read);
}

#[tokio::test]
async fn a_frozen_life_counter_makes_the_inputs_unknown_until_it_moves() {
    let block = Block::new();
    let (address, _server) = block.serve("127.0.0.1:0").await;
    let mut lane = Lane::start(address);
    lane.until_inputs(free()).await;
    block.set(|s| s.frozen = true);
    lane.until_inputs(map().unknown()).await;
    lane.until(
        "degraded",
        |o| matches!(o, Observed::Health(Health::Degraded { why }) if why.contains("life")),
    )
    .await;
    assert!(lane.raise().await.unwrap().is_err(), "nothing is commanded on unknown inputs");
    assert_eq!(block.deeds(), vec![]);
    block.set(|s| s.frozen = false);
    lane.until_inputs(free()).await;
    lane.until_up().await;
}

#[tokio::test]
async fn a_block_whose_counter_never_moved_is_not_believed() {
    let block = Block::new();
    block.set(|s| s.frozen = true);
    let (address, _server) = block.serve("127.0.0.1:0").await;
    let mut lane = Lane::start(address);
    lane.until("degraded", |o| matches!(o, Observed::Health(Health::Degraded { .. }))).await;
    assert!(!lane.heard.contains(&Observed::Inputs(free())));
    assert!(!lane.heard.contains(&Observed::Health(Health::Up)));
}

/// Position and lamps are what is read, never what was written.
#[tokio::test]
async fn an_output_that_reads_otherwise_is_written_again_and_told() {
    let block = Block::new();
    let (address, _server) = block.serve("127.0.0.1:0").await;
    let mut lane = Lane::start(address);
    lane.until_up().await;
    let out = map().outputs;
    block.set(|s| s.stuck_off = Some(out.lamp_green));
    lane.commands.send(IoCommand::Light(Light::Green)).await.unwrap();
    let told = |o: &Observed| {
        matches!(o, Observed::Health(Health::Degraded { why })
            if why.contains("coil 3 (lamp_green) was written on and reads off"))
    };
    lane.until("degraded", told).await;
    block.set(|s| s.stuck_off = None);
    lane.until_up().await;
    // The block's own watchdog drops everything: the lamp comes back by itself, the arm's coils do not.
    block.set(|s| s.coils.clear());
    eventually("the lamp", || block.state.lock().unwrap().coils.get(&out.lamp_green) == Some(&true)).await;
    assert!(!block.writes().contains(&(out.raise, true)));
}

#[tokio::test]
async fn a_barrier_without_a_stop_input_says_so() {
    let block = Block::new();
    let (address, _server) = block.serve("127.0.0.1:0").await;
    let mut lane = Lane::start(address);
    lane.until_up().await;
    let (done, answer) = oneshot::channel();
    lane.commands.send(IoCommand::Stop { done }).await.unwrap();
    assert!(answer.await.unwrap().unwrap_err().contains("outputs.stop"));
}
