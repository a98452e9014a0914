//! One worker's life: start, `open`, `ready`, pings, messages, and why it ended.

use super::WorkerDriver;
use super::process::{ended, rss_mb, send};
use crate::protocol::{self, Decoder, FromWorker, ToWorker};
use crate::spec::CameraCommand;
use device::{DeviceLink, DriverError};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::time::{Instant, MissedTickBehavior};

/// Why a worker's life ended.
pub(super) enum End {
    /// The lane dropped the driver.
    Stopped,
    /// The worker is lost; start another.
    Lost(String),
}

impl WorkerDriver {
    /// One worker's life.
    pub(super) async fn live(&mut self, link: &mut DeviceLink<CameraCommand>) -> Result<End, DriverError> {
        let mut pipes = self.start(&link.id)?;
        let pid = pipes.child.id();
        tracing::debug!(device = %link.id, ?pid, "vision worker started");
        let spec = &self.spec;
        let (camera, turns, scene) = (spec.camera.clone(), spec.turns.clone(), spec.scene.clone());
        let open = ToWorker::Open { camera, turns, scene };
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
                                let observe = self.observe();
                                if let Err(why) = send(&mut pipes.stdin, link, &observe).await {
                                    return Ok(End::Lost(why));
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
                        ready.then(|| self.observe())
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
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
