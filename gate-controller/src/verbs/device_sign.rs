//! A driver's sign on the bench: `tcp://HOST:PORT?protocol=sign&lines=2&columns=16`, and
//! `template=FILE` for another maker's frame.

use super::device::setting;
use super::device_bench::{Bench, Limits, alone};
use anyhow::Result;
use barrier_io::{SignCommand, SignDriver, SignTemplate};
use device::Endpoint;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// A text stays so long where no time is given.
const LOOK: Duration = Duration::from_secs(5);

fn driver(mut endpoint: Endpoint) -> Result<SignDriver> {
    endpoint.query.remove("protocol");
    let lines = setting(&mut endpoint, "lines", 2)?;
    let columns = setting(&mut endpoint, "columns", 16)?;
    let template = endpoint.query.remove("template");
    let template = template.map(|file| SignTemplate::load(Path::new(&file))).transpose()?;
    Ok(SignDriver::new(endpoint, lines, columns).speaking(template))
}

/// Keeps the sign blank and prints its health.
pub(super) async fn watch(endpoint: Endpoint, limits: &Limits, out: &mut impl Write) -> Result<bool> {
    alone("sign", driver(endpoint)?, limits, out).await
}

/// Shows `lines` for `--for` (5 s).
pub(super) async fn test(
    endpoint: Endpoint,
    lines: &[String],
    limits: &Limits,
    out: &mut impl Write,
) -> Result<bool> {
    let mut bench = Bench::start("sign", driver(endpoint)?, limits)?;
    bench.commands.send(SignCommand::Show { lines: lines.to_vec() }).await?;
    let limits = limits.looking(LOOK);
    let up = bench.watch(&limits, out).await;
    bench.stop().await;
    up
}
