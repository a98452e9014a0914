//! Brings up one weighing indicator and prints what it says.
//!
//! `cargo run -p weighbridge --example scale_bringup -- 'serial:///dev/ttyS0?protocol=toledo&baud=9600' 60000 20 30`
//! (endpoint, capacity kg, interval kg, seconds)

use device::{Backoff, Clock, DeviceLink, Endpoint, Tap, supervise};
use gate_types::DeviceId;
use std::time::Duration;
use weighbridge::ScaleDriver;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let endpoint =
        Endpoint::parse(&args.next().ok_or("usage: bringup ENDPOINT [CAPACITY] [INTERVAL] [SECONDS]")?)?;
    let capacity_kg = args.next().map_or(Ok(60_000.0), |a| a.parse())?;
    let interval_kg = args.next().map_or(Ok(20.0), |a| a.parse())?;
    let seconds = args.next().map_or(Ok(10), |a| a.parse())?;
    let (observations, mut said) = tokio::sync::mpsc::channel(64);
    let (commands, receiver) = tokio::sync::mpsc::channel(4);
    let link = DeviceLink {
        id: DeviceId::new("bringup.scale")?,
        clock: Clock::start(),
        observations,
        commands: receiver,
        tap: Tap::off(),
    };
    let driver = ScaleDriver::new(endpoint, capacity_kg, interval_kg);
    let task = tokio::spawn(supervise(driver, link, Backoff::default()));
    let end = tokio::time::Instant::now() + Duration::from_secs(seconds);
    while let Ok(Some(observation)) = tokio::time::timeout_at(end, said.recv()).await {
        println!("{:>8} ms {:?}", observation.at.mono_ms.0, observation.what);
    }
    drop(commands);
    task.await?;
    Ok(())
}
