//! A mission as gates and people see it, and its progress as it follows from the stored passes.

use crate::store::{AlarmKey, MissionRecord, StoreError, StoredPass, Tx};
use config::{NodeKind, Site};
use gate_core::mission::{
    Cause, Corroboration, Finding, Followed, Habits, PassSeen, Plan, Port, PortNode, follow, open_legs,
};
use gate_types::ProcessId;
use gate_types::api::{AlarmView, MissionView, PassedLeg};
use gate_types::mission::{LegRef, Process};
use gate_types::release::MissionFacts;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl MissionRecord {
    /// Legs passed, in order.
    pub(crate) fn progress(&self) -> Vec<LegRef> {
        self.passed.iter().map(|p| p.leg.clone()).collect()
    }

    /// What a gate is told.
    pub(crate) fn facts(&self) -> MissionFacts {
        MissionFacts {
            mission: self.id.clone(),
            iot_id: self.iot_id,
            process: self.process.clone(),
            status: self.status,
            holds: self.holds.clone(),
            report_to: self.report_to.clone(),
            conditions: self.conditions.clone(),
            progress: self.progress(),
            ended: self.definitive.is_some(),
            expected: self.expected.clone(),
            language: self.language.clone(),
            circumstances: self.circumstances.clone(),
        }
    }

    /// What people and integrators see. `next` holds the legs whose conditions hold now, whatever customs says.
    pub(crate) fn view(&self, site: &Site) -> MissionView {
        let next = match (site.process(&self.process), self.definitive) {
            (Some(process), None) => open_legs(process, &self.conditions, &self.progress()),
            (None, _) | (Some(_), Some(_)) => Vec::new(),
        };
        MissionView {
            id: self.id.clone(),
            iot_id: self.iot_id,
            process: self.process.clone(),
            mrns: self.mrns.clone(),
            expected: self.expected.clone(),
            status: self.status,
            holds: self.holds.clone(),
            conditions: self.conditions.clone(),
            passed: self.passed.clone(),
            next,
            definitive: self.definitive,
            version: self.version,
        }
    }
}

/// The process of a mission, made ready for following.
fn plan(site: &Site, process: &Process) -> Option<Plan> {
    let nodes = site.nodes.iter().map(|n| PortNode {
        id: n.id.clone(),
        parking: n.kind == NodeKind::Parking,
        read_rate: None,
    });
    let roads = site.roads.iter().map(|r| (r.from.as_str(), r.to.as_str(), i64::from(r.drive_s) * 1000));
    let port = Arc::new(Port::new(nodes.collect(), roads, Habits::default()));
    Plan::new(process, port)
        .inspect_err(|cause| tracing::error!(%cause, "this process cannot be followed; mend the site file"))
        .ok()
}

/// The name of a finding's cause, which stays the same when a later pass corrects the finding.
fn cause_name(finding: &Finding, passes: &[StoredPass]) -> String {
    match &finding.cause {
        Cause::Leg(name) => format!("leg/{name}"),
        Cause::After(name) => format!("after/{name}"),
        Cause::Pass(at) => passes
            .get(*at)
            .map_or_else(|| format!("pass/{at}"), |pass| format!("{}/{}", pass.leg.node, pass.pass)),
    }
}

/// Recomputes missions from their stored passes, raises what is new and withdraws what a late event has
/// explained. Gives back the missions that changed, and the alarms that are new. The missions are locked.
pub(crate) fn refresh(
    tx: &Tx<'_>,
    site: &Site,
    records: Vec<MissionRecord>,
) -> Result<(Vec<MissionRecord>, Vec<AlarmView>), StoreError> {
    let mut followable = Vec::with_capacity(records.len());
    for record in records {
        match site.process(&record.process) {
            Some(process) => followable.push((record, process)),
            None => tracing::error!(mission = %record.id, process = %record.process,
                "the site file no longer has this mission's process; its passes are kept but not followed"),
        }
    }
    let numbers: Vec<i64> = followable.iter().map(|(record, _)| record.no).collect();
    let mut plans: BTreeMap<ProcessId, Option<Plan>> = BTreeMap::new();
    let (mut raised, mut told, mut stand) = (Vec::new(), Vec::new(), Vec::new());
    for ((record, process), passes) in followable.into_iter().zip(tx.passes(&numbers)?) {
        let plan = plans.entry(process.id.clone()).or_insert_with(|| plan(site, process));
        let Some(plan) = plan else { continue };
        let seen: Vec<PassSeen> = passes.iter().map(pass_seen).collect();
        let followed = follow(plan, &record.imported, &seen, |_, _, _| Corroboration::default());
        let mut stands = BTreeSet::new();
        for finding in &followed.findings {
            let key = AlarmKey::new(finding.kind, Some(record.no), &cause_name(finding, &passes));
            let text = format!("mission {}: {}", record.id, finding.text);
            let (kind, node, at_ms) = (finding.kind, &finding.node, finding.at_ms);
            raised.extend(tx.raise(&key, kind, Some(record.no), node, at_ms, &text)?);
            stands.insert(key);
        }
        stand.push((record.no, stands));
        let passed = passed(&record, &followed, &seen);
        let definitive = followed.finished.then_some(process.definitive);
        told.push((record, passed, definitive));
    }
    let withdrawn = tx.withdraw_others(&stand)?;
    let mut changed = Vec::new();
    for ((mut record, passed, definitive), withdrawn) in told.into_iter().zip(withdrawn) {
        if passed != record.passed || definitive != record.definitive || withdrawn > 0 {
            record.passed = passed;
            record.definitive = definitive;
            record.version += 1;
            changed.push(record);
        }
    }
    tx.update_missions(&changed.iter().collect::<Vec<_>>())?;
    Ok((changed, raised))
}

fn pass_seen(pass: &StoredPass) -> PassSeen {
    PassSeen { leg: pass.leg.clone(), at_ms: pass.at_ms, conditions: pass.conditions.clone() }
}

/// The legs of the way as they are understood; one that nobody saw has the time of the next that somebody saw.
fn passed(record: &MissionRecord, followed: &Followed, seen: &[PassSeen]) -> Vec<PassedLeg> {
    let mut legs = Vec::with_capacity(followed.steps.len());
    let mut at_ms = seen.last().map_or(record.created_ms, |pass| pass.at_ms);
    for (n, step) in followed.steps.iter().enumerate().rev() {
        let pass = step.seen.and_then(|at| seen.get(at));
        let imported = pass.is_none() && n < record.imported.len();
        at_ms = match pass {
            Some(pass) => pass.at_ms,
            None if imported => record.created_ms,
            None => at_ms,
        };
        legs.push(PassedLeg { leg: step.leg.clone(), at_ms, imported, unseen: pass.is_none() && !imported });
    }
    legs.reverse();
    legs
}
