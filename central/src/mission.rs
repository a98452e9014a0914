//! A mission as gates and people see it, and its progress as it follows from the stored passes.

use crate::store::{AlarmKey, MissionRecord, StoreError, StoredPass, Tx};
use config::{NodeKind, Site};
use gate_core::mission::{
    Cause, Corroboration, Finding, Habits, PassSeen, Plan, Port, PortNode, follow, open_legs,
};
use gate_types::api::{AlarmView, MissionView, PassedLeg};
use gate_types::mission::{LegRef, Process};
use gate_types::release::MissionFacts;
use std::collections::BTreeSet;
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

/// Recomputes a mission from its stored passes, raises what is new and withdraws what a late event has
/// explained. Gives back the mission where it changed, and the alarms that are new.
pub(crate) fn refresh(
    tx: &Tx<'_>,
    site: &Site,
    mission_no: i64,
) -> Result<(Option<MissionRecord>, Vec<AlarmView>), StoreError> {
    let Some(mut record) = tx.mission_no(mission_no)? else { return Ok((None, Vec::new())) };
    let Some(process) = site.process(&record.process) else {
        tracing::error!(mission = %record.id, process = %record.process,
            "the site file no longer has this mission's process; its passes are kept but not followed");
        return Ok((None, Vec::new()));
    };
    let Some(plan) = plan(site, process) else { return Ok((None, Vec::new())) };
    let stored = tx.passes(mission_no)?;
    let seen: Vec<PassSeen> = stored
        .iter()
        .map(|p| PassSeen { leg: p.leg.clone(), at_ms: p.at_ms, conditions: p.conditions.clone() })
        .collect();
    let followed = follow(&plan, &record.imported, &seen, |_, _, _| Corroboration::default());
    let mut passed: Vec<PassedLeg> = Vec::with_capacity(followed.steps.len());
    let mut at_ms = seen.last().map_or(record.created_ms, |pass| pass.at_ms);
    for (k, step) in followed.steps.iter().enumerate().rev() {
        let imported = k < record.imported.len();
        at_ms = match step.seen.and_then(|at| seen.get(at)) {
            Some(pass) => pass.at_ms,
            None if imported => record.created_ms,
            None => at_ms,
        };
        let unseen = step.seen.is_none() && !imported;
        passed.push(PassedLeg { leg: step.leg.clone(), at_ms, imported, unseen });
    }
    passed.reverse();
    let definitive = followed.finished.then_some(process.definitive);
    let mut stands = BTreeSet::new();
    let mut raised = Vec::new();
    for finding in followed.findings {
        let kind = finding.kind;
        let key = AlarmKey::new(kind, Some(mission_no), &cause_name(&finding, &stored));
        let text = format!("mission {}: {}", record.id, finding.text);
        raised.extend(tx.raise(&key, kind, Some(mission_no), &finding.node, finding.at_ms, &text)?);
        stands.insert(key);
    }
    let withdrawn = tx.withdraw_others(mission_no, &stands)?;
    let moved = passed != record.passed || definitive != record.definitive;
    if !moved && withdrawn == 0 {
        return Ok((None, raised));
    }
    record.passed = passed;
    record.definitive = definitive;
    record.version += 1;
    tx.update_mission(&record)?;
    Ok((Some(record), raised))
}
