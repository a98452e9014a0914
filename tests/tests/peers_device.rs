//! Devices alone on the bench by the built programs: cameras of GStreamer (RTSP) and ffmpeg (MJPEG), each fault
//! of a picture told within 3 s, and the simulator's lane block and sign. `varco-gate device` runs the daemon's
//! own drivers.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tests::{binary, root, until};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A child whose lines are kept, and that ends with the test.
struct Told {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Told {
    fn start(command: &mut Command) -> Self {
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|e| panic!("{command:?}: {e}: run scripts/peers.sh"));
        let (out, lines) = (child.stdout.take().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let kept = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                kept.lock().unwrap().push(line);
            }
        });
        Self { child, lines }
    }
    fn count(&self) -> usize {
        self.lines.lock().unwrap().len()
    }
    /// The first line from `from` on that has all words, and how long it took.
    async fn says(&self, from: usize, words: &[&str], limit_s: u64) -> (String, Duration) {
        let asked = Instant::now();
        let line = until(&format!("{words:?}"), limit_s, || async {
            let lines = self.lines.lock().unwrap();
            lines.iter().skip(from).find(|l| words.iter().all(|w| l.contains(w))).cloned()
        })
        .await;
        (line, asked.elapsed())
    }
    fn key(&mut self, key: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{key}").unwrap();
    }
    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{:#?}", self.lines.lock().unwrap());
        }
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// ffmpeg calls a stream octets unless it is told its kind.
const KIND: &str = "multipart/x-mixed-replace;boundary=ffmpeg";

fn watch(url: &str) -> Told {
    Told::start(Command::new(binary("varco-gate")).args(["device", "watch", url]).stderr(Stdio::null()))
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_rtsp_camera_that_stands_still_is_down_and_comes_back() {
    let (port, script) = (free_port().to_string(), root().join("tests/peers/rtsp_server.py"));
    // Debian's own interpreter has GStreamer's bindings.
    let server = Told::start(Command::new("/usr/bin/python3").arg(script).arg(&port));
    server.says(0, &["ready"], 30).await;
    let camera = watch(&format!("rtsp://127.0.0.1:{port}/lane1"));
    let (_, opened) = camera.says(0, &["\"health\":\"up\""], 60).await;
    let from = camera.count();
    server.signal(Signal::SIGSTOP);
    let (why, silent) = camera.says(from, &["\"health\":\"down\""], 30).await;
    assert!(why.contains("silent") || why.contains("cannot be opened"), "{why}");
    let from = camera.count();
    server.signal(Signal::SIGCONT);
    let (_, back) = camera.says(from, &["\"health\":\"up\""], 60).await;
    println!("rtsp: up after {opened:?}, silence told after {silent:?}, back after {back:?}");
    assert!(silent < Duration::from_secs(8), "{silent:?}");
}

/// ffmpeg answers every request in chunks, also one by HTTP/1.0 that may not be answered so (RFC 9112, 7.1):
/// what it sends is handed on without them. Gives the port where that is done, for one viewer.
async fn without_chunks(from: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(hand_on(listener, from));
    port
}

async fn hand_on(listener: TcpListener, from: u16) -> Option<()> {
    let (viewer, _) = listener.accept().await.ok()?;
    let camera = TcpStream::connect(("127.0.0.1", from)).await.ok()?;
    let (mut asking, mut seeing) = viewer.into_split();
    let (answer, mut request) = camera.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut asking, &mut request).await });
    let mut answer = tokio::io::BufReader::new(answer);
    let mut line = String::new();
    while answer.read_line(&mut line).await.ok()? > 2 {
        if !line.starts_with("Transfer-Encoding") {
            seeing.write_all(line.as_bytes()).await.ok()?;
        }
        line.clear();
    }
    seeing.write_all(b"\r\n").await.ok()?;
    loop {
        line.clear();
        answer.read_line(&mut line).await.ok()?;
        let length = usize::from_str_radix(line.trim(), 16).ok().filter(|n| *n > 0)?;
        let mut chunk = vec![0; length + 2];
        answer.read_exact(&mut chunk).await.ok()?;
        seeing.write_all(&chunk[..length]).await.ok()?;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_mjpeg_stream_of_ffmpeg_is_read_and_its_end_is_told() {
    let port = free_port();
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-re", "-f", "lavfi", "-i", "testsrc=size=640x480:rate=10", "-c:v", "mjpeg"]);
    let url = format!("http://127.0.0.1:{port}/cam.mjpg");
    ffmpeg.args(["-f", "mpjpeg", "-content_type", KIND, "-listen", "1", &url]).stderr(Stdio::null());
    let server = Told::start(&mut ffmpeg);
    // A look at the port would be its one viewer.
    let inode = format!(":{port:04X} 00000000:0000 0A");
    until("ffmpeg", 20, || async {
        std::fs::read_to_string("/proc/net/tcp").ok().filter(|t| t.contains(&inode)).map(|_| ())
    })
    .await;
    let camera = watch(&format!("mjpeg://127.0.0.1:{}/cam.mjpg", without_chunks(port).await));
    camera.says(0, &["\"health\":\"up\""], 60).await;
    let from = camera.count();
    drop(server);
    let (_, told) = camera.says(from, &["\"health\":\"down\""], 20).await;
    assert!(told < Duration::from_secs(4), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_picture_is_told_within_three_seconds() {
    let mut face = face(&["camera", "--listen", "127.0.0.1:0"]);
    let camera = watch(&format!("mjpeg://{}/live", place(&face, "listening").await));
    camera.says(0, &["\"health\":\"up\""], 60).await;
    for (key, word) in [("frozen", "frozen"), ("black", "black"), ("burnt", "over-exposed")] {
        let from = camera.count();
        face.key(key);
        let (_, told) = camera.says(from, &["degraded", word], 20).await;
        println!("{key}: told after {told:?}");
        assert!(told < Duration::from_secs(3), "{key}: {told:?}");
        let from = camera.count();
        face.key("moving");
        camera.says(from, &["\"health\":\"up\""], 20).await;
    }
    // Bytes that are no picture: said, and healed.
    let from = camera.count();
    face.key("noise");
    camera.says(from, &["\"health\":"], 20).await;
    let from = camera.count();
    face.key("moving");
    camera.says(from, &["\"health\":\"up\""], 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_looks_elsewhere_or_is_covered_is_told_within_three_seconds() {
    let mut face = face(&["camera", "--listen", "127.0.0.1:0"]);
    let folder = tempfile::tempdir().unwrap();
    let scene = folder.path().join("lane.scene");
    let url = format!("mjpeg://{}/live?scene={}", place(&face, "listening").await, scene.display());
    let learned =
        Command::new(binary("varco-gate")).args(["device", "test", &url, "scene"]).output().unwrap();
    assert!(learned.status.success() && scene.is_file(), "{}", String::from_utf8_lossy(&learned.stdout));
    let camera = watch(&format!("{url}&bench_kinds=none"));
    camera.says(0, &["\"health\":\"up\""], 60).await;
    for (key, word) in [("turned", "scene is not"), ("covered", "nothing of its scene")] {
        let from = camera.count();
        face.key(key);
        let (_, told) = camera.says(from, &["degraded", word], 20).await;
        println!("{key}: told after {told:?}");
        assert!(told < Duration::from_secs(3), "{key}: {told:?}");
        let from = camera.count();
        face.key("moving");
        camera.says(from, &["\"health\":\"up\""], 20).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_badge_reader_alone_by_tcp_and_on_a_serial_line() {
    for arguments in [["osdp", "--listen", "127.0.0.1:0"].as_slice(), &["osdp", "--pty"]] {
        let mut reader = face(arguments);
        let key = if arguments.contains(&"--pty") { "pty" } else { "listening" };
        let seen = watch(&format!("osdp://{}?address=0&key=install", place(&reader, key).await));
        seen.says(0, &["degraded", "printed in the standard"], 20).await;
        reader.key("badge 26 deadbe80");
        seen.says(0, &["\"number\":\"deadbe80\"", "\"bits\":26", "\"secured\":false"], 10).await;
        reader.key("tamper on");
        seen.says(0, &["degraded", "opened"], 10).await;
    }
}

/// The address or device file that a face of the simulator tells first.
async fn place(face: &Told, key: &str) -> String {
    let (line, _) = face.says(0, &[key], 60).await;
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    told[key].as_str().unwrap().to_owned()
}

fn face(arguments: &[&str]) -> Told {
    Told::start(Command::new(binary("varco-sim")).arg("device").args(arguments).stderr(Stdio::null()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_block_alone_by_tcp_and_by_rtu_on_a_serial_line() {
    let points = root().join("config/points/neutral.toml").display().to_string();
    for arguments in [["io", "--listen", "127.0.0.1:0"].as_slice(), &["io", "--pty"]] {
        let mut block = face(arguments);
        let url = if arguments.contains(&"--pty") {
            format!("modbus-rtu://{}?parity=none&points={points}", place(&block, "pty").await)
        } else {
            format!("modbus://{}?points={points}", place(&block, "listening").await)
        };
        let seen = watch(&url);
        seen.says(0, &["\"observed\":\"inputs\"", "\"loop_approach\":\"off\"", "\"limit_down\":\"on\""], 30)
            .await;
        block.key("loop_approach on");
        seen.says(0, &["\"loop_approach\":\"on\""], 10).await;
        block.key("freeze");
        seen.says(0, &["degraded", "life counter"], 10).await;
        drop(seen);
        block.key("thaw");
        // Nobody agreed: nothing moves.
        let mut test = Command::new(binary("varco-gate"));
        test.args(["device", "test", &url, "raise"]).stdin(Stdio::null());
        let refused = test.output().unwrap();
        assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("--yes"));
        let raised = test.args(["--yes", "--for", "3s"]).output().unwrap();
        let told = String::from_utf8_lossy(&raised.stdout);
        assert!(raised.status.success() && told.contains("\"limit_up\":\"on\""), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scale_alone_is_watched_and_zeroed_only_with_consent() {
    for arguments in [["scale", "--listen", "127.0.0.1:0"].as_slice(), &["scale", "--pty"]] {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("scale.toml");
        std::fs::write(&settings, "protocol = \"sics\"\nkg = 40.0\n").unwrap();
        let arguments = [arguments, &[settings.to_str().unwrap()]].concat();
        let mut scale = face(&arguments);
        let url = match arguments.contains(&"--pty") {
            true => format!("serial://{}?protocol=sics&zero_max_kg=100", place(&scale, "pty").await),
            false => format!("tcp://{}?protocol=sics&zero_max_kg=100", place(&scale, "listening").await),
        };
        let seen = watch(&url);
        seen.says(0, &["\"observed\":\"weight\"", "\"gross_kg\":40.0", "\"stable\":true"], 30).await;
        drop(seen);
        // Nobody agreed: nothing is set.
        let mut test = Command::new(binary("varco-gate"));
        test.args(["device", "test", &url, "zero"]).stdin(Stdio::null());
        let refused = test.output().unwrap();
        assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("--yes"));
        let zeroed = test.args(["--yes", "--for", "3s"]).output().unwrap();
        let told = String::from_utf8_lossy(&zeroed.stdout);
        assert!(zeroed.status.success() && told.contains("\"gross_kg\":0.0"), "{told}");
        scale.key("12340");
        let wrong =
            Command::new(binary("varco-gate")).args(["device", "test", &url, "raise"]).output().unwrap();
        assert!(String::from_utf8_lossy(&wrong.stderr).contains("a scale is told zero"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_alone_shows_what_it_is_told_and_falls_back() {
    let sign = face(&["sign", "--listen", "127.0.0.1:0"]);
    let url = format!("tcp://{}?protocol=sign&lines=2&columns=16", place(&sign, "listening").await);
    sign.says(0, &["shows", "WAIT"], 10).await;
    let from = sign.count();
    let told = Command::new(binary("varco-gate"))
        .args(["device", "test", &url, "GO AHEAD", "LANE 2", "--for", "2s"])
        .output()
        .unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    sign.says(from, &["[\"GO AHEAD\",\"LANE 2\"]"], 10).await;
    // Nobody speaks to it any more.
    sign.says(from, &["ATTENDERE"], 30).await;
}
