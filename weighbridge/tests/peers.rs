//! The driver against an indicator that is not ours: `mt-sics-emulator`, over TCP and over a serial line.
//! `scripts/peers.sh` installs it; socat, Debian's, is the line.

use device::{Backoff, Clock, DeviceLink, Endpoint, Health, Observation, Observed, Tap, supervise};
use gate_types::DeviceId;
use gate_types::observation::{WeightRange, WeightRead};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::sync::mpsc;
use weighbridge::{ScaleCommand, ScaleDriver};

const LIMIT: Duration = Duration::from_secs(30);

/// A child that ends with the test.
struct Kept(Child);
impl Drop for Kept {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

fn tool(name: &str) -> PathBuf {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/venv/bin").join(name);
    assert!(path.exists(), "{} is missing: run scripts/peers.sh", path.display());
    path
}

fn free() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Starts it and waits for a line of its output with `word`.
fn start(command: &mut Command, word: &str) -> Kept {
    let mut child = Kept(
        command.env("PYTHONUNBUFFERED", "1").stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap(),
    );
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains(word)), "{command:?} ended before it told {word}");
    // What it tells later must not block it.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

/// What lies on the emulator's platform.
fn load(control: u16, kg: f64) {
    let body = format!("{{\"value\":{kg},\"snap\":true}}");
    let mut stream = TcpStream::connect(("127.0.0.1", control)).unwrap();
    let length = body.len();
    write!(
        stream,
        "POST /weight HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(" 200 "), "{answer}");
}

struct Lane {
    observations: mpsc::Receiver<Observation>,
    _commands: mpsc::Sender<ScaleCommand>,
}

impl Lane {
    fn start(endpoint: &str) -> Self {
        let (sender, observations) = mpsc::channel(64);
        let (commands, receiver) = mpsc::channel(8);
        let link = DeviceLink {
            id: DeviceId::new("peer.scale").unwrap(),
            clock: Clock::start(),
            observations: sender,
            commands: receiver,
            tap: Tap::off(),
        };
        let driver = ScaleDriver::new(Endpoint::parse(endpoint).unwrap(), 300.0, 0.1);
        tokio::spawn(supervise(driver, link, Backoff { first_ms: 50, longest_ms: 200 }));
        Self { observations, _commands: commands }
    }
    async fn until(&mut self, what: &str, wanted: impl Fn(&Observed) -> bool) -> Observed {
        let found = async {
            loop {
                let seen = self.observations.recv().await.unwrap().what;
                if wanted(&seen) {
                    return seen;
                }
            }
        };
        tokio::time::timeout(LIMIT, found).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
    }
    async fn weight(&mut self, what: &str, wanted: impl Fn(&WeightRead) -> bool) -> WeightRead {
        match self.until(what, |seen| matches!(seen, Observed::Weight(read) if wanted(read))).await {
            Observed::Weight(read) => read,
            _other => unreachable!(),
        }
    }
}

#[tokio::test]
async fn mt_sics_emulator_over_tcp_is_read_and_found_again_after_its_kill() {
    let (port, control) = (free(), free());
    let emulator = || {
        let mut command = Command::new(tool("mtsics-tcp"));
        command.args(["--host", "127.0.0.1", "--profile", "mt-ind570"]);
        command.args(["--port", &port.to_string(), "--control-port", &control.to_string()]);
        start(&mut command, "Control")
    };
    let mut running = emulator();
    let mut lane = Lane::start(&format!("tcp://127.0.0.1:{port}?protocol=sics"));
    lane.until("health", |seen| *seen == Observed::Health(Health::Up)).await;
    load(control, 123.4);
    let read = lane.weight("123.4 kg", |w| w.stable && w.gross_kg == 123.4).await;
    assert_eq!(read.range, WeightRange::InRange);
    load(control, 400.0);
    lane.weight("overload", |w| w.range == WeightRange::Over && !w.stable).await;
    running.0.kill().unwrap();
    running.0.wait().unwrap();
    lane.until("the loss", |seen| matches!(seen, Observed::Health(Health::Down { .. }))).await;
    let _again = emulator();
    lane.until("health again", |seen| *seen == Observed::Health(Health::Up)).await;
    load(control, 42.0);
    lane.weight("42 kg", |w| w.stable && w.gross_kg == 42.0).await;
}

#[tokio::test]
async fn mt_sics_emulator_over_a_serial_line_is_read() {
    let folder = std::env::temp_dir().join(format!("varco-sics-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (near, far) = (folder.join("near"), folder.join("far"));
    let end = |path: &PathBuf| format!("pty,raw,echo=0,link={}", path.display());
    let line = Command::new("socat").args([end(&near), end(&far)]).spawn();
    let _line = Kept(line.expect("socat is missing: run scripts/peers.sh"));
    tokio::time::timeout(LIMIT, async {
        while !near.exists() || !far.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("socat's line in time");
    let mut command = Command::new(tool("mtsics-serial"));
    command.args(["--profile", "mt-ind570", "--port"]).arg(&far);
    let _emulator = start(&mut command, "Graduation");
    let mut lane = Lane::start(&format!("serial://{}?protocol=sics&baud=9600", near.display()));
    lane.until("health", |seen| *seen == Observed::Health(Health::Up)).await;
    let read = lane.weight("zero", |w| w.stable && w.gross_kg == 0.0).await;
    assert!(read.raw.starts_with("5349"), "it answers SI with its own letters: {}", read.raw);
    std::fs::remove_dir_all(&folder).unwrap();
}
