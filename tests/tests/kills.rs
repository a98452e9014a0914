//! The built daemon killed at every step of a pass and at random: each pass reaches central once, the arm rises
//! once for it, and the journal holds (F-KILL1, F-KILL2, I2, I4, I5, I7). `VARCO_KILLS` sets the random kills.

use gate_types::api::{EventCounts, MissionView};
use gate_types::console::{LaneState, Metrics};
use nix::sys::signal::Signal;
use rand::{Rng as _, SeedableRng as _};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::{Duration, Instant};
use tests::{Block, Camera, Central, Gate, NodeFile, Stand, until};

const LANE: &str = "n1-out-1";
/// Every kind of entry that an admitted pass writes, in its order.
const STEPS: [&str; 11] = [
    "pass_opened",
    "optical_read",
    "release_asked",
    "release_answered",
    "decided",
    "raise_commanded",
    "arm_confirmed_up",
    "vehicle_under",
    "lower_permitted",
    "arm_confirmed_down",
    "pass_closed",
];
/// Longest wait for a step of a pass, restarts included.
const LIMIT: Duration = Duration::from_secs(60);

/// When the daemon is killed.
enum Kill {
    /// As soon as an entry of this kind stands.
    At(&'static str),
    /// As soon as so many entries were written since the pass began, and so many microseconds later.
    After(u64, u64),
}

struct Port {
    gate: Option<Gate>,
    central: Central,
    block: Block,
    _camera: Camera,
    code: String,
    stand: Stand,
    reader: Connection,
    passes: u32,
    kills: u32,
}

fn reader(stand: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(stand.join("state/journal.db"), flags).unwrap();
    db.busy_timeout(Duration::from_secs(2)).unwrap();
    db
}

impl Port {
    async fn start() -> Self {
        let stand = Stand::new();
        let (picture, code) = tests::rendered(stand.path());
        let central = Central::start(stand.path()).await;
        let block = Block::start().await;
        let camera = Camera::start(picture).await;
        let mut file = NodeFile::bari("1", &central, &stand.path().join("state"));
        tests::container_lane(&mut file, LANE, &block, &camera);
        let timers = file.only_lane(LANE)["timers"].as_table_mut().unwrap();
        timers.insert("presence_ms".into(), 60.into());
        timers.insert("clear_ms".into(), 150.into());
        let gate = Gate::start(&central, "1", &file, stand.path()).await;
        gate.lane_until(LANE, "an idle lane", 30, |l| l.state == LaneState::Idle && l.faults.is_empty())
            .await;
        let reader = reader(stand.path());
        Self { gate: Some(gate), central, block, _camera: camera, code, stand, reader, passes: 0, kills: 0 }
    }
    fn last(&self) -> u64 {
        self.reader.query_row("SELECT coalesce(max(seq), 0) FROM entry", [], |r| r.get(0)).unwrap()
    }
    fn stands(&self, kind: &str, after: u64) -> bool {
        let sql = "SELECT EXISTS (SELECT 1 FROM entry WHERE seq > ?1 AND kind = ?2)";
        self.reader.query_row(sql, rusqlite::params![after, kind], |r| r.get(0)).unwrap()
    }
    /// Looks for the moment of the kill while waiting for a condition; a killed daemon is started again.
    async fn wait(&mut self, what: &str, kill: &mut Option<Kill>, from: u64, done: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        loop {
            let now = match kill {
                Some(Kill::At(kind)) => self.stands(kind, from),
                Some(Kill::After(entries, micros)) => {
                    let due = self.last() >= from + *entries;
                    if due {
                        let moment = Instant::now() + Duration::from_micros(*micros);
                        while Instant::now() < moment {
                            std::hint::spin_loop();
                        }
                    }
                    due
                }
                None => false,
            };
            if now {
                *kill = None;
                self.kills += 1;
                let gate = self.gate.take().unwrap();
                gate.process.signal(Signal::SIGKILL);
                let block = self.block.clone();
                self.gate = Some(gate.crash_and_restart_after(|| block.drop_outputs()).await);
            }
            if done(self) {
                return;
            }
            assert!(started.elapsed() < LIMIT, "pass {}: waited in vain for {what}", self.passes);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    /// One truck, one kill, one mission that ends.
    async fn truck(&mut self, kill: Kill) {
        self.passes += 1;
        let mut mission = tests::released_import(&self.code);
        mission.idempotency_key = format!("truck-{}", self.passes);
        let mission = self.central.create(&mission).await;
        let (raises, from) = (self.block.raises(), self.last());
        let mut kill = Some(kill);
        self.block.loops(true, false);
        self.wait("the arm to rise", &mut kill, from, |p| p.block.arm() >= 1.0).await;
        self.block.loops(false, true);
        self.wait("the vehicle under the arm", &mut kill, from, |p| p.stands("vehicle_under", from)).await;
        self.block.loops(false, false);
        self.wait("the end of the pass", &mut kill, from, |p| p.stands("pass_closed", from)).await;
        // A kill that is still due comes after the end.
        let waiting = kill.is_none();
        self.wait("the kill", &mut kill, from, |p| waiting || p.kills >= p.passes).await;
        assert_eq!(self.block.raises() - raises, 1, "pass {}: one pulse for one vehicle (I2)", self.passes);
        let central = &self.central;
        let ended: MissionView = until("the mission to end at central", 30, || async {
            let mission: MissionView = central.mission(&mission.id).await;
            mission.definitive.is_some().then_some(mission)
        })
        .await;
        assert_eq!(ended.passed.iter().filter(|leg| !leg.imported).count(), 1, "one pass at central (I4)");
    }
    async fn settle(&self) {
        let gate = self.gate.as_ref().unwrap();
        let metrics: Metrics = until("every event at central", 30, || async {
            let metrics: Metrics = gate.get("/api/v1/metrics").await;
            (metrics.events == metrics.acknowledged).then_some(metrics)
        })
        .await;
        let counts: EventCounts = self.central.get(gate_types::api::EVENT_COUNTS).await;
        assert_eq!((counts.stored, counts.duplicated), (metrics.events, 0), "no loss, no duplicate (I4)");
        let audit = journal::verify(&self.stand.path().join("state/journal.db")).unwrap();
        println!(
            "{} passes, {} kills, {} entries, {} signed heads",
            self.passes, self.kills, audit.entries, audit.heads
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_every_step_of_a_pass_and_nothing_is_lost_or_done_twice() {
    let mut port = Port::start().await;
    for step in STEPS {
        port.truck(Kill::At(step)).await;
    }
    port.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_and_nothing_is_lost_or_done_twice() {
    let kills: u32 = std::env::var("VARCO_KILLS").map_or(8, |n| n.parse().unwrap());
    let seed: u64 = 20_261_122;
    println!("seed {seed}, {kills} kills");
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut port = Port::start().await;
    for _ in 0..kills {
        let (entries, micros) = (random.random_range(1..13), random.random_range(0..3_000));
        port.truck(Kill::After(entries, micros)).await;
    }
    port.settle().await;
}
