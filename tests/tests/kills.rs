//! The built daemon killed at every step of a pass, and at random under load on several lanes: each pass
//! reaches central once, the arm rises once for it, the journal holds, and what central holds in the end is
//! what an undisturbed run leaves (F-KILL1, F-KILL2, I2, I4, I5, I7). `VARCO_KILLS` sets the random kills,
//! `VARCO_LANES` the lanes, `VARCO_SEED` the seed (`make soak`).

use gate_types::MissionId;
use gate_types::api::{EventCounts, MissionView};
use gate_types::console::Metrics;
use nix::sys::signal::Signal;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rusqlite::{Connection, OpenFlags, params};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tests::{Block, Central, Gate, QuickGate, QuickLane, Stand, until};

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
const LIMIT: Duration = Duration::from_secs(120);

/// A pass as central holds it: lane, truck, outcome, and whether an arm went up for it.
type Passes = BTreeSet<(String, String, String, bool)>;

struct Port {
    central: Central,
    lanes: Vec<QuickLane>,
    stand: Stand,
    /// The truck of each mission.
    trucks: Mutex<BTreeMap<MissionId, String>>,
    passes: AtomicU32,
    /// Everybody drives home.
    over: AtomicBool,
}

/// A second look at a database that somebody else writes.
fn reader(file: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(file, flags).unwrap();
    db.busy_timeout(Duration::from_secs(5)).unwrap();
    db
}

/// The journal as another process sees it.
struct Seen(Mutex<Connection>);

impl Seen {
    fn last(&self) -> u64 {
        self.0.lock().unwrap().query_row("SELECT coalesce(max(seq), 0) FROM entry", [], |r| r.get(0)).unwrap()
    }
    fn stands(&self, lane: &str, kind: &str, after: u64) -> bool {
        let sql = "SELECT EXISTS (SELECT 1 FROM entry WHERE seq > ?1 AND lane = ?2 AND kind = ?3)";
        self.0.lock().unwrap().query_row(sql, params![after, lane, kind], |r| r.get(0)).unwrap()
    }
    async fn wait(&self, lane: &str, kind: &str, after: u64) {
        let what = format!("{kind} of {lane}");
        self.until(&what, lane, || self.stands(lane, kind, after)).await;
    }
    /// Waits, and tells the lane's last entries where it does so in vain.
    async fn until(&self, what: &str, lane: &str, done: impl Fn() -> bool) {
        wait(|| format!("{what}; on record: {}", self.last_of(lane)), done).await;
    }
    fn last_of(&self, lane: &str) -> String {
        let db = self.0.lock().unwrap();
        let sql = "SELECT seq || ' ' || kind || ' ' || substr(body, 1, 300) FROM entry WHERE lane = ?1 ORDER BY seq DESC LIMIT 30";
        let mut rows = db.prepare(sql).unwrap();
        let rows = rows.query_map(params![lane], |r| r.get::<_, String>(0)).unwrap();
        rows.map(|row| row.unwrap() + "\n").collect()
    }
}

async fn wait(what: impl Fn() -> String, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < LIMIT, "waited in vain for {}", what());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

impl Port {
    async fn start(lanes: usize) -> (Gate, Arc<Self>) {
        let QuickGate { gate, central, lanes, stand } = QuickGate::start(lanes).await;
        let (trucks, passes, over) = Default::default();
        (gate, Arc::new(Self { central, lanes, stand, trucks, passes, over }))
    }
    fn journal(&self) -> Seen {
        Seen(Mutex::new(reader(&self.stand.path().join("state/journal.db"))))
    }
    /// One truck and its mission, from the approach loop to the mission's end.
    async fn truck(&self, lane: &QuickLane, n: u32) {
        let (seen, QuickLane { id, block, code, .. }) = (self.journal(), lane);
        let name = format!("{id} truck {n}");
        let mut mission = tests::released_import(code);
        mission.idempotency_key.clone_from(&name);
        let mission = self.central.create(&mission).await.id;
        self.trucks.lock().unwrap().insert(mission.clone(), name.clone());
        let (raises, from) = (block.raises(), seen.last());
        block.loops(true, false);
        seen.until(&format!("the arm to rise for {name}"), id, || block.arm() >= 1.0).await;
        block.loops(false, true);
        seen.wait(id, "vehicle_under", from).await;
        block.loops(false, false);
        seen.wait(id, "pass_closed", from).await;
        assert_eq!(block.raises() - raises, 1, "{name}: one pulse for one vehicle (I2)");
        let ended: MissionView = until("the mission to end at central", 60, || async {
            let mission: MissionView = self.central.mission(&mission).await;
            mission.definitive.is_some().then_some(mission)
        })
        .await;
        assert_eq!(ended.passed.iter().filter(|leg| !leg.imported).count(), 1, "{name}: one pass (I4)");
        self.passes.fetch_add(1, Ordering::Relaxed);
    }
    /// Trucks at every lane at the same time: `most` at each, or until everybody drives home.
    fn traffic(self: &Arc<Self>, most: u32) -> Vec<tokio::task::JoinHandle<u32>> {
        (0..self.lanes.len())
            .map(|lane| {
                let port = self.clone();
                tokio::spawn(async move {
                    let mut driven = 0;
                    while driven < most && !port.over.load(Ordering::Relaxed) {
                        driven += 1;
                        port.truck(&port.lanes[lane], driven).await;
                    }
                    driven
                })
            })
            .collect()
    }
    /// Kills the daemon and starts it again; how long that took until it was ready.
    async fn kill(&self, gate: Gate) -> (Gate, Duration) {
        let killed = Instant::now();
        gate.process.signal(Signal::SIGKILL);
        let blocks: Vec<Block> = self.lanes.iter().map(|lane| lane.block.clone()).collect();
        let gate = gate.crash_and_restart_after(|| blocks.iter().for_each(Block::drop_outputs)).await;
        (gate, killed.elapsed())
    }
    /// Everything has reached central, once; the passes that it holds.
    async fn settle(&self, gate: &Gate) -> Passes {
        let metrics: Metrics = until("every event at central", 60, || async {
            let metrics: Metrics = gate.get("/api/v1/metrics").await;
            (metrics.events == metrics.acknowledged).then_some(metrics)
        })
        .await;
        let counts: EventCounts = self.central.get(gate_types::api::EVENT_COUNTS).await;
        assert_eq!((counts.stored, counts.duplicated), (metrics.events, 0), "no loss, no duplicate (I4)");
        let audit = journal::verify(&self.stand.path().join("state/journal.db")).unwrap();
        println!(
            "{} passes, {} entries, {} signed heads",
            self.passes.load(Ordering::Relaxed),
            audit.entries,
            audit.heads
        );
        let trucks = self.trucks.lock().unwrap();
        let db = reader(&self.stand.path().join("central.db"));
        let mut rows = db.prepare("SELECT entry FROM events WHERE kind = 'pass_closed'").unwrap();
        let rows = rows.query_map([], |r| r.get::<_, String>(0)).unwrap();
        let mut passes = Passes::new();
        for row in rows {
            let entry: serde_json::Value = serde_json::from_str(&row.unwrap()).unwrap();
            let (lane, summary) = (entry["pass"]["lane"].as_str().unwrap(), &entry["summary"]);
            let mission = summary["mission"]["mission"].as_str();
            let truck = mission
                .and_then(|m| trucks.iter().find(|(id, _)| id.to_string() == m))
                .map_or_else(|| format!("no truck's: {entry}"), |(_, truck)| truck.clone());
            let outcome = summary["outcome"].as_str().unwrap().to_owned();
            let new =
                passes.insert((lane.to_owned(), truck.clone(), outcome, !summary["raised_by"].is_null()));
            assert!(new, "{truck} has passed once");
        }
        passes
    }
}

fn told_by(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |n| n.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_every_step_of_a_pass_and_nothing_is_lost_or_done_twice() {
    let (mut gate, port) = Port::start(1).await;
    for (n, step) in (1..).zip(STEPS) {
        let seen = port.journal();
        let from = seen.last();
        let driving = port.clone();
        let truck = tokio::spawn(async move { driving.truck(&driving.lanes[0], n).await });
        seen.wait(&port.lanes[0].id, step, from).await;
        (gate, _) = port.kill(gate).await;
        truck.await.unwrap();
    }
    let passes = port.settle(&gate).await;
    assert_eq!(passes.len(), STEPS.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_under_load_and_central_holds_what_it_holds_undisturbed() {
    let (kills, seed) = (told_by("VARCO_KILLS", 6), told_by("VARCO_SEED", 20_261_122));
    let lanes = usize::try_from(told_by("VARCO_LANES", 2)).unwrap();
    println!("seed {seed}, {kills} kills, {lanes} lanes");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut gate, port) = Port::start(lanes).await;
    let traffic = port.traffic(u32::MAX);
    let seen = port.journal();
    let mut ready = Vec::new();
    for n in 1..=kills {
        // So many entries of all lanes later, and so many microseconds after that one stands.
        let due = seen.last() + random.random_range(1..=24);
        let micros = random.random_range(0..3_000);
        let stopped = || traffic.iter().any(|lane| lane.is_finished());
        wait(|| "the lanes' entries".to_owned(), || seen.last() >= due || stopped()).await;
        let moment = Instant::now() + Duration::from_micros(micros);
        while Instant::now() < moment {
            std::hint::spin_loop();
        }
        let took;
        (gate, took) = port.kill(gate).await;
        ready.push(took);
        if n % 10 == 0 {
            println!("{n} kills, {} passes", port.passes.load(Ordering::Relaxed));
        }
    }
    port.over.store(true, Ordering::Relaxed);
    let mut driven = Vec::new();
    for lane in traffic {
        driven.push(lane.await.unwrap());
    }
    let disturbed = port.settle(&gate).await;
    ready.sort();
    println!(
        "ready again after a kill: median {:?}, longest {:?}",
        ready[ready.len() / 2],
        ready[ready.len() - 1]
    );
    drop((gate, port));

    // The same trucks at the same lanes, and nobody kills.
    let (gate, port) = Port::start(lanes).await;
    let mut tasks = Vec::new();
    for (lane, trucks) in driven.into_iter().enumerate() {
        let port = port.clone();
        tasks.push(tokio::spawn(async move {
            for n in 1..=trucks {
                port.truck(&port.lanes[lane], n).await;
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(disturbed, port.settle(&gate).await, "central holds what an undisturbed run leaves");
}
