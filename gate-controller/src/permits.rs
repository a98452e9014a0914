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
    fetch_every(Duration::from_millis(EVERY_MS), room, central, ledger, clock, request).await
}

async fn fetch_every(
    every: Duration,
    room: SheetRoom,
    central: Central,
    ledger: Ledger,
    clock: Clock,
    request: PermitRequest,
) -> Result<(), JournalError> {
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
        sleep(every).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Meter;
    use axum::routing::post;
    use axum::{Json, Router};
    use ed25519_dalek::SigningKey;
    use gate_types::api::{self, PermitHead, PermitSheet};
    use gate_types::entry::EntryBody;
    use gate_types::jws;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};
    use tokio::time::timeout;

    const LIMIT: Duration = Duration::from_secs(20);

    /// Central that signs an empty sheet with a clock that rises with every question.
    async fn central(key: SigningKey, asked: Arc<AtomicI64>) -> String {
        let sheet = move || {
            let signed_at_ms = asked.fetch_add(1, Ordering::SeqCst) + 1;
            let head = PermitHead { node: NodeId::new("1").unwrap(), signed_at_ms, permits: Vec::new() };
            let head = jws::sign(&key, &head).unwrap();
            async move { Json(PermitSheet { head, permits: Vec::new() }) }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route(api::PERMITS, post(sheet));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        url
    }

    #[tokio::test]
    async fn a_sheet_counts_once_central_holds_every_event_and_only_with_its_signature() {
        let _ = Arc::unwrap_or_clone(crate::identity::provider()).install_default();
        let folder = tempfile::tempdir().unwrap();
        let (journal, _) = journal::Journal::open(&folder.path().join("journal.db")).unwrap();
        let ledger = Ledger::new(journal, Clock::start(), Arc::new(Meter::default()));
        let key = SigningKey::from_bytes(&[7; 32]);
        let asked = Arc::new(AtomicI64::new(0));
        let url = central(key.clone(), asked.clone()).await;
        let request = PermitRequest { port: PortId::new("ITBRI").unwrap(), node: NodeId::new("1").unwrap() };
        let every = Duration::from_millis(20);
        let fetching = |key: &SigningKey, room: &SheetRoom| {
            let central = Central::plain(&url, key.verifying_key());
            let (room, ledger, request) = (room.clone(), ledger.clone(), request.clone());
            tokio::spawn(fetch_every(every, room, central, ledger, Clock::start(), request))
        };
        // Central does not hold this event yet: it is not asked at all.
        ledger.append_node(EntryBody::DaemonStopped {}).await.unwrap();
        let room = SheetRoom::empty();
        let mut sheets = room.watch();
        let task = fetching(&key, &room);
        assert!(timeout(Duration::from_millis(300), sheets.changed()).await.is_err());
        assert_eq!(asked.load(Ordering::SeqCst), 0);
        let unsent = ledger.unsent(Sink::Central, 8).await.unwrap();
        let done: Vec<_> = unsent.iter().map(|e| (e.epoch, e.seq)).collect();
        ledger.acknowledge(Sink::Central, &done).await.unwrap();
        for _ in 0..2 {
            timeout(LIMIT, sheets.changed()).await.unwrap().unwrap();
        }
        let seen = sheets.borrow_and_update().signed_at_ms;
        assert!(seen >= 2, "a later sheet takes the place of the one before: {seen}");
        task.abort();
        // Another key's sheets never count.
        let room = SheetRoom::empty();
        let mut sheets = room.watch();
        let task = fetching(&SigningKey::from_bytes(&[8; 32]), &room);
        let before = asked.load(Ordering::SeqCst);
        let more = async {
            while asked.load(Ordering::SeqCst) < before + 3 {
                tokio::task::yield_now().await;
            }
        };
        timeout(LIMIT, more).await.unwrap();
        assert!(!sheets.has_changed().unwrap() && sheets.borrow_and_update().signed_at_ms == 0);
        task.abort();
    }

    #[test]
    fn a_permit_that_one_lane_used_is_spent_for_all_until_it_leaves_the_sheet() {
        let room = SheetRoom::empty();
        let other = room.watch();
        room.spend("p-1".into());
        assert!(other.borrow().spent.contains("p-1"));
        room.put(VerifiedSheet { signed_at_ms: 5, ..VerifiedSheet::default() });
        assert!(other.borrow().spent.is_empty() && other.borrow().signed_at_ms == 5);
    }
}
