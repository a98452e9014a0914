//! Missions with their identifiers.

use super::{StoreError, Tx, parse, print};
use gate_types::api::{MissionChange, NewMission, PassedLeg};
use gate_types::circumstances::Circumstances;
use gate_types::identity::Slot;
use gate_types::mission::{CustomsStatus, DefinitiveStatus, LegRef, MissionConditions};
use gate_types::plate::fold;
use gate_types::release::{Expected, Hold};
use gate_types::{IotId, MissionId, ProcessId};
use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

/// A mission as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct MissionRecord {
    /// Counts the port's missions from 1.
    pub(crate) no: i64,
    pub(crate) id: MissionId,
    pub(crate) iot_id: IotId,
    pub(crate) process: ProcessId,
    pub(crate) mrns: Vec<String>,
    pub(crate) expected: Expected,
    pub(crate) status: CustomsStatus,
    pub(crate) holds: Vec<Hold>,
    pub(crate) report_to: Option<String>,
    pub(crate) conditions: MissionConditions,
    pub(crate) language: Option<String>,
    pub(crate) created_ms: i64,
    /// Taken over at creation.
    pub(crate) imported: Vec<LegRef>,
    /// The progress, taken-over legs first; recomputed from the stored passes.
    pub(crate) passed: Vec<PassedLeg>,
    pub(crate) definitive: Option<DefinitiveStatus>,
    pub(crate) version: u64,
    /// Absent in records of earlier versions.
    #[serde(default)]
    pub(crate) circumstances: Circumstances,
}

/// Which missions a list shows.
#[derive(Debug, Default)]
pub(crate) struct MissionFilter {
    pub(crate) process: Option<ProcessId>,
    pub(crate) status: Option<CustomsStatus>,
    /// Canonical plate, of tractor or trailer.
    pub(crate) plate: Option<String>,
    /// Missions with a higher number than this.
    pub(crate) after: i64,
    pub(crate) limit: i64,
}

/// The name of a slot in the table of identifiers; only slots that name a mission have one.
fn slot_name(slot: Slot) -> Option<&'static str> {
    match slot {
        Slot::TractorPlate => Some("tractor_plate"),
        Slot::TrailerPlate => Some("trailer_plate"),
        Slot::Itu | Slot::Itu2 => Some("itu"),
        Slot::VehicleTag => Some("vehicle_tag"),
        Slot::ContainerTag | Slot::Seal | Slot::Adr | Slot::GatePass => None,
    }
}

/// The form under which equal identifiers meet: plates with look-alikes folded, the others as they are.
fn match_key(slot: Slot, value: &str) -> String {
    match slot {
        Slot::TractorPlate | Slot::TrailerPlate => fold(value),
        Slot::Itu
        | Slot::Itu2
        | Slot::VehicleTag
        | Slot::ContainerTag
        | Slot::Seal
        | Slot::Adr
        | Slot::GatePass => value.to_owned(),
    }
}

/// The identifiers of a mission by slot.
fn vehicle_keys(expected: &Expected) -> Vec<(Slot, &str)> {
    let plates =
        [(Slot::TractorPlate, &expected.tractor_plate), (Slot::TrailerPlate, &expected.trailer_plate)];
    let named = plates.into_iter().chain([(Slot::VehicleTag, &expected.vehicle_tag)]);
    let mut keys: Vec<(Slot, &str)> =
        named.filter_map(|(slot, value)| Some((slot, value.as_deref()?))).collect();
    keys.extend(expected.itus.iter().map(|itu| (Slot::Itu, itu.as_str())));
    keys
}

/// A status as it stands on the wire, for a column that lists filter on.
fn status_name(status: CustomsStatus) -> &'static str {
    match status {
        CustomsStatus::Released => "released",
        CustomsStatus::Held => "held",
        CustomsStatus::Inspection => "inspection",
        CustomsStatus::Pending => "pending",
        CustomsStatus::Refused => "refused",
        CustomsStatus::Unknown => "unknown",
    }
}

impl Tx<'_> {
    /// The number that the next mission gets.
    pub(crate) fn next_mission_no(&self) -> Result<i64, StoreError> {
        let sql = "SELECT coalesce(max(no), 0) + 1 FROM missions WHERE port_id = ?1";
        Ok(self.sql.prepare_cached(sql)?.query_row([self.port], |row| row.get(0))?)
    }

    /// The mission that was created with a key, and what was asked for then.
    pub(crate) fn mission_by_idempotency_key(
        &self,
        key: &str,
    ) -> Result<Option<(MissionRecord, NewMission)>, StoreError> {
        let sql = "SELECT record, asked FROM missions WHERE port_id = ?1 AND idempotency_key = ?2";
        let texts: Option<(String, String)> = self
            .sql
            .prepare_cached(sql)?
            .query_row(params![self.port, key], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        texts
            .map(|(record, asked)| Ok((parse("mission", &record)?, parse("mission request", &asked)?)))
            .transpose()
    }

    /// Stores a new mission with its identifiers.
    pub(crate) fn insert_mission(
        &self,
        record: &MissionRecord,
        asked: &NewMission,
    ) -> Result<(), StoreError> {
        self.sql
            .prepare_cached(
                "INSERT INTO missions (port_id, no, id, iot_id, process, status, ended, idempotency_key, asked, record)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                self.port,
                record.no,
                record.id.as_str(),
                record.iot_id.to_string(),
                record.process.as_str(),
                status_name(record.status),
                record.definitive.is_some(),
                asked.idempotency_key,
                print("mission request", asked)?,
                print("mission", record)?,
            ])?;
        for (slot, value) in vehicle_keys(&record.expected) {
            let Some(name) = slot_name(slot) else { continue };
            self.sql
                .prepare_cached(
                    "INSERT INTO mission_keys (port_id, slot, ended, match_key, no, value)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
                )?
                .execute(params![
                    self.port,
                    name,
                    record.definitive.is_some(),
                    match_key(slot, value),
                    record.no,
                    value
                ])?;
        }
        Ok(())
    }

    /// Stores a mission that has changed.
    pub(crate) fn update_mission(&self, record: &MissionRecord) -> Result<(), StoreError> {
        let ended = record.definitive.is_some();
        self.sql
            .prepare_cached(
                "UPDATE missions SET status = ?3, ended = ?4, record = ?5 WHERE port_id = ?1 AND no = ?2",
            )?
            .execute(params![
                self.port,
                record.no,
                status_name(record.status),
                ended,
                print("mission", record)?
            ])?;
        self.sql
            .prepare_cached(
                "UPDATE mission_keys SET ended = ?3 WHERE port_id = ?1 AND no = ?2 AND ended <> ?3",
            )?
            .execute(params![self.port, record.no, ended])?;
        Ok(())
    }

    /// Keeps who changed a mission, when and how.
    pub(crate) fn keep_change(
        &self,
        record: &MissionRecord,
        change: &MissionChange,
        at_ms: i64,
    ) -> Result<(), StoreError> {
        self.sql.prepare_cached("INSERT INTO mission_changes VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(
            params![
                self.port,
                record.no,
                i64::try_from(record.version).unwrap_or(i64::MAX),
                at_ms,
                change.by,
                print("mission change", change)?
            ],
        )?;
        Ok(())
    }

    /// One mission by name.
    pub(crate) fn mission(&self, id: &MissionId) -> Result<Option<MissionRecord>, StoreError> {
        let sql = "SELECT record FROM missions WHERE port_id = ?1 AND id = ?2";
        let text: Option<String> = self
            .sql
            .prepare_cached(sql)?
            .query_row(params![self.port, id.as_str()], |row| row.get(0))
            .optional()?;
        text.map(|text| parse("mission", &text)).transpose()
    }

    /// One mission by number.
    pub(crate) fn mission_no(&self, no: i64) -> Result<Option<MissionRecord>, StoreError> {
        let sql = "SELECT record FROM missions WHERE port_id = ?1 AND no = ?2";
        let text: Option<String> =
            self.sql.prepare_cached(sql)?.query_row(params![self.port, no], |row| row.get(0)).optional()?;
        text.map(|text| parse("mission", &text)).transpose()
    }

    /// Missions in the order of their creation.
    pub(crate) fn missions(&self, filter: &MissionFilter) -> Result<Vec<MissionRecord>, StoreError> {
        let sql = "SELECT record FROM missions m WHERE port_id = ?1 AND no > ?2
                   AND (?3 IS NULL OR process = ?3) AND (?4 IS NULL OR status = ?4)
                   AND (?5 IS NULL OR EXISTS (SELECT 1 FROM mission_keys k WHERE k.port_id = ?1 AND k.no = m.no
                        AND k.slot IN ('tractor_plate', 'trailer_plate') AND k.match_key = ?5))
                   ORDER BY no LIMIT ?6";
        let plate = filter.plate.as_deref().map(fold);
        let mut statement = self.sql.prepare_cached(sql)?;
        let mut rows = statement.query(params![
            self.port,
            filter.after,
            filter.process.as_ref().map(ProcessId::as_str),
            filter.status.map(status_name),
            plate,
            filter.limit,
        ])?;
        let mut missions = Vec::new();
        while let Some(row) = rows.next()? {
            missions.push(parse("mission", &row.get::<_, String>(0)?)?);
        }
        Ok(missions)
    }

    /// Missions under way, the newest first.
    pub(crate) fn open_missions(&self, limit: i64) -> Result<Vec<MissionRecord>, StoreError> {
        let sql = "SELECT record FROM missions WHERE port_id = ?1 AND ended = 0 ORDER BY no DESC LIMIT ?2";
        let mut statement = self.sql.prepare_cached(sql)?;
        let mut rows = statement.query(params![self.port, limit])?;
        let mut missions = Vec::new();
        while let Some(row) = rows.next()? {
            missions.push(parse("mission", &row.get::<_, String>(0)?)?);
        }
        Ok(missions)
    }

    /// Numbers of the missions under way that expect this value in this slot.
    pub(crate) fn open_missions_with(&self, slot: Slot, value: &str) -> Result<Vec<i64>, StoreError> {
        if slot == Slot::GatePass {
            // A pass that central signed names its mission.
            let sql = "SELECT no FROM missions WHERE port_id = ?1 AND id = ?2 AND ended = 0";
            let mut statement = self.sql.prepare_cached(sql)?;
            let rows = statement.query_map(params![self.port, value], |row| row.get(0))?;
            return Ok(rows.collect::<Result<_, _>>()?);
        }
        let Some(name) = slot_name(slot) else { return Ok(Vec::new()) };
        let sql = "SELECT no FROM mission_keys WHERE port_id = ?1 AND slot = ?2 AND ended = 0 AND match_key = ?3 LIMIT 16";
        let mut statement = self.sql.prepare_cached(sql)?;
        let rows = statement.query_map(params![self.port, name, match_key(slot, value)], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Values that missions under way expect in this slot, as long as `value`.
    pub(crate) fn open_values_like(&self, slot: Slot, value: &str) -> Result<Vec<String>, StoreError> {
        let Some(name) = slot_name(slot) else { return Ok(Vec::new()) };
        let sql = "SELECT DISTINCT value FROM mission_keys
                   WHERE port_id = ?1 AND slot = ?2 AND ended = 0 AND length(value) = ?3";
        let mut statement = self.sql.prepare_cached(sql)?;
        let length = i64::try_from(value.chars().count()).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![self.port, name, length], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
