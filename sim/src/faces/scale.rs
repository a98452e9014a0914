//! A weighing indicator: what lies on its platform, said in one of the protocols.

use super::pty::Pty;
use crate::world::bay::{Bay, Visit};
use anyhow::bail;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;
use weighbridge::wire::toledo::{Checksum, Telegram};
use weighbridge::wire::{Decimal, Unit, sics};

/// Time between telegrams of continuous output.
const PERIOD: Duration = Duration::from_millis(100);
/// The platform swings this long after the truck stands, seconds.
const SETTLE_S: f64 = 0.9;

/// What an indicator feels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Load {
    /// Gross, kilograms.
    pub kg: f64,
    /// It moves.
    pub motion: bool,
    /// Above capacity.
    pub over: bool,
    /// Below zero.
    pub under: bool,
    /// Zero was not captured since power-up.
    pub unzeroed: bool,
}

/// How an indicator speaks.
#[derive(Debug, Clone)]
pub enum Speech {
    /// Toledo continuous.
    Toledo {
        /// Whether telegrams carry one.
        checksum: Checksum,
        /// Verification interval, kilograms.
        interval_kg: f64,
    },
    /// MT-SICS on demand.
    Sics {
        /// Verification interval, kilograms.
        interval_kg: f64,
    },
}

impl Speech {
    /// The speech of a protocol's name, as in an endpoint's `protocol=`.
    pub fn of_name(name: &str, interval_kg: f64) -> anyhow::Result<Self> {
        Ok(match name {
            "toledo" => Self::Toledo { checksum: Checksum::Present, interval_kg },
            "sics" => Self::Sics { interval_kg },
            other => bail!("protocol `{other}`: toledo or sics"),
        })
    }
    /// A telegram of continuous output.
    fn telegram(&self, load: &Load) -> Option<Vec<u8>> {
        match self {
            Self::Toledo { checksum, interval_kg } => {
                let mut telegram = Telegram::gross_kg(load.kg, *interval_kg)?;
                telegram.motion = load.motion;
                telegram.zero_not_captured = load.unzeroed;
                telegram.out_of_range = load.over || load.under;
                telegram.negative |= load.under;
                Some(telegram.encode(*checksum))
            }
            Self::Sics { .. } => None,
        }
    }
    /// The answer to a line of the client.
    fn answer(&self, line: &str, load: &mut Load) -> Option<Vec<u8>> {
        match self {
            Self::Toledo { .. } => None,
            Self::Sics { interval_kg } => {
                let weight = |load: &Load| {
                    if load.over {
                        return sics::Reply::Over;
                    }
                    if load.under {
                        return sics::Reply::Under;
                    }
                    let digits = ((load.kg / interval_kg).round() * interval_kg) as i64;
                    let value = Decimal { digits, places: 0 };
                    sics::Reply::Weight { stable: !load.motion, value, unit: Unit::Kilogram }
                };
                let reply = match sics::Request::decode(line) {
                    Some(sics::Request::Stable) if load.motion => sics::Reply::NotNow,
                    Some(sics::Request::Stable | sics::Request::Immediate | sics::Request::Repeat) => {
                        weight(load)
                    }
                    Some(sics::Request::Zero) if load.motion => sics::Reply::Zeroed(sics::Zeroed::NotNow),
                    Some(sics::Request::Zero | sics::Request::ZeroNow) => {
                        load.kg = 0.0;
                        sics::Reply::Zeroed(sics::Zeroed::Done)
                    }
                    Some(sics::Request::Cancel) => return None,
                    None => sics::Reply::Refused('S'),
                };
                Some(reply.encode())
            }
        }
    }
}

/// Speaks on one line until it ends.
pub async fn speak(
    mut line: impl AsyncRead + AsyncWrite + Unpin,
    speech: Speech,
    platform: watch::Receiver<Load>,
) -> std::io::Result<()> {
    let mut every = tokio::time::interval(PERIOD);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut lines = sics::Lines::new();
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
                let mut rest = buffer.get(..n).unwrap_or_default();
                while let Some(request) = lines.take(&mut rest) {
                    let mut load = *platform.borrow();
                    if let Ok(request) = request
                        && let Some(answer) = speech.answer(&request, &mut load)
                    {
                        line.write_all(&answer).await?;
                    }
                }
            }
        }
    }
}

/// Serves one lane's scale until the task is dropped; gives the path of its serial line. Ten telegrams a
/// second, with a platform that swings before it settles.
pub fn start(bay: Arc<Bay>, interval_kg: f64, checksum: Checksum) -> anyhow::Result<PathBuf> {
    let (line, path) = Pty::open()?;
    let (platform, seen) = watch::channel(Load::default());
    tokio::spawn(async move {
        let mut rng = ChaCha8Rng::seed_from_u64(bay.seed ^ 0x5ca1e);
        let mut every = tokio::time::interval(PERIOD / 2);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            every.tick().await;
            let visit = bay.vehicle.borrow().clone();
            let (kg, motion) = load(visit.as_ref(), &mut rng);
            if platform.send(Load { kg, motion, ..Load::default() }).is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move {
        if let Err(error) = speak(line, Speech::Toledo { checksum, interval_kg }, seen).await {
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
