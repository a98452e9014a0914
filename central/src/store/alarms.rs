//! Alarms: each raised once under its key, withdrawn when a later event explains it.

use super::schema::ALARMS;
use super::value::{Row, values};
use super::{StoreError, Tx, parse};
use gate_types::NodeId;
use gate_types::api::{AlarmKind, AlarmView};
use gate_types::id::IdError;
use std::collections::BTreeSet;

/// What makes an alarm the same alarm: its kind, its mission if any, and the pass or event that gave rise to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AlarmKey(String);

impl AlarmKey {
    pub(crate) fn new(kind: AlarmKind, mission_no: Option<i64>, cause: &str) -> Self {
        let mission = mission_no.map_or_else(|| "-".to_owned(), |no| no.to_string());
        Self(format!("{}/{mission}/{cause}", kind_name(kind)))
    }
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
    Ok(AlarmView {
        id: row.count(0)?,
        kind: parse("alarm", &format!("\"{}\"", row.text(1)?))?,
        mission: row.opt_text(2)?.map(gate_types::MissionId::new).transpose().map_err(broken)?,
        node: NodeId::new(row.text(3)?).map_err(broken)?,
        at_ms: row.int(4)?,
        text: row.text(5)?.to_owned(),
    })
}

/// An alarm as it is shown, with what follows `WHERE`.
macro_rules! alarms_where {
    ($condition:literal) => {
        concat!(
            "SELECT a.id, a.kind, m.id, a.node, a.at_ms, a.text FROM alarms a
             LEFT JOIN missions m ON m.port_id = a.port_id AND m.no = a.mission_no WHERE ",
            $condition
        )
    };
}

impl Tx<'_> {
    /// Raises an alarm under its key. Gives it back when it was not standing before.
    pub(crate) fn raise(
        &self,
        key: &AlarmKey,
        kind: AlarmKind,
        mission_no: Option<i64>,
        node: &NodeId,
        at_ms: i64,
        text: &str,
    ) -> Result<Option<AlarmView>, StoreError> {
        self.lock_one("numbers/alarms")?;
        let sql = "SELECT id, withdrawn FROM alarms WHERE port_id = $1 AND alarm_key = $2";
        let known = self.one(sql, values![self.port, &key.0])?;
        let id = match known.map(|row| Ok::<_, StoreError>((row.int(0)?, row.int(1)? != 0))).transpose()? {
            Some((_, false)) => return Ok(None),
            Some((id, true)) => {
                let sql = "UPDATE alarms SET withdrawn = 0, text = $1 WHERE port_id = $2 AND id = $3";
                self.execute(sql, values![text, self.port, id])?;
                id
            }
            None => {
                let last = self
                    .int("SELECT coalesce(max(id), 0) FROM alarms WHERE port_id = $1", values![self.port])?;
                let (kind, node) = (kind_name(kind), node.as_str());
                let row = values![self.port, last + 1, &key.0, mission_no, kind, node, at_ms, text, false];
                self.insert_new(&ALARMS, &[row.to_vec()])?;
                last + 1
            }
        };
        let shown = self.one(alarms_where!("a.port_id = $1 AND a.id = $2"), values![self.port, id])?;
        shown.as_ref().map(read).transpose()
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
            AlarmState::Standing => Some(false),
            AlarmState::Withdrawn => Some(true),
            AlarmState::All => None,
        };
        self.query(sql, values![self.port, after, withdrawn, limit])?.iter().map(read).collect()
    }
}
