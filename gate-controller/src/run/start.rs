//! What a start needs beside its tasks: the lock, what the journal found and holds, what is told when all runs.

use crate::board::NodeFault;
use crate::heads;
use anyhow::{Context as _, Result, bail};
use config::Loaded;
use gate_core::{LaneSpec, RestoredPass};
use gate_types::entry::{Entry, EntryBody};
use gate_types::{LaneId, Stamp};
use journal::{Finding, JournalError, Opened};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

/// How long a start waits for the lock of the state directory, milliseconds.
const LOCK_MS: u64 = 1_000;

/// The rules of a lane, complete: a decision can be taken again from the journal alone.
pub(super) fn rules_loaded(spec: &LaneSpec, at: Stamp) -> Entry {
    let body = EntryBody::RulesLoaded { rules: Box::new(spec.rules()) };
    Entry { lane: Some(spec.lane.clone()), pass: None, at, body }
}

/// What is wrong with the journal goes on record and on the board, with its position.
pub(super) async fn report(
    findings: &[Finding],
    lost: &NodeFault,
    broken: &NodeFault,
) -> Result<(), JournalError> {
    // That a file was begun anew was told when it was.
    let news = findings.iter().filter(|f| !matches!(f, Finding::BeginsAnew { .. }));
    let (tail, rest): (Vec<_>, Vec<_>) = news.partition(|f| matches!(f, Finding::TailLost { .. }));
    if let Some(finding) = tail.first() {
        lost.raise(heads::told(finding)).await?;
    }
    if !rest.is_empty() {
        let told: Vec<String> = rest.iter().take(5).map(ToString::to_string).collect();
        let text = format!(
            "{}; {} findings in all; run `varco-gate journal verify` and compare with central",
            told.join("; "),
            rest.len()
        );
        broken.raise(text).await?;
    }
    Ok(())
}

/// The pass of a lane that was open at the last stop.
pub(super) fn restored(opened: &Opened, lane: &LaneId) -> Option<RestoredPass> {
    let newest =
        opened.open_passes.iter().filter(|(pass, _)| pass.lane == *lane).max_by_key(|(pass, _)| pass.number);
    newest.map(|(pass, entries)| RestoredPass { pass: pass.clone(), entries: entries.clone() })
}

/// SHA-256 over the configuration as loaded, all files, independent of comments and order.
pub(super) fn config_sha256(loaded: &Loaded) -> Result<String> {
    let json = serde_json::to_vec(&(&loaded.site, &loaded.node, &loaded.rules.0))
        .context("configuration as JSON")?;
    Ok(hex::encode(Sha256::digest(json)))
}

/// One daemon for one state directory. A daemon that was killed while it started a worker leaves the lock to
/// that worker's process until it runs its own program: a moment later it is free.
pub(super) async fn lock(state_dir: &Path) -> Result<std::fs::File> {
    let path = state_dir.join("lock");
    let file =
        std::fs::File::create(&path).with_context(|| format!("{}: cannot be created", path.display()))?;
    let locked = async {
        while file.try_lock().is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if timeout(Duration::from_millis(LOCK_MS), locked).await.is_err() {
        bail!("{}: another varco-gate runs on this state_dir; stop it first", path.display());
    }
    Ok(file)
}

/// Written beside and renamed, so that a reader sees it whole or not at all.
pub(super) fn write_ready(file: &Path, console: &str, push: Option<&str>) -> Result<()> {
    let what = || format!("{}: ready file cannot be written", file.display());
    let beside = file.with_extension("new");
    let told = serde_json::json!({ "console": console, "push": push });
    std::fs::write(&beside, told.to_string()).with_context(what)?;
    std::fs::rename(&beside, file).with_context(what)
}
