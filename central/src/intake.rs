//! Events of the gates: stored once, then the missions that they tell of are followed anew.

use crate::mission::refresh;
use crate::store::{AlarmKey, Arrival, StoreError, StoredPass, Tx};
use config::Site;
use gate_types::NodeId;
use gate_types::api::{AlarmKind, AlarmView, CentralEvent, EventBatch, EventReceipt, GateEvent};
use gate_types::entry::{Authority, Entry, EntryBody, PassOutcome, PassSummary};
use gate_types::mission::LegRef;
use std::collections::BTreeSet;

/// What a batch came to: the receipt, and what is new for the stream.
pub(crate) struct Taken {
    pub(crate) receipt: EventReceipt,
    pub(crate) news: Vec<CentralEvent>,
}

/// Takes a batch within one transaction.
pub(crate) fn take(tx: &Tx<'_>, site: &Site, batch: &EventBatch, now_ms: i64) -> Result<Taken, StoreError> {
    let node = &batch.node;
    let mut receipt = EventReceipt { stored: Vec::with_capacity(batch.events.len()), duplicates: 0 };
    let mut alarms = Vec::new();
    let mut touched = BTreeSet::new();
    for event in &batch.events {
        match tx.insert_event(node, event, now_ms)? {
            Arrival::New => {
                tx.follow_faults(node, event)?;
                touched.extend(mission_of(tx, node, event)?);
                alarms.extend(unknown_vehicle(tx, node, &event.entry)?);
            }
            Arrival::Seen => receipt.duplicates += 1,
            Arrival::Tampered => {
                receipt.duplicates += 1;
                alarms.extend(tampered(tx, node, event)?);
            }
        }
        receipt.stored.push(event.seq);
    }
    if receipt.duplicates > 0 {
        tx.count_redelivered(receipt.duplicates)?;
    }
    let mut news = Vec::new();
    for no in touched {
        let (changed, raised) = refresh(tx, site, no)?;
        alarms.extend(raised);
        news.extend(changed.map(|record| CentralEvent::Mission { mission: Box::new(record.view(site)) }));
    }
    news.extend(alarms.into_iter().map(|alarm| CentralEvent::Alarm { alarm }));
    Ok(Taken { receipt, news })
}

/// The summary of an entry that closes a pass through the gate.
fn passed(entry: &Entry) -> Option<&PassSummary> {
    let EntryBody::PassClosed { summary } = &entry.body else { return None };
    match summary.outcome {
        PassOutcome::Passed => Some(summary),
        PassOutcome::TurnedBack | PassOutcome::Interrupted => None,
    }
}

/// Stores the pass that an event closes; the number of its mission.
fn mission_of(tx: &Tx<'_>, node: &NodeId, event: &GateEvent) -> Result<Option<i64>, StoreError> {
    let (Some(summary), Some(pass)) = (passed(&event.entry), &event.entry.pass) else { return Ok(None) };
    let Some(facts) = &summary.mission else { return Ok(None) };
    let Some(record) = tx.mission(&facts.mission)? else {
        tracing::error!(%node, mission = %facts.mission, "a gate tells of a mission that is not stored here");
        return Ok(None);
    };
    let stored = StoredPass {
        leg: LegRef { node: node.clone(), direction: summary.direction },
        pass: pass.clone(),
        at_ms: event.entry.at.wall_ms.0,
        conditions: facts.conditions.clone(),
    };
    tx.insert_pass(record.no, &stored)?;
    Ok(Some(record.no))
}

/// A pass without a mission that nobody let through: neither an operator by name nor somebody at the lane
/// itself (key switch or hand, which the lane tells as an arm that moved uncommanded).
fn unknown_vehicle(tx: &Tx<'_>, node: &NodeId, entry: &Entry) -> Result<Option<AlarmView>, StoreError> {
    let (Some(summary), Some(pass)) = (passed(entry), &entry.pass) else { return Ok(None) };
    if summary.mission.is_some() {
        return Ok(None);
    }
    let at_ms = entry.at.wall_ms.0;
    let how = match &summary.raised_by {
        Some(Authority::Operator { .. }) => return Ok(None),
        Some(Authority::Decision) => "under an arm raised by decision",
        None => {
            let lane = pass.lane.as_str();
            for hands in ["arm_moved_uncommanded", "local_hands"] {
                if tx.lane_told(node, lane, hands, summary.opened_at_ms, at_ms)? {
                    return Ok(None);
                }
            }
            "under an arm that was not raised for it"
        }
    };
    let text = format!(
        "process unknown, no node expected; observed node {node}: pass {pass} went through without a mission, {how}; \
         look at the lane's pictures and stop the vehicle at the next node"
    );
    let kind = AlarmKind::UnknownVehicle;
    tx.raise(&AlarmKey::new(kind, None, &format!("{node}/{pass}")), kind, None, node, at_ms, &text)
}

fn tampered(tx: &Tx<'_>, node: &NodeId, event: &GateEvent) -> Result<Option<AlarmView>, StoreError> {
    let (epoch, seq) = (event.epoch.0, event.seq.0);
    let text = format!(
        "node {node} sent entry {seq} of epoch {epoch} again with another content; both are kept; \
         the journal of that gate was changed or restored: secure the gate and compare its journal"
    );
    let kind = AlarmKind::TamperedEvent;
    let key = AlarmKey::new(kind, None, &format!("{node}/{epoch}/{seq}/{}", event.hash));
    tx.raise(&key, kind, None, node, event.entry.at.wall_ms.0, &text)
}
