//! What the console shows: each lane's newest view, and the faults of the node itself.

use gate_types::LaneId;
use gate_types::console::LaneView;
use gate_types::fault::{Fault, FaultKind};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// A lane's end: publishes views.
pub type ViewSender = watch::Sender<Option<Arc<LaneView>>>;
/// The console's end: the newest view.
pub type ViewReceiver = watch::Receiver<Option<Arc<LaneView>>>;

/// Shared by all tasks; the lanes are fixed at start.
#[derive(Debug, Clone)]
pub struct Board {
    lanes: Arc<Vec<(LaneId, ViewReceiver)>>,
    faults: Arc<Mutex<Vec<Fault>>>,
}

impl Board {
    /// A board for these lanes, with the sending end of each.
    pub fn new(lanes: impl IntoIterator<Item = LaneId>) -> (Self, Vec<ViewSender>) {
        let mut receivers = Vec::new();
        let mut senders = Vec::new();
        for lane in lanes {
            let (sender, receiver) = watch::channel(None);
            senders.push(sender);
            receivers.push((lane, receiver));
        }
        (Self { lanes: Arc::new(receivers), faults: Arc::default() }, senders)
    }
    /// The lanes with their receivers, in the order of the node file.
    pub fn lanes(&self) -> &[(LaneId, ViewReceiver)] {
        &self.lanes
    }
    /// All views as they are now.
    pub fn views(&self) -> Vec<Arc<LaneView>> {
        self.lanes.iter().filter_map(|(_, view)| view.borrow().clone()).collect()
    }
    /// Standing faults of the node.
    pub fn faults(&self) -> Vec<Fault> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// Notes a fault of the node; false where it stands already.
    pub fn raise(&self, fault: Fault) -> bool {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.iter().any(|f| f.kind == fault.kind && f.device == fault.device) {
            return false;
        }
        faults.push(fault);
        true
    }
    /// Takes a fault of the node off and gives it back.
    pub fn clear(&self, kind: FaultKind) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let at = faults.iter().position(|f| f.kind == kind)?;
        Some(faults.remove(at))
    }
}

/// A fault of the node that is on record and on the board while it stands.
#[derive(Debug, Clone)]
pub struct NodeFault {
    board: Board,
    ledger: crate::ledger::Ledger,
    kind: FaultKind,
    device: &'static str,
}

impl NodeFault {
    /// A fault of one kind that names one part.
    pub fn new(board: Board, ledger: crate::ledger::Ledger, kind: FaultKind, device: &'static str) -> Self {
        Self { board, ledger, kind, device }
    }
    /// Raises it once; a standing fault is not recorded again.
    pub async fn raise(&self, text: String) -> Result<(), journal::JournalError> {
        let fault = Fault { kind: self.kind, device: self.device.to_owned(), text };
        if !self.board.raise(fault.clone()) {
            return Ok(());
        }
        tracing::warn!(device = self.device, text = %fault.text, "fault raised");
        self.ledger.append_node(gate_types::entry::EntryBody::FaultRaised { fault }).await
    }
    /// Clears it where it stands.
    pub async fn clear(&self) -> Result<(), journal::JournalError> {
        let Some(fault) = self.board.clear(self.kind) else { return Ok(()) };
        tracing::info!(device = self.device, "fault cleared");
        self.ledger.append_node(gate_types::entry::EntryBody::FaultCleared { fault }).await
    }
}
