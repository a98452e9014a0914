//! SQLite's tables. Each step is applied once, in order; a step that was released is never changed.

/// The steps.
pub(crate) const STEPS: &[&str] = &[
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
    // Several processes on one database: nothing is numbered by the order of rows in a file any more.
    r"
ALTER TABLE events ADD COLUMN batch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
CREATE TABLE arrivals (
    port_id TEXT NOT NULL, n INTEGER NOT NULL, node TEXT NOT NULL, epoch INTEGER NOT NULL,
    seq_from INTEGER NOT NULL, seq_to INTEGER NOT NULL, batch INTEGER NOT NULL,
    PRIMARY KEY (port_id, n)
) WITHOUT ROWID;
INSERT INTO arrivals SELECT port_id, rowid, node, epoch, seq, seq, 0 FROM events;
CREATE TABLE asks_by_id (
    port_id TEXT NOT NULL, id TEXT NOT NULL, node TEXT NOT NULL, lane TEXT NOT NULL, number INTEGER NOT NULL,
    nonce TEXT NOT NULL, at_ms INTEGER NOT NULL, mission_no INTEGER, found TEXT NOT NULL, identity TEXT NOT NULL,
    PRIMARY KEY (port_id, id)
) WITHOUT ROWID;
INSERT INTO asks_by_id SELECT port_id, printf('%020d', n), node, lane, number, nonce, at_ms, mission_no, found,
    identity FROM asks;
DROP TABLE asks;
ALTER TABLE asks_by_id RENAME TO asks;
CREATE TABLE news (
    port_id TEXT NOT NULL, n INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (port_id, n)
) WITHOUT ROWID;
CREATE TABLE settings (
    port_id TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (port_id, name)
) WITHOUT ROWID;
CREATE TABLE log_leaves (
    port_id TEXT NOT NULL, n INTEGER NOT NULL, node TEXT NOT NULL, seq INTEGER NOT NULL, leaf TEXT NOT NULL,
    PRIMARY KEY (port_id, n)
) WITHOUT ROWID;
CREATE TABLE log_nodes (
    port_id TEXT NOT NULL, level INTEGER NOT NULL, n INTEGER NOT NULL, hash BLOB NOT NULL,
    PRIMARY KEY (port_id, level, n)
) WITHOUT ROWID;
",
    // What the nodes told of a pass; the life of an alarm; when a mission is to be looked at again.
    r"
ALTER TABLE passes ADD COLUMN told TEXT NOT NULL DEFAULT '{}';
ALTER TABLE alarms ADD COLUMN detail TEXT NOT NULL DEFAULT '{}';
ALTER TABLE alarms ADD COLUMN due_ms INTEGER;
ALTER TABLE missions ADD COLUMN look_ms INTEGER;
CREATE INDEX missions_by_look ON missions (port_id, look_ms);
CREATE INDEX alarms_by_due ON alarms (port_id, due_ms);
",
];
