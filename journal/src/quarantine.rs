//! A journal that SQLite cannot use is set aside whole, as it was found: it is evidence, and what is in it
//! may still be read by other means. Nothing is ever deleted here.

use crate::error::JournalError;
use crate::signing::wall_ms;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folder beside the journal.
const FOLDER: &str = "quarantine";
/// Seconds from 1970 to the beginning of 2020, from which the epochs of unknown journals count.
const FROM_S: i64 = 1_577_836_800;

/// Moves the database and its log into a folder of their own, `quarantine/MILLISECONDS`, and copies the head
/// file to them; it stays in its place too, because it knows which numbers were used.
pub(crate) fn set_aside(journal: &Path) -> Result<PathBuf, JournalError> {
    let refuse =
        |e: io::Error| JournalError::NotSetAside { path: journal.to_path_buf(), what: e.to_string() };
    let beside = journal.parent().unwrap_or(Path::new("."));
    let mut folder = beside.join(FOLDER).join(wall_ms().to_string());
    while folder.exists() {
        folder.as_mut_os_string().push("-");
    }
    fs::create_dir_all(&folder).map_err(refuse)?;
    for end in ["", "-wal", "-shm"] {
        let from = with_end(journal, end);
        if from.exists() {
            fs::rename(&from, folder.join(from.file_name().unwrap_or_default())).map_err(refuse)?;
        }
    }
    let head = with_end(journal, ".head");
    if head.exists() {
        fs::copy(&head, folder.join(head.file_name().unwrap_or_default())).map_err(refuse)?;
    }
    for changed in [folder.as_path(), beside] {
        fs::File::open(changed).and_then(|folder| folder.sync_all()).map_err(refuse)?;
    }
    Ok(folder)
}

fn with_end(journal: &Path, end: &str) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// An epoch that no journal without a known past has had: seconds since 2020. A clock that goes wrong costs
/// order among epochs, not their difference.
pub(crate) fn epoch_of_the_clock() -> u32 {
    u32::try_from((wall_ms() / 1_000 - FROM_S).max(1)).unwrap_or(u32::MAX - 1)
}
