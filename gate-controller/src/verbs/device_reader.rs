//! An LLRP reader on the bench: `llrp://HOST:PORT?antennas=1,2&rssi_min_dbm=-80`.

use super::device::setting;
use super::device_bench::{Bench, LOOK, Limits};
use anyhow::{Context as _, Result, bail};
use device::Endpoint;
use rfid::{ReaderCommand, ReaderDriver};
use std::io::Write;

fn driver(mut endpoint: Endpoint) -> Result<ReaderDriver> {
    let rssi_min_dbm = setting(&mut endpoint, "rssi_min_dbm", -128)?;
    let list: String = setting(&mut endpoint, "antennas", String::new())?;
    let antennas = list.split(',').filter(|a| !a.is_empty()).map(|a| {
        a.parse::<u16>().ok().filter(|a| *a > 0).with_context(|| {
            format!("endpoint: antennas=`{list}`: numbers from 1, separated by commas; absent: all")
        })
    });
    Ok(ReaderDriver::new(endpoint, antennas.collect::<Result<_>>()?, rssi_min_dbm))
}

/// Inventories while it watches.
pub(super) async fn watch(endpoint: Endpoint, limits: &Limits, out: &mut impl Write) -> Result<bool> {
    let mut bench = Bench::start("reader", driver(endpoint)?, limits)?;
    bench.commands.send(ReaderCommand::Start).await?;
    let up = bench.watch(limits, out).await;
    bench.stop().await;
    up
}

/// `start` inventories for `--for` (3 s), `stop` ends it.
pub(super) async fn test(
    endpoint: Endpoint,
    acts: &[String],
    limits: &Limits,
    out: &mut impl Write,
) -> Result<bool> {
    let orders = acts.iter().map(|act| match act.as_str() {
        "start" => Ok(ReaderCommand::Start),
        "stop" => Ok(ReaderCommand::Stop),
        other => bail!("`{other}`: a reader is told start or stop"),
    });
    let orders: Vec<ReaderCommand> = orders.collect::<Result<_>>()?;
    let mut bench = Bench::start("reader", driver(endpoint)?, limits)?;
    bench.up(out).await?;
    let limits = limits.looking(LOOK);
    for order in orders {
        bench.commands.send(order).await?;
        bench.watch(&limits, out).await?;
    }
    bench.stop().await;
    Ok(true)
}
