//! Cameras that push, with curl as the camera: digest and basic, multipart and JSON, all through the driver.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use device::{Backoff, Clock, DeviceLink, Endpoint, Health, Observation, Observed, Tap, supervise};
use gate_controller::push;
use gate_types::DeviceId;
use gate_types::observation::View;
use lpr_ocr::{CameraCommand, FrameStore};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::mpsc;

const LIMIT: Duration = Duration::from_secs(20);

struct Camera {
    commands: mpsc::Sender<CameraCommand>,
    seen: mpsc::Receiver<Observation>,
    frames: FrameStore,
    url: String,
    _folder: tempfile::TempDir,
}

impl Camera {
    async fn start(form: &str, auth: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), "s3cret\n").unwrap();
        let text = format!("push:///cam/front?form={form}&auth={auth}&user=cam&password_file=password");
        let (frames, clock) = (FrameStore::new(), Clock::start());
        let endpoint = Endpoint::parse(&text).unwrap();
        let (camera, driver) = push::camera(&endpoint, folder.path(), View::Front).unwrap();
        let driver = driver.keeping(frames.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/cam/front", listener.local_addr().unwrap());
        tokio::spawn(push::serve(listener, vec![camera], clock));
        let (observations, seen) = mpsc::channel(16);
        let (commands, receiver) = mpsc::channel(4);
        let id = DeviceId::new("n1-in-1.front").unwrap();
        let link = DeviceLink { id, clock, observations, commands: receiver, tap: Tap::off() };
        tokio::spawn(supervise(driver, link, Backoff::default()));
        Self { commands, seen, frames, url, _folder: folder }
    }
    async fn next(&mut self) -> Observed {
        tokio::time::timeout(LIMIT, self.seen.recv()).await.unwrap().unwrap().what
    }
    /// The status that curl saw.
    async fn curl(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("curl");
        command.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "15"]);
        let done = command.args(arguments).arg(&self.url).output().await.expect("curl is missing");
        String::from_utf8(done.stdout).unwrap()
    }
}

fn bodies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../lpr-push/tests/bodies")
}

#[tokio::test]
async fn a_multipart_of_hikvision_under_digest_becomes_a_reading_once() {
    let mut camera = Camera::start("hikvision", "digest").await;
    assert_eq!(camera.next().await, Observed::Health(Health::Up));
    let jpeg = bodies().join("scene.jpg");
    let xml = format!("anpr.xml=@{};type=text/xml", bodies().join("hikvision-anpr.xml").display());
    let picture = format!("detectionPicture.jpg=@{};type=image/jpeg", jpeg.display());
    let form = ["-F", xml.as_str(), "-F", picture.as_str()];
    assert_eq!(camera.curl(&form).await, "401", "nobody pushes without a password");
    let wrong = [&["--digest", "-u", "cam:wrong"], &form[..]].concat();
    assert_eq!(camera.curl(&wrong).await, "401");
    let right = [&["--digest", "-u", "cam:s3cret"], &form[..]].concat();
    // Before the vehicle stands on the loop: kept, and told when it does.
    assert_eq!(camera.curl(&right).await, "200");
    camera.commands.send(CameraCommand::Observe).await.unwrap();
    let Observed::Read(read) = camera.next().await else { panic!() };
    assert_eq!((read.text.as_str(), read.raw_text.as_str()), ("AB123CD", "AB 123 CD"));
    let evidence = camera.frames.by_sha256(&read.frame_sha256).unwrap();
    assert_eq!(evidence.jpeg.to_vec(), std::fs::read(&jpeg).unwrap());
    // The same event again is nothing new; another body is.
    assert_eq!(camera.curl(&right).await, "200");
    assert_eq!(camera.curl(&["--digest", "-u", "cam:s3cret", "-d", "<html></html>"]).await, "400");
    let Observed::Health(Health::Degraded { why }) = camera.next().await else { panic!() };
    assert!(why.contains("EventNotificationAlert"), "{why}");
}

#[tokio::test]
async fn json_under_basic_and_nothing_of_a_vehicle_that_left() {
    let mut camera = Camera::start("json", "basic").await;
    assert_eq!(camera.next().await, Observed::Health(Health::Up));
    let body = |event: &str, plate: &str| {
        format!("{{\"event\":\"{event}\",\"plate\":\"{plate}\",\"confidence\":0.9}}")
    };
    let (first, second) = (body("e-1", "AA111AA"), body("e-2", "BB222BB"));
    assert_eq!(camera.curl(&["-u", "cam:s3cret", "-d", &first]).await, "200");
    // The first vehicle went: what was said of it is not told of the next one.
    camera.commands.send(CameraCommand::Rest).await.unwrap();
    camera.commands.send(CameraCommand::Observe).await.unwrap();
    assert_eq!(camera.curl(&["-u", "cam:s3cret", "-d", &second]).await, "200");
    let Observed::Read(read) = camera.next().await else { panic!() };
    assert_eq!(read.text, "BB222BB");
    assert_eq!(camera.curl(&["-d", &second]).await, "401");
}
