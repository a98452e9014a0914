//! A temporary PostgreSQL 15 of a test's own: in a folder of its own, reached over its socket, a child of the
//! test, stopped and killed by its process id alone.

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, chown, geteuid};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Debian's folder of the server.
const BIN: &str = "/usr/lib/postgresql/15/bin";
/// A server that does not answer by then will not.
const READY: Duration = Duration::from_secs(60);

/// A running server with an empty database.
pub struct Cluster {
    folder: TempDir,
    child: Option<Child>,
    durable: bool,
}

fn as_server(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(Path::new(BIN).join(program));
    command.current_dir(folder).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    if geteuid().is_root() {
        // The server refuses to run as root.
        let user = User::from_name("postgres").unwrap().expect("Debian's package makes the user postgres");
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command
}

impl Cluster {
    /// Starts a server; with `durable` it waits for its disk as one that is installed does, without it is
    /// faster and as correct as long as the machine stays up.
    pub fn start(durable: bool) -> Self {
        assert!(
            Path::new(BIN).join("initdb").exists(),
            "PostgreSQL 15 is not installed: run `scripts/apt.sh postgresql-15`"
        );
        let folder = tempfile::Builder::new().prefix("varco-postgres-").tempdir().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        if geteuid().is_root() {
            let user =
                User::from_name("postgres").unwrap().expect("Debian's package makes the user postgres");
            chown(folder.path(), Some(user.uid), Some(user.gid)).unwrap();
        }
        let mut initdb = as_server("initdb", folder.path());
        initdb.args([
            "-D",
            "data",
            "-A",
            "trust",
            "-U",
            "varco",
            "-E",
            "UTF8",
            "--no-sync",
            "--no-instructions",
        ]);
        let made = initdb.output().unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let mut cluster = Self { folder, child: None, durable };
        cluster.run();
        cluster
    }
    /// The address as `--database` takes it.
    pub fn url(&self) -> String {
        let socket = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://varco@{socket}/postgres")
    }
    /// The folder of the server's socket, as PostgreSQL's own programs take it.
    pub fn socket(&self) -> &Path {
        self.folder.path()
    }
    /// Starts the server, again after [`Cluster::kill`].
    pub fn run(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.path().join("log"));
        let log = log.unwrap();
        let started = Instant::now();
        loop {
            let mut postgres = as_server("postgres", self.folder.path());
            postgres.args(["-D", "data", "-c", "listen_addresses=", "-c", "max_connections=60", "-k"]);
            postgres.arg(self.folder.path());
            if !self.durable {
                postgres.args(["-c", "fsync=off"]);
            }
            let mut child =
                postgres.stdout(log.try_clone().unwrap()).stderr(log.try_clone().unwrap()).spawn().unwrap();
            while child.try_wait().unwrap().is_none() {
                let ready = as_server("pg_isready", self.folder.path())
                    .args(["-q", "-U", "varco", "-d", "postgres", "-h"])
                    .arg(self.folder.path())
                    .status();
                if ready.unwrap().success() {
                    self.child = Some(child);
                    return;
                }
                assert!(started.elapsed() < READY, "PostgreSQL does not get ready:\n{}", self.log());
                std::thread::sleep(Duration::from_millis(30));
            }
            // After a kill the last of the old server's processes may still hold the folder.
            assert!(started.elapsed() < READY, "PostgreSQL does not start:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
    /// Kills the server with everything that it started, as a power cut would.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let server = child.id();
        let mut all = vec![server];
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
            let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
            // PID (name) state parent ...
            let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1));
            if parent.and_then(|p| p.parse::<u32>().ok()) == Some(server) {
                all.push(pid);
            }
        }
        for pid in all {
            // One that has ended meanwhile is as good as killed.
            let _ = kill(Pid::from_raw(i32::try_from(pid).unwrap()), Signal::SIGKILL);
        }
        child.wait().unwrap();
    }
    /// Runs one command of SQL, or several, by PostgreSQL's own client.
    pub fn psql(&self, sql: &str) -> String {
        let mut psql = as_server("psql", self.folder.path());
        psql.args(["-qAt", "-v", "ON_ERROR_STOP=1", "-U", "varco", "-d", "postgres", "-c", sql, "-h"]);
        let done = psql.arg(self.folder.path()).output().unwrap();
        assert!(done.status.success(), "psql: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // SIGINT is the server's fast shutdown.
            let _ = kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT);
            drop(child.wait());
        }
    }
}
