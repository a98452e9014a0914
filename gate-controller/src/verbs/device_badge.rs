//! A badge reader on the bench: `osdp:///dev/ttyUSB0?baud=9600&address=0&key=FILE` or `osdp://HOST:PORT?key=FILE`.

use super::device_bench::{Bench, LOOK, Limits};
use anyhow::{Result, bail};
use badge::{Badge, BadgeCommand, BadgeDriver};
use device::Endpoint;
use std::io::Write;
use tokio::sync::mpsc;

/// Badges that may wait to be printed.
const WAITING: usize = 16;

fn bench(endpoint: Endpoint, limits: &Limits) -> Result<Bench<BadgeCommand>> {
    let (shown, badges) = mpsc::channel(WAITING);
    let told = |badge: &Badge| serde_json::json!({ "shown": "badge", "badge": badge });
    Ok(Bench::start("badges", BadgeDriver::new(endpoint, shown), limits)?.beside(badges, told))
}

/// Prints badges.
pub(super) async fn watch(endpoint: Endpoint, limits: &Limits, out: &mut impl Write) -> Result<bool> {
    let mut bench = bench(endpoint, limits)?;
    let up = bench.watch(limits, out).await;
    bench.stop().await;
    up
}

/// `beep` sounds once.
pub(super) async fn test(
    endpoint: Endpoint,
    acts: &[String],
    limits: &Limits,
    out: &mut impl Write,
) -> Result<bool> {
    if let Some(other) = acts.iter().find(|act| *act != "beep") {
        bail!("`{other}`: a badge reader is told beep");
    }
    let mut bench = bench(endpoint, limits)?;
    bench.up(out).await?;
    let limits = limits.looking(LOOK);
    for _beep in acts {
        bench.commands.send(BadgeCommand::Beep).await?;
        bench.watch(&limits, out).await?;
    }
    bench.stop().await;
    Ok(true)
}
