//! PostgreSQL's tables, at the version that SQLite's steps come to. Texts are ordered by their bytes, as
//! SQLite orders them. The events are spread over partitions by port and node: both are part of the
//! idempotency key, so a key can stand in one partition only and stays unique; a split by time could not
//! promise that, because an event that comes again with another time would find another partition.

/// The steps, each with the version that it leads to.
pub(crate) const STEPS: &[(i64, &str)] = &[
    (
        4,
        r#"
CREATE TABLE missions (
    port_id TEXT COLLATE "C" NOT NULL,
    no BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    iot_id TEXT COLLATE "C" NOT NULL,
    process TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    ended BIGINT NOT NULL,
    idempotency_key TEXT COLLATE "C" NOT NULL,
    asked TEXT COLLATE "C" NOT NULL,
    record TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (port_id, no),
    UNIQUE (port_id, id),
    UNIQUE (port_id, iot_id),
    UNIQUE (port_id, idempotency_key)
);
CREATE TABLE mission_keys (
    port_id TEXT COLLATE "C" NOT NULL,
    slot TEXT COLLATE "C" NOT NULL,
    ended BIGINT NOT NULL,
    match_key TEXT COLLATE "C" NOT NULL,
    no BIGINT NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (port_id, slot, ended, match_key, no)
);
CREATE INDEX mission_keys_by_mission ON mission_keys (port_id, no);
CREATE TABLE mission_changes (
    port_id TEXT COLLATE "C" NOT NULL,
    no BIGINT NOT NULL,
    version BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    by_whom TEXT COLLATE "C" NOT NULL,
    change TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (port_id, no, version)
);
CREATE TABLE passes (
    port_id TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    lane TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    mission_no BIGINT NOT NULL,
    direction TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL,
    conditions TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (port_id, node, lane, number)
);
CREATE INDEX passes_by_mission ON passes (port_id, mission_no, at_ms);
CREATE TABLE events (
    port_id TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    lane TEXT COLLATE "C",
    at_ms BIGINT NOT NULL,
    received_ms BIGINT NOT NULL,
    entry TEXT COLLATE "C" NOT NULL,
    batch BIGINT NOT NULL,
    place BIGINT NOT NULL,
    PRIMARY KEY (port_id, node, epoch, seq)
) PARTITION BY HASH (port_id, node);
CREATE TABLE events_0 PARTITION OF events FOR VALUES WITH (MODULUS 8, REMAINDER 0);
CREATE TABLE events_1 PARTITION OF events FOR VALUES WITH (MODULUS 8, REMAINDER 1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES WITH (MODULUS 8, REMAINDER 2);
CREATE TABLE events_3 PARTITION OF events FOR VALUES WITH (MODULUS 8, REMAINDER 3);
CREATE TABLE events_4 PARTITION OF events FOR VALUES WITH (MODULUS 8, REMAINDER 4);
CREATE TABLE events_5 PARTITION OF events FOR VALUES WITH (MODULUS 8, REMAINDER 5);
CREATE TABLE events_6 PARTITION OF events FOR VALUES WITH (MODULUS 8, REMAINDER 6);
CREATE TABLE events_7 PARTITION OF events FOR VALUES WITH (MODULUS 8, REMAINDER 7);
CREATE TABLE tampered_events (
    port_id TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    received_ms BIGINT NOT NULL,
    entry TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (port_id, node, epoch, seq, hash)
);
CREATE TABLE arrivals (
    port_id TEXT COLLATE "C" NOT NULL,
    n BIGINT NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    epoch BIGINT NOT NULL,
    seq_from BIGINT NOT NULL,
    seq_to BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    PRIMARY KEY (port_id, n)
);
CREATE TABLE counters (
    port_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (port_id, name)
);
CREATE TABLE alarms (
    port_id TEXT COLLATE "C" NOT NULL,
    id BIGINT NOT NULL,
    alarm_key TEXT COLLATE "C" NOT NULL,
    mission_no BIGINT,
    kind TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    withdrawn BIGINT NOT NULL,
    PRIMARY KEY (port_id, id),
    UNIQUE (port_id, alarm_key)
);
CREATE INDEX alarms_by_mission ON alarms (port_id, mission_no);
CREATE TABLE faults (
    port_id TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    lane TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    device TEXT COLLATE "C" NOT NULL,
    epoch BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    fault TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (port_id, node, lane, kind, device)
);
CREATE TABLE enrol_tokens (
    port_id TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    expires_ms BIGINT NOT NULL,
    used_ms BIGINT,
    PRIMARY KEY (port_id, digest)
);
CREATE TABLE certificates (
    port_id TEXT COLLATE "C" NOT NULL,
    serial TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    issued_ms BIGINT NOT NULL,
    not_after_ms BIGINT NOT NULL,
    PRIMARY KEY (port_id, serial)
);
CREATE TABLE asks (
    port_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    lane TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    nonce TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL,
    mission_no BIGINT,
    found TEXT COLLATE "C" NOT NULL,
    identity TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (port_id, id)
);
CREATE TABLE journal_heads (
    port_id TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    epoch BIGINT NOT NULL,
    head_key TEXT COLLATE "C" NOT NULL,
    jws TEXT COLLATE "C" NOT NULL,
    received_ms BIGINT NOT NULL,
    PRIMARY KEY (port_id, node, seq, hash)
);
CREATE TABLE log_leaves (
    port_id TEXT COLLATE "C" NOT NULL,
    n BIGINT NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    leaf TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (port_id, n)
);
CREATE TABLE log_nodes (
    port_id TEXT COLLATE "C" NOT NULL,
    level BIGINT NOT NULL,
    n BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (port_id, level, n)
);
CREATE TABLE news (
    port_id TEXT COLLATE "C" NOT NULL,
    n BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (port_id, n)
);
CREATE TABLE settings (
    port_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (port_id, name)
);
"#,
    ),
    (
        5,
        r#"
ALTER TABLE passes ADD COLUMN told TEXT COLLATE "C" NOT NULL DEFAULT '{}';
ALTER TABLE alarms ADD COLUMN detail TEXT COLLATE "C" NOT NULL DEFAULT '{}';
ALTER TABLE alarms ADD COLUMN due_ms BIGINT;
ALTER TABLE missions ADD COLUMN look_ms BIGINT;
CREATE INDEX missions_by_look ON missions (port_id, look_ms);
CREATE INDEX alarms_by_due ON alarms (port_id, due_ms);
"#,
    ),
];
