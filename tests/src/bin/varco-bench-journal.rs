//! `make bench`, journal part, in one run on one disk: durable hash-chained events of 60 producers against
//! PostgreSQL 15 with single-row commits of 60 clients and against SQLite with a transaction per row (P3); and
//! the time to open a journal of a million entries again (P11). `varco-bench-journal [SECONDS] [ENTRIES]`.
#![allow(clippy::unwrap_used, reason = "a tool for measuring fails by panicking")]

use gate_types::entry::{Entry, EntryBody};
use gate_types::head::HeadSigner;
use gate_types::{LaneId, NodeId, PassId, PortId, Stamp};
use journal::{Journal, Options};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Producers, as 60 lanes of a port.
const PRODUCERS: u64 = 60;
/// Rounds; the peers take turns.
const ROUNDS: usize = 3;
/// The size of a common event's body, bytes.
const BODY: usize = 600;

fn entry(lane: u64, number: u64) -> Entry {
    let lane = LaneId::new(format!("n1-in-{lane}")).unwrap();
    let body =
        EntryBody::OperatorAct { name: "x".repeat(BODY - 120), act: "admit".into(), reason: "bench".into() };
    Entry { lane: None, pass: Some(PassId { lane, number }), at: Stamp::default(), body }
}

fn options() -> Options {
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let signer = HeadSigner::new(PortId::new("ITBRI").unwrap(), NodeId::new("1").unwrap(), key);
    Options { signer: Some(signer), ..Options::default() }
}

/// Durable, chained, signed events a second.
async fn ours(folder: &Path, round: usize, lasting: Duration) -> f64 {
    let (journal, _) = Journal::open_with(&folder.join(format!("bench-{round}.db")), options()).unwrap();
    let started = Instant::now();
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|lane| {
            let journal = journal.clone();
            tokio::spawn(async move {
                let mut count = 0;
                while started.elapsed() < lasting {
                    count += 1;
                    journal.append(vec![entry(lane, count)]).await.unwrap();
                }
                count
            })
        })
        .collect();
    let mut total = 0;
    for producer in producers {
        total += producer.await.unwrap();
    }
    total as f64 / started.elapsed().as_secs_f64()
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

/// A temporary PostgreSQL cluster, stopped by its own process id.
struct Postgres {
    bin: PathBuf,
    folder: PathBuf,
    as_user: Option<&'static str>,
}

impl Postgres {
    fn start(folder: &Path) -> Option<Self> {
        let bin = PathBuf::from("/usr/lib/postgresql/15/bin");
        if !bin.join("pgbench").exists() || !bin.join("initdb").exists() {
            return None;
        }
        let root = nix::unistd::geteuid().is_root();
        let as_user = root.then_some("postgres");
        let folder = folder.join("postgres");
        std::fs::create_dir(&folder).unwrap();
        if root {
            let user = nix::unistd::User::from_name("postgres").ok()??;
            nix::unistd::chown(&folder, Some(user.uid), Some(user.gid)).unwrap();
        }
        let postgres = Self { bin, folder, as_user };
        let data = postgres.folder.join("data");
        let log = postgres.folder.join("log");
        let (data, log) = (data.to_str()?.to_owned(), log.to_str()?.to_owned());
        let socket = format!("-k {} -c listen_addresses= -c max_connections=100", postgres.folder.display());
        let made = postgres.run("initdb", &["-D", &data, "-A", "trust", "-U", "bench"])
            && postgres.run("pg_ctl", &["-D", &data, "-l", &log, "-o", &socket, "-w", "start"])
            && postgres.run(
                "psql",
                &[
                    "-h",
                    postgres.folder.to_str()?,
                    "-U",
                    "bench",
                    "-d",
                    "postgres",
                    "-c",
                    "CREATE TABLE entry (seq bigserial PRIMARY KEY, lane text, pass bigint, body text)",
                ],
            );
        made.then_some(postgres)
    }
    fn command(&self, program: &str) -> Command {
        let path = self.bin.join(program);
        match self.as_user {
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(path);
                command
            }
            None => Command::new(path),
        }
    }
    fn run(&self, program: &str, arguments: &[&str]) -> bool {
        let mut command = self.command(program);
        let done = command.args(arguments).current_dir(&self.folder).output().unwrap();
        if !done.status.success() {
            eprintln!("{program}: {}", String::from_utf8_lossy(&done.stderr));
        }
        done.status.success()
    }
    fn rows_per_s(&self, lasting: Duration) -> Option<f64> {
        let script = self.folder.join("insert.sql");
        let body = "x".repeat(BODY);
        std::fs::write(
            &script,
            format!("INSERT INTO entry (lane, pass, body) VALUES ('n1', 1, '{body}');\n"),
        )
        .unwrap();
        let seconds = lasting.as_secs().max(1).to_string();
        let clients = PRODUCERS.to_string();
        let mut command = self.command("pgbench");
        command
            .args(["-n", "-h"])
            .arg(&self.folder)
            .args(["-U", "bench", "-c", &clients, "-j", "2", "-T", &seconds, "-M", "prepared", "-f"]);
        let done = command.arg(&script).arg("postgres").current_dir(&self.folder).output().unwrap();
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let line = text.lines().find(|l| l.starts_with("tps = "))?;
        line.split_whitespace().nth(2)?.parse().ok()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder.join("data");
        self.run("pg_ctl", &["-D", data.to_str().unwrap(), "-m", "fast", "-w", "stop"]);
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds: u64 = arguments.next().map_or(4, |n| n.parse().unwrap());
    let entries: u64 = arguments.next().map_or(1_000_000, |n| n.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    // The cluster's own user has to reach its folder.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).unwrap();
    throughput(folder.path(), Duration::from_secs(seconds)).await;
    restart(folder.path(), entries).await;
}

async fn throughput(folder: &Path, lasting: Duration) {
    let postgres = Postgres::start(folder);
    let (mut our, mut theirs, mut first) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        our.push(ours(folder, round, lasting).await);
        if let Some(rows) = postgres.as_ref().and_then(|p| p.rows_per_s(lasting)) {
            theirs.push(rows);
        }
        first.push(naive(folder, round, lasting));
    }
    let our = median(&mut our);
    println!(
        "durable events of {BODY} bytes, {PRODUCERS} producers, median of {ROUNDS} rounds of {} s",
        lasting.as_secs()
    );
    println!("  journal, chained and signed      {our:9.0} /s");
    if theirs.is_empty() {
        println!("  PostgreSQL 15: skipped, it is not installed here (apt-get install postgresql-15)");
    } else {
        let theirs = median(&mut theirs);
        println!(
            "  PostgreSQL 15, a row a commit    {theirs:9.0} /s   ratio {:.1} (bar: >= 6)",
            our / theirs
        );
    }
    let first = median(&mut first);
    println!("  SQLite, a transaction a row      {first:9.0} /s   ratio {:.1} (bar: >= 30)", our / first);
}

async fn restart(folder: &Path, entries: u64) {
    let path = folder.join("million.db");
    {
        let (journal, _) = Journal::open_with(&path, options()).unwrap();
        let mut number = 0;
        while number < entries {
            let batch: Vec<_> =
                (number..(number + 500).min(entries)).map(|n| entry(n % PRODUCERS, n)).collect();
            number += batch.len() as u64;
            journal.append(batch).await.unwrap();
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
            "  open after kill -9 with {} entries: {:.0} ms, the rest of the chain verified {:.1} s later",
            opened.last_seq,
            times.last().unwrap(),
            started.elapsed().as_secs_f64()
        );
    }
    println!("restart with {entries} entries: median {:.0} ms (bar: 1000 ms)", median(&mut times));
}
