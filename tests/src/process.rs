//! Built binaries as children that die with the test.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The workspace's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// A built binary beside this test's own.
pub fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    // A test lies in `deps/` below the binaries, a tool beside them.
    let beside = own.parent().unwrap();
    let folder = if beside.ends_with("deps") { beside.parent().unwrap() } else { beside };
    let path = folder.join(name);
    assert!(path.exists(), "{} is not built: run `make test`, or build all binaries first", path.display());
    path
}

/// A child with its log in a file.
pub struct Process {
    child: Child,
    /// Where stdout and stderr went.
    pub log: PathBuf,
}

impl Process {
    /// Starts a built binary; its output goes to `folder/name.log`.
    pub fn start(name: &str, arguments: &[&str], folder: &Path) -> Self {
        Self::start_within(&[], name, arguments, folder)
    }
    /// The same behind the words of another command that runs it in its own place, as `nsenter` does.
    pub fn start_within(within: &[String], name: &str, arguments: &[&str], folder: &Path) -> Self {
        let log = folder.join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let program = binary(name).display().to_string();
        let mut words = within.iter().chain([&program]);
        let child = Command::new(words.next().unwrap())
            .args(words)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Self { child, log }
    }
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
    /// Its children that live and whose first word on the command line is `name`.
    pub fn children(&self, name: &str) -> Vec<Pid> {
        let entries = std::fs::read_dir("/proc").unwrap();
        let pids = entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse::<i32>().ok());
        pids.filter(|pid| {
            let read =
                |what: &str| std::fs::read_to_string(format!("/proc/{pid}/{what}")).unwrap_or_default();
            let stat = read("stat");
            let mut words = stat.rsplit_once(')').map_or("", |s| s.1).split_whitespace();
            let lives = words.next().is_some_and(|state| state != "Z");
            let parent = words.next().and_then(|word| word.parse().ok());
            lives && parent == Some(self.id()) && read("cmdline").split('\0').next() == Some(name)
        })
        .map(Pid::from_raw)
        .collect()
    }
    /// Sends a signal to this process only.
    pub fn signal(&self, signal: Signal) {
        let _ = kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal);
    }
    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
    /// Waits for its end.
    pub fn wait(&mut self, limit_s: u64) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                started.elapsed() < Duration::from_secs(limit_s),
                "did not end: see {}",
                self.log.display()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    /// Asks it to stop and waits.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.wait(10)
    }
    /// What it has written.
    pub fn output(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let output = self.output();
            let tail: Vec<&str> = output.lines().rev().take(25).collect();
            eprintln!("--- last lines of {} ---", self.log.display());
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
