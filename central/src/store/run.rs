//! The store: transactions handed to the threads that own the connections, run again where they collided.

use super::address::Database;
use super::postgres::Postgres;
use super::queue::{Job, Queue, Urgency};
use super::sql::{Access, Connection, Failure};
use super::sqlite::Sqlite;
use super::tx::Tx;
use gate_types::PortId;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, oneshot};

/// Transactions that wait or run at once, over all queues; whoever comes later waits outside.
const WAITING: usize = 1024;
/// Connections to PostgreSQL for whoever waits, and for backlogs. Apart, so that no truck waits for a backlog.
const WAITED_CONNECTIONS: usize = 6;
const BULK_CONNECTIONS: usize = 2;
/// Threads that read SQLite beside its one writer.
const READERS: usize = 2;
/// A transaction that collides is run so often.
const ATTEMPTS: u32 = 8;
/// Events of one transaction: SQLite's writer is one, and whoever waits, waits for a transaction to end.
const SQLITE_BULK: usize = 48;
const POSTGRES_BULK: usize = 256;

/// Why the store could not serve.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("database: {0}; check the disk's space and the file's rights")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL refused.
    #[error("database: {0}; see the server's log")]
    Postgres(String),
    /// PostgreSQL cannot be reached, or the connection broke.
    #[error("database cannot be reached: {0}; is the server up, and does it take this user?")]
    Unavailable(String),
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
        /// In the database.
        found: i64,
        /// The newest known.
        known: i64,
    },
    /// A text to be stored holds U+0000.
    #[error("a text holds the character U+0000, which no store keeps; leave it out")]
    Nul,
    /// `--database` names nothing usable.
    #[error("--database: {0}")]
    Address(String),
    /// A backup file is not usable, or the database is not empty.
    #[error("backup: {0}")]
    Backup(String),
    /// The system gives no thread or runtime.
    #[error("the system refused: {0}")]
    System(#[from] std::io::Error),
    /// The worker of the call ended.
    #[error("the store's worker ended before it answered")]
    Stopped,
}

struct Shared {
    reads: Arc<Queue>,
    writes: Arc<Queue>,
    bulk: Arc<Queue>,
    places: Arc<Semaphore>,
    port: PortId,
    bulk_rows: usize,
    remote: bool,
    told: Notify,
}

impl Drop for Shared {
    fn drop(&mut self) {
        for queue in [&self.reads, &self.writes, &self.bulk] {
            queue.close();
        }
    }
}

/// The store; clones share the connections.
#[derive(Clone)]
pub(crate) struct Store(Arc<Shared>);

/// One connection of its own, with the tables at the newest version.
pub(crate) fn connect(database: &Database) -> Result<Box<dyn Connection + Send>, StoreError> {
    let mut connection: Box<dyn Connection + Send> = match database {
        Database::Sqlite(path) => Box::new(Sqlite::open(path)?),
        Database::Postgres(address) => Box::new(Postgres::new(address.as_ref().clone())?),
    };
    connection.migrate()?;
    Ok(connection)
}

impl Store {
    /// Opens the database, creating and migrating as needed. Waits: not for a thread of the async runtime.
    pub(crate) fn open(database: &Database, port: &PortId) -> Result<Self, StoreError> {
        let first = connect(database)?;
        let (reads, writes, bulk) = match database {
            Database::Sqlite(path) => {
                let readers = (0..READERS).map(|_| Ok(Box::new(Sqlite::open(path)?) as Box<_>));
                let writes = Queue::serve("store-write", vec![first])?;
                let readers = readers.collect::<Result<Vec<_>, StoreError>>()?;
                (Queue::serve("store-read", readers)?, Arc::clone(&writes), writes)
            }
            Database::Postgres(address) => {
                let more = |count: usize| {
                    let connection = |_| Ok(Box::new(Postgres::new(address.as_ref().clone())?) as Box<_>);
                    (0..count).map(connection).collect::<Result<Vec<_>, StoreError>>()
                };
                let mut waited = more(WAITED_CONNECTIONS - 1)?;
                waited.push(first);
                let waited = Queue::serve("store", waited)?;
                (Arc::clone(&waited), waited, Queue::serve("store-bulk", more(BULK_CONNECTIONS)?)?)
            }
        };
        let remote = matches!(database, Database::Postgres(_));
        Ok(Self(Arc::new(Shared {
            reads,
            writes,
            bulk,
            places: Arc::new(Semaphore::new(WAITING)),
            port: port.clone(),
            bulk_rows: if remote { POSTGRES_BULK } else { SQLITE_BULK },
            remote,
            told: Notify::new(),
        })))
    }
    /// Whether other processes may write to the same database.
    pub(crate) fn is_shared(&self) -> bool {
        self.0.remote
    }
    /// Events that one bulk transaction should hold at most.
    pub(crate) fn bulk_rows(&self) -> usize {
        self.0.bulk_rows
    }
    /// Returns after a transaction of this process has left news.
    pub(crate) async fn told(&self) {
        self.0.told.notified().await;
    }

    /// Runs one transaction that somebody waits for; it is durable when this returns, or nothing of it
    /// happened. Only after [`StoreError::Unavailable`] nobody knows: then ask, or do it again with the same key.
    /// It may be run several times before it succeeds.
    pub(crate) async fn write<T, E>(
        &self,
        run: impl Fn(&Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(&self.0.writes, Urgency::Waited, Access::Write, run).await
    }

    /// As [`Store::write`], for backlogs: gives way to whatever is waited for.
    pub(crate) async fn write_bulk<T, E>(
        &self,
        run: impl Fn(&Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(&self.0.bulk, Urgency::Bulk, Access::Write, run).await
    }

    /// Runs a transaction that only reads, all of it from one moment.
    pub(crate) async fn read<T, E>(
        &self,
        run: impl Fn(&Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(&self.0.reads, Urgency::Waited, Access::Read, run).await
    }

    async fn run<T, E>(
        &self,
        queue: &Queue,
        urgency: Urgency,
        access: Access,
        run: impl Fn(&Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let place = Arc::clone(&self.0.places).acquire_owned().await.map_err(|_| StoreError::Stopped)?;
        let (answer, answered) = oneshot::channel();
        let port = self.0.port.clone();
        let job: Job = Box::new(move |connection| {
            let done = repeated(connection, port.as_str(), access, &run);
            drop(place);
            // Nobody waits any more where the request was given up.
            drop(answer.send(done));
        });
        queue.push(urgency, job);
        let (done, told) = answered.await.map_err(|_| StoreError::Stopped)??;
        if told {
            self.0.told.notify_one();
        }
        Ok(done)
    }
}

/// Runs a transaction until it is durable, fails for good, or has collided too often.
fn repeated<T, E: From<StoreError>>(
    connection: &mut dyn Connection,
    port: &str,
    access: Access,
    run: &impl Fn(&Tx<'_>) -> Result<T, E>,
) -> Result<(T, bool), E> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let failed = match once(connection, port, access, run) {
            Ok(done) => return Ok(done),
            Err(failed) => failed,
        };
        let again = match failed.failure {
            Some(Failure::Collision) => attempt < ATTEMPTS,
            // A connection that was closed while it lay idle; a second loss is an outage.
            Some(Failure::Lost) => attempt == 1 && !failed.at_commit,
            Some(Failure::Other) | None => false,
        };
        if !again {
            return Err(failed.error);
        }
        let spread: u64 = crate::state::random::<1>().map_or(0, |[b]| u64::from(b) / 16);
        std::thread::sleep(Duration::from_millis((1 << attempt.min(6)) + spread));
    }
}

struct Failed<E> {
    error: E,
    failure: Option<Failure>,
    at_commit: bool,
}

fn once<T, E: From<StoreError>>(
    connection: &mut dyn Connection,
    port: &str,
    access: Access,
    run: &impl Fn(&Tx<'_>) -> Result<T, E>,
) -> Result<(T, bool), Failed<E>> {
    let begun = connection.begin(access);
    begun.map_err(|e| Failed { error: E::from(e), failure: connection.failure(), at_commit: false })?;
    let tx = Tx::new(connection, port);
    let done = run(&tx).and_then(|done| Ok((done, tx.finish()?)));
    drop(tx);
    match done {
        Ok(done) => match connection.commit() {
            Ok(()) => Ok(done),
            Err(e) => {
                let failure = connection.failure();
                connection.rollback();
                Err(Failed { error: E::from(e), failure, at_commit: true })
            }
        },
        Err(error) => {
            let failure = connection.failure();
            connection.rollback();
            Err(Failed { error, failure, at_commit: false })
        }
    }
}
