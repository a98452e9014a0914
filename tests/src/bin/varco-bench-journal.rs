//! `make bench`, journal part, in one run on one disk. P3: durable hash-chained events of 60 producers, each
//! waiting for its own commit, against PostgreSQL 15 with a commit an event (by 60 connections, whose commits
//! it groups; by one; with the journal's rows; chained as the journal is) and against SQLite with a
//! transaction an event. P11: the time to open a journal of a million entries again.
//! `varco-bench-journal [SECONDS] [ENTRIES] [ROUNDS]`.
#![allow(clippy::unwrap_used, reason = "a tool for measuring fails by panicking")]

use gate_types::entry::{Entry, EntryBody, PassOutcome, PassSummary};
use gate_types::head::HeadSigner;
use gate_types::mission::Direction;
use gate_types::{LaneId, NodeId, PassId, PortId, Stamp};
use journal::{Journal, Options};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tests::{BODY, Postgres, Promise};

/// Producers, as 60 lanes of a port.
const PRODUCERS: u64 = 60;
/// Entries of one pass.
const PASS: u64 = 14;

/// The n-th entry of a lane: passes of a beginning, twelve events and an end.
fn entry(lane: u64, n: u64) -> Entry {
    let lane = LaneId::new(format!("n1-in-{lane}")).unwrap();
    let body = match n % PASS {
        0 => EntryBody::PassOpened { direction: Direction::In },
        13 => EntryBody::PassClosed {
            summary: Box::new(PassSummary {
                direction: Direction::In,
                outcome: PassOutcome::Passed,
                opened_at_ms: 0,
                identity: Default::default(),
                mission: None,
                verdict: None,
                raised_by: None,
            }),
        },
        _ => EntryBody::OperatorAct { name: "x".repeat(BODY - 120), act: "admit".into(), reason: "b".into() },
    };
    Entry { lane: None, pass: Some(PassId { lane, number: n / PASS + 1 }), at: Stamp::default(), body }
}

fn options() -> Options {
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let signer = HeadSigner::new(PortId::new("ITBRI").unwrap(), NodeId::new("1").unwrap(), key);
    Options { signer: Some(signer), ..Options::default() }
}

/// Durable, chained, signed events a second, and the median time of a commit, milliseconds.
async fn ours(folder: &Path, round: usize, lasting: Duration) -> (f64, f64) {
    let (journal, _) = Journal::open_with(&folder.join(format!("bench-{round}.db")), options()).unwrap();
    let started = Instant::now();
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|lane| {
            let journal = journal.clone();
            tokio::spawn(async move {
                let mut count = 0;
                while started.elapsed() < lasting {
                    journal.append(&[entry(lane, count)]).await.unwrap();
                    count += 1;
                }
                count
            })
        })
        .collect();
    let mut total = 0;
    for producer in producers {
        total += producer.await.unwrap();
    }
    let rate = total as f64 / started.elapsed().as_secs_f64();
    (rate, median(&mut journal.stats().await.unwrap().fsync_samples_ms))
}

/// Rows a second, each a transaction of its own, as a first attempt does it.
fn naive(folder: &Path, round: usize, lasting: Duration) -> f64 {
    let db = rusqlite::Connection::open(folder.join(format!("naive-{round}.db"))).unwrap();
    db.execute_batch("CREATE TABLE entry (seq INTEGER PRIMARY KEY, lane TEXT, pass INTEGER, body TEXT)")
        .unwrap();
    let (started, mut count) = (Instant::now(), 0_u64);
    while started.elapsed() < lasting {
        count += 1;
        let body = serde_json::to_string(&entry(count % PRODUCERS, count)).unwrap();
        db.execute("INSERT INTO entry (lane, pass, body) VALUES (?1, ?2, ?3)", ("n1", count, body)).unwrap();
    }
    count as f64 / started.elapsed().as_secs_f64()
}

/// Raw `fdatasync` of a page overwritten in place, median, milliseconds.
fn raw(folder: &Path) -> f64 {
    let file = File::create(folder.join("raw")).unwrap();
    file.write_all_at(&vec![0; 4096 * 64], 0).unwrap();
    file.sync_all().unwrap();
    let mut times: Vec<f64> = (0..64)
        .map(|n| {
            let started = Instant::now();
            file.write_all_at(&[0x5a; 4096], n * 4096).unwrap();
            file.sync_data().unwrap();
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    median(&mut times)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|n| n.parse::<u64>().unwrap());
    let seconds = arguments.next().unwrap_or(4);
    let entries = arguments.next().unwrap_or(1_000_000);
    let rounds = arguments.next().unwrap_or(5);
    let folder = tempfile::tempdir().unwrap();
    // The cluster's own user has to reach its folder.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).unwrap();
    throughput(folder.path(), Duration::from_secs(seconds), usize::try_from(rounds).unwrap()).await;
    if entries > 0 {
        restart(folder.path(), entries).await;
    }
}

/// The peers, what a commit of each promises, by how many connections.
const PEERS: [(&str, Promise, u64); 4] = [
    ("PostgreSQL 15, a row a commit, 60 connections", Promise::Row, PRODUCERS),
    ("PostgreSQL 15, the journal's rows, not chained, 60", Promise::SameRows, PRODUCERS),
    ("PostgreSQL 15, the journal's rows, chained, 60", Promise::Chained, PRODUCERS),
    ("PostgreSQL 15, a row a commit, 1 connection", Promise::Row, 1),
];

async fn throughput(folder: &Path, lasting: Duration, rounds: usize) {
    let postgres = Postgres::start(folder);
    let (mut our, mut commit, mut first, mut disk) = (vec![], vec![], vec![], vec![]);
    let mut theirs = [const { Vec::new() }; PEERS.len()];
    for round in 0..rounds {
        disk.push(raw(folder));
        let (rate, of_commit) = ours(folder, round, lasting).await;
        our.push(rate);
        commit.push(of_commit);
        if let Some(postgres) = &postgres {
            for ((_, promise, clients), rates) in PEERS.iter().zip(&mut theirs) {
                rates.extend(postgres.commits_per_s(*promise, *clients, lasting));
            }
        }
        first.push(naive(folder, round, lasting));
    }
    println!(
        "durable events of {BODY} bytes, {PRODUCERS} producers, {rounds} rounds of {} s in turns",
        lasting.as_secs()
    );
    println!(
        "  raw fdatasync of a page: median {:.3} ms; a commit of the journal: {:.3} ms",
        median(&mut disk),
        median(&mut commit)
    );
    let ratios = |theirs: &[f64]| median(&mut our.iter().zip(theirs).map(|(o, t)| o / t).collect::<Vec<_>>());
    let tell = |name: &str, rates: &[f64], bar: &str| {
        let (low, high) = rates.iter().fold((f64::MAX, 0.0_f64), |(l, h), r| (l.min(*r), h.max(*r)));
        let rate = median(&mut rates.to_vec());
        println!("  {name:<52} {rate:7.0} /s ({low:.0} to {high:.0})   ratio {:.1}{bar}", ratios(rates));
    };
    tell("journal, chained and signed", &our, "");
    if postgres.is_none() {
        println!("  PostgreSQL 15: skipped, it is not installed here (apt-get install postgresql-15)");
    }
    for ((name, promise, clients), rates) in PEERS.iter().zip(&theirs) {
        if !rates.is_empty() {
            let bar = if (*promise, *clients) == (Promise::Row, PRODUCERS) { " (bar: >= 6)" } else { "" };
            tell(name, rates, bar);
        }
    }
    tell("SQLite, a transaction a row", &first, " (bar: >= 30)");
}

async fn restart(folder: &Path, entries: u64) {
    let path = folder.join("million.db");
    {
        let (journal, _) = Journal::open_with(&path, options()).unwrap();
        let mut number = 0;
        while number < entries {
            let batch: Vec<_> =
                (number..(number + 500).min(entries)).map(|n| entry(n % PRODUCERS, n / PRODUCERS)).collect();
            number += batch.len() as u64;
            journal.append(&batch).await.unwrap();
        }
        // As after kill -9: the log is not folded.
        for end in ["", "-wal", ".head"] {
            let name = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
            std::fs::copy(name(&path), name(&folder.join("killed.db"))).unwrap();
        }
    }
    let path = folder.join("killed.db");
    let mut times = Vec::new();
    for _ in 0..3 {
        let started = Instant::now();
        let (journal, opened) = Journal::open_with(&path, options()).unwrap();
        times.push(started.elapsed().as_secs_f64() * 1e3);
        assert!(opened.findings.is_empty(), "{:?}", opened.findings);
        let mut history = journal.history();
        let found = history.wait_for(Option::is_some).await.unwrap().clone().unwrap();
        assert!(found.holds());
        println!(
            "  open after kill -9 with {} entries and {} open passes: {:.0} ms, the rest of the chain verified {:.1} s later",
            opened.last_seq,
            opened.open_passes.len(),
            times.last().unwrap(),
            started.elapsed().as_secs_f64()
        );
    }
    println!("restart with {entries} entries: median {:.0} ms (bar: 1000 ms)", median(&mut times));
}
