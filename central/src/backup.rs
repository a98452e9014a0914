//! Backup and restore of a whole database, of either kind into either kind. The file is text: a first line
//! that says what it is, then each table with its rows in the order of their keys, and a last line that
//! counts them and holds the SHA-256 of everything before it. Two databases with the same content give the
//! same file. The keys in the state folder are no part of it.

use crate::store::schema::{TABLES, version};
use crate::store::sql::{Access, Connection, Kind, Table};
use crate::store::value::{Cell, Row, Value};
use crate::store::{self, Database, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Rows that are inserted at once.
const ROWS: usize = 500;
/// Longest line: an entry is at most a request's body.
const LINE: usize = 8 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    varco_central_backup: u32,
    schema: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TableHead {
    table: String,
    columns: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tail {
    rows: u64,
    sha256: String,
}

/// What was written or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Rows over all tables.
    pub rows: u64,
    /// SHA-256 of the file before its last line, lower-case hex.
    pub sha256: String,
}

fn broken(what: impl std::fmt::Display) -> StoreError {
    StoreError::Backup(what.to_string())
}

fn names(table: &Table) -> Vec<String> {
    table.columns.iter().map(|(name, _)| (*name).to_owned()).collect()
}

struct Hashing<W> {
    out: W,
    hash: Sha256,
}

impl<W: Write> Hashing<W> {
    fn line(&mut self, json: &impl Serialize) -> Result<(), StoreError> {
        let mut text = serde_json::to_vec(json).map_err(broken)?;
        text.push(b'\n');
        self.hash.update(&text);
        Ok(self.out.write_all(&text)?)
    }
}

fn json_of(cell: &Cell) -> Json {
    match cell {
        Cell::Null => Json::Null,
        Cell::Int(n) => Json::from(*n),
        Cell::Text(text) => Json::from(text.as_str()),
        Cell::Bytes(bytes) => Json::from(hex::encode(bytes)),
    }
}

fn cell_of(kind: Kind, json: Json) -> Result<Cell, StoreError> {
    match (kind, json) {
        (_, Json::Null) => Ok(Cell::Null),
        (Kind::Int, Json::Number(n)) => {
            n.as_i64().map(Cell::Int).ok_or_else(|| broken(format!("{n} is no whole number")))
        }
        (Kind::Text, Json::String(text)) => Ok(Cell::Text(text)),
        (Kind::Bytes, Json::String(text)) => hex::decode(text).map(Cell::Bytes).map_err(broken),
        (kind, json) => Err(broken(format!("{json} stands where {kind:?} should"))),
    }
}

/// Writes everything that the database holds at one moment, while others go on writing to it.
pub fn backup(database: &Database, path: &Path) -> Result<Saved, StoreError> {
    let mut connection = store::connect(database)?;
    let part = path.with_extension("part");
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
    let told = |e| broken(format!("{}: {e}; check the folder's rights and space", part.display()));
    let mut to = Hashing { out: BufWriter::new(file.map_err(told)?), hash: Sha256::new() };
    let saved = written(connection.as_mut(), &mut to);
    connection.rollback();
    let finished = saved.and_then(|saved| {
        let file = to.out.into_inner().map_err(|e| broken(e.error()))?;
        file.sync_all()?;
        std::fs::rename(&part, path)?;
        Ok(saved)
    });
    if finished.is_err() {
        // What is left of it is of no use; if it cannot be removed, it lies there under its own name.
        drop(std::fs::remove_file(&part));
    }
    finished
}

fn written(connection: &mut dyn Connection, to: &mut Hashing<impl Write>) -> Result<Saved, StoreError> {
    connection.begin(Access::Read)?;
    let mut rows = 0;
    to.line(&Head { varco_central_backup: 1, schema: version() })?;
    for table in TABLES {
        to.line(&TableHead { table: table.name.to_owned(), columns: names(table) })?;
        connection.export(table, &mut |Row(cells)| {
            rows += 1;
            to.line(&cells.iter().map(json_of).collect::<Vec<_>>())
        })?;
    }
    let sha256 = hex::encode(to.hash.clone().finalize());
    to.line(&Tail { rows, sha256: sha256.clone() })?;
    Ok(Saved { rows, sha256 })
}

/// Fills an empty database from a backup: all of it, or nothing.
pub fn restore(database: &Database, path: &Path) -> Result<Saved, StoreError> {
    let file = std::fs::File::open(path).map_err(|e| broken(format!("{}: {e}", path.display())))?;
    let mut connection = store::connect(database)?;
    connection.begin(Access::Write)?;
    let done = filled(connection.as_mut(), &mut BufReader::new(file)).and_then(|saved| {
        connection.commit()?;
        Ok(saved)
    });
    connection.rollback();
    done
}

struct Lines<'a, R> {
    from: &'a mut R,
    hash: Sha256,
    number: u64,
}

impl<R: BufRead> Lines<'_, R> {
    fn next(&mut self) -> Result<Vec<u8>, StoreError> {
        let mut line = Vec::new();
        let limit = u64::try_from(LINE).unwrap_or(u64::MAX);
        std::io::Read::take(&mut *self.from, limit).read_until(b'\n', &mut line)?;
        self.number += 1;
        if line.last() != Some(&b'\n') {
            return Err(broken(format!(
                "line {}: the file ends here or the line is too long; it is cut",
                self.number
            )));
        }
        Ok(line)
    }
}

fn filled(connection: &mut dyn Connection, from: &mut impl BufRead) -> Result<Saved, StoreError> {
    let mut lines = Lines { from, hash: Sha256::new(), number: 0 };
    let line = lines.next()?;
    let head: Head =
        serde_json::from_slice(&line).map_err(|e| broken(format!("no backup of central: {e}")))?;
    if (head.varco_central_backup, head.schema) != (1, version()) {
        return Err(broken(format!(
            "it is of schema {}, this program writes {}; restore it with the program that wrote it",
            head.schema,
            version()
        )));
    }
    lines.hash.update(&line);
    let mut table: Option<&Table> = None;
    let mut cells: Vec<Vec<Cell>> = Vec::new();
    let mut rows = 0;
    let mut seen = 0;
    loop {
        let line = lines.next()?;
        let at = lines.number;
        let json: Json = serde_json::from_slice(&line).map_err(|e| broken(format!("line {at}: {e}")))?;
        match json {
            Json::Array(of) => {
                let here = table.ok_or_else(|| broken(format!("line {at}: a row without a table")))?;
                if of.len() != here.columns.len() {
                    return Err(broken(format!("line {at}: {} cells, not {}", of.len(), here.columns.len())));
                }
                let row = here.kinds_and(of).map(|(kind, json)| cell_of(kind, json));
                cells.push(row.collect::<Result<_, _>>().map_err(|e| broken(format!("line {at}: {e}")))?);
                rows += 1;
                if cells.len() == ROWS {
                    insert(connection, table, &mut cells)?;
                }
            }
            Json::Object(_) => {
                insert(connection, table, &mut cells)?;
                if let Ok(tail) = serde_json::from_slice::<Tail>(&line) {
                    let sha256 = hex::encode(lines.hash.finalize());
                    if (tail.rows, &tail.sha256) != (rows, &sha256) || seen != TABLES.len() {
                        return Err(broken(
                            "its rows do not come to the sum at its end; it was changed or cut",
                        ));
                    }
                    return Ok(Saved { rows, sha256 });
                }
                let named: TableHead =
                    serde_json::from_slice(&line).map_err(|e| broken(format!("line {at}: {e}")))?;
                let next = TABLES.get(seen).filter(|t| t.name == named.table && names(t) == named.columns);
                let next =
                    next.ok_or_else(|| broken(format!("line {at}: table {} is not the next", named.table)))?;
                demand_empty(connection, next)?;
                table = Some(next);
                seen += 1;
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
                return Err(broken(format!("line {at}: neither a table nor a row")));
            }
        }
        lines.hash.update(&line);
    }
}

impl Table {
    fn kinds_and(&self, of: Vec<Json>) -> impl Iterator<Item = (Kind, Json)> {
        self.columns.iter().map(|(_, kind)| *kind).zip(of)
    }
}

fn demand_empty(connection: &mut dyn Connection, table: &Table) -> Result<(), StoreError> {
    let full =
        || broken(format!("table {} of the database is not empty; restore into a new one", table.name));
    connection.export(table, &mut |_| Err(full()))
}

fn insert(
    connection: &mut dyn Connection,
    table: Option<&Table>,
    cells: &mut Vec<Vec<Cell>>,
) -> Result<(), StoreError> {
    if let Some(table) = table {
        let rows: Vec<Vec<Value<'_>>> =
            cells.iter().map(|row| row.iter().map(Cell::value).collect()).collect();
        if connection.insert_new(table, &rows)?.contains(&false) {
            return Err(broken(format!("table {} has a key twice", table.name)));
        }
    }
    cells.clear();
    Ok(())
}
