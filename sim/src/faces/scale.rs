//! A weighing indicator on a serial line (a pseudo terminal): Toledo continuous, ten telegrams a second,
//! with a platform that swings before it settles.

use crate::world::bay::{Bay, Visit};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::pty::openpty;
use nix::sys::termios::{FlushArg, SetArg, cfmakeraw, tcflush, tcgetattr, tcsetattr};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use weighbridge::wire::toledo::{Checksum, Telegram};

/// Time between telegrams.
const PERIOD: Duration = Duration::from_millis(100);
/// The platform swings this long after the truck stands, seconds.
const SETTLE_S: f64 = 0.9;

/// Serves one scale until the task is dropped; gives the path of its serial line.
pub fn start(bay: Arc<Bay>, interval_kg: f64, checksum: Checksum) -> anyhow::Result<PathBuf> {
    let pty = openpty(None, None)?;
    // Raw from the first byte on: a terminal that echoes would answer the indicator with its own telegrams.
    let mut mode = tcgetattr(&pty.slave)?;
    cfmakeraw(&mut mode);
    tcsetattr(&pty.slave, SetArg::TCSANOW, &mode)?;
    let path = nix::unistd::ttyname(&pty.slave)?;
    fcntl(&pty.master, FcntlArg::F_SETFL(OFlag::O_RDWR | OFlag::O_NONBLOCK))?;
    // The slave stays open here, so that the line lives while the gate is away.
    tokio::spawn(serve(bay, File::from(pty.master), pty.slave, interval_kg, checksum));
    Ok(path)
}

async fn serve(bay: Arc<Bay>, mut line: File, slave: OwnedFd, interval_kg: f64, checksum: Checksum) {
    let mut rng = ChaCha8Rng::seed_from_u64(bay.seed ^ 0x5ca1e);
    let mut every = tokio::time::interval(PERIOD);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        every.tick().await;
        let visit = bay.vehicle.borrow().clone();
        let (kg, motion) = load(visit.as_ref(), &mut rng);
        let Some(mut telegram) = Telegram::gross_kg(kg, interval_kg) else { continue };
        telegram.motion = motion;
        match line.write_all(&telegram.encode(checksum)) {
            Ok(()) => {}
            // Nobody reads: what lies in the line is lost, as on a real one.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if let Err(error) = tcflush(&slave, FlushArg::TCIOFLUSH) {
                    tracing::debug!(%error, lane = %bay.lane, "the scale's line could not be emptied");
                }
            }
            Err(error) => tracing::warn!(%error, lane = %bay.lane, "the scale's line failed"),
        }
    }
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
