//! The worker process under the daemon's driver: reads a camera, and is started anew when it is killed.

use device::{Backoff, Clock, DeviceLink, Tap, supervise};
use gate_types::DeviceId;
use gate_types::observation::{Health, Observation, Observed, ReadKind, View};
use lpr_ocr::{CameraCommand, CameraSpec, FrameStore, WorkerDriver, WorkerSpec, mjpeg};
use opencv::core::{CV_8UC1, Mat, Scalar, Vector};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const LIMIT: Duration = Duration::from_secs(60);

fn picture(tone: f64) -> Vec<u8> {
    let mat = Mat::new_rows_cols_with_default(360, 640, CV_8UC1, Scalar::all(tone)).unwrap();
    let mut out = Vector::new();
    opencv::imgcodecs::imencode_def(".jpg", &mat, &mut out).unwrap();
    out.into()
}

/// A camera: ten frames a second, each of another brightness.
async fn camera() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0u8; 512];
                let _ = socket.read(&mut request).await;
                let writer = mjpeg::Writer::new("varco").unwrap();
                socket.write_all(&writer.answer()).await.ok()?;
                let mut every = tokio::time::interval(Duration::from_millis(100));
                for n in 0.. {
                    every.tick().await;
                    let part = writer.part(&picture(90.0 + f64::from(n % 40)));
                    socket.write_all(&part).await.ok()?;
                }
                Some(())
            });
        }
    });
    format!("mjpeg://127.0.0.1:{port}/live")
}

struct Watched {
    observations: mpsc::Receiver<Observation>,
    commands: mpsc::Sender<CameraCommand>,
    frames: FrameStore,
    camera: DeviceId,
    task: tokio::task::JoinHandle<()>,
}

async fn watch(endpoint: String) -> Watched {
    watch_for(endpoint, false).await
}

async fn watch_for(endpoint: String, codes: bool) -> Watched {
    let (sender, observations) = mpsc::channel(64);
    let (commands, receiver) = mpsc::channel(8);
    let camera = DeviceId::new("n1-in-1.front").unwrap();
    let spec = WorkerSpec {
        command: env!("CARGO_BIN_EXE_varco-ocr").into(),
        models: None,
        regions: vec!["it".into()],
        camera: CameraSpec {
            id: camera.clone(),
            endpoint,
            view: View::Front,
            kinds: vec![ReadKind::Plate],
            codes,
        },
        turns: None,
        scene: None,
    };
    let frames = FrameStore::new();
    let link = DeviceLink {
        id: camera.clone(),
        clock: Clock::start(),
        observations: sender,
        commands: receiver,
        tap: Tap::off(),
    };
    let worker = WorkerDriver::new(spec, frames.clone());
    let task = tokio::spawn(supervise(worker, link, Backoff::default()));
    Watched { observations, commands, frames, camera, task }
}

impl Watched {
    async fn until(&mut self, what: &str, wanted: impl Fn(&Observation) -> bool) -> Observation {
        let wait = async {
            loop {
                let o = self.observations.recv().await.expect("the lane lives");
                if wanted(&o) {
                    return o;
                }
            }
        };
        tokio::time::timeout(LIMIT, wait).await.unwrap_or_else(|_| panic!("{what} did not come"))
    }
    async fn up(&mut self) {
        let camera = self.camera.clone();
        self.until("up", |o| o.device == camera && o.what == Observed::Health(Health::Up)).await;
    }
}

fn worker_pids() -> Vec<i32> {
    let me = std::process::id().to_string();
    let entries = std::fs::read_dir("/proc").unwrap();
    entries
        .filter_map(|e| e.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let after = stat.rsplit_once(')').map_or("", |s| s.1);
            let mut words = after.split_whitespace();
            stat.contains("(varco-ocr)") && words.next() != Some("Z") && words.next() == Some(&me)
        })
        .collect()
}

#[tokio::test]
async fn a_killed_worker_is_replaced_and_reads_again() {
    let mut lane = watch(camera().await).await;
    let camera = lane.camera.clone();
    lane.up().await;
    lane.commands.send(CameraCommand::Observe).await.unwrap();
    let started = Instant::now();
    while lane.frames.get(&camera).is_none() {
        assert!(started.elapsed() < LIMIT, "no evidence frame came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let evidence = lane.frames.get(&camera).unwrap();
    assert!(evidence.jpeg.starts_with(&[0xff, 0xd8]) && evidence.sha256.len() == 64);

    let first = worker_pids();
    assert_eq!(first.len(), 1, "one worker per camera");
    let killed = Instant::now();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(first[0]), nix::sys::signal::Signal::SIGKILL).unwrap();
    let down = lane
        .until("down", |o| o.device == camera && matches!(o.what, Observed::Health(Health::Down { .. })))
        .await;
    assert!(format!("{down:?}").contains("SIGKILL"), "the reason names the signal: {down:?}");
    lane.up().await;
    let healed = killed.elapsed();
    println!("healed after {} ms", healed.as_millis());
    assert!(healed < Duration::from_secs(10), "{healed:?}");
    // Still observing: the new worker reads without being told again.
    let old = lane.frames.get(&camera).unwrap().stamp.mono_ms;
    let started = Instant::now();
    while lane.frames.get(&camera).unwrap().stamp.mono_ms <= old {
        assert!(started.elapsed() < LIMIT, "the new worker did not read");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_ne!(worker_pids(), first);
    drop(lane.commands);
    tokio::time::timeout(LIMIT, lane.task).await.expect("the driver ends with its lane").unwrap();
    assert!(worker_pids().is_empty(), "no worker is left behind");
}

#[tokio::test]
async fn a_camera_that_is_not_there_is_down_and_says_where() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut lane = watch(format!("mjpeg://127.0.0.1:{port}/x")).await;
    let camera = lane.camera.clone();
    let o = lane.until("down", |o| o.device == camera).await;
    let Observed::Health(Health::Down { why }) = o.what else { panic!("{o:?}") };
    assert!(why.contains(&port.to_string()) && why.contains("connection"), "{why}");
}

#[tokio::test]
async fn a_missing_program_is_a_lost_device() {
    let (sender, mut observations) = mpsc::channel(8);
    let (_commands, receiver) = mpsc::channel(1);
    let id = DeviceId::new("n1-in-1.front").unwrap();
    let camera = CameraSpec {
        id: id.clone(),
        endpoint: "mjpeg://127.0.0.1:9/".into(),
        view: View::Front,
        kinds: vec![ReadKind::Plate],
        codes: false,
    };
    let spec = WorkerSpec {
        command: "/nowhere/varco-ocr".into(),
        models: None,
        regions: vec![],
        camera,
        turns: None,
        scene: None,
    };
    let link =
        DeviceLink { id, clock: Clock::start(), observations: sender, commands: receiver, tap: Tap::off() };
    let task = tokio::spawn(supervise(WorkerDriver::new(spec, FrameStore::new()), link, Backoff::default()));
    let o = observations.recv().await.unwrap();
    assert!(
        format!("{o:?}").contains("/nowhere/varco-ocr") || format!("{o:?}").contains("cannot be started")
    );
    task.abort();
}

/// A folder with a frame on which somebody holds a code (drawn by Debian's qrencode) before the camera.
fn held_code(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let drawn = std::process::Command::new("qrencode")
        .args(["-l", "M", "-s", "4", "-m", "4", "-t", "PNG", "-o"])
        .arg(folder.path().join("code.png"))
        .arg(text)
        .status();
    assert!(drawn.expect("qrencode is missing: run scripts/peers.sh").success());
    folder
}

#[tokio::test]
async fn a_code_before_the_camera_is_told_once_a_vehicle_and_only_where_codes_are_asked_for() {
    let text = format!("VARCO1:{}", "eyJhbGciOiJFZERTQSJ9.".repeat(20));
    let (drawn, folder) = (held_code(&text), tempfile::tempdir().unwrap());
    let endpoint = format!("dir://{}", folder.path().display());
    let mut lane = watch_for(endpoint, true).await;
    lane.up().await;
    for n in 0..2 {
        lane.commands.send(CameraCommand::Observe).await.unwrap();
        std::fs::copy(drawn.path().join("code.png"), folder.path().join(format!("{n}.png"))).unwrap();
        let seen = lane.until("the code", |o| matches!(o.what, Observed::Code(_))).await;
        let Observed::Code(code) = seen.what else { panic!("{seen:?}") };
        assert_eq!(code.text, text);
        lane.commands.send(CameraCommand::Rest).await.unwrap();
    }
    assert!(!matches!(lane.observations.try_recv(), Ok(Observation { what: Observed::Code(_), .. })));
    drop(lane.commands);
    lane.task.await.unwrap();
}
