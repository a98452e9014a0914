//! The programs under test as child processes, with their logs in the run folder.

use anyhow::{Context as _, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// How long a child may take to stop in order.
const STOP: Duration = Duration::from_secs(5);

/// Running programs; what is still there is killed when this is dropped.
pub struct Children {
    folder: PathBuf,
    running: Vec<(String, Child)>,
}

/// A program beside this one.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("where this program lies")?;
    let path = own.with_file_name(name);
    if !path.is_file() {
        bail!("{}: not there; build it first (make build)", path.display());
    }
    Ok(path)
}

impl Children {
    /// None yet; logs go to `folder`.
    pub fn new(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
        Ok(Self { folder: folder.to_path_buf(), running: Vec::new() })
    }
    fn command(&self, name: &str, program: &Path, args: &[String]) -> anyhow::Result<Command> {
        let log = self.folder.join(format!("{name}.log"));
        let open = || File::options().create(true).append(true).open(&log);
        let (out, err) = (open()?, open()?);
        let mut command = Command::new(program);
        command
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::from(out))
            .stderr(Stdio::from(err))
            .kill_on_drop(true);
        Ok(command)
    }
    /// Starts a program that stays.
    pub fn start(&mut self, name: &str, program: &Path, args: &[String]) -> anyhow::Result<()> {
        let child = self.command(name, program, args)?.spawn();
        let child = child.with_context(|| format!("{}: cannot be started", program.display()))?;
        self.running.push((name.to_owned(), child));
        Ok(())
    }
    /// Runs a program to its end.
    pub async fn finish(&self, name: &str, program: &Path, args: &[String]) -> anyhow::Result<()> {
        let status = self.command(name, program, args)?.status().await;
        let status = status.with_context(|| format!("{}: cannot be started", program.display()))?;
        if !status.success() {
            bail!("{name} ended with {status}; see {}", self.folder.join(format!("{name}.log")).display());
        }
        Ok(())
    }
    /// Fails when a child has ended by itself.
    pub fn check(&mut self) -> anyhow::Result<()> {
        for (name, child) in &mut self.running {
            if let Some(status) = child.try_wait()? {
                bail!(
                    "{name} ended with {status}; see {}",
                    self.folder.join(format!("{name}.log")).display()
                );
            }
        }
        Ok(())
    }
    /// Waits for a ready file and reads its JSON.
    pub async fn ready(&mut self, file: &Path, limit: Duration) -> anyhow::Result<serde_json::Value> {
        let deadline = tokio::time::Instant::now() + limit;
        loop {
            if let Ok(text) = std::fs::read_to_string(file)
                && let Ok(value) = serde_json::from_str(&text)
            {
                return Ok(value);
            }
            self.check()?;
            if tokio::time::Instant::now() > deadline {
                bail!("{}: not written within {} s; see the logs beside it", file.display(), limit.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    /// Asks every child to stop, newest first and the first one (central, which takes the last events) last;
    /// waits, and kills what does not.
    pub async fn stop(&mut self) {
        let later = self.running.split_off(self.running.len().min(1));
        stop_all(later).await;
        stop_all(std::mem::take(&mut self.running)).await;
    }
}

async fn stop_all(mut children: Vec<(String, Child)>) {
    for (name, child) in children.iter().rev() {
        let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()) else { continue };
        if let Err(error) = kill(Pid::from_raw(pid), Signal::SIGTERM) {
            tracing::debug!(%error, name, "could not be asked to stop");
        }
    }
    let deadline = tokio::time::Instant::now() + STOP;
    for (name, child) in children.iter_mut().rev() {
        if tokio::time::timeout_at(deadline, child.wait()).await.is_err() {
            tracing::warn!(name, "did not stop within 5 s and is killed");
            if let Err(error) = child.kill().await {
                tracing::debug!(%error, name, "could not be killed");
            }
        }
    }
}
