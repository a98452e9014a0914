//! What can go wrong with the journal. None of it is retried: after a failed commit nobody knows what
//! the disk holds, so the daemon stops, restarts and verifies.

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
    /// A pass cannot be proven.
    #[error("journal {path}: {what}")]
    NoProof {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        what: String,
    },
    /// An earlier write failed or the writer has stopped.
    #[error("journal is stopped after an earlier failure: {0}")]
    Stopped(String),
}
