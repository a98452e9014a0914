//! A weighing indicator: what lies on its platform, said in one of the protocols.

use super::pty::Pty;
use crate::world::bay::{Bay, Visit};
use anyhow::Context as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;
use weighbridge::wire::toledo::Checksum;
use weighbridge::wire::{Changed, Load, Speech};

/// Time between telegrams of continuous output.
const PERIOD: Duration = Duration::from_millis(100);
/// The platform swings this long after the truck stands, seconds.
const SETTLE_S: f64 = 0.9;

/// Speaks on one line until it ends.
pub async fn speak(
    mut line: impl AsyncRead + AsyncWrite + Unpin,
    mut speech: Speech,
    platform: watch::Sender<Load>,
) -> std::io::Result<()> {
    let mut every = tokio::time::interval(PERIOD);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut buffer = [0; 256];
    loop {
        tokio::select! {
            _ = every.tick() => {
                let load = *platform.borrow();
                if let Some(telegram) = speech.telegram(&load) {
                    line.write_all(&telegram).await?;
                }
            }
            read = line.read(&mut buffer) => {
                let n = read?;
                if n == 0 {
                    return Ok(());
                }
                let load = *platform.borrow();
                let (answer, changed) = speech.hear(buffer.get(..n).unwrap_or_default(), &load);
                if changed == Changed::Zeroed {
                    platform.send_replace(Load::default());
                }
                line.write_all(&answer).await?;
            }
        }
    }
}

/// Serves one lane's scale until the task is dropped; gives the path of its serial line. Ten telegrams a
/// second, with a platform that swings before it settles.
pub fn start(bay: Arc<Bay>, interval_kg: f64, checksum: Checksum) -> anyhow::Result<PathBuf> {
    let (line, path) = Pty::open()?;
    let name = match checksum {
        Checksum::Present => "toledo",
        Checksum::Absent => "toledo-plain",
    };
    let speech = Speech::of_name(name, interval_kg).context("Toledo is spoken here")?;
    let platform = watch::Sender::new(Load::default());
    let felt = platform.clone();
    tokio::spawn(async move {
        let mut rng = ChaCha8Rng::seed_from_u64(bay.seed ^ 0x5ca1e);
        let mut every = tokio::time::interval(PERIOD / 2);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            every.tick().await;
            let visit = bay.vehicle.borrow().clone();
            let (kg, motion) = load(visit.as_ref(), &mut rng);
            felt.send_replace(Load { kg, motion, ..Load::default() });
        }
    });
    tokio::spawn(async move {
        if let Err(error) = speak(line, speech, platform).await {
            tracing::warn!(%error, "a scale's line failed");
        }
    });
    Ok(path)
}

/// What the platform carries, and whether it moves.
fn load(visit: Option<&Visit>, rng: &mut ChaCha8Rng) -> (f64, bool) {
    let Some(visit) = visit else { return (0.0, false) };
    let gross = visit.card.gross_kg;
    let since = visit.since.elapsed().as_secs_f64();
    if !visit.standing {
        // Axle by axle onto the platform.
        let share = (since / 1.6).clamp(0.0, 1.0);
        return (gross * (share * 4.0).floor() / 4.0 * rng.random_range(0.9..1.0), true);
    }
    if since < SETTLE_S {
        let swing = (since * 22.0).cos() * (-since * 4.0).exp() * 0.03;
        return (gross * (1.0 + swing) + rng.random_range(-30.0..30.0), true);
    }
    (gross, false)
}
