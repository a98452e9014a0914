//! Events of the gates: stored once, then the missions that they tell of are followed anew.

use crate::mission::{Clock, refresh};
use crate::store::{Arrival, MissionRecord, NewAlarm, NewEvent, StoreError, StoredPass, Told, Tx};
use config::Site;
use gate_types::api::{AlarmKind, AlarmView, CentralEvent, EventReceipt, GateEvent};
use gate_types::entry::{Authority, Entry, EntryBody, PassOutcome, PassSummary};
use gate_types::mission::{LegRef, Process};
use gate_types::release::MissionFacts;
use gate_types::rules::CheckKind;
use gate_types::{MissionId, NodeId};
use std::collections::{BTreeMap, BTreeSet};

/// Takes events of one node within one transaction; everything that follows from them is in it.
pub(crate) fn take(
    tx: &Tx<'_>,
    site: &Site,
    node: &NodeId,
    events: &[NewEvent],
    now_ms: i64,
) -> Result<EventReceipt, StoreError> {
    tx.lock_node(node)?;
    let arrivals = tx.insert_events(node, events, now_ms)?;
    let of = |wanted: Arrival| {
        let arrived = events.iter().zip(&arrivals).filter(move |(_, arrival)| **arrival == wanted);
        arrived.map(|(event, _)| &event.event).collect::<Vec<&GateEvent>>()
    };
    let new = of(Arrival::New);
    tx.follow_faults(node, &new)?;
    let touched = keep_passes(tx, site, node, &new)?;
    let (records, mut alarms) = refresh(tx, site, touched, now_ms, Clock::Kept)?;
    for event in &new {
        alarms.extend(unknown_vehicle(tx, node, &event.entry, now_ms)?);
    }
    for event in of(Arrival::Tampered) {
        alarms.extend(tampered(tx, node, event, now_ms)?);
    }
    let duplicates = u32::try_from(events.len() - new.len()).unwrap_or(u32::MAX);
    if duplicates > 0 {
        tx.count_redelivered(duplicates)?;
    }
    let mission = |record: &MissionRecord| CentralEvent::Mission { mission: Box::new(record.view(site)) };
    let mut news: Vec<CentralEvent> = records.iter().map(mission).collect();
    news.extend(alarms.into_iter().map(|alarm| CentralEvent::Alarm { alarm: Box::new(alarm) }));
    tx.tell(&news)?;
    Ok(EventReceipt { stored: events.iter().map(|e| e.event.seq).collect(), duplicates })
}

/// The summary of an entry that closes a pass through the gate.
fn passed(entry: &Entry) -> Option<&PassSummary> {
    let EntryBody::PassClosed { summary } = &entry.body else { return None };
    match summary.outcome {
        PassOutcome::Passed => Some(summary),
        PassOutcome::TurnedBack | PassOutcome::Interrupted => None,
    }
}

/// Stores the passes that new events close. Gives back their missions, which nobody else changes from here on.
fn keep_passes(
    tx: &Tx<'_>,
    site: &Site,
    node: &NodeId,
    new: &[&GateEvent],
) -> Result<Vec<MissionRecord>, StoreError> {
    let mut closed = Vec::new();
    for event in new {
        if let (Some(summary), Some(pass)) = (passed(&event.entry), &event.entry.pass)
            && let Some(facts) = &summary.mission
        {
            let leg = LegRef { node: node.clone(), direction: summary.direction };
            let (at_ms, conditions) = (event.entry.at.wall_ms.0, facts.conditions.clone());
            let told = told(summary, facts);
            closed.push((&facts.mission, StoredPass { leg, pass: pass.clone(), at_ms, conditions, told }));
        }
    }
    let ids: BTreeSet<&MissionId> = closed.iter().map(|(id, _)| *id).collect();
    tx.lock_missions(ids.iter().copied())?;
    let ids: Vec<&MissionId> = ids.into_iter().collect();
    let mut records = BTreeMap::new();
    for (id, record) in ids.iter().zip(tx.missions_by_id(&ids)?) {
        match record {
            Some(record) => drop(records.insert(*id, record)),
            None => {
                tracing::error!(%node, mission = %id, "a gate tells of a mission that is not stored here")
            }
        }
    }
    let mut passes: Vec<(i64, StoredPass)> = Vec::with_capacity(closed.len());
    for (id, mut pass) in closed {
        let Some(record) = records.get(id) else { continue };
        if site.process(&record.process).is_some_and(|process| demands_checks(process, &pass.leg)) {
            pass.told.checks = tx.decision_of(node, &pass.pass)?.map(|decision| decision.checks);
        }
        passes.push((record.no, pass));
    }
    tx.insert_passes(&passes)?;
    Ok(records.into_values().collect())
}

/// What is kept of a pass for comparing it with the mission's others: the best candidate of each slot.
fn told(summary: &PassSummary, facts: &MissionFacts) -> Told {
    let mut identity = summary.identity.clone();
    for slot in &mut identity.slots {
        slot.candidates.truncate(1);
        slot.sources.clear();
    }
    Told {
        identity,
        status: Some(facts.status),
        report_to: facts.report_to.clone(),
        circumstances: facts.circumstances.clone(),
        checks: None,
    }
}

/// Must this leg's decision have made certain checks?
pub(crate) fn demands_checks(process: &Process, leg: &LegRef) -> bool {
    !required_checks(process, leg).is_empty()
}

/// The checks that a leg's decision must have made (T38).
pub(crate) fn required_checks<'a>(process: &'a Process, leg: &LegRef) -> &'a [CheckKind] {
    let rule = process.legs.values().find(|rule| rule.node == leg.node && rule.direction == leg.direction);
    rule.map_or(&[], |rule| rule.required_checks.as_slice())
}

/// A pass without a mission that nobody let through: neither an operator by name nor somebody at the lane
/// itself (key switch or hand, which the lane tells as an arm that moved uncommanded).
fn unknown_vehicle(
    tx: &Tx<'_>,
    node: &NodeId,
    entry: &Entry,
    now_ms: i64,
) -> Result<Option<AlarmView>, StoreError> {
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
    tx.raise(&NewAlarm::sure(kind, &format!("{node}/{pass}"), node, at_ms, &text, now_ms))
}

fn tampered(
    tx: &Tx<'_>,
    node: &NodeId,
    event: &GateEvent,
    now_ms: i64,
) -> Result<Option<AlarmView>, StoreError> {
    let (epoch, seq) = (event.epoch.0, event.seq.0);
    let text = format!(
        "node {node} sent entry {seq} of epoch {epoch} again with another content; both are kept; \
         the journal of that gate was changed or restored: secure the gate and compare its journal"
    );
    let cause = format!("{node}/{epoch}/{seq}/{}", event.hash);
    let at_ms = event.entry.at.wall_ms.0;
    tx.raise(&NewAlarm::sure(AlarmKind::TamperedEvent, &cause, node, at_ms, &text, now_ms))
}
