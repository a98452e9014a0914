//! Pictures that entries rest on, kept beside the journal by a thread of its own: no lane waits for them.

use gate_types::entry::{Entry, EntryBody};
use journal::ImageStore;
use lpr_ocr::FrameStore;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Pictures that may wait for the disk; more are not kept (I9).
const WAITING: usize = 32;

/// The way to the thread; cheap to clone.
#[derive(Debug, Clone)]
pub struct Pictures {
    frames: FrameStore,
    waiting: SyncSender<(String, Arc<[u8]>)>,
    store: Arc<Mutex<ImageStore>>,
    shed: Arc<AtomicBool>,
}

impl Pictures {
    /// Opens the folder and starts the thread.
    pub fn start(folder: &Path, most_bytes: u64, frames: FrameStore) -> std::io::Result<Self> {
        let store = Arc::new(Mutex::new(ImageStore::open(folder, most_bytes)?));
        let (waiting, queue) = sync_channel(WAITING);
        let kept = store.clone();
        std::thread::Builder::new().name("pictures".into()).spawn(move || keep(&queue, &kept))?;
        Ok(Self { frames, waiting, store, shed: Arc::default() })
    }
    /// Keeps the pictures that these entries name, as far as the cameras still have them.
    pub fn of(&self, entries: &[Entry]) {
        if self.shed.load(Ordering::Relaxed) {
            return;
        }
        for entry in entries {
            if let EntryBody::OpticalRead { read, .. } = &entry.body
                && !read.frame_sha256.is_empty()
                && let Some(frame) = self.frames.by_sha256(&read.frame_sha256)
                && self.waiting.try_send((frame.sha256, frame.jpeg)).is_err()
            {
                tracing::debug!(sha256 = read.frame_sha256, "too many pictures wait; one is not kept");
            }
        }
    }
    /// Whether pictures are left out because the disk is nearly full.
    pub fn shed(&self, shed: bool) {
        self.shed.store(shed, Ordering::Relaxed);
    }
    /// Removes pictures that were written before `moment`; their number.
    pub fn erase_before(&self, moment: SystemTime) -> usize {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).erase_before(moment)
    }
}

fn keep(queue: &Receiver<(String, Arc<[u8]>)>, store: &Mutex<ImageStore>) {
    while let Ok((sha256, jpeg)) = queue.recv() {
        let kept = store.lock().unwrap_or_else(PoisonError::into_inner).keep(&sha256, &jpeg);
        if let Err(error) = kept {
            tracing::warn!(%error, "a picture is not kept");
        }
    }
}
