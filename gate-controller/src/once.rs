//! Names that count once: commands and gate passes that were taken. Durable before anything is done with
//! them, and forgotten when their time is over.

use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Most names that are kept at once.
const MOST: usize = 16_384;

/// A file of names with the moment of their end.
#[derive(Debug)]
pub struct Once {
    file: PathBuf,
    names: BTreeMap<String, i64>,
}

impl Once {
    /// Opens or begins the file; one that cannot be read is an error, because what was done would be done
    /// again.
    pub fn open(file: PathBuf) -> Result<Self> {
        let names = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .with_context(|| format!("{}: remove it after every command has expired", file.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error).with_context(|| file.display().to_string()),
        };
        Ok(Self { file, names })
    }
    /// Whether a name was taken before.
    pub fn taken(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }
    /// Takes a name until `expires_at_ms`: true when it is new. It is on the disk when this returns.
    pub fn take(&mut self, name: &str, expires_at_ms: i64, now_ms: i64) -> Result<bool> {
        if self.taken(name) {
            return Ok(false);
        }
        self.names.retain(|_, end| *end > now_ms);
        if self.names.len() >= MOST {
            bail!("{MOST} names are in use; wait until some of them expire");
        }
        self.names.insert(name.to_owned(), expires_at_ms);
        if let Err(error) = self.write() {
            self.names.remove(name);
            return Err(error.context(self.file.display().to_string()));
        }
        Ok(true)
    }
    fn write(&self) -> Result<()> {
        replace(&self.file, &serde_json::to_vec(&self.names)?)
    }
}

/// Replaces a file's content; the old or the new one is on the disk at any moment, the new one when this
/// returns.
pub(crate) fn replace(file: &Path, content: &[u8]) -> Result<()> {
    let beside = file.with_extension("new");
    let mut new = File::create(&beside)?;
    new.write_all(content)?;
    new.sync_all()?;
    std::fs::rename(&beside, file)?;
    let folder = file.parent().unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_counts_once_also_after_a_restart_until_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("commands.json");
        let mut once = Once::open(file.clone()).unwrap();
        assert!(once.take("a", 100, 0).unwrap() && !once.take("a", 100, 0).unwrap());
        let mut again = Once::open(file.clone()).unwrap();
        assert!(again.taken("a") && !again.take("a", 100, 50).unwrap());
        assert!(again.take("b", 200, 150).unwrap());
        assert!(!again.taken("a"), "an expired name is refused by its time, not by memory");
        std::fs::write(&file, "rubbish").unwrap();
        assert!(Once::open(file).is_err());
    }
}
