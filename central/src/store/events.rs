//! Events of the gates, each stored once, and the passes that they tell of.

use super::{StoreError, Tx, count, parse, print};
use gate_types::api::{EventCounts, GateEvent};
use gate_types::mission::{Direction, LegRef, MissionConditions};
use gate_types::{NodeId, PassId};
use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;

/// What an event was to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Not seen before.
    New,
    /// Stored already, with the same hash.
    Seen,
    /// Stored already with another hash; both are kept.
    Tampered,
}

/// Which events a list shows.
#[derive(Debug, Default)]
pub(crate) struct EventFilter {
    pub(crate) node: Option<NodeId>,
    pub(crate) kind: Option<String>,
    pub(crate) after: i64,
    pub(crate) limit: i64,
}

/// An event with its place in the order of arrival.
#[derive(Debug, Serialize)]
pub(crate) struct StoredEvent {
    /// Where the next page begins: `after=`.
    pub(crate) row: i64,
    pub(crate) node: NodeId,
    pub(crate) received_ms: i64,
    #[serde(flatten)]
    pub(crate) event: GateEvent,
}

/// A finished pass of a mission.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredPass {
    pub(crate) leg: LegRef,
    pub(crate) pass: PassId,
    pub(crate) at_ms: i64,
    /// The mission's conditions as the gate held them when it decided.
    pub(crate) conditions: MissionConditions,
}

fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "in",
        Direction::Out => "out",
    }
}

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl Tx<'_> {
    /// Stores an event once, by (port, node, epoch, sequence).
    pub(crate) fn insert_event(
        &self,
        node: &NodeId,
        event: &GateEvent,
        at_ms: i64,
    ) -> Result<Arrival, StoreError> {
        let (epoch, seq) = (event.epoch.0, number(event.seq.0));
        let entry = print("journal entry", &event.entry)?;
        let inserted = self
            .sql
            .prepare_cached(
                "INSERT INTO events (port_id, node, epoch, seq, hash, kind, lane, at_ms, received_ms, entry)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                self.port,
                node.as_str(),
                epoch,
                seq,
                event.hash,
                event.entry.body.kind(),
                event.entry.lane.as_ref().map(gate_types::LaneId::as_str),
                event.entry.at.wall_ms.0,
                at_ms,
                entry
            ])?;
        if inserted == 1 {
            return Ok(Arrival::New);
        }
        let sql = "SELECT hash FROM events WHERE port_id = ?1 AND node = ?2 AND epoch = ?3 AND seq = ?4";
        let stored: Option<String> = self
            .sql
            .prepare_cached(sql)?
            .query_row(params![self.port, node.as_str(), epoch, seq], |row| row.get(0))
            .optional()?;
        if stored.as_deref() == Some(event.hash.as_str()) {
            return Ok(Arrival::Seen);
        }
        self.sql
            .prepare_cached(
                "INSERT INTO tampered_events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
            )?
            .execute(params![self.port, node.as_str(), epoch, seq, event.hash, at_ms, entry])?;
        Ok(Arrival::Tampered)
    }

    /// Counts deliveries of events that were stored already.
    pub(crate) fn count_redelivered(&self, more: u32) -> Result<(), StoreError> {
        self.sql
            .prepare_cached(
                "INSERT INTO counters VALUES (?1, 'redelivered', ?2)
                 ON CONFLICT (port_id, name) DO UPDATE SET value = value + ?2",
            )?
            .execute(params![self.port, more])?;
        Ok(())
    }

    /// Counts for reconciliation. `duplicated` is counted from the rows, not concluded from the key.
    pub(crate) fn event_counts(&self) -> Result<EventCounts, StoreError> {
        let one = |sql: &str| -> Result<u64, StoreError> {
            Ok(count(
                self.sql
                    .prepare_cached(sql)?
                    .query_row([self.port], |row| row.get(0))
                    .optional()?
                    .unwrap_or(0),
            ))
        };
        let mut statement =
            self.sql.prepare_cached("SELECT node, count(*) FROM events WHERE port_id = ?1 GROUP BY node")?;
        let by_node = statement.query_map([self.port], |row| Ok((row.get(0)?, count(row.get(1)?))))?;
        Ok(EventCounts {
            stored: one(
                "SELECT count(*) FROM (SELECT DISTINCT node, epoch, seq FROM events WHERE port_id = ?1)",
            )?,
            redelivered: one("SELECT value FROM counters WHERE port_id = ?1 AND name = 'redelivered'")?,
            duplicated: one(
                "SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM events WHERE port_id = ?1
                 GROUP BY node, epoch, seq HAVING count(*) > 1)",
            )?,
            by_node: by_node.collect::<Result<_, _>>()?,
        })
    }

    /// Events in the order of their arrival.
    pub(crate) fn events(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>, StoreError> {
        let sql = "SELECT rowid, node, received_ms, epoch, seq, hash, entry FROM events WHERE port_id = ?1 AND rowid > ?2
                   AND (?3 IS NULL OR node = ?3) AND (?4 IS NULL OR kind = ?4) ORDER BY rowid LIMIT ?5";
        let mut statement = self.sql.prepare_cached(sql)?;
        let node = filter.node.as_ref().map(NodeId::as_str);
        let mut rows = statement.query(params![self.port, filter.after, node, filter.kind, filter.limit])?;
        let mut events = Vec::new();
        while let Some(row) = rows.next()? {
            let node = NodeId::new(row.get::<_, String>(1)?)
                .map_err(|e| StoreError::Content { what: "node", cause: e.to_string() })?;
            events.push(StoredEvent {
                row: row.get(0)?,
                node,
                received_ms: row.get(2)?,
                event: GateEvent {
                    epoch: gate_types::BootEpoch(row.get(3)?),
                    seq: gate_types::EntrySeq(count(row.get(4)?)),
                    hash: row.get(5)?,
                    entry: parse("journal entry", &row.get::<_, String>(6)?)?,
                },
            });
        }
        Ok(events)
    }

    /// Whether an event of this kind came from this lane between two moments of the gate's wall clock.
    pub(crate) fn lane_told(
        &self,
        node: &NodeId,
        lane: &str,
        kind: &str,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM (SELECT lane, kind, at_ms FROM events WHERE port_id = ?1 AND node = ?2
                   ORDER BY epoch DESC, seq DESC LIMIT 1000)
                   WHERE lane = ?3 AND kind = ?4 AND at_ms BETWEEN ?5 AND ?6 LIMIT 1";
        let told: Option<i64> = self
            .sql
            .prepare_cached(sql)?
            .query_row(params![self.port, node.as_str(), lane, kind, from_ms, to_ms], |row| row.get(0))
            .optional()?;
        Ok(told.is_some())
    }

    /// Stores a finished pass of a mission, once.
    pub(crate) fn insert_pass(&self, mission_no: i64, pass: &StoredPass) -> Result<(), StoreError> {
        self.sql
            .prepare_cached(
                "INSERT INTO passes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                self.port,
                pass.leg.node.as_str(),
                pass.pass.lane.as_str(),
                number(pass.pass.number),
                mission_no,
                direction_name(pass.leg.direction),
                pass.at_ms,
                print("conditions", &pass.conditions)?
            ])?;
        Ok(())
    }

    /// The finished passes of a mission in the order in which they happened.
    pub(crate) fn passes(&self, mission_no: i64) -> Result<Vec<StoredPass>, StoreError> {
        let sql = "SELECT node, lane, number, direction, at_ms, conditions FROM passes
                   WHERE port_id = ?1 AND mission_no = ?2 ORDER BY at_ms, node, lane, number";
        let mut statement = self.sql.prepare_cached(sql)?;
        let mut rows = statement.query(params![self.port, mission_no])?;
        let mut passes = Vec::new();
        let broken = |e: gate_types::id::IdError| StoreError::Content { what: "pass", cause: e.to_string() };
        while let Some(row) = rows.next()? {
            let direction = match row.get::<_, String>(3)?.as_str() {
                "in" => Direction::In,
                "out" => Direction::Out,
                other => {
                    return Err(StoreError::Content { what: "pass", cause: format!("direction `{other}`") });
                }
            };
            passes.push(StoredPass {
                leg: LegRef { node: NodeId::new(row.get::<_, String>(0)?).map_err(broken)?, direction },
                pass: PassId {
                    lane: gate_types::LaneId::new(row.get::<_, String>(1)?).map_err(broken)?,
                    number: count(row.get(2)?),
                },
                at_ms: row.get(4)?,
                conditions: parse("conditions", &row.get::<_, String>(5)?)?,
            });
        }
        Ok(passes)
    }
}
