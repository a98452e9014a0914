//! What central holds durably, in SQLite or PostgreSQL. Every key begins with the port; nothing that counts
//! is held in memory, so that several processes may serve one database.

mod address;
mod alarms;
mod asks;
mod enrol;
mod events;
mod faults;
mod heads;
mod log;
mod missions;
mod news;
mod passes;
mod postgres;
mod queue;
mod run;
pub(crate) mod schema;
pub(crate) mod sql;
mod sqlite;
mod tx;
pub(crate) mod value;

pub use address::{Address, Database};
pub(crate) use alarms::{AlarmKey, AlarmState, AlarmStep, NewAlarm};
pub(crate) use asks::Ask;
pub(crate) use events::{Arrival, EventFilter, NewEvent, StoredEvent};
pub(crate) use log::LogLeaf;
pub(crate) use missions::{MissionFilter, MissionRecord};
pub(crate) use news::News;
pub(crate) use passes::{StoredPass, Told};
pub use run::StoreError;
pub(crate) use run::{Store, connect};
pub(crate) use tx::Tx;

/// A stored JSON text.
fn parse<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Content { what, cause: e.to_string() })
}

/// A JSON text to store.
fn print<T: serde::Serialize>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Content { what, cause: e.to_string() })
}

/// A counter as a column holds it.
fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
