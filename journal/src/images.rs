//! Pictures beside the journal, each under its own SHA-256, which stands in the entry that rests on it:
//! `images/ab/abcd....jpg`. Bounded by size: the oldest go first (I9).

use gate_types::chain::sha256_hex;
use std::collections::VecDeque;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Longest address: a SHA-256 in hex.
const ADDRESS: usize = 64;

/// What became of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It was written.
    New,
    /// It was there already.
    Known,
}

/// The folder of pictures.
#[derive(Debug)]
pub struct ImageStore {
    folder: PathBuf,
    most_bytes: u64,
    bytes: u64,
    /// Oldest first.
    held: VecDeque<(SystemTime, String, u64)>,
}

fn is_address(text: &str) -> bool {
    text.len() == ADDRESS && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn path_in(folder: &Path, sha256: &str) -> PathBuf {
    folder.join(sha256.get(..2).unwrap_or_default()).join(format!("{sha256}.jpg"))
}

impl ImageStore {
    /// Opens or makes the folder and counts what it holds.
    pub fn open(folder: &Path, most_bytes: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut found = Vec::new();
        for shard in fs::read_dir(folder)?.flatten().filter(|e| e.path().is_dir()) {
            for file in fs::read_dir(shard.path())?.flatten() {
                let name = file.file_name().to_string_lossy().into_owned();
                let metadata = file.metadata()?;
                match name.strip_suffix(".jpg").filter(|n| is_address(n)) {
                    Some(sha256) => {
                        let age = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                        found.push((age, sha256.to_owned(), metadata.len()));
                    }
                    // Half a picture of a run that was killed.
                    None if name.ends_with(".part") => drop(fs::remove_file(file.path())),
                    None => {}
                }
            }
        }
        found.sort();
        let bytes = found.iter().map(|f| f.2).sum();
        let mut store = Self { folder: folder.to_path_buf(), most_bytes, bytes, held: found.into() };
        store.bound();
        Ok(store)
    }
    /// Keeps a picture under its address; one whose bytes have another address is refused. It appears whole
    /// or not at all, and may be lost with the power: the entry then names a picture that is not there.
    pub fn keep(&mut self, sha256: &str, jpeg: &[u8]) -> io::Result<Kept> {
        if !is_address(sha256) || sha256_hex(jpeg) != sha256 {
            return Err(io::Error::other(format!("a picture is not the one of its address {sha256}")));
        }
        let path = path_in(&self.folder, sha256);
        if path.exists() {
            return Ok(Kept::Known);
        }
        if let Some(shard) = path.parent() {
            fs::create_dir_all(shard)?;
        }
        let part = path.with_extension("part");
        let written = fs::File::create(&part).and_then(|mut file| file.write_all(jpeg));
        if let Err(error) = written.and_then(|()| fs::rename(&part, &path)) {
            let _ = fs::remove_file(&part);
            return Err(error);
        }
        self.bytes += jpeg.len() as u64;
        self.held.push_back((SystemTime::now(), sha256.to_owned(), jpeg.len() as u64));
        self.bound();
        Ok(Kept::New)
    }
    /// Removes pictures that were written before `moment`; their number.
    pub fn erase_before(&mut self, moment: SystemTime) -> usize {
        let mut erased = 0;
        while self.held.front().is_some_and(|f| f.0 < moment) {
            self.drop_oldest();
            erased += 1;
        }
        erased
    }
    /// Bytes held.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
    /// A picture of a store's folder, checked against its address; none where it is not there (any more).
    pub fn read(folder: &Path, sha256: &str) -> Option<Vec<u8>> {
        if !is_address(sha256) {
            return None;
        }
        fs::read(path_in(folder, sha256)).ok().filter(|jpeg| sha256_hex(jpeg) == sha256)
    }
    fn bound(&mut self) {
        while self.bytes > self.most_bytes && !self.held.is_empty() {
            self.drop_oldest();
        }
    }
    fn drop_oldest(&mut self) {
        if let Some((_, sha256, bytes)) = self.held.pop_front() {
            let _ = fs::remove_file(path_in(&self.folder, &sha256));
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }
}
