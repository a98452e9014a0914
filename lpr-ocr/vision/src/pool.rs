//! Files read on several threads, each with an engine of its own; results in the order of the files.

use crate::card::Models;
use crate::engine::{Effort, Engine};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// Results that may wait for an earlier one.
const AHEAD: usize = 64;

/// Threads for a wish of `wanted` (0: one per core) and `count` jobs.
pub(crate) fn threads(wanted: usize, count: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let wanted = if wanted == 0 { cores } else { wanted.min(256) };
    wanted.clamp(1, count.max(1))
}

/// Does jobs 0 to `count` - 1 on `threads` threads and hands each result to `done`, in order.
pub(crate) fn each<T: Send>(
    models: &Models,
    regions: &[String],
    effort: Effort,
    (threads, count): (usize, usize),
    work: impl Fn(&mut Engine, usize) -> T + Sync,
    mut done: impl FnMut(usize, T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    let (sender, results) = mpsc::sync_channel(AHEAD);
    let (next, work) = (&next, &work);
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let sender = sender.clone();
            scope.spawn(move || {
                let mut engine = match crate::engine_of(models, regions, effort) {
                    Ok(engine) => engine,
                    Err(error) => {
                        let _ = sender.send(Err(error));
                        return;
                    }
                };
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= count || sender.send(Ok((n, work(&mut engine, n)))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let (mut waiting, mut at) = (BTreeMap::new(), 0);
        // Leaving early drops the receiver, which ends the threads.
        for result in results {
            let (n, value) = result?;
            waiting.insert(n, value);
            while let Some(value) = waiting.remove(&at) {
                done(at, value)?;
                at += 1;
            }
        }
        Ok(())
    })
}
