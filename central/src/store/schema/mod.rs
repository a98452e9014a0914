//! The tables: what both kinds of database hold, and the steps from one version of it to the next.

mod postgres;
mod sqlite;
mod tables;

pub(super) use postgres::STEPS as POSTGRES;
pub(super) use sqlite::STEPS as SQLITE;
pub(crate) use tables::{ALARMS, EVENTS, LOG_NODES, MISSION_KEYS, TABLES};

/// The version of the tables that this program writes, the same for both kinds.
pub(crate) fn version() -> i64 {
    i64::try_from(SQLITE.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::store::sql::Kind;
    use std::collections::{BTreeMap, BTreeSet};

    type Columns = BTreeMap<String, BTreeSet<(String, Kind)>>;

    fn kind(declared: &str) -> Kind {
        match declared {
            "INTEGER" | "BIGINT" => Kind::Int,
            "BLOB" | "BYTEA" => Kind::Bytes,
            "TEXT" => Kind::Text,
            other => panic!("{other}"),
        }
    }

    fn as_data() -> Columns {
        let of = |table: &crate::store::sql::Table| {
            let columns = table.columns.iter().map(|(name, kind)| ((*name).to_owned(), *kind));
            (table.name.to_owned(), columns.collect())
        };
        TABLES.iter().map(of).collect()
    }

    #[test]
    fn both_databases_have_the_tables_that_stand_as_data() {
        let database = rusqlite::Connection::open_in_memory().unwrap();
        for step in SQLITE {
            database.execute_batch(step).unwrap();
        }
        let mut sqlite = Columns::new();
        let sql = "SELECT t.name, c.name, c.type FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'";
        let mut statement = database.prepare(sql).unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let (table, column, declared): (String, String, String) =
                (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap());
            sqlite.entry(table).or_default().insert((column, kind(&declared)));
        }
        assert_eq!(sqlite, as_data());

        let mut postgres = Columns::new();
        for statement in POSTGRES.iter().flat_map(|(_, sql)| sql.split(";\n")) {
            let added = statement
                .trim()
                .strip_prefix("ALTER TABLE ")
                .and_then(|rest| rest.split_once(" ADD COLUMN "));
            if let Some((table, column)) = added {
                let mut words = column.split_whitespace();
                let (column, declared) = (words.next().unwrap(), words.next().unwrap());
                postgres.entry(table.to_owned()).or_default().insert((column.to_owned(), kind(declared)));
                continue;
            }
            let Some(rest) = statement.trim().strip_prefix("CREATE TABLE ") else { continue };
            let (table, columns) = rest.split_once(" (\n").unwrap_or((rest, ""));
            let columns = columns.lines().map(str::trim).filter(|line| !line.starts_with(')'));
            for line in columns.filter(|line| !line.starts_with("PRIMARY") && !line.starts_with("UNIQUE")) {
                let mut words = line.split_whitespace();
                let (column, declared) = (words.next().unwrap(), words.next().unwrap());
                let declared = declared.trim_end_matches(',');
                postgres.entry(table.to_owned()).or_default().insert((column.to_owned(), kind(declared)));
            }
        }
        assert_eq!(postgres, as_data());
        assert_eq!(POSTGRES.last().unwrap().0, version());
    }
}
