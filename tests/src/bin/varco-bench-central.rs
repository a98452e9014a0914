//! `make bench`, central's part, on SQLite and on PostgreSQL 15 in one run. A backlog of eight hours of 60
//! lanes (57,600 passes of 14 events) is delivered by the gates over mutual TLS, as they deliver it after an
//! outage, while a lane goes on asking for release. Told are: events a second and, for PostgreSQL, their
//! ratio to `COPY` of the same rows into the same table; the time for all of it; the release answers before
//! and during, and as a ratio to raw `fdatasync` on the same disk.
//! `varco-bench-central [PASSES] [sqlite|postgres]`.
#![allow(clippy::unwrap_used, reason = "a tool for measuring fails by panicking")]

use gate_types::api::{
    ENROL, EVENT_COUNTS, EVENTS, EnrolAnswer, EnrolRequest, EventBatch, EventCounts, EventReceipt, GateEvent,
    MAX_BATCH, MissionView, NewMission, RELEASE, SignedAnswer,
};
use gate_types::entry::{Authority, Entry, EntryBody, PassOutcome, PassSummary};
use gate_types::identity::{Candidate, Identity, Slot, SlotEvidence};
use gate_types::mission::{CustomsStatus, Direction, LegRef, MissionConditions};
use gate_types::release::{Expected, MissionFacts, ReleaseRequest};
use gate_types::{BootEpoch, EntrySeq, LaneId, Mono, NodeId, PassId, PortId, Stamp, Wall};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tests::{Central, Cluster, Stand};

/// Events of one pass: a beginning, twelve between and an end.
const PASS: u64 = 14;
/// Bytes of an event between, as in the journal's part.
const BODY: usize = 480;
/// A lane asks so often while the backlog is delivered: sixty lanes with a truck each three minutes.
const ASK: Duration = Duration::from_millis(100);

fn percentile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let at = ((samples.len() as f64 - 1.0) * share).round() as usize;
    samples.get(at).copied().unwrap_or(f64::NAN)
}

/// Raw `fdatasync` of a page overwritten in place, milliseconds.
fn fdatasync(folder: &Path, count: u64) -> Vec<f64> {
    let file = File::create(folder.join("raw")).unwrap();
    file.write_all_at(&vec![0; 4096 * 64], 0).unwrap();
    file.sync_all().unwrap();
    let one = |n: u64| {
        let started = Instant::now();
        file.write_all_at(&[0x5a; 4096], n % 64 * 4096).unwrap();
        file.sync_data().unwrap();
        std::thread::sleep(Duration::from_millis(5));
        started.elapsed().as_secs_f64() * 1e3 - 5.0
    };
    (0..count).map(one).collect()
}

/// An enrolled gate.
#[derive(Clone)]
struct Gate {
    node: NodeId,
    port: PortId,
    url: String,
    client: reqwest::Client,
}

impl Gate {
    async fn enrol(central: &Central, folder: &Path, node: &NodeId) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let csr = rcgen::CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
        let secret = central.token(node).await.split('.').nth(1).unwrap().to_owned();
        let ca = std::fs::read(folder.join("ca.pem")).unwrap();
        let trusting = || {
            reqwest::Client::builder()
                .no_proxy()
                .tls_certs_only([reqwest::Certificate::from_pem(&ca).unwrap()])
        };
        let url = central.gate_url.replace("127.0.0.1", "localhost");
        let request = EnrolRequest { secret, node: node.clone(), csr_pem: csr };
        let sent = trusting().build().unwrap().post(format!("{url}{ENROL}")).json(&request).send();
        let answer: EnrolAnswer = sent.await.unwrap().json().await.unwrap();
        let pem = format!("{}{}", answer.certificate_pem, key.serialize_pem());
        let identity = reqwest::Identity::from_pem(pem.as_bytes()).unwrap();
        let client = trusting().identity(identity).build().unwrap();
        Self { node: node.clone(), port: answer.port, url, client }
    }
    /// One question for release with its answer, milliseconds.
    async fn ask(&self, plate: &str, number: u64) -> f64 {
        let candidate =
            Candidate { value: plate.to_owned(), probability: 0.95, support: vec!["front".to_owned()] };
        let slot = Slot::TractorPlate;
        let read = SlotEvidence {
            slot,
            candidates: vec![candidate],
            conflict: false,
            blind: false,
            sources: Vec::new(),
        };
        let request = ReleaseRequest {
            port: self.port.clone(),
            node: self.node.clone(),
            direction: Direction::In,
            pass: PassId { lane: LaneId::new("n1-in-1").unwrap(), number },
            nonce: format!("bench-{number}"),
            identity: Identity { slots: vec![read], ..Identity::default() },
        };
        let started = Instant::now();
        let answer = self.client.post(format!("{}{RELEASE}", self.url)).json(&request).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        let _: SignedAnswer = answer.json().await.unwrap();
        started.elapsed().as_secs_f64() * 1e3
    }
}

fn mission(n: u64, process: &gate_types::ProcessId) -> NewMission {
    NewMission {
        idempotency_key: format!("bench-{n}"),
        process: process.clone(),
        mrns: Vec::new(),
        expected: Expected { tractor_plate: Some(plate(n)), ..Expected::default() },
        status: CustomsStatus::Released,
        holds: Vec::new(),
        report_to: None,
        conditions: conditions(),
        language: None,
        imported_progress: Vec::new(),
        circumstances: Default::default(),
    }
}

fn conditions() -> MissionConditions {
    MissionConditions {
        access_permission: true,
        boarding_ticket: true,
        declaration: None,
        berth: None,
        exception: None,
    }
}

/// A registration of seven characters that no other number shares, without look-alikes.
fn plate(n: u64) -> String {
    const LETTERS: &[u8; 10] = b"ACEFHKPRXY";
    let digit = |place: u32| char::from(LETTERS[(n / 10_u64.pow(place) % 10) as usize]);
    format!("{}{}9{}{}9{}", digit(4), digit(3), digit(2), digit(1), digit(0))
}

fn facts(view: &MissionView) -> MissionFacts {
    MissionFacts {
        mission: view.id.clone(),
        iot_id: view.iot_id,
        process: view.process.clone(),
        status: view.status,
        holds: Vec::new(),
        report_to: None,
        conditions: view.conditions.clone(),
        progress: Vec::new(),
        ended: false,
        expected: view.expected.clone(),
        language: None,
        circumstances: Default::default(),
    }
}

/// The events of one pass of a mission, numbered on in its node's journal.
fn pass(leg: &LegRef, seq: &mut u64, number: u64, at_ms: i64, view: &MissionView) -> Vec<GateEvent> {
    let lane = LaneId::new(format!("n{}-in-{}", leg.node, number % 15 + 1)).unwrap();
    let event = |n: u64, body: EntryBody| {
        *seq += 1;
        GateEvent {
            epoch: BootEpoch(1),
            seq: EntrySeq(*seq),
            hash: format!("{:064x}", *seq),
            entry: Entry {
                lane: Some(lane.clone()),
                pass: Some(PassId { lane: lane.clone(), number }),
                at: Stamp { mono_ms: Mono(*seq), wall_ms: Wall(at_ms + n as i64) },
                body,
            },
        }
    };
    let mut event = event;
    let mut events = vec![event(0, EntryBody::PassOpened { direction: leg.direction })];
    for n in 1..PASS - 1 {
        let act = EntryBody::OperatorAct { name: "x".repeat(BODY), act: "admit".into(), reason: "b".into() };
        events.push(event(n, act));
    }
    let summary = PassSummary {
        direction: leg.direction,
        outcome: PassOutcome::Passed,
        opened_at_ms: at_ms,
        identity: Identity::default(),
        mission: Some(Box::new(facts(view))),
        verdict: None,
        raised_by: Some(Authority::Decision),
    };
    events.push(event(PASS, EntryBody::PassClosed { summary: Box::new(summary) }));
    events
}

/// Sends a node's backlog as its gate does, batch after batch. Gives back how many were seen before.
async fn deliver(gate: Gate, bodies: Vec<Vec<u8>>) -> u32 {
    let mut duplicates = 0;
    for body in bodies {
        let request =
            gate.client.post(format!("{}{EVENTS}", gate.url)).header("content-type", "application/json");
        let answer = request.body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}: {}", answer.status(), answer.text().await.unwrap());
        duplicates += answer.json::<EventReceipt>().await.unwrap().duplicates;
    }
    duplicates
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let passes: u64 = std::env::args().nth(1).map_or(57_600, |n| n.parse().unwrap());
    let only = std::env::args().nth(2);
    let wants = |name: &str| only.as_deref().is_none_or(|o| o == name);
    if wants("sqlite") {
        measured(passes, None).await;
    }
    if wants("postgres") {
        measured(passes, Some(Cluster::start(true))).await;
    }
}

async fn measured(passes: u64, cluster: Option<Cluster>) {
    let stand = Stand::new();
    let database = match &cluster {
        Some(cluster) => cluster.url(),
        None => format!("sqlite:{}", stand.path().join("central.db").display()),
    };
    let central = Central::start_on(stand.path(), "127.0.0.1:0", &database).await;
    let site = config::load_site(&tests::root().join("config/sites/bari/site.toml")).unwrap();
    let process = site.processes.iter().find(|p| p.id.as_str() == "P1").unwrap();
    let path = &process.paths[0];
    let legs: Vec<LegRef> = process
        .legs_of(path)
        .iter()
        .map(|leg| LegRef { node: leg.node.clone(), direction: leg.direction })
        .collect();
    let missions = passes / legs.len() as u64;
    let mut views: Vec<MissionView> = Vec::new();
    for n in 0..missions {
        views.push(central.create(&mission(n, &process.id)).await);
        if n % 2000 == 1999 {
            eprintln!("{} of {missions} missions", n + 1);
        }
    }
    let live_plate = plate(99_999);
    central.create(&mission(99_999, &process.id)).await;
    let mut gates: BTreeMap<NodeId, Gate> = BTreeMap::new();
    for leg in &legs {
        if !gates.contains_key(&leg.node) {
            gates.insert(leg.node.clone(), Gate::enrol(&central, stand.path(), &leg.node).await);
        }
    }
    let live = gates[&legs[0].node].clone();
    let mut events: BTreeMap<NodeId, Vec<GateEvent>> = BTreeMap::new();
    let mut seqs: BTreeMap<NodeId, u64> = BTreeMap::new();
    let start_ms = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap() - 28_800_000;
    for (n, view) in (0_u64..).zip(&views) {
        for (l, leg) in (0_i64..).zip(&legs) {
            let seq = seqs.entry(leg.node.clone()).or_default();
            let at_ms = start_ms + n as i64 * 1_500 + l * 1_200_000;
            let of = pass(leg, seq, n * 4 + l as u64 + 1, at_ms, view);
            events.entry(leg.node.clone()).or_default().extend(of);
        }
    }
    let total: usize = events.values().map(Vec::len).sum();
    let mut backlog: Vec<(Gate, Vec<Vec<u8>>)> = Vec::new();
    for (node, events) in events {
        let gate = gates[&node].clone();
        let batch = |events: &[GateEvent]| {
            let batch = EventBatch { port: gate.port.clone(), node: node.clone(), events: events.to_vec() };
            serde_json::to_vec(&batch).unwrap()
        };
        let bodies = events.chunks(MAX_BATCH).map(batch).collect();
        backlog.push((gate, bodies));
    }
    let again: Vec<(Gate, Vec<Vec<u8>>)> = backlog
        .iter()
        .map(|(gate, bodies)| (gate.clone(), bodies.iter().take(4).cloned().collect()))
        .collect();

    let mut raw = fdatasync(stand.path(), 200);
    let mut before = Vec::new();
    for n in 0..300 {
        before.push(live.ask(&live_plate, n).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let done = Arc::new(AtomicBool::new(false));
    let asking = tokio::spawn({
        let (done, live, plate) = (Arc::clone(&done), live.clone(), live_plate.clone());
        async move {
            let mut during = Vec::new();
            let mut tick = tokio::time::interval(ASK);
            while !done.load(Ordering::Relaxed) {
                tick.tick().await;
                during.push(live.ask(&plate, 1000 + during.len() as u64).await);
            }
            during
        }
    });
    let started = Instant::now();
    let senders: Vec<_> =
        backlog.into_iter().map(|(gate, bodies)| tokio::spawn(deliver(gate, bodies))).collect();
    let mut seen = 0;
    for sender in senders {
        seen += sender.await.unwrap();
    }
    let took = started.elapsed().as_secs_f64();
    done.store(true, Ordering::Relaxed);
    let mut during = asking.await.unwrap();
    let mut repeated = 0;
    for (gate, bodies) in again {
        repeated += deliver(gate, bodies).await;
    }
    let counts: EventCounts = central.get(EVENT_COUNTS).await;
    assert_eq!((counts.stored, counts.duplicated, seen), (total as u64, 0, 0));
    let alarms: Vec<serde_json::Value> = central.get("/api/v1/alarms?limit=5").await;
    let rate = total as f64 / took;
    let (name, bar) = if cluster.is_some() { ("PostgreSQL 15", 60.0) } else { ("SQLite", 120.0) };
    println!(
        "{name}: {passes} passes, {total} events of {} gates over mutual TLS, stored once and followed",
        gates.len()
    );
    println!(
        "  all of it in {took:.1} s (bar for 806,400: {bar} s; at this rate {:.1} s), {rate:.0} events/s; {repeated} sent again, all known; alarms {}",
        806_400.0 / rate,
        alarms.len()
    );
    let (raw99, before50) = (percentile(&mut raw, 0.99), percentile(&mut before, 0.5));
    let (before99, during50, during99) =
        (percentile(&mut before, 0.99), percentile(&mut during, 0.5), percentile(&mut during, 0.99));
    println!(
        "  release answer: alone p50 {before50:.2} p99 {before99:.2} ms; fdatasync p99 {raw99:.2} ms, ratio {:.1}",
        before99 / raw99
    );
    println!(
        "  during the delivery p50 {during50:.2} p99 {during99:.2} ms ({} answers): p99 ratio {:.2} (bar: < 2)",
        during.len(),
        during99 / before99
    );
    if let Some(cluster) = &cluster {
        copied(cluster, total, rate);
    }
}

/// `COPY` of the same rows into the same kind of table, by the server's own client.
fn copied(cluster: &Cluster, total: usize, rate: f64) {
    let file = cluster.socket().join("rows");
    let file = file.display();
    cluster.psql(&format!("COPY (SELECT * FROM events) TO '{file}'"));
    let mut rates = Vec::new();
    for round in 0..3 {
        cluster.psql(&format!("CREATE TABLE copy_{round} (LIKE events INCLUDING ALL)"));
        let started = Instant::now();
        cluster.psql(&format!("COPY copy_{round} FROM '{file}'"));
        rates.push(total as f64 / started.elapsed().as_secs_f64());
        cluster.psql(&format!("DROP TABLE copy_{round}"));
    }
    let copy = percentile(&mut rates, 0.5);
    println!(
        "  COPY of the same rows: {copy:.0} rows/s; ours {:.2} of it (bar: >= 20,000 events/s: {rate:.0})",
        rate / copy
    );
}
