//! An entry made ready by whoever appends it, so that the one writer only numbers, chains and stores it.

use crate::error::JournalError;
use gate_types::chain::{Commitment, SALT, commitment};
use gate_types::entry::Entry;

/// An entry as it will be stored, but for its number and its place in the chain.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) lane: Option<String>,
    pub(crate) pass: Option<u64>,
    pub(crate) kind: &'static str,
    /// It travels, and gets a row in the outbox.
    pub(crate) travels: bool,
    pub(crate) body: String,
    pub(crate) salt: [u8; SALT],
    pub(crate) commitment: Commitment,
}

/// Makes entries ready; fails where one cannot be written as JSON or the system gives no random bytes.
pub(crate) fn prepare(entries: &[Entry]) -> Result<Vec<Prepared>, JournalError> {
    let mut random = vec![0; SALT * entries.len()];
    getrandom::fill(&mut random)
        .map_err(|e| JournalError::Stopped(format!("the system gives no random bytes: {e}")))?;
    let salts = random.chunks_exact(SALT);
    entries.iter().zip(salts).map(|(entry, random)| one(entry, random)).collect()
}

fn one(entry: &Entry, random: &[u8]) -> Result<Prepared, JournalError> {
    let body = serde_json::to_string(entry)
        .map_err(|e| JournalError::NotJson { kind: entry.body.kind(), what: e.to_string() })?;
    let mut salt = [0; SALT];
    salt.iter_mut().zip(random).for_each(|(salt, random)| *salt = *random);
    let lane = entry.pass.as_ref().map(|p| &p.lane).or(entry.lane.as_ref());
    Ok(Prepared {
        lane: lane.map(|lane| lane.as_str().to_owned()),
        pass: entry.pass.as_ref().map(|p| p.number),
        kind: entry.body.kind(),
        travels: entry.body.is_event(),
        commitment: commitment(&salt, &body),
        body,
        salt,
    })
}
