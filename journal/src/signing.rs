//! The thread that signs heads and keeps the head file, so that neither signature nor its fsync stand on
//! the way of a commit.

use crate::anchor::HeadFile;
use gate_types::head::{HeadSigner, SignedHead};
use gate_types::{BootEpoch, EntrySeq};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError, TrySendError, channel, sync_channel};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::watch;

/// The newest signed head, for whoever sends it on.
pub(crate) type HeadWatch = watch::Receiver<Option<Arc<SignedHead>>>;

/// Jobs that may wait: a head is only asked for when none is under way, a receipt now and then.
const JOBS: usize = 8;
/// How long an end waits for the last head.
const LAST: Duration = Duration::from_secs(2);

/// What the thread is asked to do.
pub(crate) enum Job {
    Sign { epoch: BootEpoch, seq: EntrySeq, hash: String },
    Receipt { jws: String },
}

/// The writer's end of the thread.
pub(crate) struct Signing {
    jobs: SyncSender<Job>,
    signed: Receiver<SignedHead>,
    /// A head is being signed.
    pub(crate) pending: bool,
    /// The last entry that a signature was asked for.
    pub(crate) asked: EntrySeq,
}

impl Signing {
    /// Starts the thread.
    pub(crate) fn start(
        journal: &Path,
        signer: HeadSigner,
        known: Option<SignedHead>,
    ) -> std::io::Result<(Self, HeadWatch)> {
        let file = HeadFile::open(journal)?;
        let (jobs, queue) = sync_channel(JOBS);
        let (done, signed) = channel();
        let (publish, heads) = watch::channel(known.map(Arc::new));
        std::thread::Builder::new()
            .name("journal heads".into())
            .spawn(move || work(&signer, file, &queue, &done, &publish))?;
        Ok((Self { jobs, signed, pending: false, asked: EntrySeq(0) }, heads))
    }
    /// Asks for a head; a thread that is behind is asked again later.
    pub(crate) fn ask(&mut self, epoch: BootEpoch, seq: EntrySeq, hash: String) {
        match self.jobs.try_send(Job::Sign { epoch, seq, hash }) {
            Ok(()) => {
                self.pending = true;
                self.asked = seq;
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }
    /// Hands a receipt over for the head file; one that finds no room is written with a later one.
    pub(crate) fn receipt(&self, jws: String) {
        if self.jobs.try_send(Job::Receipt { jws }).is_err() {
            tracing::debug!("the head file takes central's next receipt instead");
        }
    }
    /// A head that is done.
    pub(crate) fn take(&mut self) -> Option<SignedHead> {
        match self.signed.try_recv() {
            Ok(head) => {
                self.pending = false;
                Some(head)
            }
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                self.pending = false;
                None
            }
        }
    }
    /// Waits for the head under way, at an end.
    pub(crate) fn last(&mut self) -> Option<SignedHead> {
        let until = Instant::now() + LAST;
        if !self.pending {
            return None;
        }
        self.pending = false;
        self.signed.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
    }
}

fn work(
    signer: &HeadSigner,
    mut file: HeadFile,
    queue: &Receiver<Job>,
    done: &Sender<SignedHead>,
    publish: &watch::Sender<Option<Arc<SignedHead>>>,
) {
    while let Ok(job) = queue.recv() {
        let written = match job {
            Job::Receipt { jws } => file.receipt(jws),
            Job::Sign { epoch, seq, hash } => match signer.sign(epoch, seq, &hash, wall_ms()) {
                Ok(signed) => {
                    let written = file.head(signed.jws.clone());
                    publish.send_replace(Some(Arc::new(signed.clone())));
                    // The writer is gone only at the end.
                    let _ = done.send(signed);
                    written
                }
                Err(error) => {
                    tracing::error!(%error, "a head of the journal cannot be signed");
                    return;
                }
            },
        };
        if let Err(error) = written {
            tracing::warn!(%error, "the journal's head file cannot be written; look at the disk");
        }
    }
}

/// Wall clock, milliseconds since 1970.
pub(crate) fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
