//! What can go wrong with the journal. None of it is retried: after a failed commit nobody knows what
//! the disk holds, so the daemon stops, restarts and verifies.

use rusqlite::ErrorCode;
use std::path::PathBuf;

/// A journal that cannot be opened, written or read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// SQLite refused.
    #[error("journal {path}: {what}: {source_text}; check the disk and its free space")]
    Database {
        /// The file.
        path: PathBuf,
        /// What was being done.
        what: &'static str,
        /// SQLite's words.
        source_text: String,
        /// The file is not a sound database (any more).
        damaged: bool,
    },
    /// The linked SQLite or its settings cannot give the durability that is promised.
    #[error("journal {path}: {what}")]
    NotDurable {
        /// The file.
        path: PathBuf,
        /// Which promise fails.
        what: String,
    },
    /// A stored body is not an entry of a known version.
    #[error("journal {path}: entry {seq}: {what}")]
    Body {
        /// The file.
        path: PathBuf,
        /// Its number.
        seq: u64,
        /// The parser's words.
        what: String,
    },
    /// An entry cannot be written as JSON.
    #[error("an entry of kind {kind} cannot be written as JSON: {what}; this is a defect, please report it")]
    NotJson {
        /// Its kind.
        kind: &'static str,
        /// The serializer's words.
        what: String,
    },
    /// A pass cannot be proven.
    #[error("journal {path}: {what}")]
    NoProof {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        what: String,
    },
    /// A damaged journal cannot be set aside.
    #[error("journal {path}: damaged, and cannot be set aside: {what}; move it away by hand")]
    NotSetAside {
        /// The file.
        path: PathBuf,
        /// The system's words.
        what: String,
    },
    /// An earlier write failed or the writer has stopped.
    #[error("journal is stopped after an earlier failure: {0}")]
    Stopped(String),
}

impl JournalError {
    /// The file is not a sound database: setting it aside helps, trying again does not.
    pub fn is_damage(&self) -> bool {
        match self {
            JournalError::Database { damaged, .. } => *damaged,
            JournalError::NotDurable { .. }
            | JournalError::Body { .. }
            | JournalError::NotJson { .. }
            | JournalError::NoProof { .. }
            | JournalError::NotSetAside { .. }
            | JournalError::Stopped(_) => false,
        }
    }
}

/// What SQLite says of a file that is not a sound database.
pub(crate) fn tells_of_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
