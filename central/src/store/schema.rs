//! The tables, and the steps from one version of them to the next.

use super::StoreError;
use rusqlite::Connection;

/// Each step is applied once, in order; a step that was released is never changed.
const STEPS: &[&str] = &[
    r"
CREATE TABLE missions (
    port_id TEXT NOT NULL, no INTEGER NOT NULL, id TEXT NOT NULL, iot_id TEXT NOT NULL,
    process TEXT NOT NULL, status TEXT NOT NULL, ended INTEGER NOT NULL,
    idempotency_key TEXT NOT NULL, asked TEXT NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (port_id, no), UNIQUE (port_id, id), UNIQUE (port_id, iot_id), UNIQUE (port_id, idempotency_key)
);
CREATE TABLE mission_keys (
    port_id TEXT NOT NULL, slot TEXT NOT NULL, ended INTEGER NOT NULL, match_key TEXT NOT NULL,
    no INTEGER NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (port_id, slot, ended, match_key, no)
) WITHOUT ROWID;
CREATE INDEX mission_keys_by_mission ON mission_keys (port_id, no);
CREATE TABLE mission_changes (
    port_id TEXT NOT NULL, no INTEGER NOT NULL, version INTEGER NOT NULL,
    at_ms INTEGER NOT NULL, by_whom TEXT NOT NULL, change TEXT NOT NULL,
    PRIMARY KEY (port_id, no, version)
) WITHOUT ROWID;
CREATE TABLE passes (
    port_id TEXT NOT NULL, node TEXT NOT NULL, lane TEXT NOT NULL, number INTEGER NOT NULL,
    mission_no INTEGER NOT NULL, direction TEXT NOT NULL, at_ms INTEGER NOT NULL, conditions TEXT NOT NULL,
    PRIMARY KEY (port_id, node, lane, number)
) WITHOUT ROWID;
CREATE INDEX passes_by_mission ON passes (port_id, mission_no, at_ms);
CREATE TABLE events (
    port_id TEXT NOT NULL, node TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
    hash TEXT NOT NULL, kind TEXT NOT NULL, lane TEXT, at_ms INTEGER NOT NULL,
    received_ms INTEGER NOT NULL, entry TEXT NOT NULL,
    PRIMARY KEY (port_id, node, epoch, seq)
);
CREATE TABLE tampered_events (
    port_id TEXT NOT NULL, node TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
    hash TEXT NOT NULL, received_ms INTEGER NOT NULL, entry TEXT NOT NULL,
    PRIMARY KEY (port_id, node, epoch, seq, hash)
) WITHOUT ROWID;
CREATE TABLE counters (
    port_id TEXT NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL,
    PRIMARY KEY (port_id, name)
) WITHOUT ROWID;
CREATE TABLE alarms (
    port_id TEXT NOT NULL, id INTEGER NOT NULL, alarm_key TEXT NOT NULL, mission_no INTEGER,
    kind TEXT NOT NULL, node TEXT NOT NULL, at_ms INTEGER NOT NULL, text TEXT NOT NULL,
    withdrawn INTEGER NOT NULL,
    PRIMARY KEY (port_id, id), UNIQUE (port_id, alarm_key)
);
CREATE INDEX alarms_by_mission ON alarms (port_id, mission_no);
CREATE TABLE enrol_tokens (
    port_id TEXT NOT NULL, digest BLOB NOT NULL, node TEXT NOT NULL, expires_ms INTEGER NOT NULL, used_ms INTEGER,
    PRIMARY KEY (port_id, digest)
) WITHOUT ROWID;
CREATE TABLE certificates (
    port_id TEXT NOT NULL, serial TEXT NOT NULL, node TEXT NOT NULL,
    issued_ms INTEGER NOT NULL, not_after_ms INTEGER NOT NULL,
    PRIMARY KEY (port_id, serial)
) WITHOUT ROWID;
CREATE TABLE asks (
    port_id TEXT NOT NULL, n INTEGER NOT NULL, node TEXT NOT NULL, lane TEXT NOT NULL, number INTEGER NOT NULL,
    nonce TEXT NOT NULL, at_ms INTEGER NOT NULL, mission_no INTEGER, found TEXT NOT NULL, identity TEXT NOT NULL,
    PRIMARY KEY (port_id, n)
) WITHOUT ROWID;
",
    r"
CREATE TABLE faults (
    port_id TEXT NOT NULL, node TEXT NOT NULL, lane TEXT NOT NULL, kind TEXT NOT NULL, device TEXT NOT NULL,
    epoch INTEGER NOT NULL, at_ms INTEGER NOT NULL, fault TEXT NOT NULL,
    PRIMARY KEY (port_id, node, lane, kind, device)
) WITHOUT ROWID;
",
    r"
CREATE TABLE journal_heads (
    port_id TEXT NOT NULL, node TEXT NOT NULL, seq INTEGER NOT NULL, hash TEXT NOT NULL, epoch INTEGER NOT NULL,
    head_key TEXT NOT NULL, jws TEXT NOT NULL, received_ms INTEGER NOT NULL,
    PRIMARY KEY (port_id, node, seq, hash)
) WITHOUT ROWID;
",
];

/// Brings a database to the newest version.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    let done = usize::try_from(found).unwrap_or(0);
    for (step, sql) in STEPS.iter().enumerate().skip(done) {
        let tx = connection.transaction()?;
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "user_version", i64::try_from(step + 1).unwrap_or(i64::MAX))?;
        tx.commit()?;
    }
    Ok(())
}
