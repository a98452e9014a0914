//! The tables as data, for bulk inserts and backups; a test holds both kinds of database against it.

use crate::store::sql::Kind::{self, Bytes, Int, Text};
use crate::store::sql::Table;

const fn table(name: &'static str, key: usize, columns: &'static [(&'static str, Kind)]) -> Table {
    Table { name, columns, key }
}

pub(crate) const MISSIONS: Table = table(
    "missions",
    2,
    &[
        ("port_id", Text),
        ("no", Int),
        ("id", Text),
        ("iot_id", Text),
        ("process", Text),
        ("status", Text),
        ("ended", Int),
        ("idempotency_key", Text),
        ("asked", Text),
        ("record", Text),
        ("look_ms", Int),
    ],
);
pub(crate) const MISSION_KEYS: Table = table(
    "mission_keys",
    5,
    &[("port_id", Text), ("slot", Text), ("ended", Int), ("match_key", Text), ("no", Int), ("value", Text)],
);
pub(crate) const MISSION_CHANGES: Table = table(
    "mission_changes",
    3,
    &[("port_id", Text), ("no", Int), ("version", Int), ("at_ms", Int), ("by_whom", Text), ("change", Text)],
);
pub(crate) const PASSES: Table = table(
    "passes",
    4,
    &[
        ("port_id", Text),
        ("node", Text),
        ("lane", Text),
        ("number", Int),
        ("mission_no", Int),
        ("direction", Text),
        ("at_ms", Int),
        ("conditions", Text),
        ("told", Text),
    ],
);
pub(crate) const EVENTS: Table = table(
    "events",
    4,
    &[
        ("port_id", Text),
        ("node", Text),
        ("epoch", Int),
        ("seq", Int),
        ("hash", Text),
        ("kind", Text),
        ("lane", Text),
        ("at_ms", Int),
        ("received_ms", Int),
        ("entry", Text),
        ("batch", Int),
        ("place", Int),
    ],
);
pub(crate) const TAMPERED_EVENTS: Table = table(
    "tampered_events",
    5,
    &[
        ("port_id", Text),
        ("node", Text),
        ("epoch", Int),
        ("seq", Int),
        ("hash", Text),
        ("received_ms", Int),
        ("entry", Text),
    ],
);
pub(crate) const ARRIVALS: Table = table(
    "arrivals",
    2,
    &[
        ("port_id", Text),
        ("n", Int),
        ("node", Text),
        ("epoch", Int),
        ("seq_from", Int),
        ("seq_to", Int),
        ("batch", Int),
    ],
);
pub(crate) const COUNTERS: Table = table("counters", 2, &[("port_id", Text), ("name", Text), ("value", Int)]);
pub(crate) const ALARMS: Table = table(
    "alarms",
    2,
    &[
        ("port_id", Text),
        ("id", Int),
        ("alarm_key", Text),
        ("mission_no", Int),
        ("kind", Text),
        ("node", Text),
        ("at_ms", Int),
        ("text", Text),
        ("withdrawn", Int),
        ("detail", Text),
        ("due_ms", Int),
    ],
);
pub(crate) const FAULTS: Table = table(
    "faults",
    5,
    &[
        ("port_id", Text),
        ("node", Text),
        ("lane", Text),
        ("kind", Text),
        ("device", Text),
        ("epoch", Int),
        ("at_ms", Int),
        ("fault", Text),
    ],
);
pub(crate) const ENROL_TOKENS: Table = table(
    "enrol_tokens",
    2,
    &[("port_id", Text), ("digest", Bytes), ("node", Text), ("expires_ms", Int), ("used_ms", Int)],
);
pub(crate) const CERTIFICATES: Table = table(
    "certificates",
    2,
    &[("port_id", Text), ("serial", Text), ("node", Text), ("issued_ms", Int), ("not_after_ms", Int)],
);
pub(crate) const ASKS: Table = table(
    "asks",
    2,
    &[
        ("port_id", Text),
        ("id", Text),
        ("node", Text),
        ("lane", Text),
        ("number", Int),
        ("nonce", Text),
        ("at_ms", Int),
        ("mission_no", Int),
        ("found", Text),
        ("identity", Text),
    ],
);
pub(crate) const JOURNAL_HEADS: Table = table(
    "journal_heads",
    4,
    &[
        ("port_id", Text),
        ("node", Text),
        ("seq", Int),
        ("hash", Text),
        ("epoch", Int),
        ("head_key", Text),
        ("jws", Text),
        ("received_ms", Int),
    ],
);
pub(crate) const LOG_LEAVES: Table =
    table("log_leaves", 2, &[("port_id", Text), ("n", Int), ("node", Text), ("seq", Int), ("leaf", Text)]);
pub(crate) const LOG_NODES: Table =
    table("log_nodes", 3, &[("port_id", Text), ("level", Int), ("n", Int), ("hash", Bytes)]);
pub(crate) const NEWS: Table = table("news", 2, &[("port_id", Text), ("n", Int), ("body", Text)]);
pub(crate) const SETTINGS: Table =
    table("settings", 2, &[("port_id", Text), ("name", Text), ("value", Text)]);

/// All of them, in the order in which a backup holds them.
pub(crate) const TABLES: &[Table] = &[
    MISSIONS,
    MISSION_KEYS,
    MISSION_CHANGES,
    PASSES,
    EVENTS,
    TAMPERED_EVENTS,
    ARRIVALS,
    COUNTERS,
    ALARMS,
    FAULTS,
    ENROL_TOKENS,
    CERTIFICATES,
    ASKS,
    JOURNAL_HEADS,
    LOG_LEAVES,
    LOG_NODES,
    NEWS,
    SETTINGS,
];
