//! A worker's process: starting it, writing to it, how it ended, what it holds.

use super::WorkerDriver;
use crate::protocol::{self, ToWorker};
use crate::spec::CameraCommand;
use device::{DeviceLink, DriverError, Way};
use gate_types::DeviceId;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// Longest write of one message, ms.
const WRITE_MS: u64 = 2_000;

/// A running worker and the ends of its pipes.
pub(super) struct Pipes {
    pub(super) child: Child,
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
}

impl WorkerDriver {
    pub(super) fn start(&self, device: &DeviceId) -> Result<Pipes, DriverError> {
        let lost = |what: String| DriverError::Link {
            device: device.to_string(),
            endpoint: self.spec.command.display().to_string(),
            what,
        };
        let mut command = Command::new(&self.spec.command);
        // What a list of processes shows.
        command.arg0(format!("varco-ocr:{device}"));
        command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        // Sixty of them may share a machine: glibc gives what a frame took back (45 MB of its own become 39).
        command.env("MALLOC_ARENA_MAX", "1").env("MALLOC_TRIM_THRESHOLD_", "131072");
        if let Some(models) = &self.spec.models {
            command.arg("--models").arg(models);
        }
        if !self.spec.regions.is_empty() {
            command.arg("--region").arg(self.spec.regions.join(","));
        }
        let mut child = command.spawn().map_err(|e| {
            lost(format!("the vision worker cannot be started: {e}; check the program's path"))
        })?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(lost("the vision worker has no pipes".into()));
        };
        tokio::spawn(log_lines(device.clone(), stderr));
        Ok(Pipes { child, stdin, stdout })
    }
}

pub(super) async fn send(
    stdin: &mut ChildStdin,
    link: &DeviceLink<CameraCommand>,
    message: &ToWorker,
) -> Result<(), String> {
    let bytes = protocol::encode(message, &[]).map_err(|e| e.to_string())?;
    link.tap.bytes(link.id.as_str(), Way::Tx, &bytes);
    let write = async {
        stdin.write_all(&bytes).await?;
        stdin.flush().await
    };
    match tokio::time::timeout(Duration::from_millis(WRITE_MS), write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(e)) => Err(format!("writing to the vision worker: {e}")),
        Err(_) => Err(format!("the vision worker took nothing for {WRITE_MS} ms")),
    }
}

/// How a worker that closed its output ended.
pub(super) async fn ended(child: &mut Child) -> String {
    match tokio::time::timeout(Duration::from_millis(500), child.wait()).await {
        Ok(Ok(status)) => format!("the vision worker ended ({status})"),
        Ok(Err(e)) => format!("the vision worker ended ({e})"),
        Err(_) => "the vision worker closed its output".to_owned(),
    }
}

/// Resident memory of a process, MB.
pub(super) fn rss_mb(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kb: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kb / 1024)
}

/// The worker's own log lines go to the daemon's log.
async fn log_lines(device: DeviceId, mut stderr: ChildStderr) {
    const LONGEST: usize = 2_048;
    let mut line: Vec<u8> = Vec::new();
    let mut piece = [0u8; 1024];
    while let Ok(n @ 1..) = stderr.read(&mut piece).await {
        for &b in &piece[..n] {
            if b == b'\n' || line.len() == LONGEST {
                tracing::info!(target: "vision", %device, "{}", String::from_utf8_lossy(&line));
                line.clear();
            }
            if b != b'\n' {
                line.push(b);
            }
        }
    }
}
