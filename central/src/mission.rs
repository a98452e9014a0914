//! A mission as gates and people see it, and its progress as it follows from the stored passes.

use crate::store::{AlarmKey, MissionRecord, StoreError, StoredPass, Tx};
use config::Site;
use gate_core::mission::{Advance, advance, next_legs};
use gate_types::api::{AlarmKind, AlarmView, MissionView, PassedLeg};
use gate_types::mission::{DefinitiveStatus, LegRef, Process};
use gate_types::release::MissionFacts;
use std::collections::BTreeSet;

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
        let next: BTreeSet<LegRef> = match (site.process(&self.process), self.definitive) {
            (Some(process), None) => {
                let progress = self.progress();
                let advances = |leg: &LegRef| match advance(process, &self.conditions, &progress, leg) {
                    Advance::Advanced { .. } => true,
                    Advance::Transparent | Advance::Deviation { .. } => false,
                };
                next_legs(process, &progress).iter().map(|next| next.leg()).filter(advances).collect()
            }
            (None, _) | (Some(_), Some(_)) => BTreeSet::new(),
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
            next: next.into_iter().collect(),
            definitive: self.definitive,
            version: self.version,
        }
    }
}

/// A pass that no admissible path explains.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Astray {
    pub(crate) pass: StoredPass,
    pub(crate) kind: AlarmKind,
    pub(crate) text: String,
}

/// The progress of a mission as its passes tell it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Followed {
    pub(crate) passed: Vec<PassedLeg>,
    pub(crate) definitive: Option<DefinitiveStatus>,
    pub(crate) astray: Vec<Astray>,
}

/// Follows a mission's passes, which are sorted by time, from its beginning. Each pass is judged by the
/// conditions that held when it happened: a ticket bought at the parking does not make the way there wrong.
pub(crate) fn follow(process: &Process, imported: Vec<PassedLeg>, passes: Vec<StoredPass>) -> Followed {
    let mut followed = Followed { passed: imported, ..Followed::default() };
    for pass in passes {
        let progress: Vec<LegRef> = followed.passed.iter().map(|p| p.leg.clone()).collect();
        match advance(process, &pass.conditions, &progress, &pass.leg) {
            Advance::Advanced { finished } => {
                followed.passed.push(PassedLeg { leg: pass.leg, at_ms: pass.at_ms, imported: false });
                if finished {
                    followed.definitive = Some(process.definitive);
                }
            }
            Advance::Transparent => {}
            Advance::Deviation { kind, text } => followed.astray.push(Astray { pass, kind, text }),
        }
    }
    followed
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
    let at_ms = record.created_ms;
    let imported =
        record.imported.iter().map(|leg| PassedLeg { leg: leg.clone(), at_ms, imported: true }).collect();
    let followed = follow(process, imported, tx.passes(mission_no)?);
    let mut stands = BTreeSet::new();
    let mut raised = Vec::new();
    for Astray { pass, kind, text } in followed.astray {
        let node = &pass.leg.node;
        let key = AlarmKey::new(kind, Some(mission_no), &format!("{node}/{}", pass.pass));
        let text = format!("mission {}: {text}", record.id);
        raised.extend(tx.raise(&key, kind, Some(mission_no), node, pass.at_ms, &text)?);
        stands.insert(key);
    }
    let withdrawn = tx.withdraw_others(mission_no, &stands)?;
    let moved = followed.passed != record.passed || followed.definitive != record.definitive;
    if !moved && withdrawn == 0 {
        return Ok((None, raised));
    }
    record.passed = followed.passed;
    record.definitive = followed.definitive;
    record.version += 1;
    tx.update_mission(&record)?;
    Ok((Some(record), raised))
}
