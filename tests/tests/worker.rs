//! A crash inside picture code costs one camera about a second: not the lane's other cameras, not the arm.

use gate_types::console::LaneView;
use gate_types::fault::FaultKind;
use nix::sys::signal::{Signal, kill};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tests::{Camera, ContainerLane, LANE, until};

fn has_fault(view: &LaneView, device: &str) -> bool {
    view.faults.iter().any(|f| f.device == device)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_worker_costs_its_camera_alone_and_comes_back() {
    let (picture, code) = tests::side_view();
    let camera = Camera::start(picture).await;
    // A second camera that sees the same: each has a worker of its own.
    let lane = ContainerLane::edited(camera, |lane| {
        let cameras = lane["camera"].as_array_mut().unwrap();
        let mut rear = cameras[0].clone();
        let table = rear.as_table_mut().unwrap();
        table.insert("id".into(), format!("{LANE}.rear").into());
        table.insert("view".into(), "rear".into());
        cameras.push(rear);
    })
    .await;
    let (rear, side) = (format!("{LANE}.rear"), format!("{LANE}.side"));
    let workers = |camera: &str| lane.gate.process.children(&format!("varco-ocr:{camera}"));
    let (first_rear, first_side) = (workers(&rear), workers(&side));
    assert_eq!((first_rear.len(), first_side.len()), (1, 1), "one worker per camera");

    // The rear camera's worker dies whenever it lives, for as long as the vehicle is read and admitted.
    let mission = lane.central.create(&tests::released_export(&code)).await;
    let dying = Arc::new(AtomicBool::new(true));
    let killer = async {
        while dying.load(Ordering::Relaxed) {
            workers(&rear).into_iter().for_each(|pid| kill(pid, Signal::SIGKILL).unwrap_or_default());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let story = async {
        let view = lane.until("a fault that names the camera", 10, |l| has_fault(l, &rear)).await;
        let fault = view.faults.iter().find(|f| f.device == rear).unwrap();
        assert_eq!(fault.kind, FaultKind::DeviceDown);
        assert!(fault.text.contains("worker") && fault.text.contains("SIGKILL"), "{fault:?}");
        lane.block.loops(true, false);
        let view = lane.admit().await;
        assert!(has_fault(&view, &rear) && !has_fault(&view, &side), "{:?}", view.faults);
        assert!(view.reads.contains_key(&side) && !view.reads.contains_key(&rear), "{:?}", view.reads);
        dying.store(false, Ordering::Relaxed);
    };
    tokio::join!(killer, story);
    assert_eq!(workers(&side), first_side, "the other camera's worker lives on");
    lane.drive_through().await;
    assert_eq!(lane.central.mission(&mission.id).await.passed.len(), 1);

    // Left alone, it comes back, and its camera reads the next vehicle.
    lane.until("the camera back", 20, |l| l.faults.is_empty()).await;
    assert_ne!(workers(&rear), first_rear);
    lane.block.loops(true, false);
    until("a frame of the camera that was lost", 20, || async {
        lane.gate.has_frame(&rear).await.then_some(())
    })
    .await;
}
