//! Values, rows and errors as PostgreSQL has them.

use crate::store::StoreError;
use crate::store::sql::{Failure, Kind, Table};
use crate::store::value::{Cell, Row, Value};
use bytes::BytesMut;
use std::error::Error as StdError;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(n) if *ty == Type::INT8 => n.to_sql(ty, out),
            Self::Int(n) if *ty == Type::INT4 => i32::try_from(*n)?.to_sql(ty, out),
            Self::Int(_) => Err(format!("a number does not go into a parameter of type {ty}").into()),
            Self::Text(text) => text.to_sql(ty, out),
            Self::Bytes(bytes) => bytes.to_sql(ty, out),
        }
    }
    fn accepts(_: &Type) -> bool {
        true
    }
    to_sql_checked!();
}

pub(super) fn failure_of(e: &tokio_postgres::Error) -> Failure {
    let Some(code) = e.code() else {
        // No answer of the server: the connection, or a value of ours that does not fit.
        return if e.is_closed() || e.source().is_some_and(|s| s.is::<std::io::Error>()) {
            Failure::Lost
        } else {
            Failure::Other
        };
    };
    let again = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::UNIQUE_VIOLATION,
        SqlState::LOCK_NOT_AVAILABLE,
    ];
    let gone = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW];
    if again.contains(code) {
        Failure::Collision
    } else if gone.contains(code) || code.code().starts_with("08") || *code == SqlState::TOO_MANY_CONNECTIONS
    {
        Failure::Lost
    } else {
        Failure::Other
    }
}

/// The whole chain of causes: the outermost says little.
pub(super) fn told(e: &tokio_postgres::Error, failure: Failure) -> StoreError {
    let mut text = e.to_string();
    let mut cause = e.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    match failure {
        Failure::Lost => StoreError::Unavailable(text),
        Failure::Collision | Failure::Other => StoreError::Postgres(text),
    }
}

fn cell(row: &tokio_postgres::Row, n: usize, ty: &Type) -> Result<Cell, tokio_postgres::Error> {
    Ok(match *ty {
        Type::INT8 => row.try_get::<_, Option<i64>>(n)?.map_or(Cell::Null, Cell::Int),
        Type::INT4 => row.try_get::<_, Option<i32>>(n)?.map_or(Cell::Null, |n| Cell::Int(i64::from(n))),
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(n)?.map_or(Cell::Null, Cell::Bytes),
        _ => row.try_get::<_, Option<String>>(n)?.map_or(Cell::Null, Cell::Text),
    })
}

pub(super) fn cells(row: &tokio_postgres::Row) -> Result<Row, tokio_postgres::Error> {
    let columns = row.columns().iter().enumerate();
    Ok(Row(columns.map(|(n, column)| cell(row, n, column.type_())).collect::<Result<_, _>>()?))
}

/// One column of many rows, as an array.
pub(super) fn column<'a>(kind: Kind, rows: &[Vec<Value<'a>>], n: usize) -> Box<dyn ToSql + Sync + 'a> {
    let of = rows.iter().map(|row| row.get(n).copied().unwrap_or(Value::Null));
    match kind {
        Kind::Int => {
            Box::new(of.map(|v| if let Value::Int(n) = v { Some(n) } else { None }).collect::<Vec<_>>())
        }
        Kind::Text => {
            Box::new(of.map(|v| if let Value::Text(t) = v { Some(t) } else { None }).collect::<Vec<_>>())
        }
        Kind::Bytes => {
            Box::new(of.map(|v| if let Value::Bytes(b) = v { Some(b) } else { None }).collect::<Vec<_>>())
        }
    }
}

impl Table {
    /// One statement for any number of rows; it gives back the keys of those that are new.
    pub(super) fn insert(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        let arrays = self.kinds().enumerate().map(|(n, kind)| {
            let ty = match kind {
                Kind::Int => "int8",
                Kind::Text => "text",
                Kind::Bytes => "bytea",
            };
            format!("${}::{ty}[]", n + 1)
        });
        format!(
            "INSERT INTO {} ({}) SELECT * FROM unnest({}) ON CONFLICT DO NOTHING RETURNING {}",
            self.name,
            names.join(", "),
            arrays.collect::<Vec<_>>().join(", "),
            names.iter().take(self.key).copied().collect::<Vec<_>>().join(", ")
        )
    }
}
