//! Which pictures are read, and which of their readings answers which truth. Pure.

use crate::reading::Reading;
use crate::truth::{Truth, bare};
use gate_types::observation::ReadKind;
use std::collections::BTreeMap;

/// Pictures that are read once, with all their truths of the same kinds.
pub(super) struct Job {
    pub file: String,
    pub kinds: Vec<ReadKind>,
    pub truths: Vec<usize>,
}

/// One job for every picture and set of kinds.
pub(super) fn jobs(rows: &[Truth]) -> Vec<Job> {
    let mut jobs: Vec<Job> = Vec::new();
    let mut known: BTreeMap<(&str, &[ReadKind]), usize> = BTreeMap::new();
    for (n, row) in rows.iter().enumerate() {
        let key = (row.file.as_str(), row.kinds.as_slice());
        match known.get(&key) {
            Some(&job) => jobs[job].truths.push(n),
            None => {
                known.insert(key, jobs.len());
                jobs.push(Job { file: row.file.clone(), kinds: row.kinds.clone(), truths: vec![n] });
            }
        }
    }
    jobs
}

/// Which reading answers each truth of a picture: with n truths the n best readings count, and those that
/// are a truth exactly belong to it.
pub(super) fn answers(truths: &[&str], readings: &[Reading]) -> Vec<Option<usize>> {
    let n = truths.len().min(readings.len());
    let mut free: Vec<usize> = (0..n).collect();
    let mut out: Vec<Option<usize>> = vec![None; truths.len()];
    for (answer, text) in out.iter_mut().zip(truths) {
        if let Some(at) = free.iter().position(|&r| bare(&readings[r].read.text) == *text) {
            *answer = Some(free.remove(at));
        }
    }
    for answer in out.iter_mut().filter(|a| a.is_none()) {
        if !free.is_empty() {
            *answer = Some(free.remove(0));
        }
    }
    out
}
