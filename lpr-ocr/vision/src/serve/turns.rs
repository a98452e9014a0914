//! The workers of one lane read one frame after the other, as far as that goes: on few cores three frames
//! side by side would all come late, one after the other most of them come in time.
//!
//! The turn is a lock on a file, which the system gives back when a worker dies. Nobody waits long for it:
//! a worker that hangs with the turn costs the others a delay, not their reading.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

/// Longest wait for the turn; then the frame is read without it.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Time between looks whether it is free.
const LOOK: Duration = Duration::from_millis(5);

/// A lane's turns; none where each worker reads when it likes.
#[derive(Default)]
pub(crate) struct Turns(Option<File>);

/// The turn, until it is dropped.
pub(crate) struct Turn<'a>(Option<&'a File>);

impl Turns {
    /// Turns by the lock on this file, which is made where it is not there.
    pub(crate) fn open(path: Option<&Path>) -> Self {
        let Some(path) = path else { return Self(None) };
        match File::options().create(true).append(true).open(path) {
            Ok(file) => Self(Some(file)),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "frames are read without turns");
                Self(None)
            }
        }
    }
    /// Waits for the turn, not for ever.
    pub(crate) fn take(&self) -> Turn<'_> {
        let Some(file) = &self.0 else { return Turn(None) };
        let until = Instant::now() + LONGEST_WAIT;
        loop {
            match file.try_lock() {
                Ok(()) => return Turn(Some(file)),
                Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(LOOK),
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => return Turn(None),
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.map(File::unlock) {
            tracing::warn!(%error, "the turn was not given back");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_the_turn_and_nobody_waits_for_ever() {
        let folder = std::env::temp_dir().join(format!("varco-turns-{}", std::process::id()));
        let (a, b) = (Turns::open(Some(&folder)), Turns::open(Some(&folder)));
        let held = a.take();
        assert!(held.0.is_some());
        assert!(b.take().0.is_none(), "after the longest wait it goes without");
        drop(held);
        assert!(b.take().0.is_some());
        assert!(Turns::default().take().0.is_none());
        let _ = std::fs::remove_file(folder);
    }
}
