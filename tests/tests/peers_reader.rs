//! Readers and clients that are not ours, over the built binaries: `llrpjs` as the reader of
//! `varco-gate device watch`, `sllurp` and `pyllrp` as clients of `varco-sim device llrp`, and tshark as the
//! judge of every byte between our own two. `scripts/peers.sh` installs them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where something is not as it must be"
)]

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tests::{Process, binary, root};

const LIMIT: Duration = Duration::from_secs(40);

/// A child whose lines are read as they come; it ends with the test.
struct Peer {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Peer {
    fn start(command: &mut Command) -> Self {
        let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = started.unwrap_or_else(|e| panic!("{command:?}: {e}; run scripts/peers.sh"));
        let (sender, lines) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }
    /// The next line that is wanted; what comes before it is passed over.
    fn line(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + LIMIT;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if wanted(&line) => return line,
                Ok(_) => {}
                Err(error) => panic!("waited in vain for {what}: {error}"),
            }
        }
    }
    fn json(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let line = self.line(what, |line| serde_json::from_str(line).is_ok_and(|value| wanted(&value)));
        serde_json::from_str(&line).unwrap()
    }
    fn kill(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn peers() -> PathBuf {
    let folder = root().join("target/peers");
    assert!(folder.exists(), "{} is missing: run scripts/peers.sh", folder.display());
    folder
}

fn script(name: &str) -> PathBuf {
    root().join("tests/tests/peers").join(name)
}

fn watch(endpoint: &str) -> Peer {
    let mut command = Command::new(binary("varco-gate"));
    Peer::start(command.args(["device", "watch", endpoint, "--for", "60s"]))
}

/// Our reader on a free port; gives its address.
fn reader() -> (Peer, String) {
    let mut command = Command::new(binary("varco-sim"));
    let peer = Peer::start(command.args(["device", "llrp", "--listen", "127.0.0.1:0"]));
    let told = peer.json("the reader's address", |v| v.get("listening").is_some());
    let address = told["listening"].as_str().unwrap().to_owned();
    (peer, address)
}

fn is_health(value: &Value, health: &str) -> bool {
    value["observed"] == "health" && value["health"] == health
}

#[test]
fn llrpjs_is_read_and_found_again_after_its_kill() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let start = || {
        let mut command = Command::new("node");
        command.arg(script("llrpjs_reader.js")).arg(port.to_string());
        let peer = Peer::start(command.env("NODE_PATH", peers().join("node_modules")));
        peer.line("the reader's start", |line| line == "listening");
        peer
    };
    let mut js = start();
    let gate = watch(&format!("llrp://127.0.0.1:{port}"));
    gate.json("health", |v| is_health(v, "up"));
    let tag = gate.json("the vehicle's tag", |v| v["role"] == "vehicle");
    assert_eq!(tag["uri"], "urn:epc:tag:giai-96:3.9521141.5678");
    assert_eq!((tag["antenna"].as_u64(), tag["rssi_dbm"].as_i64()), (Some(1), Some(-51)));
    js.line("an answer to its keepalive", |line| line == "KEEPALIVE_ACK");
    js.kill();
    gate.json("the loss", |v| is_health(v, "down"));
    js = start();
    let back = Instant::now();
    gate.json("health again", |v| is_health(v, "up"));
    println!("reconnected and provisioned {} ms after the reader listened again", back.elapsed().as_millis());
    js.line("its inventory taken up again", |line| line == "START_ROSPEC");
}

#[test]
fn sllurp_inventories_our_reader_and_leaves_it_politely() {
    let (_reader, address) = reader();
    let (host, port) = address.split_once(':').unwrap();
    let mut command = Command::new(peers().join("venv/bin/sllurp"));
    let mut peer = Peer::start(command.args(["inventory", "-p", port, "-a", "0", "-n", "1", host]));
    for epc in ["3476451fd40000000000162e", "dc20d3455cf0d74cf8ce1000", "3074257bf7194e4000001a85"] {
        peer.line(epc, |line| line.contains(epc));
    }
    // Its Ctrl-C deletes the ROSpecs and closes the connection before it ends.
    kill(Pid::from_raw(i32::try_from(peer.child.id()).unwrap()), Signal::SIGINT).unwrap();
    let asked = Instant::now();
    while peer.child.try_wait().unwrap().is_none() {
        assert!(asked.elapsed() < LIMIT, "it waits for an answer of our reader");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn pyllrp_inventories_our_reader() {
    let (_reader, address) = reader();
    let python = peers().join("venv/bin/python");
    let output = Command::new(&python).arg(script("pyllrp_client.py")).arg(&address).output();
    let output = output.expect("pyllrp is missing: run scripts/peers.sh");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}{error}");
    let lines: Vec<&str> = told.lines().collect();
    let (vehicle, container, item) =
        ("3476451fd40000000000162e", "dc20d3455cf0d74cf8ce1000", "3074257bf7194e4000001a85");
    assert_eq!(lines, [item, vehicle, container, "done"]);
}

/// Passes one connection on and keeps what went each way.
fn tapped(to: &str, folder: &Path) -> (u16, [PathBuf; 2]) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, to) = (listener.local_addr().unwrap().port(), to.to_owned());
    let files = [folder.join("client.bin"), folder.join("reader.bin")];
    let kept = files.clone();
    std::thread::spawn(move || {
        let client = listener.accept().unwrap().0;
        let reader = TcpStream::connect(to).unwrap();
        let ways = [(client.try_clone().unwrap(), reader.try_clone().unwrap()), (reader, client)];
        for ((mut from, mut into), file) in ways.into_iter().zip(kept) {
            std::thread::spawn(move || {
                let mut file = std::fs::File::create(file).unwrap();
                let mut bytes = [0; 4096];
                while let Ok(n) = from.read(&mut bytes) {
                    if n == 0 || into.write_all(&bytes[..n]).is_err() {
                        break;
                    }
                    file.write_all(&bytes[..n]).unwrap();
                }
                let _closed = into.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    (port, files)
}

/// The messages of one way as a capture of packets, one message each.
fn capture(bytes: &[u8], from_reader: bool, folder: &Path) -> (PathBuf, usize) {
    let (mut text, mut rest, mut messages) = (String::new(), bytes, 0);
    while let Some(length) = rest.get(2..6) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        // The last one may be cut where the connection ended.
        let Some(message) = rest.get(..length) else { break };
        for (n, line) in message.chunks(16).enumerate() {
            write!(text, "{:06x}", n * 16).unwrap();
            line.iter().for_each(|b| write!(text, " {b:02x}").unwrap());
            text.push('\n');
        }
        text.push('\n');
        rest = &rest[length..];
        messages += 1;
    }
    let (hex, pcap) = (folder.join("messages.txt"), folder.join("messages.pcap"));
    std::fs::write(&hex, text).unwrap();
    let ports = if from_reader { "5084,40000" } else { "40000,5084" };
    let made = Command::new("text2pcap").args(["-q", "-T", ports]).arg(&hex).arg(&pcap).status();
    assert!(made.expect("text2pcap is missing: run scripts/peers.sh").success());
    (pcap, messages)
}

#[test]
fn tshark_finds_no_malformed_byte_in_either_way() {
    let (_reader, address) = reader();
    let folder = tempfile::tempdir().unwrap();
    let (port, files) = tapped(&address, folder.path());
    let endpoint = format!("llrp://127.0.0.1:{port}?keepalive_ms=500");
    let mut watched = Process::start(
        "varco-gate",
        &["device", "watch", &endpoint, "--for", "3s", "--count", "8"],
        folder.path(),
    );
    assert!(watched.wait(40).success(), "{}", watched.output());
    assert!(watched.output().contains("urn:epc:id:bic:CSQU3054383"), "{}", watched.output());
    for (file, from_reader, least, kinds) in [
        (&files[0], false, 7, ["Add ROSpec", "Start ROSpec", "Close Connection"]),
        (&files[1], true, 9, ["RO Access Report", "Reader Event Notification", "Capabilities Response"]),
    ] {
        let (pcap, messages) = capture(&std::fs::read(file).unwrap(), from_reader, folder.path());
        assert!(messages >= least, "{messages} messages");
        let arguments = ["-d", "tcp.port==5084,llrp", "-V", "-r"];
        let output = Command::new("tshark").args(arguments).arg(&pcap).output();
        let output = output.expect("tshark is missing: run scripts/peers.sh");
        let told = String::from_utf8_lossy(&output.stdout);
        let bad = |line: &&str| line.contains("Malformed") || line.contains("Expert Info (Error");
        assert_eq!(told.lines().find(bad), None, "{told}");
        let seen = told.lines().filter(|l| l.starts_with("Low Level Reader Protocol")).count();
        assert_eq!(seen, messages, "every message is one for it");
        for kind in kinds {
            assert!(told.contains(kind), "{kind} is not among what it saw:\n{told}");
        }
    }
}
