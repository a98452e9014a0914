//! The daemon's tasks: whichever ends tells how.

use crate::wiring;
use journal::JournalError;
use std::collections::HashMap;
use tokio::task::{Id, JoinSet};

/// How the daemon ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The journal cannot be written; nothing moves without a record.
    #[error("{0}; arm and lamps stay as they are; the daemon must be started again")]
    Journal(#[from] JournalError),
    /// A task of the daemon panicked.
    #[error("{name} ended unexpectedly: {why}; this is a defect, please report it with the log")]
    Task {
        /// The task.
        name: String,
        /// The panic or the reason.
        why: String,
    },
}

/// The daemon's tasks by name.
#[derive(Default)]
pub(super) struct Tasks {
    set: JoinSet<Result<(), JournalError>>,
    names: HashMap<Id, String>,
}

impl Tasks {
    pub(super) fn add(
        &mut self,
        name: String,
        task: impl Future<Output = Result<(), JournalError>> + Send + 'static,
    ) {
        let handle = self.set.spawn(task);
        self.names.insert(handle.id(), name);
    }
    /// The next task that ends. Drivers end when their lane does; that is no failure.
    pub(super) async fn next(&mut self) -> Option<(String, Result<(), Failure>)> {
        let (id, result) = match self.set.join_next_with_id().await? {
            Ok((id, Ok(()))) => (id, Ok(())),
            Ok((id, Err(error))) => (id, Err(Failure::Journal(error))),
            Err(error) => {
                let name = self.names.get(&error.id()).cloned().unwrap_or_default();
                (error.id(), Err(Failure::Task { name, why: error.to_string() }))
            }
        };
        Some((self.names.remove(&id).unwrap_or_default(), result))
    }
}

impl wiring::Spawn for Tasks {
    fn spawn(&mut self, name: String, task: impl Future<Output = ()> + Send + 'static) {
        self.add(name, async move {
            task.await;
            Ok(())
        });
    }
}
