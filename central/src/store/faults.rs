//! The standing faults of gates: raised and cleared by their events, closed when their daemon's run ended.

use super::value::{Row, values};
use super::{StoreError, Tx, parse, print};
use gate_types::api::{FaultView, GateEvent};
use gate_types::entry::EntryBody;
use gate_types::fault::Fault;
use gate_types::id::IdError;
use gate_types::{LaneId, NodeId};

/// Longest name of a device in the key.
const DEVICE: usize = 200;

impl Tx<'_> {
    /// Follows new events of a gate, which are stored already. A run of the daemon that died clears nothing:
    /// the first event of a later run (a higher epoch) closes all faults of those before it, and what still
    /// stands is raised anew by the later run itself. An event of an earlier run that comes late changes
    /// nothing.
    pub(crate) fn follow_faults(&self, node: &NodeId, events: &[&GateEvent]) -> Result<(), StoreError> {
        let Some(newest) = events.iter().map(|e| e.epoch.0).max() else { return Ok(()) };
        let sql = "DELETE FROM faults WHERE port_id = $1 AND node = $2 AND epoch < $3";
        self.execute(sql, values![self.port, node.as_str(), newest])?;
        events.iter().try_for_each(|event| self.follow_fault(node.as_str(), event))
    }

    fn follow_fault(&self, node: &str, event: &GateEvent) -> Result<(), StoreError> {
        let epoch = event.epoch.0;
        let lane = event.entry.lane.as_ref().map_or("", LaneId::as_str);
        let device = |fault: &Fault| fault.device.chars().take(DEVICE).collect::<String>();
        match &event.entry.body {
            EntryBody::FaultRaised { fault } => {
                let sql = "SELECT 1 FROM events WHERE port_id = $1 AND node = $2 AND epoch > $3 LIMIT 1";
                if self.one(sql, values![self.port, node, epoch])?.is_some() {
                    return Ok(());
                }
                let sql = "INSERT INTO faults (port_id, node, lane, kind, device, epoch, at_ms, fault)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                     ON CONFLICT (port_id, node, lane, kind, device)
                     DO UPDATE SET epoch = excluded.epoch, at_ms = excluded.at_ms, fault = excluded.fault";
                let (kind, text) = (print("fault kind", &fault.kind)?, print("fault", fault)?);
                let (device, at_ms) = (device(fault), event.entry.at.wall_ms.0);
                self.execute(sql, values![self.port, node, lane, &kind, &device, epoch, at_ms, &text])?;
            }
            EntryBody::FaultCleared { fault } => {
                let sql = "DELETE FROM faults WHERE port_id = $1 AND node = $2 AND lane = $3 AND kind = $4
                     AND device = $5 AND epoch = $6";
                let (kind, device) = (print("fault kind", &fault.kind)?, device(fault));
                self.execute(sql, values![self.port, node, lane, &kind, &device, epoch])?;
            }
            EntryBody::DaemonStarted { .. }
            | EntryBody::DaemonStopped {}
            | EntryBody::PassOpened { .. }
            | EntryBody::OpticalRead { .. }
            | EntryBody::TagRead { .. }
            | EntryBody::WeightRead { .. }
            | EntryBody::GatePassShown { .. }
            | EntryBody::ReleaseAsked { .. }
            | EntryBody::ReleaseAnswered { .. }
            | EntryBody::ReleaseRefused { .. }
            | EntryBody::Decided { .. }
            | EntryBody::RulesLoaded { .. }
            | EntryBody::RaiseCommanded { .. }
            | EntryBody::ArmConfirmedUp {}
            | EntryBody::VehicleUnder {}
            | EntryBody::VehicleLeft {}
            | EntryBody::VehicleWentBack {}
            | EntryBody::VehicleEnclosed {}
            | EntryBody::VehicleSentBack {}
            | EntryBody::LocalHands { .. }
            | EntryBody::LowerPermitted { .. }
            | EntryBody::ArmConfirmedDown {}
            | EntryBody::ArmMovedUncommanded { .. }
            | EntryBody::PassClosed { .. }
            | EntryBody::OperatorAct { .. }
            | EntryBody::Corrected { .. }
            | EntryBody::Erased { .. } => {}
        }
        Ok(())
    }

    /// All standing faults, by node, lane, kind and device.
    pub(crate) fn faults(&self) -> Result<Vec<FaultView>, StoreError> {
        let sql = "SELECT node, lane, at_ms, fault FROM faults WHERE port_id = $1 ORDER BY node, lane, kind, device";
        let broken = |e: IdError| StoreError::Content { what: "fault", cause: e.to_string() };
        let view = |row: &Row| {
            let lane = row.text(1)?;
            Ok(FaultView {
                node: NodeId::new(row.text(0)?).map_err(broken)?,
                lane: if lane.is_empty() { None } else { Some(LaneId::new(lane).map_err(broken)?) },
                at_ms: row.int(2)?,
                fault: parse("fault", row.text(3)?)?,
            })
        };
        self.query(sql, values![self.port])?.iter().map(view).collect()
    }
}
