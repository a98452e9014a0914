//! A temporary PostgreSQL 15 cluster as a peer of the journal: settings as installed, so every commit waits
//! for its fsync (`fsync`, `synchronous_commit` and `full_page_writes` on), reached over its socket.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The size of a common event's body, bytes.
pub const BODY: usize = 600;

/// The tables of each promise, and the function that chains: a row of a chained log needs the hash before
/// it, so whoever appends holds the head until its commit is durable.
const TABLES: &str = "
CREATE TABLE plain (seq bigserial PRIMARY KEY, lane text, pass bigint, body text);
CREATE TABLE entry (seq bigserial PRIMARY KEY, epoch int NOT NULL, lane text, pass bigint, kind text NOT NULL,
    body text NOT NULL, hash text NOT NULL, salt bytea);
CREATE INDEX entry_ends ON entry (lane, pass) WHERE kind IN ('pass_opened', 'pass_closed');
CREATE TABLE outbox (seq bigint PRIMARY KEY, central int NOT NULL, broker int NOT NULL);
CREATE TABLE chained (LIKE entry INCLUDING ALL);
CREATE TABLE chained_outbox (LIKE outbox INCLUDING ALL);
CREATE TABLE head (id int PRIMARY KEY, seq bigint NOT NULL, hash text NOT NULL) WITH (fillfactor = 10);
INSERT INTO head VALUES (1, 0, repeat('0', 64));
CREATE FUNCTION append(of_lane text, of_pass bigint, of_kind text, of_body text, of_salt bytea) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE last head%ROWTYPE; hashed text;
BEGIN
    SELECT * INTO last FROM head WHERE id = 1 FOR UPDATE;
    hashed := encode(sha256(convert_to(last.hash || (last.seq + 1), 'UTF8')
        || sha256(of_salt || convert_to(of_body, 'UTF8'))), 'hex');
    INSERT INTO chained VALUES (last.seq + 1, 1, of_lane, of_pass, of_kind, of_body, hashed, of_salt);
    INSERT INTO chained_outbox VALUES (last.seq + 1, 0, 0);
    UPDATE head SET seq = last.seq + 1, hash = hashed WHERE id = 1;
END $$;
";

/// What each commit of the peer promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// One row in one table with a primary key.
    Row,
    /// The journal's columns, its index and its outbox row; not chained.
    SameRows,
    /// The same, chained: the head's row is locked from the hash to the durable commit.
    Chained,
}

/// The running cluster, stopped by its own command.
pub struct Postgres {
    bin: PathBuf,
    folder: PathBuf,
    as_user: Option<&'static str>,
}

impl Postgres {
    /// Starts a cluster in `folder`; none where Debian's package is not installed.
    pub fn start(folder: &Path) -> Option<Self> {
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
        let tables = postgres.folder.join("tables.sql");
        std::fs::write(&tables, TABLES).unwrap();
        let (data, log, tables) = (data.to_str()?, log.to_str()?, tables.to_str()?);
        let at = postgres.folder.to_str()?;
        let socket = format!("-k {at} -c listen_addresses= -c max_connections=100");
        let made = postgres.run("initdb", &["-D", data, "-A", "trust", "-U", "bench"])
            && postgres.run("pg_ctl", &["-D", data, "-l", log, "-o", &socket, "-w", "start"])
            && postgres.run(
                "psql",
                &["-q", "-v", "ON_ERROR_STOP=1", "-h", at, "-U", "bench", "-d", "postgres", "-f", tables],
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
    /// Commits a second of `clients` connections, each waiting for its own commit.
    pub fn commits_per_s(&self, promise: Promise, clients: u64, lasting: Duration) -> Option<f64> {
        let body = "x".repeat(BODY);
        let salt = "'\\x000102030405060708090a0b0c0d0e0f'";
        let sql = match promise {
            Promise::Row => format!("INSERT INTO plain (lane, pass, body) VALUES ('n1', 1, '{body}');\n"),
            Promise::SameRows => format!(
                "WITH e AS (INSERT INTO entry (epoch, lane, pass, kind, body, hash, salt) \
                 VALUES (1, 'n1-in-1', 1, 'operator_act', '{body}', '{}', {salt}) RETURNING seq) \
                 INSERT INTO outbox SELECT seq, 0, 0 FROM e;\n",
                "0".repeat(64)
            ),
            Promise::Chained => {
                format!("SELECT append('n1-in-1', 1, 'operator_act', '{body}', {salt});\n")
            }
        };
        let script = self.folder.join("commit.sql");
        std::fs::write(&script, sql).unwrap();
        let seconds = lasting.as_secs().max(1).to_string();
        let clients = clients.to_string();
        let threads = if clients == "1" { "1" } else { "2" };
        let mut command = self.command("pgbench");
        command
            .args(["-n", "-h"])
            .arg(&self.folder)
            .args(["-U", "bench", "-c", &clients, "-j", threads, "-T", &seconds, "-M", "prepared", "-f"]);
        let done = command.arg(&script).arg("postgres").current_dir(&self.folder).output().unwrap();
        if !done.status.success() {
            eprintln!("pgbench: {}", String::from_utf8_lossy(&done.stderr));
        }
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
