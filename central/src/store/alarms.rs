//! Alarms: each raised once under its key, withdrawn when a later event explains it.

use super::schema::ALARMS;
use super::value::{Row, values};
use super::{StoreError, Tx, parse, print};
use gate_types::NodeId;
use gate_types::api::{AlarmAct, AlarmKind, AlarmView, SkippedLeg};
use gate_types::id::IdError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What makes an alarm the same alarm: its kind, its mission if any, and the pass or event that gave rise to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AlarmKey(String);

impl AlarmKey {
    /// The alarm of a kind that never changes.
    fn new(kind: AlarmKind, mission_no: Option<i64>, cause: &str) -> Self {
        let mission = mission_no.map_or_else(|| "-".to_owned(), |no| no.to_string());
        Self(format!("{}/{mission}/{cause}", kind_name(kind)))
    }
    /// The alarm of a mission's cause, whose kind a later pass may correct.
    pub(crate) fn of_mission(mission_no: i64, cause: &str) -> Self {
        Self(format!("PATH/{mission_no}/{cause}"))
    }
}

/// States of the column `withdrawn`.
const STANDING: i64 = 0;
const WITHDRAWN: i64 = 1;
const CLOSED: i64 = 2;
/// An alarm less suspicious than this runs no response clock.
const PRESSING: f64 = 0.2;

/// An alarm that is to stand.
#[derive(Debug)]
pub(crate) struct NewAlarm<'a> {
    pub(crate) key: AlarmKey,
    pub(crate) kind: AlarmKind,
    pub(crate) mission_no: Option<i64>,
    pub(crate) node: &'a NodeId,
    pub(crate) at_ms: i64,
    pub(crate) text: &'a str,
    pub(crate) suspicion: f64,
    pub(crate) skipped: &'a [SkippedLeg],
    /// Central's clock.
    pub(crate) now_ms: i64,
}

impl<'a> NewAlarm<'a> {
    /// An alarm without a mission, whose kind never changes and that no missed read explains.
    pub(crate) fn sure(
        kind: AlarmKind,
        cause: &str,
        node: &'a NodeId,
        at_ms: i64,
        text: &'a str,
        now_ms: i64,
    ) -> Self {
        let key = AlarmKey::new(kind, None, cause);
        Self { key, kind, mission_no: None, node, at_ms, text, suspicion: 1.0, skipped: &[], now_ms }
    }
}

/// What a person does with an alarm.
#[derive(Debug, Clone)]
pub(crate) enum AlarmStep {
    /// Looks after it.
    Acknowledge(AlarmAct),
    /// Is done with it; the note is the finding.
    Close(AlarmAct),
    /// Another alarm of the same mission tells it already.
    Merge(AlarmAct, i64),
}

/// What is kept of an alarm beside its columns.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Detail {
    suspicion: Option<f64>,
    skipped: Vec<SkippedLeg>,
    escalated_ms: Option<i64>,
    acknowledged: Option<AlarmAct>,
    closed: Option<AlarmAct>,
    merged_into: Option<u64>,
}

/// How long an officer has to acknowledge an alarm, milliseconds.
fn respond_ms(kind: AlarmKind) -> i64 {
    let minutes = match kind {
        AlarmKind::ImpossibleTransit
        | AlarmKind::DuplicateIdentity
        | AlarmKind::LeftWithoutReporting
        | AlarmKind::SealChanged
        | AlarmKind::UnknownVehicle
        | AlarmKind::TamperedEvent
        | AlarmKind::JournalContradicts => 5,
        AlarmKind::UnexpectedNode
        | AlarmKind::WrongOrder
        | AlarmKind::Deviation
        | AlarmKind::Lost
        | AlarmKind::IdentityDrift
        | AlarmKind::WeightDrift
        | AlarmKind::RequiredCheckMissing => 15,
        AlarmKind::SkippedNode | AlarmKind::Late | AlarmKind::Overstay => 60,
    };
    minutes * 60_000
}

/// Which alarms a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlarmState {
    /// Those that stand.
    #[default]
    Standing,
    /// Those that a later event explained.
    Withdrawn,
    /// Those that an officer closed.
    Closed,
    /// All.
    All,
}

fn kind_name(kind: AlarmKind) -> &'static str {
    match kind {
        AlarmKind::UnexpectedNode => "UNEXPECTED_NODE",
        AlarmKind::SkippedNode => "SKIPPED_NODE",
        AlarmKind::WrongOrder => "WRONG_ORDER",
        AlarmKind::Deviation => "DEVIATION",
        AlarmKind::Late => "LATE",
        AlarmKind::Lost => "LOST",
        AlarmKind::Overstay => "OVERSTAY",
        AlarmKind::ImpossibleTransit => "IMPOSSIBLE_TRANSIT",
        AlarmKind::DuplicateIdentity => "DUPLICATE_IDENTITY",
        AlarmKind::IdentityDrift => "IDENTITY_DRIFT",
        AlarmKind::SealChanged => "SEAL_CHANGED",
        AlarmKind::WeightDrift => "WEIGHT_DRIFT",
        AlarmKind::LeftWithoutReporting => "LEFT_WITHOUT_REPORTING",
        AlarmKind::RequiredCheckMissing => "REQUIRED_CHECK_MISSING",
        AlarmKind::UnknownVehicle => "UNKNOWN_VEHICLE",
        AlarmKind::TamperedEvent => "TAMPERED_EVENT",
        AlarmKind::JournalContradicts => "JOURNAL_CONTRADICTS",
    }
}

fn read(row: &Row) -> Result<AlarmView, StoreError> {
    let broken = |e: IdError| StoreError::Content { what: "alarm", cause: e.to_string() };
    let detail: Detail = parse("alarm", row.text(6)?)?;
    Ok(AlarmView {
        id: row.count(0)?,
        kind: parse("alarm", &format!("\"{}\"", row.text(1)?))?,
        mission: row.opt_text(2)?.map(gate_types::MissionId::new).transpose().map_err(broken)?,
        node: NodeId::new(row.text(3)?).map_err(broken)?,
        at_ms: row.int(4)?,
        text: row.text(5)?.to_owned(),
        suspicion: detail.suspicion.unwrap_or(1.0),
        skipped: detail.skipped,
        due_ms: row.opt_int(7)?,
        escalated_ms: detail.escalated_ms,
        acknowledged: detail.acknowledged,
        closed: detail.closed,
        merged_into: detail.merged_into,
    })
}

/// An alarm as it is shown, with what follows `WHERE`.
macro_rules! alarms_where {
    ($condition:literal) => {
        concat!(
            "SELECT a.id, a.kind, m.id, a.node, a.at_ms, a.text, a.detail, a.due_ms FROM alarms a
             LEFT JOIN missions m ON m.port_id = a.port_id AND m.no = a.mission_no WHERE ",
            $condition
        )
    };
}

impl Tx<'_> {
    /// Raises an alarm under its key. Gives it back when it was not standing before, or is told anew: a later
    /// pass may correct its kind, and it stays the same alarm. What an officer closed stays closed, unless it
    /// becomes of another kind.
    pub(crate) fn raise(&self, alarm: &NewAlarm<'_>) -> Result<Option<AlarmView>, StoreError> {
        self.lock_one("numbers/alarms")?;
        let sql =
            "SELECT id, withdrawn, kind, text, detail FROM alarms WHERE port_id = $1 AND alarm_key = $2";
        let known = self.one(sql, values![self.port, &alarm.key.0])?;
        let kind = kind_name(alarm.kind);
        let due_ms = (alarm.suspicion >= PRESSING).then(|| alarm.now_ms + respond_ms(alarm.kind));
        let id = match known {
            Some(row) => {
                let (id, state, same) = (row.int(0)?, row.int(1)?, row.text(2)? == kind);
                let mut detail: Detail = parse("alarm", row.text(4)?)?;
                if state == CLOSED && same {
                    return Ok(None);
                }
                let told_anew = !same || row.text(3)? != alarm.text;
                detail.suspicion = Some(alarm.suspicion);
                detail.skipped = alarm.skipped.to_vec();
                if state != STANDING || !same {
                    detail.closed = None;
                    detail.escalated_ms = None;
                }
                let text = print("alarm", &detail)?;
                let due_ms = if state == STANDING && (same || detail.acknowledged.is_some()) {
                    self.int(
                        "SELECT coalesce(due_ms, 0) FROM alarms WHERE port_id = $1 AND id = $2",
                        values![self.port, id],
                    )
                    .map(|ms| (ms > 0).then_some(ms))?
                } else {
                    due_ms
                };
                let sql = "UPDATE alarms SET withdrawn = 0, kind = $1, node = $2, at_ms = $3, text = $4, detail = $5, due_ms = $6
                     WHERE port_id = $7 AND id = $8";
                let node = alarm.node.as_str();
                self.execute(
                    sql,
                    values![kind, node, alarm.at_ms, alarm.text, &text, due_ms, self.port, id],
                )?;
                if state == STANDING && !told_anew {
                    return Ok(None);
                }
                id
            }
            None => {
                let last = self
                    .int("SELECT coalesce(max(id), 0) FROM alarms WHERE port_id = $1", values![self.port])?;
                let detail = Detail {
                    suspicion: Some(alarm.suspicion),
                    skipped: alarm.skipped.to_vec(),
                    ..Detail::default()
                };
                let (node, detail) = (alarm.node.as_str(), print("alarm", &detail)?);
                let row = values![
                    self.port,
                    last + 1,
                    &alarm.key.0,
                    alarm.mission_no,
                    kind,
                    node,
                    alarm.at_ms,
                    alarm.text,
                    STANDING,
                    &detail,
                    due_ms
                ];
                self.insert_new(&ALARMS, &[row.to_vec()])?;
                last + 1
            }
        };
        self.alarm(id)
    }

    /// One alarm.
    pub(crate) fn alarm(&self, id: i64) -> Result<Option<AlarmView>, StoreError> {
        let shown = self.one(alarms_where!("a.port_id = $1 AND a.id = $2"), values![self.port, id])?;
        shown.as_ref().map(read).transpose()
    }

    /// A person takes it, closes it, or says that another alarm of the same mission tells it already. Gives
    /// back the alarm as it is then; none where there is no such alarm, or nothing to be done about it.
    pub(crate) fn act(&self, id: i64, step: &AlarmStep) -> Result<Option<AlarmView>, StoreError> {
        self.lock_one("numbers/alarms")?;
        let sql = "SELECT withdrawn, detail, mission_no FROM alarms WHERE port_id = $1 AND id = $2";
        let Some(row) = self.one(sql, values![self.port, id])? else { return Ok(None) };
        if row.int(0)? == CLOSED {
            return Ok(None);
        }
        let mut detail: Detail = parse("alarm", row.text(1)?)?;
        let state = match step {
            AlarmStep::Acknowledge(act) => {
                if detail.acknowledged.is_some() {
                    return Ok(None);
                }
                detail.acknowledged = Some(act.clone());
                row.int(0)?
            }
            AlarmStep::Close(act) => {
                detail.closed = Some(act.clone());
                CLOSED
            }
            AlarmStep::Merge(act, into) => {
                let other = self.one(
                    "SELECT withdrawn FROM alarms WHERE port_id = $1 AND id = $2 AND mission_no = $3 AND id <> $4",
                    values![self.port, *into, row.opt_int(2)?, id],
                )?;
                if other.is_none() {
                    return Ok(None);
                }
                detail.closed = Some(act.clone());
                detail.merged_into = u64::try_from(*into).ok();
                CLOSED
            }
        };
        let sql =
            "UPDATE alarms SET withdrawn = $1, detail = $2, due_ms = NULL WHERE port_id = $3 AND id = $4";
        self.execute(sql, values![state, &print("alarm", &detail)?, self.port, id])?;
        self.alarm(id)
    }

    /// Is there a mission or an alarm for the clock to look at?
    pub(crate) fn anything_due(&self, now_ms: i64) -> Result<bool, StoreError> {
        let missions = "SELECT 1 FROM missions WHERE port_id = $1 AND look_ms <= $2 LIMIT 1";
        let alarms = "SELECT 1 FROM alarms WHERE port_id = $1 AND due_ms <= $2 AND withdrawn = 0 LIMIT 1";
        let values = values![self.port, now_ms];
        Ok(self.one(missions, values)?.is_some() || self.one(alarms, values)?.is_some())
    }

    /// Escalates the standing alarms whose response clock has run out. Gives them back.
    pub(crate) fn escalate(&self, now_ms: i64, limit: i64) -> Result<Vec<AlarmView>, StoreError> {
        let sql = "SELECT id FROM alarms WHERE port_id = $1 AND due_ms <= $2 AND withdrawn = 0 ORDER BY id LIMIT $3";
        let due = self.query(sql, values![self.port, now_ms, limit])?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        self.lock_one("numbers/alarms")?;
        let mut escalated = Vec::new();
        for row in due {
            let sql = "SELECT detail FROM alarms WHERE port_id = $1 AND id = $2 AND due_ms <= $3";
            let id = row.int(0)?;
            // Another process may have been quicker.
            let Some(row) = self.one(sql, values![self.port, id, now_ms])? else { continue };
            let mut detail: Detail = parse("alarm", row.text(0)?)?;
            detail.escalated_ms = Some(now_ms);
            let sql = "UPDATE alarms SET due_ms = NULL, detail = $1 WHERE port_id = $2 AND id = $3";
            self.execute(sql, values![&print("alarm", &detail)?, self.port, id])?;
            escalated.extend(self.alarm(id)?);
        }
        Ok(escalated)
    }

    /// Withdraws the standing path alarms of missions that are not among those that stand. Gives back how
    /// many of each mission.
    pub(crate) fn withdraw_others(
        &self,
        missions: &[(i64, BTreeSet<AlarmKey>)],
    ) -> Result<Vec<usize>, StoreError> {
        let sql = "SELECT id, alarm_key FROM alarms WHERE port_id = $1 AND mission_no = $2 AND withdrawn = 0";
        let of: Vec<_> = missions.iter().map(|(no, _)| values![self.port, *no].to_vec()).collect();
        let mut gone = Vec::new();
        let mut withdrawn = Vec::with_capacity(missions.len());
        for ((_, stands), rows) in missions.iter().zip(self.query_many(sql, &of)?) {
            let before = gone.len();
            for row in rows {
                if !stands.contains(&AlarmKey(row.text(1)?.to_owned())) {
                    gone.push(values![self.port, row.int(0)?].to_vec());
                }
            }
            withdrawn.push(gone.len() - before);
        }
        self.execute_many("UPDATE alarms SET withdrawn = 1 WHERE port_id = $1 AND id = $2", &gone)?;
        Ok(withdrawn)
    }

    /// Alarms in the order in which they were raised.
    pub(crate) fn alarms(
        &self,
        state: AlarmState,
        after: i64,
        limit: i64,
    ) -> Result<Vec<AlarmView>, StoreError> {
        let sql = alarms_where!(
            "a.port_id = $1 AND a.id > $2 AND (CAST($3 AS BIGINT) IS NULL OR a.withdrawn = $3) ORDER BY a.id LIMIT $4"
        );
        let withdrawn = match state {
            AlarmState::Standing => Some(STANDING),
            AlarmState::Withdrawn => Some(WITHDRAWN),
            AlarmState::Closed => Some(CLOSED),
            AlarmState::All => None,
        };
        self.query(sql, values![self.port, after, withdrawn, limit])?.iter().map(read).collect()
    }
}
