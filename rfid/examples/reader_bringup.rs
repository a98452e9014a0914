//! Brings up one reader: connects, provisions, starts the inventory and prints what it says.
//!
//! `cargo run -p rfid --example reader_bringup -- llrp://10.0.0.7:5084 1,2 -70 30`
//! (endpoint, antennas, weakest dBm, seconds)

use device::{Backoff, Clock, DeviceLink, Endpoint, Tap, supervise};
use gate_types::DeviceId;
use rfid::{ReaderCommand, ReaderDriver};
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let endpoint =
        Endpoint::parse(&args.next().ok_or("usage: bringup ENDPOINT [ANTENNAS] [DBM] [SECONDS]")?)?;
    let antennas = args.next().unwrap_or_default();
    let antennas =
        antennas.split(',').filter(|a| !a.is_empty()).map(str::parse).collect::<Result<Vec<u16>, _>>()?;
    let rssi_min_dbm = args.next().map_or(Ok(-80), |a| a.parse())?;
    let seconds = args.next().map_or(Ok(10), |a| a.parse())?;
    let (observations, mut said) = tokio::sync::mpsc::channel(64);
    let (commands, receiver) = tokio::sync::mpsc::channel(4);
    let link = DeviceLink {
        id: DeviceId::new("bringup.reader")?,
        clock: Clock::start(),
        observations,
        commands: receiver,
        tap: Tap::off(),
    };
    let driver = ReaderDriver::new(endpoint, antennas, rssi_min_dbm);
    let task = tokio::spawn(supervise(driver, link, Backoff::default()));
    commands.send(ReaderCommand::Start).await?;
    let end = tokio::time::Instant::now() + Duration::from_secs(seconds);
    while let Ok(Some(observation)) = tokio::time::timeout_at(end, said.recv()).await {
        println!("{:>8} ms {:?}", observation.at.mono_ms.0, observation.what);
    }
    drop(commands);
    task.await?;
    Ok(())
}
