//! What a database has to do for the store. Each operation of the store is one text for every kind of
//! database, with `$1`, `$2`, ... in the order of their first appearance; what differs stands in the file of
//! its kind (`sqlite.rs`, `postgres.rs`).

use super::StoreError;
use super::value::{Row, Value};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Whole numbers.
    Int,
    /// Texts.
    Text,
    /// Bytes.
    Bytes,
}

/// A table as both kinds of database have it.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: &'static str,
    /// Names and kinds of its columns, the key's first.
    pub(crate) columns: &'static [(&'static str, Kind)],
    /// How many of the columns are the primary key.
    pub(crate) key: usize,
}

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Read, all of it from one moment.
    Read,
    /// Read and write.
    Write,
}

/// Why the last statement or commit failed, where that decides what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Another transaction was in the way: the whole transaction may be run again.
    Collision,
    /// The connection is gone. Before the commit nothing has happened; at the commit nobody knows.
    Lost,
    /// Anything else.
    Other,
}

/// Statements within a transaction.
pub(crate) trait Sql {
    /// Rows of a query.
    fn query(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError>;
    /// The same query for several sets of values, with one wait for all of them where the database is remote.
    fn query_many(&mut self, sql: &'static str, rows: &[Vec<Value<'_>>])
    -> Result<Vec<Vec<Row>>, StoreError>;
    /// Runs a statement; gives back how many rows it touched.
    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError>;
    /// The same statement for several sets of values.
    fn execute_many(&mut self, sql: &'static str, rows: &[Vec<Value<'_>>]) -> Result<Vec<u64>, StoreError>;
    /// Inserts those of the rows whose key is not there; says of each whether it was inserted. Of rows with
    /// one key the first counts.
    fn insert_new(&mut self, table: &Table, rows: &[Vec<Value<'_>>]) -> Result<Vec<bool>, StoreError>;
    /// Waits until no other transaction holds these names, and holds them to the end of this one. To be
    /// taken in the order node, missions, numbers, log, order, so that nobody waits in a circle.
    fn lock(&mut self, names: &[String]) -> Result<(), StoreError>;
    /// Every row of a table in the order of its key.
    fn export(
        &mut self,
        table: &Table,
        each: &mut dyn FnMut(Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

/// One connection, used by one thread.
pub(crate) trait Connection: Sql {
    /// Begins a transaction; what an earlier one left open is rolled back. Connects where it has to.
    fn begin(&mut self, access: Access) -> Result<(), StoreError>;
    /// Makes the transaction durable.
    fn commit(&mut self) -> Result<(), StoreError>;
    /// Forgets the transaction.
    fn rollback(&mut self);
    /// Why the transaction failed; none while nothing has.
    fn failure(&self) -> Option<Failure>;
    /// The version of the tables, after bringing them to the newest that this program knows.
    fn migrate(&mut self) -> Result<(), StoreError>;
}
