//! Alarms: each raised once under its key, withdrawn when a later event explains it.

use super::{StoreError, Tx, count, parse};
use gate_types::NodeId;
use gate_types::api::{AlarmKind, AlarmView};
use gate_types::id::IdError;
use rusqlite::{OptionalExtension as _, Row, params};
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

fn read(row: &Row<'_>) -> Result<AlarmView, StoreError> {
    let broken = |e: IdError| StoreError::Content { what: "alarm", cause: e.to_string() };
    let mission: Option<String> = row.get(2)?;
    Ok(AlarmView {
        id: count(row.get(0)?),
        kind: parse("alarm", &format!("\"{}\"", row.get::<_, String>(1)?))?,
        mission: mission.map(gate_types::MissionId::new).transpose().map_err(broken)?,
        node: NodeId::new(row.get::<_, String>(3)?).map_err(broken)?,
        at_ms: row.get(4)?,
        text: row.get(5)?,
    })
}

const COLUMNS: &str = "SELECT a.id, a.kind, m.id, a.node, a.at_ms, a.text FROM alarms a
    LEFT JOIN missions m ON m.port_id = a.port_id AND m.no = a.mission_no";

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
        let known: Option<(i64, bool)> = self
            .sql
            .prepare_cached("SELECT id, withdrawn FROM alarms WHERE port_id = ?1 AND alarm_key = ?2")?
            .query_row(params![self.port, key.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let id = match known {
            Some((_, false)) => return Ok(None),
            Some((id, true)) => {
                self.sql
                    .prepare_cached(
                        "UPDATE alarms SET withdrawn = 0, text = ?3 WHERE port_id = ?1 AND id = ?2",
                    )?
                    .execute(params![self.port, id, text])?;
                id
            }
            None => {
                let sql = "INSERT INTO alarms (port_id, id, alarm_key, mission_no, kind, node, at_ms, text, withdrawn)
                     SELECT ?1, coalesce(max(id), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, 0 FROM alarms WHERE port_id = ?1
                     RETURNING id";
                self.sql.prepare_cached(sql)?.query_row(
                    params![self.port, key.0, mission_no, kind_name(kind), node.as_str(), at_ms, text],
                    |row| row.get(0),
                )?
            }
        };
        let sql = format!("{COLUMNS} WHERE a.port_id = ?1 AND a.id = ?2");
        let mut statement = self.sql.prepare_cached(&sql)?;
        let mut rows = statement.query(params![self.port, id])?;
        rows.next()?.map(read).transpose()
    }

    /// Withdraws the standing path alarms of a mission that are not among `stands`. Gives back how many.
    pub(crate) fn withdraw_others(
        &self,
        mission_no: i64,
        stands: &BTreeSet<AlarmKey>,
    ) -> Result<usize, StoreError> {
        let mut statement = self.sql.prepare_cached(
            "SELECT id, alarm_key FROM alarms WHERE port_id = ?1 AND mission_no = ?2 AND withdrawn = 0",
        )?;
        let standing: Vec<(i64, String)> = statement
            .query_map(params![self.port, mission_no], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let mut withdrawn = 0;
        for (id, key) in standing {
            if !stands.contains(&AlarmKey(key)) {
                withdrawn += self
                    .sql
                    .prepare_cached("UPDATE alarms SET withdrawn = 1 WHERE port_id = ?1 AND id = ?2")?
                    .execute(params![self.port, id])?;
            }
        }
        Ok(withdrawn)
    }

    /// Alarms in the order in which they were raised.
    pub(crate) fn alarms(
        &self,
        state: AlarmState,
        after: i64,
        limit: i64,
    ) -> Result<Vec<AlarmView>, StoreError> {
        let sql = format!(
            "{COLUMNS} WHERE a.port_id = ?1 AND a.id > ?2 AND (?3 IS NULL OR a.withdrawn = ?3) ORDER BY a.id LIMIT ?4"
        );
        let withdrawn = match state {
            AlarmState::Standing => Some(false),
            AlarmState::Withdrawn => Some(true),
            AlarmState::All => None,
        };
        let mut statement = self.sql.prepare_cached(&sql)?;
        let mut rows = statement.query(params![self.port, after, withdrawn, limit])?;
        let mut alarms = Vec::new();
        while let Some(row) = rows.next()? {
            alarms.push(read(row)?);
        }
        Ok(alarms)
    }
}
