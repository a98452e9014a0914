//! PostgreSQL as a store: several processes on one database, one session per connection. A session belongs
//! to one thread and is driven by a runtime of its own; many statements at once are pipelined.

mod values;

use super::StoreError;
use super::address::Address;
use super::schema;
use super::sql::{Access, Connection, Failure, Sql, Table};
use super::value::{Cell, Row, Value};
use futures::future::try_join_all;
use futures::{StreamExt as _, pin_mut};
use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};
use values::{cells, column, failure_of, told};

/// One wait for the server ends by then; the connection is given up.
const ANSWER: Duration = Duration::from_secs(60);
/// What every session demands, whatever the server's defaults are: a commit is durable when it returns, and
/// nothing waits without end.
const SESSION: &str = "SET synchronous_commit = on; SET statement_timeout = '30s'; SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '30s'; SET standard_conforming_strings = on";
/// Held while the tables are brought to the newest version.
const MIGRATING: i64 = 0x76_61_72_63_6f;

struct Session {
    client: Client,
    /// By text; for bulk inserts by the table's name.
    statements: HashMap<&'static str, Statement>,
}

/// One connection to the server, made when it is first needed and again after it broke.
pub(super) struct Postgres {
    runtime: Runtime,
    address: Address,
    session: Option<Session>,
    open: bool,
    failure: Option<Failure>,
}

impl Postgres {
    /// A connection that is not made yet.
    pub(super) fn new(address: Address) -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, address, session: None, open: false, failure: None })
    }

    fn wait<T>(
        &mut self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        // The timer belongs to the runtime that drives it.
        match self.runtime.block_on(async { tokio::time::timeout(ANSWER, work).await }) {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(e)) => {
                let failure = failure_of(&e);
                self.failure = Some(failure);
                if failure == Failure::Lost {
                    self.session = None;
                }
                Err(told(&e, failure))
            }
            Err(_) => {
                self.failure = Some(Failure::Lost);
                self.session = None;
                Err(StoreError::Unavailable(format!("no answer within {} s", ANSWER.as_secs())))
            }
        }
    }

    fn session(&mut self) -> Result<(), StoreError> {
        if self.session.as_ref().is_some_and(|s| !s.client.is_closed()) {
            return Ok(());
        }
        self.session = None;
        let address = self.address.clone();
        let client = self.wait(async move {
            let client = address.connect().await?;
            client.batch_execute(SESSION).await?;
            Ok(client)
        });
        // Whatever kept us from connecting, nothing has happened yet.
        let client = client.inspect_err(|_| self.failure = Some(Failure::Lost))?;
        self.session = Some(Session { client, statements: HashMap::new() });
        Ok(())
    }

    fn client(&self) -> Result<&Client, StoreError> {
        let lost = || StoreError::Unavailable("the connection broke".to_owned());
        self.session.as_ref().map(|s| &s.client).ok_or_else(lost)
    }

    fn statement(&mut self, key: &'static str, sql: &str) -> Result<Statement, StoreError> {
        if let Some(known) = self.session.as_ref().and_then(|s| s.statements.get(key)) {
            return Ok(known.clone());
        }
        // Taken out for the wait, which may find the session lost.
        let Some(session) = self.session.take() else {
            return Err(self.client().err().unwrap_or(StoreError::Stopped));
        };
        let prepared = self.wait(session.client.prepare(sql));
        if self.failure != Some(Failure::Lost) {
            self.session = Some(session);
        }
        let prepared = prepared?;
        if let Some(session) = &mut self.session {
            session.statements.insert(key, prepared.clone());
        }
        Ok(prepared)
    }

    /// Runs work on the client; the session is put back unless it was lost.
    fn with<T>(
        &mut self,
        work: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        self.client()?;
        let Some(session) = self.session.take() else { return Err(StoreError::Stopped) };
        let done = self.wait(work(&session.client));
        if self.failure != Some(Failure::Lost) {
            self.session = Some(session);
        }
        done
    }
}

async fn fetch(
    client: &Client,
    statement: &Statement,
    values: &[Value<'_>],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|v| v as &(dyn ToSql + Sync)).collect();
    client.query(statement, &values).await?.iter().map(cells).collect()
}

async fn run(
    client: &Client,
    statement: &Statement,
    values: &[Value<'_>],
) -> Result<u64, tokio_postgres::Error> {
    let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|v| v as &(dyn ToSql + Sync)).collect();
    client.execute(statement, &values).await
}

impl Sql for Postgres {
    fn query(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        let statement = self.statement(sql, sql)?;
        self.with(async |client| fetch(client, &statement, values).await)
    }
    fn query_many(
        &mut self,
        sql: &'static str,
        rows: &[Vec<Value<'_>>],
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let statement = self.statement(sql, sql)?;
        self.with(async |client| {
            try_join_all(rows.iter().map(|values| fetch(client, &statement, values))).await
        })
    }
    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let statement = self.statement(sql, sql)?;
        self.with(async |client| run(client, &statement, values).await)
    }
    fn execute_many(&mut self, sql: &'static str, rows: &[Vec<Value<'_>>]) -> Result<Vec<u64>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let statement = self.statement(sql, sql)?;
        self.with(async |client| {
            try_join_all(rows.iter().map(|values| run(client, &statement, values))).await
        })
    }
    fn insert_new(&mut self, table: &Table, rows: &[Vec<Value<'_>>]) -> Result<Vec<bool>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let statement = self.statement(table.name, &table.insert())?;
        let columns: Vec<Box<dyn ToSql + Sync + '_>> =
            table.kinds().enumerate().map(|(n, kind)| column(kind, rows, n)).collect();
        let columns: Vec<&(dyn ToSql + Sync)> = columns.iter().map(AsRef::as_ref).collect();
        let answer = self.with(async |client| {
            client.query(&statement, &columns).await?.iter().map(cells).collect::<Result<Vec<Row>, _>>()
        })?;
        let mut inserted: HashSet<Vec<Cell>> = answer.into_iter().map(|row| row.0).collect();
        let key = |row: &Vec<Value<'_>>| row.iter().take(table.key).map(Value::cell).collect::<Vec<Cell>>();
        Ok(rows.iter().map(|row| inserted.remove(&key(row))).collect())
    }
    fn lock(&mut self, names: &[String]) -> Result<(), StoreError> {
        let rows: Vec<Vec<Value<'_>>> = names.iter().map(|name| vec![Value::Text(name)]).collect();
        self.query_many("SELECT (pg_advisory_xact_lock(hashtextextended($1, 0)) IS NULL)::int", &rows)?;
        Ok(())
    }
    fn export(
        &mut self,
        table: &Table,
        each: &mut dyn FnMut(Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut stopped = None;
        let sql = table.select();
        self.wait_long(async |client| {
            let none: [&(dyn ToSql + Sync); 0] = [];
            let rows = client.query_raw(&sql, none).await?;
            pin_mut!(rows);
            while let Some(row) = rows.next().await {
                if let Err(e) = each(cells(&row?)?) {
                    stopped = Some(e);
                    break;
                }
            }
            Ok(())
        })?;
        stopped.map_or(Ok(()), Err)
    }
}

impl Postgres {
    /// For work whose length is the database's: without a limit for the whole.
    fn wait_long<T>(
        &mut self,
        work: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        let Some(session) = &self.session else {
            return Err(self.client().err().unwrap_or(StoreError::Stopped));
        };
        let done = self.runtime.block_on(async {
            session.client.batch_execute("SET LOCAL statement_timeout = 0").await?;
            work(&session.client).await
        });
        done.map_err(|e| told(&e, failure_of(&e)))
    }
}

impl Connection for Postgres {
    fn begin(&mut self, access: Access) -> Result<(), StoreError> {
        self.rollback();
        self.failure = None;
        self.session()?;
        let sql = match access {
            Access::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            // What must not happen twice at once is held by locks with names; see `Sql::lock`.
            Access::Write => "BEGIN ISOLATION LEVEL READ COMMITTED",
        };
        self.with(async |client| client.batch_execute(sql).await)?;
        self.open = true;
        Ok(())
    }
    fn commit(&mut self) -> Result<(), StoreError> {
        self.with(async |client| client.batch_execute("COMMIT").await)?;
        self.open = false;
        Ok(())
    }
    fn rollback(&mut self) {
        let failure = self.failure;
        if self.open && self.session.is_some() {
            let done = self.with(async |client| client.batch_execute("ROLLBACK").await);
            if let Err(e) = done {
                tracing::debug!(error = %e, "rollback failed; the connection is made anew");
                self.session = None;
            }
        }
        self.open = false;
        self.failure = failure;
    }
    fn failure(&self) -> Option<Failure> {
        self.failure
    }
    fn migrate(&mut self) -> Result<(), StoreError> {
        self.begin(Access::Write)?;
        let sql = format!(
            "SELECT pg_advisory_xact_lock({MIGRATING}); CREATE TABLE IF NOT EXISTS varco_schema (version BIGINT NOT NULL)"
        );
        self.with(async |client| client.batch_execute(&sql).await)?;
        let known = schema::version();
        let found = self.query("SELECT coalesce(max(version), 0) FROM varco_schema", &[])?;
        let found = found.first().map(|row| row.int(0)).transpose()?.unwrap_or(0);
        if found > known {
            return Err(StoreError::Newer { found, known });
        }
        for (version, sql) in schema::POSTGRES.iter().filter(|(version, _)| *version > found) {
            self.with(async |client| client.batch_execute(sql).await)?;
            self.execute("INSERT INTO varco_schema VALUES ($1)", &[Value::Int(*version)])?;
        }
        self.commit()
    }
}
