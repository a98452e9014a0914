//! A lane whose plate comes from a camera that reads by itself: curl pushes Hikvision's multipart under digest
//! to the running gate, and the vehicle is admitted on it (D, camera).

use gate_types::console::LaneState;
use std::process::Command;
use tests::{Block, Central, Gate, LANE, NodeFile, Stand, drive_through, released_export, root, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plate_that_a_camera_pushes_admits_its_vehicle() {
    let stand = Stand::new();
    let central = Central::start(stand.path()).await;
    let block = Block::start().await;
    let state = stand.path().join("state");
    let mut file = NodeFile::bari("1", &central, &state);
    let lane = file.only_lane(LANE);
    for gone in ["weight", "scale", "reader", "sign"] {
        lane.remove(gone);
    }
    lane["io"].as_table_mut().unwrap().insert("endpoint".into(), block.endpoint().into());
    let identity: toml::Table =
        "slots = ['tractor_plate']\nfactors_wanted = 1\nfactors_needed = 1\nread_threshold = 0.6"
            .parse()
            .unwrap();
    lane.insert("identity".into(), identity.into());
    let cameras = lane["camera"].as_array_mut().unwrap();
    cameras.retain(|c| c["view"].as_str() == Some("front"));
    let camera = cameras[0].as_table_mut().unwrap();
    let endpoint = "push:///front?form=hikvision&auth=digest&user=cam&password_file=front.password";
    camera.insert("endpoint".into(), endpoint.into());
    camera.insert("kinds".into(), vec![toml::Value::from("plate")].into());
    // It reads by itself: a gate without a vision worker.
    file.0.remove("ocr");
    file.0.insert("push".into(), toml::Value::Table("listen = '127.0.0.1:0'".parse().unwrap()));
    std::fs::create_dir_all(&state).unwrap();
    std::fs::write(state.join("front.password"), "s3cret\n").unwrap();
    let gate = Gate::start(&central, "1", &file, stand.path()).await;
    gate.lane_until(LANE, "an idle lane without faults", 20, |l| {
        l.state == LaneState::Idle && l.faults.is_empty()
    })
    .await;
    let mut mission = released_export("CSQU3054383");
    mission.expected.tractor_plate = Some("AB123CD".into());
    central.create(&mission).await;

    let ready = std::fs::read_to_string(stand.path().join("gate-ready.json")).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    let url = format!("http://{}/front", ready["push"].as_str().unwrap());
    let bodies = root().join("lpr-push/tests/bodies");
    let push = |password: &str| {
        let (xml, jpeg) = (bodies.join("hikvision-anpr.xml"), bodies.join("scene.jpg"));
        let done = Command::new("curl")
            .args([
                "-s",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code}",
                "--digest",
                "-u",
                &format!("cam:{password}"),
            ])
            .args(["-F", &format!("anpr.xml=@{};type=text/xml", xml.display())])
            .args(["-F", &format!("detectionPicture.jpg=@{};type=image/jpeg", jpeg.display()), &url])
            .output();
        String::from_utf8(done.expect("curl is missing").stdout).unwrap()
    };
    block.loops(true, false);
    gate.lane_until(LANE, "the vehicle", 10, |l| l.pass.is_some()).await;
    assert_eq!(push("wrong"), "401");
    assert_eq!(push("s3cret"), "200");
    gate.lane_until(LANE, "an Admit", 30, |l| l.verdict.as_ref().is_some_and(|v| v.admits())).await;
    until("the picture", 10, || async { gate.has_frame("n1-in-1.front").await.then_some(()) }).await;
    drive_through(&gate, &block, LANE).await;
}
