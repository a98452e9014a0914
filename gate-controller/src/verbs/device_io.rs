//! A lane's remote I/O on the bench: `modbus://HOST:PORT?unit=1&points=FILE&poll_ms=50`.

use super::device::setting;
use super::device_bench::{Bench, LOOK, Limits, Sure, alone};
use anyhow::{Context as _, Result, bail};
use barrier_io::{IoCommand, IoDriver, Light, PointMap};
use device::Endpoint;
use std::io::Write;
use std::path::Path;
use tokio::sync::oneshot;

fn driver(mut endpoint: Endpoint) -> Result<IoDriver> {
    let points = endpoint
        .query
        .remove("points")
        .context("endpoint: a remote I/O needs its point map: modbus://HOST:PORT?points=FILE")?;
    let points = PointMap::load(Path::new(&points))?;
    let poll_ms = setting(&mut endpoint, "poll_ms", 50)?;
    let timeout_ms = setting(&mut endpoint, "timeout_ms", barrier_io::TIMEOUT_MS)?;
    Ok(IoDriver::new(endpoint, points, poll_ms).answering_within(timeout_ms))
}

/// Prints the inputs; writes nothing but the heartbeat.
pub(super) async fn watch(endpoint: Endpoint, limits: &Limits, out: &mut impl Write) -> Result<bool> {
    alone("io", driver(endpoint)?, limits, out).await
}

/// `red`, `green` switch the lamps; `raise`, `permit-lower` and `stop` move the arm or stop it.
pub(super) async fn test(
    endpoint: Endpoint,
    acts: &[String],
    sure: &Sure,
    limits: &Limits,
    out: &mut impl Write,
) -> Result<bool> {
    for act in acts {
        match act.as_str() {
            "red" | "green" => {}
            "raise" | "permit-lower" | "stop" => {
                sure.ask(&format!("`{act}` moves the arm of this device"))?
            }
            other => bail!("`{other}`: a remote I/O is told red, green, raise, permit-lower or stop"),
        }
    }
    let mut bench = Bench::start("io", driver(endpoint)?, limits)?;
    bench.up(out).await?;
    let limits = limits.looking(LOOK);
    for act in acts {
        let (done, written) = oneshot::channel();
        let command = match act.as_str() {
            "red" => IoCommand::Light(Light::Red),
            "green" => IoCommand::Light(Light::Green),
            "raise" => IoCommand::Raise { done },
            "stop" => IoCommand::Stop { done },
            _checked => IoCommand::PermitLower { done },
        };
        let moves = !matches!(command, IoCommand::Light(_));
        bench.commands.send(command).await?;
        if moves {
            let answer = written.await.context("the link was lost before the command was written")?;
            answer.map_err(|why| anyhow::anyhow!("`{act}`: {why}"))?;
        }
        bench.watch(&limits, out).await?;
    }
    bench.stop().await;
    Ok(true)
}
