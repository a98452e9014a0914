//! Events of the gates, each stored once, and the order in which they arrived.

use super::schema::EVENTS;
use super::value::{Value, values};
use super::{StoreError, Tx, number, parse, print};
use gate_core::mission::Corroboration;
use gate_types::api::{EventCounts, GateEvent};
use gate_types::decision::DecisionRecord;
use gate_types::entry::{Entry, EntryBody, PassOutcome};
use gate_types::{BootEpoch, EntrySeq, LaneId, NodeId, PassId};
use serde::Serialize;
use std::collections::BTreeMap;

/// Rows of one arrival: no more than a batch has events.
const PLACES: i64 = 256;
/// Arrivals that a list looks at in one go.
const PAGE: i64 = 8;

/// An event with its entry as it will be stored.
#[derive(Debug)]
pub(crate) struct NewEvent {
    pub(crate) event: GateEvent,
    entry: String,
}

impl NewEvent {
    /// Writes the entry down, outside of any transaction.
    pub(crate) fn new(event: GateEvent) -> Result<Self, StoreError> {
        let entry = print("journal entry", &event.entry)?;
        Ok(Self { event, entry })
    }
}

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

impl Tx<'_> {
    /// Stores events once each, by (port, node, epoch, sequence).
    pub(crate) fn insert_events(
        &self,
        node: &NodeId,
        events: &[NewEvent],
        at_ms: i64,
    ) -> Result<Vec<Arrival>, StoreError> {
        let random = crate::state::random().map_err(|e| std::io::Error::other(e.to_string()))?;
        let batch = i64::from_le_bytes(random) & i64::MAX;
        let rows: Vec<Vec<Value<'_>>> = events
            .iter()
            .zip(0_i64..)
            .map(|(NewEvent { event, entry }, place)| {
                values![
                    self.port,
                    node.as_str(),
                    event.epoch.0,
                    number(event.seq.0),
                    &event.hash,
                    event.entry.body.kind(),
                    event.entry.lane.as_ref().map(LaneId::as_str),
                    event.entry.at.wall_ms.0,
                    at_ms,
                    entry,
                    batch,
                    place
                ]
                .to_vec()
            })
            .collect();
        let inserted = self.insert_new(&EVENTS, &rows)?;
        let mut spans: BTreeMap<u32, (i64, i64)> = BTreeMap::new();
        let mut known = Vec::new();
        for (NewEvent { event, .. }, inserted) in events.iter().zip(&inserted) {
            let (epoch, seq) = (event.epoch.0, number(event.seq.0));
            if *inserted {
                let span = spans.entry(epoch).or_insert((seq, seq));
                *span = (span.0.min(seq), span.1.max(seq));
            } else {
                known.push(values![self.port, node.as_str(), epoch, seq].to_vec());
            }
        }
        let of = |(epoch, (from, to))| (node.to_string(), epoch, from, to, batch);
        self.ending.borrow_mut().arrivals.extend(spans.into_iter().map(of));
        let sql = "SELECT hash FROM events WHERE port_id = $1 AND node = $2 AND epoch = $3 AND seq = $4";
        let mut hashes = self.query_many(sql, &known)?.into_iter();
        let mut arrivals = Vec::with_capacity(events.len());
        for (event, inserted) in events.iter().zip(inserted) {
            arrivals.push(if inserted {
                Arrival::New
            } else {
                let stored = hashes.next().unwrap_or_default();
                let stored = stored.first().map(|row| row.text(0)).transpose()?;
                if stored == Some(event.event.hash.as_str()) {
                    Arrival::Seen
                } else {
                    self.insert_tampered(node, event, at_ms)?;
                    Arrival::Tampered
                }
            });
        }
        Ok(arrivals)
    }

    fn insert_tampered(&self, node: &NodeId, event: &NewEvent, at_ms: i64) -> Result<(), StoreError> {
        let NewEvent { event, entry } = event;
        let sql = "INSERT INTO tampered_events (port_id, node, epoch, seq, hash, received_ms, entry)
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
        let (epoch, seq) = (event.epoch.0, number(event.seq.0));
        self.execute(sql, values![self.port, node.as_str(), epoch, seq, &event.hash, at_ms, entry])?;
        Ok(())
    }

    /// Numbers what arrived; see [`Tx::finish`].
    pub(super) fn number_arrivals(
        &self,
        arrivals: &[(String, u32, i64, i64, i64)],
    ) -> Result<(), StoreError> {
        let last =
            self.int("SELECT coalesce(max(n), 0) FROM arrivals WHERE port_id = $1", values![self.port])?;
        let mut rows = Vec::with_capacity(arrivals.len());
        for ((node, epoch, from, to, batch), n) in arrivals.iter().zip(last + 1..) {
            rows.push(values![self.port, n, node, *epoch, *from, *to, *batch].to_vec());
        }
        let sql = "INSERT INTO arrivals (port_id, n, node, epoch, seq_from, seq_to, batch)
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        self.execute_many(sql, &rows)?;
        Ok(())
    }

    /// Counts deliveries of events that were stored already.
    pub(crate) fn count_redelivered(&self, more: u32) -> Result<(), StoreError> {
        let sql = "INSERT INTO counters (port_id, name, value) VALUES ($1, 'redelivered', $2)
                   ON CONFLICT (port_id, name) DO UPDATE SET value = counters.value + excluded.value";
        self.execute(sql, values![self.port, more])?;
        Ok(())
    }

    /// Counts for reconciliation. `duplicated` is counted from the rows, not concluded from the key.
    pub(crate) fn event_counts(&self) -> Result<EventCounts, StoreError> {
        let one = |sql: &'static str| {
            Ok::<_, StoreError>(u64::try_from(self.int(sql, values![self.port])?).unwrap_or(0))
        };
        let by_node = "SELECT node, count(*) FROM events WHERE port_id = $1 GROUP BY node";
        let by_node = self.query(by_node, values![self.port])?;
        Ok(EventCounts {
            stored: one(
                "SELECT count(*) FROM (SELECT DISTINCT node, epoch, seq FROM events WHERE port_id = $1) AS d",
            )?,
            redelivered: one("SELECT value FROM counters WHERE port_id = $1 AND name = 'redelivered'")?,
            duplicated: one(
                "SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM (SELECT count(*) AS n FROM events
                 WHERE port_id = $1 GROUP BY node, epoch, seq HAVING count(*) > 1) AS d",
            )?,
            by_node: by_node
                .iter()
                .map(|row| Ok((row.text(0)?.to_owned(), row.count(1)?)))
                .collect::<Result<_, StoreError>>()?,
        })
    }

    /// Events in the order of their arrival.
    pub(crate) fn events(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>, StoreError> {
        let limit = usize::try_from(filter.limit).unwrap_or(0);
        let wanted_node = filter.node.as_ref().map(NodeId::as_str);
        let mut events = Vec::new();
        let mut next = filter.after.max(0) / PLACES;
        loop {
            let sql = "SELECT n, node, epoch, seq_from, seq_to, batch FROM arrivals
                       WHERE port_id = $1 AND n >= $2 AND (CAST($3 AS TEXT) IS NULL OR node = $3) ORDER BY n LIMIT $4";
            let arrivals = self.query(sql, values![self.port, next, wanted_node, PAGE])?;
            let Some(last) = arrivals.last() else { return Ok(events) };
            next = last.int(0)? + 1;
            let of = arrivals.iter().map(|a| {
                let (node, kind) = (a.text(1)?, filter.kind.as_deref());
                let (epoch, from, to, batch) = (a.int(2)?, a.int(3)?, a.int(4)?, a.int(5)?);
                Ok(values![self.port, node, epoch, from, to, batch, kind].to_vec())
            });
            let of: Vec<_> = of.collect::<Result<_, StoreError>>()?;
            let sql = "SELECT place, received_ms, epoch, seq, hash, entry FROM events
                       WHERE port_id = $1 AND node = $2 AND epoch = $3 AND seq BETWEEN $4 AND $5 AND batch = $6
                       AND (CAST($7 AS TEXT) IS NULL OR kind = $7) ORDER BY place";
            for (arrival, rows) in arrivals.iter().zip(self.query_many(sql, &of)?) {
                for row in rows {
                    let at = arrival.int(0)?.saturating_mul(PLACES).saturating_add(row.int(0)?);
                    if at <= filter.after {
                        continue;
                    }
                    if events.len() == limit {
                        return Ok(events);
                    }
                    let node = NodeId::new(arrival.text(1)?)
                        .map_err(|e| StoreError::Content { what: "node", cause: e.to_string() })?;
                    let event = GateEvent {
                        epoch: BootEpoch(u32::try_from(row.int(2)?).unwrap_or(u32::MAX)),
                        seq: EntrySeq(row.count(3)?),
                        hash: row.text(4)?.to_owned(),
                        entry: parse("journal entry", row.text(5)?)?,
                    };
                    events.push(StoredEvent { row: at, node, received_ms: row.int(1)?, event });
                }
            }
        }
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
        let sql = "SELECT 1 FROM (SELECT lane, kind, at_ms FROM events WHERE port_id = $1 AND node = $2
                   ORDER BY epoch DESC, seq DESC LIMIT 1000) AS newest
                   WHERE lane = $3 AND kind = $4 AND at_ms BETWEEN $5 AND $6 LIMIT 1";
        Ok(self.one(sql, values![self.port, node.as_str(), lane, kind, from_ms, to_ms])?.is_some())
    }

    /// The newest decision of a pass among the node's newest entries.
    pub(crate) fn decision_of(
        &self,
        node: &NodeId,
        pass: &PassId,
    ) -> Result<Option<DecisionRecord>, StoreError> {
        let sql = "SELECT entry FROM (SELECT lane, kind, entry, epoch, seq FROM events WHERE port_id = $1 AND node = $2
                   ORDER BY epoch DESC, seq DESC LIMIT 1000) AS newest
                   WHERE lane = $3 AND kind = 'decided' ORDER BY epoch DESC, seq DESC";
        for row in self.query(sql, values![self.port, node.as_str(), pass.lane.as_str()])? {
            let entry: Entry = parse("journal entry", row.text(0)?)?;
            if entry.pass.as_ref() == Some(pass)
                && let EntryBody::Decided { record: Some(record), .. } = entry.body
            {
                return Ok(Some(*record));
            }
        }
        Ok(None)
    }

    /// What else a node told between two times: vehicles that went through without a mission, and whether a
    /// device was in fault.
    pub(crate) fn corroboration(
        &self,
        node: &NodeId,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Corroboration, StoreError> {
        let sql =
            "SELECT kind, entry FROM events WHERE port_id = $1 AND node = $2 AND at_ms BETWEEN $3 AND $4
                   AND kind IN ('pass_closed', 'fault_raised', 'pass_opened') LIMIT 500";
        let mut known = Corroboration::default();
        for row in self.query(sql, values![self.port, node.as_str(), from_ms, to_ms])? {
            match row.text(0)? {
                // The gate was at work and its events are here: none without a mission means that there was none.
                "pass_opened" => known.unidentified = known.unidentified.or(Some(0)),
                "fault_raised" => known.in_fault = true,
                _ => {
                    let entry: Entry = parse("journal entry", row.text(1)?)?;
                    let EntryBody::PassClosed { summary } = entry.body else { continue };
                    let unknown = summary.outcome == PassOutcome::Passed && summary.mission.is_none();
                    known.unidentified = Some(known.unidentified.unwrap_or(0) + u32::from(unknown));
                }
            }
        }
        Ok(known)
    }
}
