//! What central holds durably: one SQLite database, one writer at a time, every key beginning with the port.

mod alarms;
mod asks;
mod enrol;
mod events;
mod faults;
mod heads;
mod missions;
mod schema;

pub(crate) use alarms::{AlarmKey, AlarmState};
pub(crate) use asks::Ask;
pub(crate) use events::{Arrival, EventFilter, StoredEvent, StoredPass};
pub(crate) use missions::{MissionFilter, MissionRecord};

use gate_types::PortId;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Why the store could not serve.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// SQLite refused.
    #[error("database: {0}; check the disk's space and the file's rights")]
    Sqlite(#[from] rusqlite::Error),
    /// A stored text is not what this version writes.
    #[error("database holds a {what} that cannot be read: {cause}; was it written by a newer version?")]
    Content {
        /// The kind of record.
        what: &'static str,
        /// Why.
        cause: String,
    },
    /// The database is of a newer version.
    #[error("database has schema version {found}, this program knows {known}; install the newer program")]
    Newer {
        /// In the file.
        found: i64,
        /// The newest known.
        known: i64,
    },
    /// The worker of the call ended.
    #[error("the store's worker ended before it answered")]
    Stopped,
}

/// The store; clones share one connection.
#[derive(Clone)]
pub(crate) struct Store {
    connection: Arc<Mutex<Connection>>,
    port: PortId,
}

/// One transaction. Its operations stand in the files beside this one, by area.
pub(crate) struct Tx<'a> {
    sql: Transaction<'a>,
    port: &'a str,
}

impl Store {
    /// Opens the database, creating and migrating as needed.
    pub(crate) fn open(path: &Path, port: &PortId) -> Result<Self, StoreError> {
        let mut connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.set_prepared_statement_cache_capacity(64);
        schema::migrate(&mut connection)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), port: port.clone() })
    }

    /// Runs one transaction; it is durable when this returns, or nothing of it happened.
    pub(crate) async fn write<T, E>(
        &self,
        run: impl FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(TransactionBehavior::Immediate, run).await
    }

    /// Runs a transaction that only reads.
    pub(crate) async fn read<T, E>(
        &self,
        run: impl FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(TransactionBehavior::Deferred, run).await
    }

    async fn run<T, E>(
        &self,
        behavior: TransactionBehavior,
        run: impl FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let store = self.clone();
        let work = tokio::task::spawn_blocking(move || {
            let mut connection = store.connection.lock().unwrap_or_else(PoisonError::into_inner);
            let sql = connection.transaction_with_behavior(behavior).map_err(StoreError::from)?;
            let tx = Tx { sql, port: store.port.as_str() };
            let result = run(&tx)?;
            tx.sql.commit().map_err(StoreError::from)?;
            Ok(result)
        });
        work.await.unwrap_or_else(|_| Err(E::from(StoreError::Stopped)))
    }
}

/// A stored JSON text.
fn parse<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Content { what, cause: e.to_string() })
}

/// A JSON text to store.
fn print<T: serde::Serialize>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Content { what, cause: e.to_string() })
}

/// A stored number that counts and therefore is never negative.
fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
