//! A weighing indicator on the bench:
//! `serial:///dev/ttyS0?protocol=toledo&capacity_kg=60000&interval_kg=20`.

use super::device::setting;
use super::device_bench::{Bench, LOOK, Limits, Sure, alone};
use anyhow::{Result, bail};
use device::Endpoint;
use std::io::Write;
use weighbridge::{ScaleCommand, ScaleDriver};

fn driver(mut endpoint: Endpoint) -> Result<ScaleDriver> {
    let capacity_kg = setting(&mut endpoint, "capacity_kg", 60_000.0)?;
    let interval_kg = setting(&mut endpoint, "interval_kg", 20.0)?;
    Ok(ScaleDriver::new(endpoint, capacity_kg, interval_kg))
}

/// Prints weights.
pub(super) async fn watch(endpoint: Endpoint, limits: &Limits, out: &mut impl Write) -> Result<bool> {
    alone("scale", driver(endpoint)?, limits, out).await
}

/// `zero` sets zero, which changes every later weighing.
pub(super) async fn test(
    endpoint: Endpoint,
    acts: &[String],
    sure: &Sure,
    limits: &Limits,
    out: &mut impl Write,
) -> Result<bool> {
    if let Some(other) = acts.iter().find(|act| *act != "zero") {
        bail!("`{other}`: a scale is told zero");
    }
    sure.ask("the indicator's zero will be set; the platform must be empty")?;
    let mut bench = Bench::start("scale", driver(endpoint)?, limits)?;
    bench.up(out).await?;
    let limits = limits.looking(LOOK);
    for _zero in acts {
        // A weight must be known before zero can be near.
        bench.watch(&Limits { count: Some(1), ..limits }, out).await?;
        bench.commands.send(ScaleCommand::Zero).await?;
        bench.watch(&limits, out).await?;
    }
    bench.stop().await;
    Ok(true)
}
