//! What is wrong with a journal, each with its position.

use std::fmt;
use std::path::PathBuf;

/// One loss, edit or contradiction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Numbers that no entry has, with entries after them.
    Missing {
        /// First missing number.
        from: u64,
        /// Last missing number.
        to: u64,
    },
    /// An entry that does not fit the chain: it or its predecessor was changed.
    Changed {
        /// Its number.
        seq: u64,
    },
    /// An entry whose lane, pass or kind column does not tell what its body does.
    Mislabelled {
        /// Its number.
        seq: u64,
    },
    /// The journal ends before entries that were anchored outside it.
    TailLost {
        /// First lost number.
        from: u64,
        /// Last number that is known to have been written.
        to: u64,
    },
    /// An anchored entry stands in the journal with another hash: history was written anew.
    Rewritten {
        /// Its number.
        seq: u64,
    },
    /// Entries that cannot be read from the file.
    Unreadable {
        /// First of them.
        from: u64,
        /// Last of them.
        to: u64,
        /// SQLite's words.
        why: String,
    },
    /// A signed head whose signature does not hold, or is by another key than expected.
    HeadNotGenuine {
        /// Where it claims to stand.
        seq: u64,
        /// Why.
        why: String,
    },
    /// The file was no sound database (any more) and was set aside; a new one was begun.
    SetAside {
        /// The folder in which it lies.
        folder: PathBuf,
        /// SQLite's words.
        why: String,
    },
    /// The file begins after entry 1, with an entry that follows none: what was before was set aside.
    BeginsAnew {
        /// Its first entry.
        at: u64,
    },
    /// The head file beside the journal is damaged.
    HeadFile {
        /// What is wrong.
        why: String,
    },
    /// The database is damaged in a part that holds no entries.
    Database {
        /// SQLite's words.
        why: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |f: &mut fmt::Formatter<'_>, from: u64, to: u64| {
            if from == to { write!(f, "entry {from}") } else { write!(f, "entries {from} to {to}") }
        };
        match self {
            Finding::Missing { from, to } => {
                range(f, *from, *to)?;
                let (are, their) = if from == to { ("is", "its") } else { ("are", "their") };
                write!(f, " {are} missing: entry {} stands in {their} place", to + 1)
            }
            Finding::Changed { seq } => {
                write!(f, "entry {seq} does not fit the chain: it or its predecessor was changed")
            }
            Finding::Mislabelled { seq } => {
                write!(f, "entry {seq} is filed under another lane, pass or kind than its content tells")
            }
            Finding::TailLost { from, to } => {
                range(f, *from, *to)?;
                write!(f, " lost: they were anchored outside the journal and its tail was cut")
            }
            Finding::Rewritten { seq } => {
                write!(
                    f,
                    "entry {seq} is not the one that was signed: history was written anew at or below it"
                )
            }
            Finding::Unreadable { from, to, why } => {
                range(f, *from, *to)?;
                write!(f, " cannot be read: {why}")
            }
            Finding::HeadNotGenuine { seq, why } => {
                write!(f, "signed head at entry {seq} is not genuine: {why}")
            }
            Finding::SetAside { folder, why } => write!(
                f,
                "the database could not be used ({why}); it was set aside in {} and a new one was begun",
                folder.display()
            ),
            Finding::BeginsAnew { at } => {
                write!(f, "the journal begins at entry {at}: ")?;
                range(f, 1, at.saturating_sub(1))?;
                write!(f, " are in a file that was set aside, see the folder `quarantine` beside the journal")
            }
            Finding::HeadFile { why } => write!(f, "head file: {why}"),
            Finding::Database { why } => write!(f, "database structure: {why}"),
        }
    }
}
