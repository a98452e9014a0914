//! The remote I/O driver against pymodbus: TCP, RTU over TCP, RTU over a pair of pseudo terminals.
//! `scripts/peers.sh` installs the peer; socat is Debian's.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

mod common;

use barrier_io::{IoCommand, Light};
use common::{Lane, eventually, free, map};
use device::{Health, Observed};
use gate_types::observation::{LaneInputs, Level};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Both loops free and the arm down, as the neutral map's first register.
const FREE: u16 = 0xf7;
/// A vehicle on the second loop.
const OCCUPIED: u16 = 0xf5;

/// A child that ends with the test.
struct Kept(Child);
impl Drop for Kept {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

struct Peer {
    child: Kept,
    commands: ChildStdin,
    said: Arc<Mutex<Vec<String>>>,
}

fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let python = root.join("target/peers/venv/bin/python");
    assert!(python.exists(), "{} is missing: run scripts/peers.sh", python.display());
    python
}

impl Peer {
    async fn start(way: &str, place: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/pymodbus_block.py");
        let mut child = Command::new(python())
            .args([script.to_str().unwrap(), way, place])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (commands, lines) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = said.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(lines).lines().map_while(Result::ok) {
                heard.lock().unwrap().push(line);
            }
        });
        let mut peer = Self { child: Kept(child), commands, said };
        eventually("pymodbus", || peer.has_said("ready")).await;
        peer.tell(&format!("inputs {FREE}"));
        peer
    }
    fn tell(&mut self, command: &str) {
        writeln!(self.commands, "{command}").unwrap();
    }
    fn has_said(&self, line: &str) -> bool {
        self.said.lock().unwrap().iter().any(|l| l == line)
    }
    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.0.id().cast_signed()), signal).unwrap();
    }
}

/// Two ends of one line.
struct PtyPair {
    _socat: Kept,
    _folder: tempfile::TempDir,
    ends: [String; 2],
}

impl PtyPair {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ends = ["a", "b"].map(|n| folder.path().join(n).display().to_string());
        let end = |at: &str| format!("pty,raw,echo=0,link={at}");
        let socat = Command::new("socat").args([end(&ends[0]), end(&ends[1])]).spawn();
        let socat = Kept(socat.expect("socat is missing: run scripts/peers.sh"));
        eventually("both ends", || ends.iter().all(|e| Path::new(e).exists())).await;
        Self { _socat: socat, _folder: folder, ends }
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn occupied() -> LaneInputs {
    LaneInputs { loop_under: Level::On, ..free() }
}

/// Inputs, lamps and a raise by a block that is not of our making.
async fn serves(peer: &mut Peer, lane: &mut Lane) {
    lane.until_inputs(free()).await;
    lane.until_up().await;
    peer.tell(&format!("inputs {OCCUPIED}"));
    lane.until_inputs(occupied()).await;
    peer.tell(&format!("inputs {FREE}"));
    lane.until_inputs(free()).await;
    let out = map().outputs;
    lane.commands.send(IoCommand::Light(Light::Green)).await.unwrap();
    lane.raise().await.unwrap().unwrap();
    for line in [
        format!("taken {} 1", out.lamp_green),
        format!("taken {} 1", out.raise),
        format!("taken {} 0", out.raise),
    ] {
        eventually(&line, || peer.has_said(&line)).await;
    }
    let unwell = lane.heard.iter().any(|o| matches!(o, Observed::Health(Health::Degraded { .. })));
    assert!(!unwell, "what was written is what is read back: {:?}", lane.heard);
}

/// The peer stands still while a vehicle comes: unknown within a second, and no old picture after.
async fn stalls(peer: &mut Peer, lane: &mut Lane) {
    lane.until_inputs(free()).await;
    peer.signal(Signal::SIGSTOP);
    let stopped = Instant::now();
    lane.until_inputs(map().unknown()).await;
    assert!(stopped.elapsed() < Duration::from_millis(1_500), "{:?}", stopped.elapsed());
    lane.until_down().await;
    peer.tell(&format!("inputs {OCCUPIED}"));
    // Several connections and requests pile up at the stopped peer.
    for _ in 0..3 {
        lane.until_down().await;
    }
    let from = lane.heard.len();
    peer.signal(Signal::SIGCONT);
    lane.until_inputs(occupied()).await;
    assert!(
        !lane.heard[from..].contains(&Observed::Inputs(free())),
        "an old picture: {:?}",
        &lane.heard[from..]
    );
}

/// Answers that come after the time limit never count, however late they are.
async fn answers_late(peer: &mut Peer, lane: &mut Lane, delays_ms: &[u64]) {
    lane.until_inputs(free()).await;
    for delay in delays_ms {
        peer.tell(&format!("delay {delay}"));
        lane.until_down().await;
        let from = lane.heard.len();
        peer.tell(&format!("inputs {OCCUPIED}"));
        for _ in 0..3 {
            lane.until_down().await;
        }
        let known =
            lane.heard[from..].iter().find(|o| matches!(o, Observed::Inputs(i) if *i != map().unknown()));
        assert_eq!(known, None, "answers {delay} ms late");
        peer.tell("delay 0");
        lane.until_inputs(occupied()).await;
        let old = lane.heard[from..].contains(&Observed::Inputs(free()));
        assert!(!old, "answers {delay} ms late: {:?}", &lane.heard[from..]);
        peer.tell(&format!("inputs {FREE}"));
        lane.until_inputs(free()).await;
    }
}

async fn everything(mut peer: Peer, endpoint: &str, delays_ms: &[u64]) {
    let mut lane = Lane::start_at(endpoint);
    serves(&mut peer, &mut lane).await;
    stalls(&mut peer, &mut lane).await;
    peer.tell(&format!("inputs {FREE}"));
    answers_late(&mut peer, &mut lane, delays_ms).await;
}

#[tokio::test]
async fn pymodbus_over_tcp() {
    let port = free_port();
    let peer = Peer::start("tcp", &port.to_string()).await;
    everything(peer, &format!("modbus://127.0.0.1:{port}?unit=1"), &[350, 600]).await;
}

#[tokio::test]
async fn pymodbus_by_rtu_over_tcp() {
    let port = free_port();
    let peer = Peer::start("rtu-tcp", &port.to_string()).await;
    everything(peer, &format!("modbus-rtu://127.0.0.1:{port}?unit=1"), &[350, 600]).await;
}

/// A late answer waits in the line for the next session here: silence, and requests that alternate.
#[tokio::test]
async fn pymodbus_by_rtu_over_a_serial_line() {
    let line = PtyPair::open().await;
    let peer = Peer::start("serial", &line.ends[0]).await;
    everything(peer, &format!("modbus-rtu://{}?unit=1&parity=none", line.ends[1]), &[350, 1_400]).await;
}
