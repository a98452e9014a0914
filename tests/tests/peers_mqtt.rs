//! The broker is Debian's mosquitto: restarts, kills, lost sessions, a second client of our name, junk that
//! is kept, and commands. What central stored is what the subscriber got; nothing but a fresh, signed command
//! for this very lane is done (D, MQTT).

use gate_types::LaneId;
use gate_types::api::{COMMANDS, SignedCommand};
use gate_types::command::CommandReply;
use gate_types::console::LaneState;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tests::{Block, Camera, Central, Gate, LANE, NodeFile, Stand, container_lane, until};

/// A child that ends with the test.
struct Kept(Child);
impl Drop for Kept {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// mosquitto on one port, with or without a memory.
struct Broker {
    folder: PathBuf,
    port: u16,
    child: Kept,
}

impl Broker {
    async fn start(folder: &Path, port: u16, remembers: bool) -> Self {
        let file = folder.join("mosquitto.conf");
        let text = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\npersistence {remembers}\n\
             persistence_location {}/\nautosave_interval 1\nautosave_on_changes true\nuser root\n",
            folder.display()
        );
        std::fs::write(&file, text).unwrap();
        let log = File::options().create(true).append(true).open(folder.join("mosquitto.log")).unwrap();
        let child = Command::new("/usr/sbin/mosquitto")
            .args(["-c", file.to_str().unwrap()])
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("mosquitto is missing: run scripts/peers.sh");
        until("mosquitto", 10, || async { std::net::TcpStream::connect(("127.0.0.1", port)).ok() }).await;
        Self { folder: folder.to_path_buf(), port, child: Kept(child) }
    }
    /// Kills it without mercy; started again it has what it had saved, or nothing.
    async fn kill_and_start(mut self, remembers: bool) -> Self {
        kill(Pid::from_raw(i32::try_from(self.child.0.id()).unwrap()), Signal::SIGKILL).unwrap();
        self.child.0.wait().unwrap();
        Self::start(&self.folder, self.port, remembers).await
    }
    fn publish(&self, topic: &str, payload: &str, more: &[&str]) {
        let port = self.port.to_string();
        let mut command = Command::new("mosquitto_pub");
        command.args(["-h", "127.0.0.1", "-p", &port, "-q", "1", "-t", topic, "-m", payload]);
        assert!(command.args(more).status().unwrap().success(), "{topic}");
    }
}

/// A subscriber that keeps everything it got in a file; it connects again by itself.
struct Listener {
    _child: Kept,
    file: PathBuf,
}

impl Listener {
    fn start(folder: &Path, port: u16) -> Self {
        let file = folder.join("heard.txt");
        let out = File::options().create(true).append(true).open(&file).unwrap();
        let child = Command::new("mosquitto_sub")
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-q", "1", "-c", "-i", "central-listener"])
            .args(["-t", "gate/#", "-F", "%t %p"])
            .stdout(out)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { _child: Kept(child), file }
    }
    fn lines(&self) -> Vec<(String, String)> {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        text.lines().filter_map(|l| l.split_once(' ')).map(|(t, p)| (t.to_owned(), p.to_owned())).collect()
    }
    /// Distinct events by their key.
    fn events(&self) -> BTreeSet<(u64, u64)> {
        let events = self.lines().into_iter().filter(|(topic, _)| topic.contains("/evt/"));
        events
            .filter_map(|(_, payload)| {
                let event: serde_json::Value = serde_json::from_str(&payload).ok()?;
                Some((event["epoch"].as_u64()?, event["seq"].as_u64()?))
            })
            .collect()
    }
    fn replies(&self) -> Vec<CommandReply> {
        let lines = self.lines().into_iter().filter(|(topic, _)| topic.ends_with("/reply"));
        lines.map(|(_, payload)| serde_json::from_str(&payload).unwrap()).collect()
    }
}

struct Port {
    gate: Gate,
    central: Central,
    _block: Block,
    _camera: Camera,
    stand: Stand,
    token: String,
    http: reqwest::Client,
}

impl Port {
    async fn start(port: u16) -> Self {
        let stand = Stand::new();
        let central = Central::start(stand.path()).await;
        let (block, camera) = (Block::start().await, Camera::start(Vec::new()).await);
        let mut file = NodeFile::bari("1", &central, &stand.path().join("state"));
        container_lane(&mut file, LANE, &block, &camera);
        let broker = format!("host = '127.0.0.1'\nport = {port}\ncommands = true");
        file.0.insert("mqtt".into(), toml::Value::Table(broker.parse().unwrap()));
        let gate = Gate::start(&central, "1", &file, stand.path()).await;
        gate.lane_until(LANE, "an idle lane", 20, |l| l.state == LaneState::Idle).await;
        let token = std::fs::read_to_string(stand.path().join("admin-token")).unwrap().trim().to_owned();
        Self { gate, central, _block: block, _camera: camera, stand, token, http: reqwest::Client::new() }
    }
    async fn signed(&self, lane: &str, what: &str, valid_s: u64) -> SignedCommand {
        let lane = LaneId::new(lane).unwrap();
        let body = serde_json::json!({ "node": "1", "lane": lane, "valid_s": valid_s, "by": "officer Rossi",
            "reason": "test", "command": { "do": what } });
        let url = format!("{}{COMMANDS}", self.central.url);
        let answer = self.http.post(url).bearer_auth(&self.token).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }
    async fn state(&self, what: LaneState) {
        self.gate.lane_until(LANE, &format!("{what:?}"), 20, |l| l.state == what).await;
    }
    /// Closes and opens the lane by signed commands: events to count.
    async fn close_and_open(&self, broker: &Broker, listener: &Listener) {
        for (what, state) in [("close_lane", LaneState::Closed), ("open_lane", LaneState::Idle)] {
            let command = self.signed(LANE, what, 60).await;
            let done = listener.replies().len();
            broker.publish(&command.topic, &command.signed, &[]);
            until("the reply", 20, || async { (listener.replies().len() > done).then_some(()) }).await;
            let reply = listener.replies().pop().unwrap();
            assert_eq!(reply, CommandReply { id: Some(command.id), done: true, why: String::new() });
            self.state(state).await;
        }
    }
    /// New commands until one is done.
    async fn reach(&self, broker: &Broker, what: &str, state: LaneState) {
        until(what, 90, || async {
            let command = self.signed(LANE, what, 60).await;
            broker.publish(&command.topic, &command.signed, &[]);
            for _ in 0..40 {
                if self.gate.lane(LANE).await.state == state {
                    return Some(());
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            None
        })
        .await;
    }
    /// Everything that central stored of this gate was published as well.
    async fn all_arrived(&self, listener: &Listener) {
        until("every event at the subscriber", 60, || async {
            let stored: Vec<serde_json::Value> = self.central.get("/api/v1/events?node=1&limit=1000").await;
            let keys: BTreeSet<(u64, u64)> =
                stored.iter().map(|e| (e["epoch"].as_u64().unwrap(), e["seq"].as_u64().unwrap())).collect();
            (!keys.is_empty() && listener.events().is_superset(&keys)).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mosquitto_dies_forgets_and_is_confused_and_no_event_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let at = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut broker = Broker::start(folder.path(), at, true).await;
    let listener = Listener::start(folder.path(), at);
    let port = Port::start(at).await;
    until("online", 20, || async {
        listener.lines().iter().any(|(t, p)| t.ends_with("/status") && p == "online").then_some(())
    })
    .await;
    port.close_and_open(&broker, &listener).await;
    port.all_arrived(&listener).await;
    // Killed with what it had saved: nothing is lost for the subscriber.
    for _ in 0..2 {
        broker = broker.kill_and_start(true).await;
        port.reach(&broker, "close_lane", LaneState::Closed).await;
        port.reach(&broker, "open_lane", LaneState::Idle).await;
        port.all_arrived(&listener).await;
    }
    // A second client of the gate's name throws it out again and again.
    let thief = Command::new("mosquitto_sub")
        .args(["-h", "127.0.0.1", "-p", &at.to_string(), "-i", "varco-ITBRI-1", "-t", "nothing"])
        .stderr(Stdio::null())
        .spawn();
    let thief = Kept(thief.unwrap());
    port.close_and_open(&broker, &listener).await;
    drop(thief);
    port.all_arrived(&listener).await;
    // It forgets who had subscribed, so it takes and drops until the subscriber is back; the gate goes on, and
    // from then on everything arrives again.
    broker = broker.kill_and_start(false).await;
    port.reach(&broker, "close_lane", LaneState::Closed).await;
    let heard = listener.lines().len();
    until("the subscriber again", 60, || async {
        broker.publish("gate/probe", "probe", &[]);
        (listener.lines().len() > heard).then_some(())
    })
    .await;
    let before = listener.events().last().copied();
    port.reach(&broker, "open_lane", LaneState::Idle).await;
    until("newer events at the subscriber", 60, || async {
        (listener.events().last().copied() > before).then_some(())
    })
    .await;
    assert!(port.stand.path().exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_fresh_signed_command_for_this_lane_is_done_and_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let broker = Broker::start(folder.path(), at, true).await;
    let listener = Listener::start(folder.path(), at);
    // Junk that was kept before the gate came, also more than it takes.
    let topic = format!("gate/ITBRI/1/{LANE}/cmd/close_lane");
    broker.publish(&topic, "junk", &["-r"]);
    let mut port = Port::start(at).await;
    until("the first refusal", 20, || async { (!listener.replies().is_empty()).then_some(()) }).await;
    assert!(listener.replies()[0].why.contains("retained"), "{:?}", listener.replies());
    broker.publish(&topic, "", &["-r"]);
    let mut seen = listener.replies().len();
    let mut refused = async |payload: &str, topic: &str, word: &str| {
        broker.publish(topic, payload, &[]);
        until("a reply", 20, || async { (listener.replies().len() > seen).then_some(()) }).await;
        let replies = listener.replies();
        let reply = replies.last().unwrap();
        assert!(!reply.done && reply.why.contains(word), "{word}: {reply:?}");
        seen = replies.len();
    };
    refused("open sesame", &topic, "malformed").await;
    refused("{\"do\":\"close_lane\"}", &topic, "malformed").await;
    let elsewhere = port.signed("n1-in-2", "close_lane", 60).await;
    refused(&elsewhere.signed, &topic, "signed for").await;
    let nowhere = elsewhere.topic.clone();
    refused(&elsewhere.signed, &nowhere, "no such lane").await;
    let open = port.signed(LANE, "open_lane", 60).await;
    refused(&open.signed, &open.topic, "not closed").await;
    let short = port.signed(LANE, "close_lane", 1).await;
    let signed_at = Instant::now();
    until("its end", 5, || async { (signed_at.elapsed() > Duration::from_millis(1_100)).then_some(()) })
        .await;
    refused(&short.signed, &topic, "expired").await;
    let big = "x".repeat(100_000);
    broker.publish(&topic, &big, &[]);
    assert_eq!(port.gate.lane(LANE).await.state, LaneState::Idle, "nothing of it was done");
    // A good one, once; also when the daemon was killed in between.
    let close = port.signed(LANE, "close_lane", 300).await;
    until("the command line again after the flood", 30, || async {
        broker.publish(&topic, &close.signed, &[]);
        (port.gate.lane(LANE).await.state == LaneState::Closed).then_some(())
    })
    .await;
    let open = port.signed(LANE, "open_lane", 60).await;
    broker.publish(&open.topic, &open.signed, &[]);
    port.state(LaneState::Idle).await;
    port.gate = port.gate.crash_and_restart().await;
    port.state(LaneState::Idle).await;
    until("a reply after the restart", 30, || async {
        broker.publish(&topic, &close.signed, &[]);
        listener.replies().last().filter(|r| r.why.contains("done already")).map(|_| ())
    })
    .await;
    assert_eq!(port.gate.lane(LANE).await.state, LaneState::Idle, "a repeated command is not done again");
}
