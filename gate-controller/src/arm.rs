//! The lane's hand on the arm: a cleared command goes to the driver once its record is durable, and what
//! became of it comes back.

use crate::ledger::Ledger;
use barrier_io::{IoCommand, Left};
use gate_core::{ArmCommand, Cleared, Side};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Outcomes that may wait for the lane.
const OUTCOMES: usize = 8;
/// An arm write that is not acknowledged within this has failed, milliseconds.
const ARM_WRITE_MS: u64 = 2_000;
/// A command whose record took longer than this to become durable is not written, milliseconds: the
/// inputs that cleared it are no longer fresh.
const RECORD_MS: u128 = 500;

/// What became of a command.
#[derive(Debug)]
pub(crate) struct ArmWrite {
    /// It was acknowledged.
    pub(crate) ok: bool,
    /// Why not.
    pub(crate) why: String,
}

/// Sends commands and reports their outcomes.
#[derive(Debug)]
pub(crate) struct Arm {
    io: mpsc::Sender<IoCommand>,
    /// The exit arm of a two-barrier lock.
    exit_io: Option<mpsc::Sender<IoCommand>>,
    ledger: Ledger,
    outcomes: mpsc::Sender<ArmWrite>,
}

impl Arm {
    /// The hand on the arms behind these I/Os, and what becomes of their commands.
    pub(crate) fn new(
        io: mpsc::Sender<IoCommand>,
        exit_io: Option<mpsc::Sender<IoCommand>>,
        ledger: Ledger,
    ) -> (Self, mpsc::Receiver<ArmWrite>) {
        let (outcomes, written) = mpsc::channel(OUTCOMES);
        (Self { io, exit_io, ledger, outcomes }, written)
    }

    /// Gives a command to the driver; to be called when its record is durable. One that was cleared too
    /// long ago is dropped, and the core hears of it as of a write that provably did not happen. `origin`:
    /// when the input that led here arrived, for the figures.
    pub(crate) fn command(&self, cleared: &Cleared, cleared_at: Instant, origin: Option<Instant>) {
        let late_ms = cleared_at.elapsed().as_millis();
        if late_ms > RECORD_MS {
            let why = format!("the record took {late_ms} ms to become durable; look at the disk");
            tracing::warn!(%why, "command dropped");
            let outcomes = self.outcomes.clone();
            tokio::spawn(async move {
                let _ = outcomes.send(ArmWrite { ok: false, why }).await;
            });
            return;
        }
        let (done, written) = oneshot::channel();
        let (refusal, refused) = oneshot::channel();
        let (command, raised_for) = match cleared.command() {
            ArmCommand::Raise => (IoCommand::Raise { done }, origin),
            ArmCommand::PermitLower => (IoCommand::PermitLower { done }, None),
        };
        let (ledger, outcomes) = (self.ledger.clone(), self.outcomes.clone());
        // Before the command is sent, so that the driver is the last task woken and the first to run.
        tokio::spawn(async move {
            let write = match outcome(written, refused).await {
                Ok(left) => {
                    if let Some(origin) = raised_for {
                        ledger.meter().decision(left.duration_since(origin), origin.elapsed());
                    }
                    ArmWrite { ok: true, why: String::new() }
                }
                Err(why) => ArmWrite { ok: false, why },
            };
            // The lane is gone only when the daemon stops.
            let _ = outcomes.send(write).await;
        });
        // A command that the driver cannot take drops `done` with it, which reads as a failed write.
        let sent = match (cleared.side(), &self.exit_io) {
            (Side::Entry, _) => self.io.try_send(command),
            (Side::Exit, Some(exit)) => exit.try_send(command),
            (Side::Exit, None) => {
                let _ = refusal.send("the lane has no exit arm".to_owned());
                return;
            }
        };
        if let Err(error) = sent {
            let _ = refusal.send(error.to_string());
            drop(error);
        }
    }
}

async fn outcome(
    written: oneshot::Receiver<Result<Left, String>>,
    mut refused: oneshot::Receiver<String>,
) -> Result<Left, String> {
    match timeout(Duration::from_millis(ARM_WRITE_MS), written).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => {
            let why = refused.try_recv();
            let why = why.as_deref().unwrap_or("the link to the I/O broke before");
            Err(format!("the command was not written: {why}"))
        }
        Err(_) => Err(format!("the I/O did not acknowledge the write within {ARM_WRITE_MS} ms")),
    }
}
