//! Jobs for the threads that own the connections: urgent ones first, bulk when nothing urgent waits.

use super::sql::Connection;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// One transaction with its answer's way back.
pub(super) type Job = Box<dyn FnOnce(&mut dyn Connection) + Send>;

/// How soon a job is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    /// A truck or a person waits.
    Waited,
    /// A backlog.
    Bulk,
}

#[derive(Default)]
struct Inner {
    waited: VecDeque<Job>,
    bulk: VecDeque<Job>,
    closed: bool,
}

/// A queue with its threads. Its length is bounded by whoever pushes.
#[derive(Default)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    ready: Condvar,
}

impl Queue {
    /// A queue served by one thread for each connection.
    pub(super) fn serve(
        name: &str,
        connections: Vec<Box<dyn Connection + Send>>,
    ) -> std::io::Result<Arc<Self>> {
        let queue = Arc::new(Self::default());
        for (n, mut connection) in connections.into_iter().enumerate() {
            let queue = Arc::clone(&queue);
            std::thread::Builder::new().name(format!("{name}-{n}")).spawn(move || {
                while let Some(job) = queue.next() {
                    if catch_unwind(AssertUnwindSafe(|| job(connection.as_mut()))).is_err() {
                        tracing::error!("a transaction panicked; it is rolled back");
                        connection.rollback();
                    }
                }
            })?;
        }
        Ok(queue)
    }
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn push(&self, urgency: Urgency, job: Job) {
        let mut inner = self.lock();
        match urgency {
            Urgency::Waited => inner.waited.push_back(job),
            Urgency::Bulk => inner.bulk.push_back(job),
        }
        drop(inner);
        self.ready.notify_one();
    }
    fn next(&self) -> Option<Job> {
        let mut inner = self.lock();
        loop {
            if let Some(job) = inner.waited.pop_front() {
                return Some(job);
            }
            if let Some(job) = inner.bulk.pop_front() {
                return Some(job);
            }
            if inner.closed {
                return None;
            }
            inner = self.ready.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }
    /// Lets the threads end once nothing waits.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }
}
