//! News for the stream: numbered in the order in which they became true, kept for a while, read by every
//! process that serves this database.

use super::value::values;
use super::{StoreError, Tx, print};
use gate_types::api::CentralEvent;

/// So many are kept for processes that follow.
const KEPT: i64 = 10_000;
/// Pruned once in so many.
const PRUNE: i64 = 500;

/// One of the news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct News {
    /// Counts from 1 for each port.
    pub(crate) n: i64,
    /// A [`CentralEvent`] as JSON.
    pub(crate) body: String,
}

impl Tx<'_> {
    /// Tells everybody once this transaction is durable.
    pub(crate) fn tell(&self, news: &[CentralEvent]) -> Result<(), StoreError> {
        for event in news {
            self.ending.borrow_mut().news.push(print("news", event)?);
        }
        Ok(())
    }

    /// Numbers what the transaction leaves: the last thing before its commit, so that numbers grow in the
    /// order of the commits and no reader passes one over. True where there are news.
    pub(crate) fn finish(&self) -> Result<bool, StoreError> {
        let ending = self.ending.take();
        if ending.news.is_empty() && ending.arrivals.is_empty() {
            return Ok(false);
        }
        self.lock_one("order")?;
        if !ending.arrivals.is_empty() {
            self.number_arrivals(&ending.arrivals)?;
        }
        if ending.news.is_empty() {
            return Ok(false);
        }
        let last = self.last_news()?;
        let numbered = ending.news.iter().zip(last + 1..);
        let rows: Vec<_> = numbered.map(|(body, n)| values![self.port, n, body].to_vec()).collect();
        self.execute_many("INSERT INTO news (port_id, n, body) VALUES ($1, $2, $3)", &rows)?;
        let newest = last + i64::try_from(rows.len()).unwrap_or(i64::MAX);
        if newest / PRUNE > last / PRUNE {
            self.execute(
                "DELETE FROM news WHERE port_id = $1 AND n <= $2",
                values![self.port, newest - KEPT],
            )?;
        }
        Ok(true)
    }

    /// The number of the newest; 0 where there is none.
    pub(crate) fn last_news(&self) -> Result<i64, StoreError> {
        self.int("SELECT coalesce(max(n), 0) FROM news WHERE port_id = $1", values![self.port])
    }

    /// News after a number, in order.
    pub(crate) fn news_after(&self, n: i64, limit: i64) -> Result<Vec<News>, StoreError> {
        let sql = "SELECT n, body FROM news WHERE port_id = $1 AND n > $2 ORDER BY n LIMIT $3";
        let rows = self.query(sql, values![self.port, n, limit])?;
        rows.iter().map(|row| Ok(News { n: row.int(0)?, body: row.text(1)?.to_owned() })).collect()
    }

    /// A setting of this port's.
    pub(crate) fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT value FROM settings WHERE port_id = $1 AND name = $2";
        self.one(sql, values![self.port, name])?.map(|row| Ok(row.text(0)?.to_owned())).transpose()
    }

    /// Keeps a setting, in the place of an earlier one.
    pub(crate) fn set(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO settings (port_id, name, value) VALUES ($1, $2, $3)
                   ON CONFLICT (port_id, name) DO UPDATE SET value = excluded.value";
        self.execute(sql, values![self.port, name, value])?;
        Ok(())
    }
}
