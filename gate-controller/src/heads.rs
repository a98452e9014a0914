//! Signed heads on their way to central, and what central has seen of this journal.

use crate::board::NodeFault;
use crate::central::Central;
use crate::ledger::Ledger;
use gate_types::api::{HeadAnswer, HeadReport, JournalPosition};
use gate_types::head::{SignedHead, read_receipt};
use gate_types::{NodeId, PortId};
use journal::{Finding, JournalError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How long a start waits for central's word, milliseconds: the lanes come first.
const START_MS: u64 = 400;
/// Shortest time between two heads sent, milliseconds: the window in which a tail can be cut unseen.
const PACE_MS: u64 = 5_000;
/// Longest wait after a failure, milliseconds.
const LONGEST_WAIT_MS: u64 = 60_000;

/// What central has seen of this gate's journal, asked before the first entry is written; nothing where it
/// does not answer at once.
pub async fn seen(central: &Central, port: &PortId, node: &NodeId) -> JournalPosition {
    let report = HeadReport { port: port.clone(), node: node.clone(), head: None };
    match timeout(Duration::from_millis(START_MS), central.heads(&report)).await {
        Ok(Ok(answer)) => answer.seen,
        Ok(Err(error)) => {
            tracing::info!(%error, "central does not tell what it has seen of the journal; it is asked later");
            JournalPosition::default()
        }
        Err(_) => JournalPosition::default(),
    }
}

/// Sends each newest head until the journal fails; `lost` is raised where central has seen entries that
/// the journal does not have.
pub async fn deliver(
    ledger: Ledger,
    central: Central,
    port: PortId,
    node: NodeId,
    mut heads: watch::Receiver<Option<Arc<SignedHead>>>,
    lost: NodeFault,
) -> Result<(), JournalError> {
    let mut wait_ms = PACE_MS;
    let mut sent = 0;
    loop {
        let newest = heads.borrow_and_update().clone().filter(|head| head.head.seq.0 > sent);
        let Some(head) = newest else {
            if heads.changed().await.is_err() {
                // The signing thread is gone: the journal is closing.
                std::future::pending::<()>().await;
            }
            continue;
        };
        let report = HeadReport { port: port.clone(), node: node.clone(), head: Some(head.jws.clone()) };
        match central.heads(&report).await {
            Ok(answer) => {
                take(&ledger, &central, &head, answer, &lost).await?;
                sent = head.head.seq.0;
                wait_ms = PACE_MS;
            }
            Err(error) => {
                tracing::debug!(%error, wait_ms, "central did not take a head of the journal");
                wait_ms = (wait_ms * 2).min(LONGEST_WAIT_MS);
            }
        }
        sleep(Duration::from_millis(wait_ms)).await;
    }
}

async fn take(
    ledger: &Ledger,
    central: &Central,
    head: &SignedHead,
    answer: HeadAnswer,
    lost: &NodeFault,
) -> Result<(), JournalError> {
    if let Some(text) = answer.receipt {
        match read_receipt(central.release_key(), &text) {
            Ok(receipt) if receipt.head == head.head => ledger.journal().anchored(&receipt, text).await?,
            Ok(_) => tracing::warn!("central's receipt is for another head; it is not kept"),
            Err(error) => tracing::warn!(%error, "central's receipt is not kept"),
        }
    }
    if let Some(finding) = ledger.journal().resume_above(answer.seen).await? {
        lost.raise(told(&finding)).await?;
    }
    Ok(())
}

/// A loss in words that say what to do.
pub fn told(finding: &Finding) -> String {
    format!(
        "{finding}; the journal goes on above them; central has what was delivered: compare, and find out who had the disk"
    )
}
