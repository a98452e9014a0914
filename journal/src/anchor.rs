//! The head file: the newest signed head and central's newest receipt, in a file of their own beside the
//! journal. Two slots are written in turn, so that a torn write costs at most the newer one.

use crate::finding::Finding;
use gate_types::head::{SignedHead, read_head};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Bytes of one slot.
const SLOT: usize = 4096;
const SLOTS: u64 = 2;

/// What one slot holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Slot {
    /// Counts the writes.
    pub(crate) n: u64,
    /// The signed head, compact JWS.
    pub(crate) head: String,
    /// Central's newest receipt, compact JWS.
    #[serde(default)]
    pub(crate) receipt: Option<String>,
}

/// The head file's path: beside the journal, `journal.db.head`.
pub(crate) fn path_of(journal: &Path) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(".head");
    PathBuf::from(name)
}

/// Both slots as far as they can be read, newest first, and what is wrong with the rest. A missing file
/// is an empty one.
pub(crate) fn read(journal: &Path) -> io::Result<(Vec<Slot>, Vec<Finding>)> {
    let file = match File::open(path_of(journal)) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), Vec::new())),
        Err(e) => return Err(e),
    };
    let (mut slots, mut findings) = (Vec::new(), Vec::new());
    for n in 0..SLOTS {
        let mut bytes = vec![0; SLOT];
        let got = file.read_at(&mut bytes, n * SLOT as u64)?;
        bytes.truncate(got);
        let text = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
        if bytes.iter().all(|b| *b == 0) {
            continue;
        }
        match serde_json::from_slice::<Slot>(text) {
            Ok(slot) => slots.push(slot),
            Err(e) => findings.push(Finding::HeadFile { why: format!("slot {n} is damaged: {e}") }),
        }
    }
    slots.sort_by_key(|slot| std::cmp::Reverse(slot.n));
    Ok((slots, findings))
}

/// The signed heads of these slots, and those that do not hold.
pub(crate) fn heads(slots: &[Slot]) -> (Vec<SignedHead>, Vec<Finding>) {
    let (mut heads, mut findings) = (Vec::new(), Vec::new());
    for slot in slots {
        match read_head(&slot.head) {
            Ok(head) => heads.push(head),
            Err(e) => findings.push(Finding::HeadFile { why: format!("the head of write {}: {e}", slot.n) }),
        }
    }
    (heads, findings)
}

/// The head file, open for writing.
#[derive(Debug)]
pub(crate) struct HeadFile {
    file: File,
    newest: Slot,
}

impl HeadFile {
    /// Opens or makes it; goes on counting after what it holds.
    pub(crate) fn open(journal: &Path) -> io::Result<Self> {
        let newest = read(journal)?.0.into_iter().next().unwrap_or_default();
        let path = path_of(journal);
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
        if file.metadata()?.len() < SLOT as u64 * SLOTS {
            file.set_len(SLOT as u64 * SLOTS)?;
            file.sync_all()?;
            if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
                File::open(folder)?.sync_all()?;
            }
        }
        Ok(Self { file, newest })
    }
    /// Writes a newer head; durable when this returns.
    pub(crate) fn head(&mut self, jws: String) -> io::Result<()> {
        self.newest.head = jws;
        self.write()
    }
    /// Writes a newer receipt; durable when this returns.
    pub(crate) fn receipt(&mut self, jws: String) -> io::Result<()> {
        self.newest.receipt = Some(jws);
        self.write()
    }
    fn write(&mut self) -> io::Result<()> {
        self.newest.n += 1;
        let mut bytes = serde_json::to_vec(&self.newest)?;
        if bytes.len() >= SLOT {
            return Err(io::Error::other("head and receipt are larger than a slot"));
        }
        bytes.resize(SLOT, b'\n');
        self.file.write_all_at(&bytes, self.newest.n % SLOTS * SLOT as u64)?;
        self.file.sync_data()
    }
}
