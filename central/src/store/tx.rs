//! One transaction. Its operations stand in the files beside this one, by area.

use super::StoreError;
use super::sql::{Connection, Table};
use super::value::{Row, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// What a transaction leaves to be numbered at its end, when nobody else may number.
#[derive(Default)]
pub(super) struct Ending {
    /// News as JSON, in order.
    pub(super) news: Vec<String>,
    /// Events that are new: node, epoch, first and last sequence number, batch.
    pub(super) arrivals: Vec<(String, u32, i64, i64, i64)>,
}

/// One transaction.
pub(crate) struct Tx<'a> {
    sql: RefCell<&'a mut dyn Connection>,
    pub(super) port: &'a str,
    pub(super) ending: RefCell<Ending>,
}

fn checked(values: &[Value<'_>]) -> Result<(), StoreError> {
    let nul = |value: &Value<'_>| matches!(value, Value::Text(text) if text.contains('\0'));
    if values.iter().any(nul) { Err(StoreError::Nul) } else { Ok(()) }
}

impl<'a> Tx<'a> {
    pub(crate) fn new(sql: &'a mut dyn Connection, port: &'a str) -> Self {
        Self { sql: RefCell::new(sql), port, ending: RefCell::default() }
    }
    /// All rows.
    pub(super) fn query(&self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        checked(values)?;
        self.sql.borrow_mut().query(sql, values)
    }
    /// The first row.
    pub(super) fn one(&self, sql: &'static str, values: &[Value<'_>]) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, values)?.into_iter().next())
    }
    /// The first row's first cell, a number; 0 where there is none.
    pub(super) fn int(&self, sql: &'static str, values: &[Value<'_>]) -> Result<i64, StoreError> {
        self.one(sql, values)?.map_or(Ok(0), |row| row.int(0))
    }
    /// All rows of each.
    pub(super) fn query_many(
        &self,
        sql: &'static str,
        rows: &[Vec<Value<'_>>],
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        rows.iter().try_for_each(|values| checked(values))?;
        self.sql.borrow_mut().query_many(sql, rows)
    }
    /// Rows touched.
    pub(super) fn execute(&self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        checked(values)?;
        self.sql.borrow_mut().execute(sql, values)
    }
    /// Rows touched by each.
    pub(super) fn execute_many(
        &self,
        sql: &'static str,
        rows: &[Vec<Value<'_>>],
    ) -> Result<Vec<u64>, StoreError> {
        rows.iter().try_for_each(|values| checked(values))?;
        self.sql.borrow_mut().execute_many(sql, rows)
    }
    /// Which of the rows were new; the others are left as they are.
    pub(super) fn insert_new(&self, table: &Table, rows: &[Vec<Value<'_>>]) -> Result<Vec<bool>, StoreError> {
        rows.iter().try_for_each(|values| checked(values))?;
        self.sql.borrow_mut().insert_new(table, rows)
    }
    /// Holds names of this port to the end of the transaction: see [`super::sql::Sql::lock`].
    pub(super) fn lock(&self, names: &BTreeSet<String>) -> Result<(), StoreError> {
        let names: Vec<String> = names.iter().map(|name| format!("{}/{name}", self.port)).collect();
        self.sql.borrow_mut().lock(&names)
    }
    /// Holds one name.
    pub(super) fn lock_one(&self, name: impl Into<String>) -> Result<(), StoreError> {
        self.lock(&BTreeSet::from([name.into()]))
    }
    /// Everything of a node's is done by one transaction at a time.
    pub(crate) fn lock_node(&self, node: &gate_types::NodeId) -> Result<(), StoreError> {
        self.lock_one(format!("node/{node}"))
    }
}
