//! Permits in advance: fetched while central answers, handed to every lane, and spent once for all of them.

use crate::central::Central;
use crate::ledger::Ledger;
use device::Clock;
use gate_core::VerifiedSheet;
use gate_types::api::PermitRequest;
use gate_types::{NodeId, PortId};
use journal::{JournalError, Sink};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// Time between two sheets, milliseconds.
const EVERY_MS: u64 = 5_000;

/// The newest sheet, shared by the lanes of a gate.
#[derive(Debug, Clone)]
pub struct SheetRoom(watch::Sender<VerifiedSheet>);

impl SheetRoom {
    /// A room without a sheet.
    pub fn empty() -> Self {
        Self(watch::Sender::new(VerifiedSheet::default()))
    }
    /// A lane's view of it.
    pub fn watch(&self) -> watch::Receiver<VerifiedSheet> {
        self.0.subscribe()
    }
    /// A lane has commanded its arm on a permit: no other lane may.
    pub fn spend(&self, permit: String) {
        self.0.send_modify(|sheet| {
            sheet.spent.insert(permit);
        });
    }
    fn put(&self, mut new: VerifiedSheet) {
        self.0.send_modify(|sheet| {
            let listed = |name: &String| new.permits.iter().any(|(p, _)| p.permit == *name);
            let spent = std::mem::take(&mut sheet.spent);
            new.spent = spent.into_iter().filter(listed).collect();
            *sheet = std::mem::take(&mut new);
        });
    }
}

/// Fetches sheets until the journal fails. A sheet counts only when central holds every event of this gate:
/// otherwise it could permit again what was driven already.
pub async fn fetch(
    room: SheetRoom,
    central: Central,
    ledger: Ledger,
    clock: Clock,
    port: PortId,
    node: NodeId,
) -> Result<(), JournalError> {
    let request = PermitRequest { port, node };
    loop {
        if ledger.unsent(Sink::Central, 1).await?.is_empty() {
            match central.permits(&request).await {
                Ok(mut sheet) if ledger.unsent(Sink::Central, 1).await?.is_empty() => {
                    sheet.heard = clock.now().mono_ms;
                    room.put(sheet);
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "no sheet of permits"),
            }
        }
        sleep(Duration::from_millis(EVERY_MS)).await;
    }
}
