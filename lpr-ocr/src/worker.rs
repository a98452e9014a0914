//! The daemon's end of a vision worker: starts it, feeds it, fuses what it reads, and starts it anew
//! when it dies, hangs or grows.

use crate::protocol::{self, CameraState, Decoder, FromWorker, ToWorker};
use crate::spec::{CameraCommand, WorkerSpec};
use crate::vote::Fusion;
use crate::{Evidence, FrameStore};
use device::{DeviceLink, Driver, DriverError, Health, Observation, Observed, Stopped, Way};
use gate_types::DeviceId;
use gate_types::observation::{OpticalRead, ReadKind};
use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, MissedTickBehavior};

/// When a worker is given up and started anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerLimits {
    /// Longest time from start to `ready`, ms (twenty workers may start at once).
    pub ready_ms: u64,
    /// Time between pings, ms.
    pub ping_ms: u64,
    /// Longest silence after a ping, ms.
    pub pong_ms: u64,
    /// Longest work on one frame, ms.
    pub busy_ms: u64,
    /// Largest resident memory, MB.
    pub rss_mb: u64,
}

impl Default for WorkerLimits {
    fn default() -> Self {
        Self { ready_ms: 20_000, ping_ms: 1_000, pong_ms: 3_000, busy_ms: 10_000, rss_mb: 600 }
    }
}

/// Waits between starts, ms: a lost worker is back within a second.
const FIRST_WAIT_MS: u64 = 50;
const LONGEST_WAIT_MS: u64 = 800;
/// A worker that lived longer than this died for a new reason.
const SETTLED_MS: u64 = 10_000;
/// Deaths soon after the start, one after the other, after which the driver reports the device lost.
const MOST_EARLY_DEATHS: u32 = 5;
/// A fused reading is told again when its confidence moved by this much.
const MATERIAL: f32 = 0.01;
/// Longest write of one message, ms.
const WRITE_MS: u64 = 2_000;

/// The driver of one lane's cameras.
#[derive(Debug)]
pub struct WorkerDriver {
    spec: WorkerSpec,
    frames: FrameStore,
    limits: WorkerLimits,
    on: bool,
    round: u32,
    fusions: HashMap<DeviceId, Fusion>,
    told: HashMap<DeviceId, Vec<(ReadKind, String, f32)>>,
}

/// Why a worker's life ended.
enum End {
    /// The lane dropped the driver.
    Stopped,
    /// The worker is lost; start another.
    Lost(String),
}

struct Pipes {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
}

impl WorkerDriver {
    /// A driver that keeps evidence frames in `frames`.
    pub fn new(spec: WorkerSpec, frames: FrameStore) -> Self {
        Self {
            spec,
            frames,
            limits: WorkerLimits::default(),
            on: false,
            round: 0,
            fusions: HashMap::new(),
            told: HashMap::new(),
        }
    }
    /// Other limits than the default ones.
    #[must_use]
    pub fn with_limits(mut self, limits: WorkerLimits) -> Self {
        self.limits = limits;
        self
    }

    fn start(&self, device: &DeviceId) -> Result<Pipes, DriverError> {
        let lost = |what: String| DriverError::Link {
            device: device.to_string(),
            endpoint: self.spec.command.display().to_string(),
            what,
        };
        let mut command = Command::new(&self.spec.command);
        command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
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

    /// One worker's life.
    async fn live(&mut self, link: &mut DeviceLink<CameraCommand>) -> Result<End, DriverError> {
        let mut pipes = self.start(&link.id)?;
        let pid = pipes.child.id();
        tracing::debug!(device = %link.id, ?pid, "vision worker started");
        let open = ToWorker::Open { cameras: self.spec.cameras.clone() };
        if let Err(why) = send(&mut pipes.stdin, link, &open).await {
            return Ok(End::Lost(why));
        }
        let mut decoder = Decoder::new();
        let mut piece = vec![0u8; 64 << 10];
        let mut ticks = tokio::time::interval(Duration::from_millis(self.limits.ping_ms.max(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let started = Instant::now();
        let mut ready = false;
        let mut nonce = 0u32;
        let mut unanswered: Option<Instant> = None;
        loop {
            let overdue = if ready {
                unanswered.map(|at| at + Duration::from_millis(self.limits.pong_ms))
            } else {
                Some(started + Duration::from_millis(self.limits.ready_ms))
            };
            let to_send = tokio::select! {
                status = pipes.child.wait() => {
                    let how = status.map_or_else(|e| e.to_string(), |s| s.to_string());
                    return Ok(End::Lost(format!("the vision worker ended ({how})")));
                }
                read = pipes.stdout.read(&mut piece) => {
                    let n = match read {
                        Ok(0) => return Ok(End::Lost(ended(&mut pipes.child).await)),
                        Ok(n) => n,
                        Err(e) => return Ok(End::Lost(format!("reading from the vision worker: {e}"))),
                    };
                    decoder.push(&piece[..n]);
                    loop {
                        let message = match decoder.take::<FromWorker>() {
                            Ok(Some(message)) => message,
                            Ok(None) => break,
                            Err(e) => return Ok(End::Lost(format!("the vision worker breaks the protocol: {e}"))),
                        };
                        match message.0 {
                            FromWorker::Ready { version, .. } if version != protocol::VERSION => {
                                return Ok(End::Lost(format!(
                                    "the vision worker speaks protocol {version}, this daemon {}; install both from one release",
                                    protocol::VERSION
                                )));
                            }
                            FromWorker::Ready { models, .. } => {
                                ready = true;
                                tracing::info!(device = %link.id, models, "vision worker ready");
                                let observe = ToWorker::Observe { on: self.on, round: self.round };
                                if let Err(why) = send(&mut pipes.stdin, link, &observe).await {
                                    return Ok(End::Lost(why));
                                }
                                if link.health(Health::Up).await.is_err() {
                                    return Ok(End::Stopped);
                                }
                            }
                            FromWorker::Pong { nonce: n, busy_ms } => {
                                if n == nonce {
                                    unanswered = None;
                                }
                                if busy_ms > self.limits.busy_ms {
                                    return Ok(End::Lost(format!("the vision worker hangs on one frame for {busy_ms} ms")));
                                }
                            }
                            other => if self.said(link, other, &message.1).await.is_err() {
                                return Ok(End::Stopped);
                            }
                        }
                    }
                    None
                }
                command = link.commands.recv() => match command {
                    None => {
                        drop(pipes.stdin);
                        let _ = tokio::time::timeout(Duration::from_secs(1), pipes.child.wait()).await;
                        return Ok(End::Stopped);
                    }
                    Some(command) => {
                        self.obey(command);
                        ready.then_some(ToWorker::Observe { on: self.on, round: self.round })
                    }
                },
                () = sleep_until(overdue) => {
                    let what = if ready { "no answer to a ping" } else { "not ready" };
                    let ms = if ready { self.limits.pong_ms } else { self.limits.ready_ms };
                    return Ok(End::Lost(format!("the vision worker hangs: {what} for {ms} ms")));
                }
                _ = ticks.tick() => {
                    if let Some(mb) = pid.and_then(rss_mb).filter(|mb| *mb > self.limits.rss_mb) {
                        return Ok(End::Lost(format!("the vision worker holds {mb} MB, limit {} MB", self.limits.rss_mb)));
                    }
                    if ready && unanswered.is_none() {
                        nonce = nonce.wrapping_add(1);
                        unanswered = Some(Instant::now());
                        Some(ToWorker::Ping { nonce })
                    } else {
                        None
                    }
                }
            };
            if let Some(message) = to_send
                && let Err(why) = send(&mut pipes.stdin, link, &message).await
            {
                return Ok(End::Lost(why));
            }
        }
    }

    fn obey(&mut self, command: CameraCommand) {
        self.on = match command {
            CameraCommand::Observe => {
                self.round = self.round.wrapping_add(1);
                self.fusions.clear();
                self.told.clear();
                true
            }
            CameraCommand::Rest => false,
        };
    }

    /// Takes a message about one camera.
    async fn said(
        &mut self,
        link: &DeviceLink<CameraCommand>,
        message: FromWorker,
        blob: &[u8],
    ) -> Result<(), Stopped> {
        match message {
            FromWorker::Read { camera, round, reads, frame_sha256, .. } => {
                let Some(spec) = self.spec.cameras.iter().find(|c| c.id == camera) else { return Ok(()) };
                if !blob.is_empty() && !frame_sha256.is_empty() {
                    let evidence =
                        Evidence { jpeg: blob.into(), sha256: frame_sha256, stamp: link.clock.now() };
                    self.frames.put(&camera, evidence);
                }
                if round != self.round || !self.on {
                    return Ok(());
                }
                let reads: Vec<OpticalRead> = reads
                    .into_iter()
                    .filter(|r| spec.kinds.contains(&r.kind))
                    .map(|r| OpticalRead { view: spec.view, ..r })
                    .collect();
                for read in self.fuse(&camera, &reads) {
                    say(link, &camera, Observed::Read(read)).await?;
                }
                Ok(())
            }
            FromWorker::CameraHealth { camera, state, why } => {
                if !self.spec.cameras.iter().any(|c| c.id == camera) {
                    return Ok(());
                }
                let health = match state {
                    CameraState::Up => Health::Up,
                    CameraState::Down => Health::Down { why },
                    CameraState::Degraded => Health::Degraded { why },
                };
                say(link, &camera, Observed::Health(health)).await
            }
            FromWorker::Ready { .. } | FromWorker::Pong { .. } => Ok(()),
        }
    }

    /// The fused readings of a camera that changed materially by this frame.
    fn fuse(&mut self, camera: &DeviceId, reads: &[OpticalRead]) -> Vec<OpticalRead> {
        let fusion = self.fusions.entry(camera.clone()).or_default();
        fusion.add_frame(reads);
        let told = self.told.entry(camera.clone()).or_default();
        let mut news = Vec::new();
        for read in fusion.fused() {
            match told.iter_mut().find(|t| t.0 == read.kind && t.1 == read.text) {
                Some(t) if (t.2 - read.confidence).abs() < MATERIAL => {}
                Some(t) => {
                    t.2 = read.confidence;
                    news.push(read);
                }
                None => {
                    told.push((read.kind, read.text.clone(), read.confidence));
                    news.push(read);
                }
            }
        }
        news
    }
}

impl Driver for WorkerDriver {
    type Command = CameraCommand;

    async fn run(&mut self, link: &mut DeviceLink<CameraCommand>) -> Result<Stopped, DriverError> {
        let (mut wait_ms, mut early_deaths) = (FIRST_WAIT_MS, 0);
        loop {
            let started = Instant::now();
            let why = match self.live(link).await {
                Ok(End::Stopped) => return Ok(Stopped),
                Ok(End::Lost(why)) => why,
                Err(error) => {
                    let _ = self.all_down(link, &error.to_string()).await;
                    return Err(error);
                }
            };
            tracing::warn!(device = %link.id, why, wait_ms, "vision worker lost, starting another");
            if self.all_down(link, &why).await.is_err() {
                return Ok(Stopped);
            }
            if started.elapsed() > Duration::from_millis(SETTLED_MS) {
                (wait_ms, early_deaths) = (FIRST_WAIT_MS, 0);
            }
            early_deaths += 1;
            if early_deaths >= MOST_EARLY_DEATHS {
                return Err(DriverError::Link {
                    device: link.id.to_string(),
                    endpoint: self.spec.command.display().to_string(),
                    what: format!("{why}, {early_deaths} times in a row"),
                });
            }
            // Commands are obeyed while waiting: a vehicle may arrive meanwhile.
            let deadline = Instant::now() + Duration::from_millis(wait_ms);
            loop {
                tokio::select! {
                    () = tokio::time::sleep_until(deadline) => break,
                    command = link.commands.recv() => match command {
                        Some(command) => self.obey(command),
                        None => return Ok(Stopped),
                    },
                }
            }
            wait_ms = (wait_ms * 2).min(LONGEST_WAIT_MS);
        }
    }
}

impl WorkerDriver {
    async fn all_down(&self, link: &DeviceLink<CameraCommand>, why: &str) -> Result<(), Stopped> {
        link.health(Health::Down { why: why.to_owned() }).await?;
        for camera in &self.spec.cameras {
            say(link, &camera.id, Observed::Health(Health::Down { why: why.to_owned() })).await?;
        }
        Ok(())
    }
}

async fn say(link: &DeviceLink<CameraCommand>, camera: &DeviceId, what: Observed) -> Result<(), Stopped> {
    let observation = Observation { device: camera.clone(), at: link.clock.now(), what };
    link.observations.send(observation).await.map_err(|_| Stopped)
}

async fn send(
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
async fn ended(child: &mut Child) -> String {
    match tokio::time::timeout(Duration::from_millis(500), child.wait()).await {
        Ok(Ok(status)) => format!("the vision worker ended ({status})"),
        Ok(Err(e)) => format!("the vision worker ended ({e})"),
        Err(_) => "the vision worker closed its output".to_owned(),
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Resident memory of a process, MB.
fn rss_mb(pid: u32) -> Option<u64> {
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
