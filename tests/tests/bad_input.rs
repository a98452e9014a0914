//! Hostile wires, a silent central, a wrong configuration: a clear fault that names the device and is cleared
//! when it heals; the lane holds or refers; nothing is lost; nobody panics (D38, F-MAL1, F-CEN1).

use gate_types::api::EventCounts;
use gate_types::console::{LaneState, LaneView, Metrics};
use gate_types::fault::FaultKind;
use gate_types::verdict::{Reason, ReasonCode};
use nix::sys::signal::Signal;
use std::process::Command;
use std::time::{Duration, Instant};
use tests::{
    Block, Camera, Central, ContainerLane, Gate, LANE, Mood, NodeFile, Proxy, Stand, binary, root, until,
};

fn has_fault(view: &LaneView, device: &str) -> bool {
    view.faults.iter().any(|f| f.device == device)
}

fn set_endpoint(lane: &mut toml::Table, device: &str, endpoint: String) {
    lane[device].as_table_mut().unwrap().insert("endpoint".into(), endpoint.into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_on_every_wire_is_named_and_healed_and_costs_nothing() {
    let stand = Stand::new();
    let (picture, code) = tests::rendered(stand.path());
    let central = Central::start(stand.path()).await;
    let block = Block::start().await;
    let camera = Camera::start(picture).await;
    let io = Proxy::start(Some(block.address), Mood::Garbage).await;
    let eye = Proxy::start(Some(camera.address), Mood::Garbage).await;
    let reader = Proxy::start(None, Mood::Garbage).await;
    let scale = Proxy::start(None, Mood::Garbage).await;
    let sign = Proxy::start(None, Mood::Garbage).await;
    let broker = Proxy::start(None, Mood::Garbage).await;

    let mut file = NodeFile::bari("1", &central, &stand.path().join("state"));
    let mqtt: toml::Table = format!("host = '127.0.0.1'\nport = {}", broker.address.port()).parse().unwrap();
    file.0.insert("mqtt".into(), mqtt.into());
    let lane = file.only_lane(LANE);
    set_endpoint(lane, "io", format!("modbus://{}?unit=1", io.address));
    set_endpoint(lane, "reader", format!("llrp://{}", reader.address));
    set_endpoint(lane, "scale", format!("tcp://{}?protocol=toledo", scale.address));
    set_endpoint(lane, "sign", format!("tcp://{}", sign.address));
    let cameras = lane["camera"].as_array_mut().unwrap();
    cameras.retain(|c| c["view"].as_str() == Some("side"));
    cameras[0]
        .as_table_mut()
        .unwrap()
        .insert("endpoint".into(), format!("mjpeg://{}/stream", eye.address).into());
    lane["weight"].as_table_mut().unwrap().insert("required".into(), false.into());
    let identity: toml::Table =
        "slots = ['itu', 'vehicle_tag']\nfactors_wanted = 1\nfactors_needed = 1\nread_threshold = 0.6"
            .parse()
            .unwrap();
    lane.insert("identity".into(), identity.into());

    let mut gate = Gate::start(&central, "1", &file, stand.path()).await;
    for device in ["io", "reader", "scale", "sign", "side"] {
        let name = format!("{LANE}.{device}");
        let view =
            gate.lane_until(LANE, &format!("a fault that names {name}"), 30, |l| has_fault(l, &name)).await;
        let fault = view.faults.iter().find(|f| f.device == name).unwrap();
        assert!(!fault.text.is_empty(), "{fault:?}");
    }
    // With its remote I/O mad the lane never works, and no arm ever moves.
    block.loops(true, false);
    let view = gate.lane(LANE).await;
    assert!(view.pass.is_none() || view.verdict.is_none(), "{view:?}");
    assert_eq!(block.raises(), 0);
    block.loops(false, false);

    // What heals is cleared; what stays mad does not keep the lane from working.
    io.turn(Mood::Honest);
    eye.turn(Mood::Honest);
    for device in ["io", "side"] {
        let name = format!("{LANE}.{device}");
        gate.lane_until(LANE, &format!("{name} healed"), 30, |l| !has_fault(l, &name)).await;
    }
    gate.lane_until(LANE, "an idle lane", 20, |l| l.state == LaneState::Idle).await;
    let mission = central.create(&tests::released_export(&code)).await;
    block.loops(true, false);
    gate.lane_until(LANE, "an Admit in spite of four mad devices", 30, |l| {
        l.verdict.as_ref().is_some_and(|v| v.admits())
    })
    .await;
    tests::drive_through(&gate, &block, LANE).await;
    assert_eq!(central.mission(&mission.id).await.passed.len(), 1);
    assert!(gate.process.runs(), "the daemon lives");
    assert!(!gate.process.output().contains("panicked"), "{}", gate.process.output());
    let journal = stand.path().join("state/journal.db");
    assert!(journal::verify(&journal).is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_central_holds_the_lane_and_loses_nothing() {
    let (picture, code) = tests::side_view();
    let mut lane = ContainerLane::start(picture).await;
    let mission = lane.central.create(&tests::released_export(&code)).await;

    // Gone before the question: held, with the reason, and a fault that names central.
    lane.central.process.signal(Signal::SIGKILL);
    lane.central.process.wait(5);
    lane.block.loops(true, false);
    let silent = |r: &Reason| r.code == ReasonCode::CentralSilent;
    let view = lane
        .until("a hold", 30, |l| l.verdict.as_ref().is_some_and(|v| v.reasons().iter().any(silent)))
        .await;
    assert_eq!(lane.block.raises(), 0, "an admission is never a time-out: {view:?}");
    assert!(view.faults.iter().any(|f| f.kind == FaultKind::CentralDown), "{:?}", view.faults);

    // Back: the lane asks again by itself, the same pass goes on, the events of the outage arrive once.
    lane.central = lane.central.crash_and_restart().await;
    lane.admit().await;
    let view = lane.drive_through().await;
    assert!(!view.faults.iter().any(|f| f.kind == FaultKind::CentralDown), "cleared: {:?}", view.faults);
    assert_eq!(lane.block.raises(), 1);
    until("every event at central exactly once", 20, || async {
        let metrics: Metrics = lane.gate.get("/api/v1/metrics").await;
        let counts: EventCounts = lane.central.get(gate_types::api::EVENT_COUNTS).await;
        assert_eq!(counts.duplicated, 0);
        (counts.stored == metrics.events && metrics.acknowledged == metrics.events).then_some(())
    })
    .await;
    assert_eq!(lane.central.mission(&mission.id).await.passed.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_killed_under_a_raised_arm_never_pulses_twice() {
    let (picture, code) = tests::side_view();
    let mut lane = ContainerLane::start(picture).await;
    lane.central.create(&tests::released_export(&code)).await;
    lane.block.loops(true, false);
    until("the arm to rise", 30, || async { (lane.block.arm() >= 1.0).then_some(()) }).await;
    lane.gate = lane.gate.crash_and_restart().await;
    lane.until("the pass taken up again", 20, |l| l.pass.is_some() && l.state == LaneState::Passing).await;
    lane.drive_through().await;
    assert_eq!((lane.block.raises(), lane.block.lowers()), (1, 1), "one decision, one pulse (I2, I7)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_freezes_or_falls_silent_is_named_and_cleared() {
    let (picture, _) = tests::side_view();
    let camera = Camera::start(picture).await;
    let eye = Proxy::start(Some(camera.address), Mood::Honest).await;
    let endpoint = format!("mjpeg://{}/stream", eye.address);
    let lane = ContainerLane::edited(camera, |lane| {
        lane["camera"][0].as_table_mut().unwrap().insert("endpoint".into(), endpoint.into());
    })
    .await;
    let side = format!("{LANE}.side");

    // A vehicle without a mission stands there, so that the lane goes on looking.
    lane.camera.freeze(true);
    lane.block.loops(true, false);
    let view = lane.until("a frozen camera named", 15, |l| has_fault(l, &side)).await;
    let fault = view.faults.iter().find(|f| f.device == side).unwrap();
    assert_eq!(fault.kind, FaultKind::DeviceDegraded);
    assert!(fault.text.contains("frozen"), "{fault:?}");
    lane.camera.freeze(false);
    lane.until("the living camera cleared", 15, |l| !has_fault(l, &side)).await;

    eye.turn(Mood::Silent);
    let view = lane.until("a silent camera named", 15, |l| has_fault(l, &side)).await;
    assert_eq!(view.faults.iter().find(|f| f.device == side).unwrap().kind, FaultKind::DeviceDown);
    eye.turn(Mood::Honest);
    lane.until("the talking camera cleared", 15, |l| !has_fault(l, &side)).await;
    lane.block.loops(false, false);
    lane.until("the pass to end", 20, |l| l.pass.is_none()).await;
    assert_eq!(lane.block.raises(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_was_turned_or_covered_is_named_within_three_seconds_and_cleared() {
    let [here, elsewhere] = tests::two_places();
    let lane = ContainerLane::start(here.clone()).await;
    let side = format!("{LANE}.side");
    let scene = lane.stand.path().join("state/scenes").join(format!("{side}.scene"));
    until("the resting lane learned", 60, || async { scene.is_file().then_some(()) }).await;
    assert!(lane.gate.lane(LANE).await.faults.is_empty());

    let covered = tests::grey_picture();
    for (name, picture, word) in [("turned", &elsewhere, "turned"), ("covered", &covered, "covered")] {
        lane.camera.show(picture.clone());
        let shown = Instant::now();
        let view = lane.until("the camera named", 15, |l| has_fault(l, &side)).await;
        println!("{name}: told after {:?}", shown.elapsed());
        assert!(shown.elapsed() < Duration::from_secs(3), "{name}: {:?}", shown.elapsed());
        let fault = view.faults.iter().find(|f| f.device == side).unwrap();
        assert_eq!(fault.kind, FaultKind::DeviceDegraded);
        assert!(fault.text.contains(word), "{fault:?}");
        lane.camera.show(here.clone());
        lane.until("the right scene cleared", 15, |l| !has_fault(l, &side)).await;
    }
    // Meant so: the file is removed, and the new place is learned.
    lane.camera.show(elsewhere.clone());
    lane.until("the camera named", 15, |l| has_fault(l, &side)).await;
    std::fs::remove_file(&scene).unwrap();
    lane.until("the new place taken", 15, |l| !has_fault(l, &side)).await;
    until("the new place learned", 60, || async { scene.is_file().then_some(()) }).await;
}

#[test]
fn a_wrong_configuration_is_told_whole_and_nothing_starts() {
    let stand = Stand::new();
    let folder = root().join("config/sites/bari");
    let text = std::fs::read_to_string(folder.join("nodes/node-1.toml")).unwrap();
    let wrong = text
        .replace("node = \"1\"", "node = \"99\"")
        .replace("site = \"../site.toml\"", &format!("site = \"{}\"", folder.join("site.toml").display()))
        .replace("endpoint = \"llrp://", "endpoint = \"mjpeg://")
        .replace("clear_ms = 800", "clear_ms = 0");
    let file = stand.path().join("wrong.toml");
    std::fs::write(&file, wrong).unwrap();
    for arguments in [["check-config"].as_slice(), ["run", "--config"].as_slice()] {
        let out = Command::new(binary("varco-gate")).args(arguments).arg(&file).output().unwrap();
        assert_eq!(out.status.code(), Some(78), "{arguments:?}: EX_CONFIG");
        let said =
            format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        for place in ["node", "reader", "clear_ms"] {
            assert!(said.contains(place), "{arguments:?} does not name {place}:\n{said}");
        }
        assert!(said.contains("wrong.toml"), "{said}");
    }
}
