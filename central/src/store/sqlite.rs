//! SQLite as a store: nothing to install, one writer at a time, readers beside it (WAL).

use super::StoreError;
use super::schema;
use super::sql::{Access, Connection, Failure, Kind, Sql, Table};
use super::value::{Cell, Row, Value};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection as Database};
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(n) => ValueRef::Integer(*n),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// One connection to the file.
pub(super) struct Sqlite {
    database: Database,
    failure: Option<Failure>,
    inserts: HashMap<&'static str, String>,
}

impl Sqlite {
    /// Opens or creates the file.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let database = Database::open(path)?;
        database.pragma_update(None, "journal_mode", "WAL")?;
        database.pragma_update(None, "synchronous", "FULL")?;
        database.busy_timeout(Duration::from_secs(5))?;
        database.set_prepared_statement_cache_capacity(96);
        Ok(Self { database, failure: None, inserts: HashMap::new() })
    }
    fn told<T>(&mut self, done: Result<T, rusqlite::Error>) -> Result<T, StoreError> {
        done.map_err(|e| {
            self.failure = Some(Failure::Other);
            StoreError::from(e)
        })
    }
}

fn bound<'a>(
    database: &'a Database,
    sql: &str,
    values: &[Value<'_>],
) -> rusqlite::Result<CachedStatement<'a>> {
    let mut statement = database.prepare_cached(sql)?;
    for (n, value) in values.iter().enumerate() {
        if cfg!(debug_assertions) {
            let name = format!("${}", n + 1);
            debug_assert_eq!(statement.parameter_name(n + 1), Some(name.as_str()), "order of `{sql}`");
        }
        statement.raw_bind_parameter(n + 1, value)?;
    }
    Ok(statement)
}

fn cells(row: &rusqlite::Row<'_>, columns: usize) -> rusqlite::Result<Row> {
    let cell = |n| {
        Ok(match row.get_ref(n)? {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(n) => Cell::Int(n),
            // No column holds such; it is told where the cell is used.
            ValueRef::Real(x) => Cell::Text(x.to_string()),
            ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
        })
    };
    Ok(Row((0..columns).map(cell).collect::<rusqlite::Result<_>>()?))
}

fn each_row(
    database: &Database,
    sql: &str,
    values: &[Value<'_>],
    each: &mut dyn FnMut(Row) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = bound(database, sql, values)?;
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        each(cells(row, columns)?)?;
    }
    Ok(())
}

impl Sql for Sqlite {
    fn query(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        let mut found = Vec::new();
        let mut keep = |row| {
            found.push(row);
            Ok(())
        };
        each_row(&self.database, sql, values, &mut keep)?;
        Ok(found)
    }
    fn query_many(
        &mut self,
        sql: &'static str,
        rows: &[Vec<Value<'_>>],
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        rows.iter().map(|values| self.query(sql, values)).collect()
    }
    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let done = bound(&self.database, sql, values).and_then(|mut statement| statement.raw_execute());
        Ok(self.told(done)? as u64)
    }
    fn execute_many(&mut self, sql: &'static str, rows: &[Vec<Value<'_>>]) -> Result<Vec<u64>, StoreError> {
        rows.iter().map(|values| self.execute(sql, values)).collect()
    }
    fn insert_new(&mut self, table: &Table, rows: &[Vec<Value<'_>>]) -> Result<Vec<bool>, StoreError> {
        let sql = self.inserts.entry(table.name).or_insert_with(|| {
            let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
            let places: Vec<String> = (1..=names.len()).map(|n| format!("${n}")).collect();
            format!(
                "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING",
                table.name,
                names.join(", "),
                places.join(", ")
            )
        });
        let insert = |values: &Vec<Value<'_>>| {
            bound(&self.database, sql, values)
                .and_then(|mut statement| statement.raw_execute())
                .map(|touched| touched == 1)
        };
        let done: rusqlite::Result<Vec<bool>> = rows.iter().map(insert).collect();
        self.told(done)
    }
    fn lock(&mut self, _names: &[String]) -> Result<(), StoreError> {
        // Who writes is alone from the first moment of the transaction on.
        Ok(())
    }
    fn export(
        &mut self,
        table: &Table,
        each: &mut dyn FnMut(Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        each_row(&self.database, &table.select(), &[], each)
    }
}

impl Connection for Sqlite {
    fn begin(&mut self, access: Access) -> Result<(), StoreError> {
        self.rollback();
        self.failure = None;
        let done = self.database.execute_batch(match access {
            Access::Read => "BEGIN DEFERRED",
            Access::Write => "BEGIN IMMEDIATE",
        });
        self.told(done)
    }
    fn commit(&mut self) -> Result<(), StoreError> {
        let done = self.database.execute_batch("COMMIT");
        self.told(done)
    }
    fn rollback(&mut self) {
        if !self.database.is_autocommit()
            && let Err(e) = self.database.execute_batch("ROLLBACK")
        {
            tracing::warn!(error = %e, "a transaction could not be rolled back; the next one tries again");
        }
    }
    fn failure(&self) -> Option<Failure> {
        self.failure
    }
    fn migrate(&mut self) -> Result<(), StoreError> {
        let steps = schema::SQLITE;
        let known = schema::version();
        let found: i64 = self.database.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found > known {
            return Err(StoreError::Newer { found, known });
        }
        let done = usize::try_from(found).unwrap_or(0);
        for (step, sql) in steps.iter().enumerate().skip(done) {
            let tx = self.database.transaction()?;
            tx.execute_batch(sql)?;
            tx.pragma_update(None, "user_version", i64::try_from(step + 1).unwrap_or(i64::MAX))?;
            tx.commit()?;
        }
        Ok(())
    }
}

impl Table {
    /// All rows in the order of the key.
    pub(super) fn select(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        let key = names.iter().take(self.key).copied().collect::<Vec<_>>().join(", ");
        format!("SELECT {} FROM {} ORDER BY {key}", names.join(", "), self.name)
    }
    /// The kinds of the columns.
    pub(super) fn kinds(&self) -> impl Iterator<Item = Kind> + '_ {
        self.columns.iter().map(|(_, kind)| *kind)
    }
}
