//! The standing faults of gates: raised and cleared by their events, closed when their daemon's run ended.

use super::{StoreError, Tx, parse, print};
use gate_types::api::{FaultView, GateEvent};
use gate_types::entry::EntryBody;
use gate_types::id::IdError;
use gate_types::{LaneId, NodeId};
use rusqlite::params;

impl Tx<'_> {
    /// Follows a new event of a gate. A run of the daemon that died clears nothing: the first event of a
    /// later run (a higher epoch) closes all faults of those before it, and what still stands is raised
    /// anew by the later run itself. An event of an earlier run that comes late changes nothing.
    pub(crate) fn follow_faults(&self, node: &NodeId, event: &GateEvent) -> Result<(), StoreError> {
        let (node, epoch) = (node.as_str(), event.epoch.0);
        self.sql
            .prepare_cached("DELETE FROM faults WHERE port_id = ?1 AND node = ?2 AND epoch < ?3")?
            .execute(params![self.port, node, epoch])?;
        let lane = event.entry.lane.as_ref().map_or("", LaneId::as_str);
        match &event.entry.body {
            EntryBody::FaultRaised { fault } => {
                let sql = "INSERT INTO faults (port_id, node, lane, kind, device, epoch, at_ms, fault)
                     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE NOT EXISTS
                     (SELECT 1 FROM events WHERE port_id = ?1 AND node = ?2 AND epoch > ?6)
                     ON CONFLICT (port_id, node, lane, kind, device) DO UPDATE SET epoch = ?6, at_ms = ?7, fault = ?8";
                self.sql.prepare_cached(sql)?.execute(params![
                    self.port,
                    node,
                    lane,
                    print("fault kind", &fault.kind)?,
                    fault.device,
                    epoch,
                    event.entry.at.wall_ms.0,
                    print("fault", fault)?
                ])?;
            }
            EntryBody::FaultCleared { fault } => {
                let sql = "DELETE FROM faults WHERE port_id = ?1 AND node = ?2 AND lane = ?3 AND kind = ?4
                     AND device = ?5 AND epoch = ?6";
                self.sql.prepare_cached(sql)?.execute(params![
                    self.port,
                    node,
                    lane,
                    print("fault kind", &fault.kind)?,
                    fault.device,
                    epoch
                ])?;
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
        let sql = "SELECT node, lane, at_ms, fault FROM faults WHERE port_id = ?1 ORDER BY node, lane, kind, device";
        let mut statement = self.sql.prepare_cached(sql)?;
        let mut rows = statement.query([self.port])?;
        let mut faults = Vec::new();
        let broken = |e: IdError| StoreError::Content { what: "fault", cause: e.to_string() };
        while let Some(row) = rows.next()? {
            let lane = row.get::<_, String>(1)?;
            faults.push(FaultView {
                node: NodeId::new(row.get::<_, String>(0)?).map_err(broken)?,
                lane: if lane.is_empty() { None } else { Some(LaneId::new(lane).map_err(broken)?) },
                at_ms: row.get(2)?,
                fault: parse("fault", &row.get::<_, String>(3)?)?,
            });
        }
        Ok(faults)
    }
}
