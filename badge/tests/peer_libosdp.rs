//! The driver against a reader by libosdp (its C library below Python): identified, secured, badges delivered, a
//! lost reader told and set up again. `scripts/peers.sh` installs the peer.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use badge::{Badge, BadgeCommand, BadgeDriver};
use device::{Backoff, Clock, DeviceLink, Endpoint, Health, Observation, Observed, Tap, supervise};
use gate_types::DeviceId;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const KEY: &str = "000102030405060708090a0b0c0d0e0f";
const LIMIT: Duration = Duration::from_secs(20);

struct Peer {
    child: Child,
    commands: ChildStdin,
    said: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    async fn start(port: u16, key: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join("../target/peers/venv/bin/python");
        assert!(python.exists(), "{} is missing: run scripts/peers.sh", python.display());
        let script = root.join("tests/peers/libosdp_reader.py");
        let mut child = Command::new(python)
            .arg(script)
            .args([&port.to_string(), "3", key])
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
        let peer = Self { child, commands, said };
        peer.says("ready").await;
        peer
    }
    async fn says(&self, line: &str) {
        let from = Instant::now();
        while !self.said.lock().unwrap().iter().any(|l| l == line) {
            assert!(from.elapsed() < LIMIT, "{line}: {:?}", self.said.lock().unwrap());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    fn tell(&mut self, line: &str) {
        writeln!(self.commands, "{line}").unwrap();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

struct Lane {
    seen: mpsc::Receiver<Observation>,
    commands: mpsc::Sender<BadgeCommand>,
    badges: mpsc::Receiver<Badge>,
}

fn lane(endpoint: &str) -> Lane {
    let (observations, seen) = mpsc::channel(64);
    let (commands, receiver) = mpsc::channel(4);
    let (shown, badges) = mpsc::channel(8);
    let link = DeviceLink {
        id: DeviceId::new("n1-in-1.badge").unwrap(),
        clock: Clock::start(),
        observations,
        commands: receiver,
        tap: Tap::off(),
    };
    let driver = BadgeDriver::new(Endpoint::parse(endpoint).unwrap(), shown);
    tokio::spawn(supervise(driver, link, Backoff { first_ms: 50, longest_ms: 400 }));
    Lane { seen, commands, badges }
}

impl Lane {
    async fn health(&mut self, wanted: impl Fn(&Health) -> bool) -> Health {
        let wait = async {
            loop {
                match self.seen.recv().await.unwrap().what {
                    Observed::Health(health) if wanted(&health) => return health,
                    other => eprintln!("{other:?}"),
                }
            }
        };
        tokio::time::timeout(LIMIT, wait).await.unwrap()
    }
    async fn badge(&mut self) -> Badge {
        tokio::time::timeout(LIMIT, self.badges.recv()).await.unwrap().unwrap()
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_secured_reader_of_libosdp_delivers_badges_and_comes_back_after_its_death() {
    let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
    let key = folder.path().join("key");
    std::fs::write(&key, KEY).unwrap();
    let mut reader = Peer::start(port, KEY).await;
    let mut lane = lane(&format!("osdp://127.0.0.1:{port}?address=3&key={}", key.display()));
    lane.health(|h| *h == Health::Up).await;
    reader.says("secured").await;
    reader.tell("badge 26 deadbe80");
    let badge = lane.badge().await;
    assert_eq!((badge.number.as_str(), badge.bits, badge.secured), ("deadbe80", 26, true));
    lane.commands.send(BadgeCommand::Beep).await.unwrap();
    // Two hundred questions later the session still stands.
    tokio::time::sleep(Duration::from_secs(3)).await;
    reader.tell("badge 34 0102030440");
    assert_eq!(lane.badge().await.number, "0102030440");

    let killed = Instant::now();
    drop(reader);
    lane.health(|h| matches!(h, Health::Down { .. })).await;
    println!("osdp: a killed reader told after {:?}", killed.elapsed());
    let mut reader = Peer::start(port, KEY).await;
    let back = Instant::now();
    lane.health(|h| *h == Health::Up).await;
    println!("osdp: secured again {:?} after the reader listens", back.elapsed());
    reader.tell("badge 26 00000040");
    assert_eq!(lane.badge().await.bits, 26);
}

#[tokio::test]
async fn a_reader_with_another_key_is_told_and_one_without_is_degraded() {
    let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
    let key = folder.path().join("key");
    std::fs::write(&key, "ff".repeat(16)).unwrap();
    let reader = Peer::start(port, KEY).await;
    let mut wrong = lane(&format!("osdp://127.0.0.1:{port}?address=3&key={}", key.display()));
    let Health::Down { why } = wrong.health(|h| matches!(h, Health::Down { .. })).await else { panic!() };
    assert!(why.contains("key") || why.contains("refuses"), "{why}");
    drop((wrong, reader));

    let port = free_port();
    let mut open = Peer::start(port, "none").await;
    let mut lane = lane(&format!("osdp://127.0.0.1:{port}?address=3&key=none"));
    lane.health(|h| matches!(h, Health::Degraded { .. })).await;
    open.tell("badge 26 deadbe80");
    assert!(!lane.badge().await.secured);
}
