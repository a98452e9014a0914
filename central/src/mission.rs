//! A mission as gates and people see it, and its progress as it follows from the stored passes.

use crate::intake::required_checks;
use crate::store::{AlarmKey, MissionRecord, NewAlarm, StoreError, StoredPass, Tx};
use config::{NodeKind, Site};
use gate_core::mission::{
    Cause, Corroboration, Difference, Finding, Followed, Habits, PassSeen, PassTold, Plan, Port, PortNode,
    Reference, due, follow, open_legs,
};
use gate_types::ProcessId;
use gate_types::api::{AlarmView, MissionView, PassedLeg};
use gate_types::mission::{DefinitiveStatus, LegRef, Process};
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

/// What the clock alone tells: raised anew by whoever looks at the clock, or only kept where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// Late and lost are raised.
    Looked,
    /// Passes came in; a backlog of them is not to raise what its next one withdraws.
    Kept,
}

/// A mission whose passes came in is looked at by the clock no sooner than this, milliseconds.
const SETTLE_MS: i64 = 60_000;

/// Recomputes missions from their stored passes, raises what is new and withdraws what a late event has
/// explained. Gives back the missions that changed, and the alarms that are new or told anew. The missions are
/// locked.
pub(crate) fn refresh(
    tx: &Tx<'_>,
    site: &Site,
    records: Vec<MissionRecord>,
    now_ms: i64,
    clock: Clock,
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
    let (mut raised, mut told, mut stand, mut looks) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((record, process), passes) in followable.into_iter().zip(tx.passes(&numbers)?) {
        let plan = plans.entry(process.id.clone()).or_insert_with(|| plan(site, process));
        let Some(plan) = plan else { continue };
        let seen: Vec<PassSeen> = passes.iter().map(pass_seen).collect();
        let followed = follow(plan, &record.imported, &seen, |node, from_ms, to_ms| {
            tx.corroboration(node, from_ms, to_ms).unwrap_or_else(|error| {
                tracing::warn!(%node, %error, "what else the node told cannot be read; the alarm does without");
                Corroboration::default()
            })
        });
        let mut stands = BTreeSet::new();
        let due = due(plan, &record.imported, &seen, appointment_ends(&record), now_ms);
        let look_ms = due.next_ms.map(|next| next.max(now_ms + SETTLE_MS));
        looks.push((record.no, look_ms.or_else(|| due.finding.as_ref().map(|_| now_ms + SETTLE_MS))));
        let overdue = due.finding;
        if let (Some(finding), Clock::Kept) = (&overdue, clock) {
            stands.insert(AlarmKey::of_mission(record.no, &cause_name(finding, &passes)));
        }
        let overdue = overdue.filter(|_| clock == Clock::Looked);
        for finding in followed.findings.iter().chain(&overdue) {
            let key = AlarmKey::of_mission(record.no, &cause_name(finding, &passes));
            let text = format!("mission {}: {}", record.id, finding.text);
            stands.insert(key.clone());
            raised.extend(tx.raise(&NewAlarm {
                key,
                kind: finding.kind,
                mission_no: Some(record.no),
                node: &finding.node,
                at_ms: finding.at_ms,
                text: &text,
                suspicion: finding.suspicion,
                skipped: &finding.skipped,
                now_ms,
            })?);
        }
        for (pass, difference) in differences(process, plan, &record, &passes) {
            let cause = format!("{}/{}/{}", pass.leg.node, pass.pass, difference.fact);
            let key = AlarmKey::of_mission(record.no, &cause);
            let text = format!("mission {}: {}", record.id, difference.text);
            stands.insert(key.clone());
            raised.extend(tx.raise(&NewAlarm {
                key,
                kind: difference.kind,
                mission_no: Some(record.no),
                node: &pass.leg.node,
                at_ms: pass.at_ms,
                text: &text,
                suspicion: difference.suspicion,
                skipped: &[],
                now_ms,
            })?);
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
    tx.look_at(&looks)?;
    Ok((changed, raised))
}

/// When a mission that has not begun is due, at the latest.
fn appointment_ends(record: &MissionRecord) -> Option<i64> {
    record.circumstances.appointment.as_ref().map(|appointment| appointment.until_ms)
}

/// What the mission's passes show differently from what was declared, or from each other, in the order in which
/// they happened.
fn differences<'a>(
    process: &Process,
    plan: &Plan,
    record: &MissionRecord,
    passes: &'a [StoredPass],
) -> Vec<(&'a StoredPass, Difference)> {
    let mut reference = Reference::declared(&record.expected);
    let mut all = Vec::new();
    for pass in passes {
        let Some(status) = pass.told.status else { continue };
        let told = PassTold {
            leg: &pass.leg,
            identity: &pass.told.identity,
            status,
            report_to: pass.told.report_to.as_deref(),
            circumstances: &pass.told.circumstances,
            checks: pass.told.checks.as_deref(),
            required: required_checks(process, &pass.leg),
            leaves: process.definitive == DefinitiveStatus::Exited && ends_at(process, &pass.leg),
        };
        all.extend(reference.compare(&told, &plan.port().habits).into_iter().map(|found| (pass, found)));
    }
    all
}

/// Is this leg the destination of one of the process's paths?
fn ends_at(process: &Process, leg: &LegRef) -> bool {
    process.paths.iter().any(|path| {
        process
            .legs_of(path)
            .last()
            .is_some_and(|last| last.node == leg.node && last.direction == leg.direction)
    })
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
