//! Missions with their identifiers.

use super::schema::MISSION_KEYS;
use super::value::{Row, values};
use super::{StoreError, Tx, number, parse, print};
use gate_types::api::{MissionChange, NewMission, PassedLeg};
use gate_types::circumstances::Circumstances;
use gate_types::identity::Slot;
use gate_types::mission::{CustomsStatus, DefinitiveStatus, LegRef, MissionConditions};
use gate_types::plate::fold;
use gate_types::release::{Expected, Hold};
use gate_types::{IotId, MissionId, ProcessId};
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

/// Identifiers of missions by slot and value, as [`Tx::open_missions_with`] takes and gives them.
pub(crate) type Wanted<'a> = (Slot, &'a str);

fn records(rows: &[Row]) -> Result<Vec<MissionRecord>, StoreError> {
    rows.iter().map(|row| parse("mission", row.text(0)?)).collect()
}

impl Tx<'_> {
    /// The number that the next mission gets; nobody else gets one before this transaction ends.
    pub(crate) fn next_mission_no(&self) -> Result<i64, StoreError> {
        self.lock_one("numbers/missions")?;
        Ok(self.int("SELECT coalesce(max(no), 0) FROM missions WHERE port_id = $1", values![self.port])? + 1)
    }

    /// Nobody else changes these missions before this transaction ends.
    pub(crate) fn lock_missions<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a MissionId>,
    ) -> Result<(), StoreError> {
        self.lock(&ids.into_iter().map(|id| format!("mission/{id}")).collect())
    }

    /// The mission that was created with a key, and what was asked for then.
    pub(crate) fn mission_by_idempotency_key(
        &self,
        key: &str,
    ) -> Result<Option<(MissionRecord, NewMission)>, StoreError> {
        let sql = "SELECT record, asked FROM missions WHERE port_id = $1 AND idempotency_key = $2";
        let found = self.one(sql, values![self.port, key])?;
        let both = |row: Row| Ok((parse("mission", row.text(0)?)?, parse("mission request", row.text(1)?)?));
        found.map(both).transpose()
    }

    /// Stores a new mission with its identifiers.
    pub(crate) fn insert_mission(
        &self,
        record: &MissionRecord,
        asked: &NewMission,
    ) -> Result<(), StoreError> {
        let ended = record.definitive.is_some();
        let (text, of) = (print("mission", record)?, print("mission request", asked)?);
        self.execute(
            "INSERT INTO missions (port_id, no, id, iot_id, process, status, ended, idempotency_key, asked, record, look_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            values![
                self.port,
                record.no,
                record.id.as_str(),
                &record.iot_id.to_string(),
                record.process.as_str(),
                status_name(record.status),
                ended,
                &asked.idempotency_key,
                &of,
                &text,
                record.circumstances.appointment.as_ref().map(|appointment| appointment.until_ms)
            ],
        )?;
        let keys: Vec<(&str, String, &str)> = vehicle_keys(&record.expected)
            .into_iter()
            .filter_map(|(slot, value)| Some((slot_name(slot)?, match_key(slot, value), value)))
            .collect();
        let mut rows = Vec::with_capacity(keys.len());
        for (slot, key, value) in &keys {
            rows.push(values![self.port, *slot, ended, key, record.no, *value].to_vec());
        }
        self.insert_new(&MISSION_KEYS, &rows)?;
        Ok(())
    }

    /// Stores missions that have changed.
    pub(crate) fn update_missions(&self, records: &[&MissionRecord]) -> Result<(), StoreError> {
        let texts = records.iter().map(|record| print("mission", record));
        let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
        let (mut rows, mut ends) = (Vec::new(), Vec::new());
        for (record, text) in records.iter().zip(&texts) {
            let ended = record.definitive.is_some();
            rows.push(values![status_name(record.status), ended, text, self.port, record.no].to_vec());
            ends.push(values![ended, self.port, record.no].to_vec());
        }
        let sql = "UPDATE missions SET status = $1, ended = $2, record = $3 WHERE port_id = $4 AND no = $5";
        self.execute_many(sql, &rows)?;
        let sql = "UPDATE mission_keys SET ended = $1 WHERE port_id = $2 AND no = $3 AND ended <> $1";
        self.execute_many(sql, &ends)?;
        Ok(())
    }

    /// When missions are to be looked at by the clock; none: not any more.
    pub(crate) fn look_at(&self, missions: &[(i64, Option<i64>)]) -> Result<(), StoreError> {
        let rows: Vec<_> =
            missions.iter().map(|(no, at_ms)| values![*at_ms, self.port, *no].to_vec()).collect();
        self.execute_many("UPDATE missions SET look_ms = $1 WHERE port_id = $2 AND no = $3", &rows)?;
        Ok(())
    }

    /// Missions that the clock is to look at by now, at most `limit`; they are locked, and those that somebody
    /// else was quicker with are left out.
    pub(crate) fn missions_to_look_at(
        &self,
        now_ms: i64,
        limit: i64,
    ) -> Result<Vec<MissionRecord>, StoreError> {
        let sql = "SELECT id FROM missions WHERE port_id = $1 AND look_ms <= $2 ORDER BY look_ms LIMIT $3";
        let ids = self.query(sql, values![self.port, now_ms, limit])?;
        let broken =
            |e: gate_types::id::IdError| StoreError::Content { what: "mission", cause: e.to_string() };
        let ids: Vec<MissionId> =
            ids.iter().map(|row| MissionId::new(row.text(0)?).map_err(broken)).collect::<Result<_, _>>()?;
        self.lock_missions(ids.iter())?;
        let sql = "SELECT record FROM missions WHERE port_id = $1 AND id = $2 AND look_ms <= $3";
        let rows: Vec<_> = ids.iter().map(|id| values![self.port, id.as_str(), now_ms].to_vec()).collect();
        let mut all = Vec::new();
        for rows in self.query_many(sql, &rows)? {
            all.extend(records(&rows)?);
        }
        Ok(all)
    }

    /// Keeps who changed a mission, when and how.
    pub(crate) fn keep_change(
        &self,
        record: &MissionRecord,
        change: &MissionChange,
        at_ms: i64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO mission_changes (port_id, no, version, at_ms, by_whom, change)
                   VALUES ($1, $2, $3, $4, $5, $6)";
        let text = print("mission change", change)?;
        self.execute(sql, values![self.port, record.no, number(record.version), at_ms, &change.by, &text])?;
        Ok(())
    }

    /// One mission by name.
    pub(crate) fn mission(&self, id: &MissionId) -> Result<Option<MissionRecord>, StoreError> {
        Ok(self.missions_by_id(&[id])?.into_iter().next().flatten())
    }

    /// Missions by name, each in its place.
    pub(crate) fn missions_by_id(
        &self,
        ids: &[&MissionId],
    ) -> Result<Vec<Option<MissionRecord>>, StoreError> {
        let sql = "SELECT record FROM missions WHERE port_id = $1 AND id = $2";
        let rows: Vec<_> = ids.iter().map(|id| values![self.port, id.as_str()].to_vec()).collect();
        let found = self.query_many(sql, &rows)?;
        found.iter().map(|rows| Ok(records(rows)?.pop())).collect()
    }

    /// One mission by number.
    pub(crate) fn mission_no(&self, no: i64) -> Result<Option<MissionRecord>, StoreError> {
        let sql = "SELECT record FROM missions WHERE port_id = $1 AND no = $2";
        Ok(records(&self.query(sql, values![self.port, no])?)?.pop())
    }

    /// Missions in the order of their creation.
    pub(crate) fn missions(&self, filter: &MissionFilter) -> Result<Vec<MissionRecord>, StoreError> {
        let sql = "SELECT record FROM missions m WHERE port_id = $1 AND no > $2
                   AND (CAST($3 AS TEXT) IS NULL OR process = $3) AND (CAST($4 AS TEXT) IS NULL OR status = $4)
                   AND (CAST($5 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM mission_keys k WHERE k.port_id = $1 AND k.no = m.no
                        AND k.slot IN ('tractor_plate', 'trailer_plate') AND k.match_key = $5))
                   ORDER BY no LIMIT $6";
        let plate = filter.plate.as_deref().map(fold);
        let process = filter.process.as_ref().map(ProcessId::as_str);
        let status = filter.status.map(status_name);
        records(
            &self.query(
                sql,
                values![self.port, filter.after, process, status, plate.as_deref(), filter.limit],
            )?,
        )
    }

    /// Missions under way, the newest first.
    pub(crate) fn open_missions(&self, limit: i64) -> Result<Vec<MissionRecord>, StoreError> {
        let sql = "SELECT record FROM missions WHERE port_id = $1 AND ended = 0 ORDER BY no DESC LIMIT $2";
        records(&self.query(sql, values![self.port, limit])?)
    }

    /// Numbers of the missions under way that expect each of these values in its slot.
    pub(crate) fn open_missions_with(&self, wanted: &[Wanted<'_>]) -> Result<Vec<Vec<i64>>, StoreError> {
        let sql = "SELECT no FROM mission_keys WHERE port_id = $1 AND slot = $2 AND ended = 0 AND match_key = $3 LIMIT 16";
        let keys: Vec<String> = wanted.iter().map(|(slot, value)| match_key(*slot, value)).collect();
        let mut rows = Vec::with_capacity(wanted.len());
        for ((slot, _), key) in wanted.iter().zip(&keys) {
            // A slot without a name is in no row.
            rows.push(values![self.port, slot_name(*slot).unwrap_or_default(), key].to_vec());
        }
        let mut found = self.query_many(sql, &rows)?;
        for ((slot, value), missions) in wanted.iter().zip(&mut found) {
            if *slot == Slot::GatePass {
                // A pass that central signed names its mission.
                let sql = "SELECT no FROM missions WHERE port_id = $1 AND id = $2 AND ended = 0";
                *missions = self.query(sql, values![self.port, *value])?;
            }
        }
        found.iter().map(|rows| rows.iter().map(|row| row.int(0)).collect()).collect()
    }

    /// Values that missions under way expect in this slot, as long as `value`.
    pub(crate) fn open_values_like(&self, slot: Slot, value: &str) -> Result<Vec<String>, StoreError> {
        let Some(name) = slot_name(slot) else { return Ok(Vec::new()) };
        let sql = "SELECT DISTINCT value FROM mission_keys
                   WHERE port_id = $1 AND slot = $2 AND ended = 0 AND length(value) = $3";
        let length = i64::try_from(value.chars().count()).unwrap_or(i64::MAX);
        let rows = self.query(sql, values![self.port, name, length])?;
        rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
    }
}
