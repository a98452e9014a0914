//! A file held back for a full disk: when nothing else fits, it goes, and the last entries fit.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The reserve of one journal.
#[derive(Debug)]
pub(crate) struct Reserve {
    path: PathBuf,
    held: bool,
    wanted: bool,
}

impl Reserve {
    /// Holds `bytes` back beside the journal, as far as the disk has them.
    pub(crate) fn keep(journal: &Path, bytes: u64) -> Self {
        let mut name = journal.as_os_str().to_owned();
        name.push(".reserve");
        let path = PathBuf::from(name);
        if bytes == 0 {
            return Self { path, held: false, wanted: false };
        }
        let held = match fill(&path, bytes) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "no reserve for a full disk could be set aside");
                let _ = std::fs::remove_file(&path);
                false
            }
        };
        Self { path, held, wanted: true }
    }
    /// Gives the reserve's room back to the disk, once. False where there is none (any more).
    pub(crate) fn spend(&mut self) -> bool {
        if !self.held {
            return false;
        }
        self.held = false;
        let spent = std::fs::remove_file(&self.path).is_ok();
        tracing::error!("the disk is full: the journal's reserve is given up for the last entries");
        spent
    }
    /// It was held once and is used up.
    pub(crate) fn is_spent(&self) -> bool {
        self.wanted && !self.held
    }
}

/// Real blocks: a sparse file would hold nothing back.
fn fill(path: &Path, bytes: u64) -> io::Result<()> {
    let zeros = [0_u8; 64 << 10];
    let mut file = File::options().append(true).create(true).open(path)?;
    let mut length = file.metadata()?.len();
    while length < bytes {
        let part = zeros.len().min(usize::try_from(bytes - length).unwrap_or(zeros.len()));
        file.write_all(zeros.get(..part).unwrap_or(&zeros))?;
        length += part as u64;
    }
    file.sync_all()
}
