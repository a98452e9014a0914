//! What a journal needs over time: room on its disk, and an end of each purpose's time (D49, I9).

use crate::board::NodeFault;
use crate::ledger::Ledger;
use crate::pictures::Pictures;
use config::JournalConfig;
use gate_types::entry::EntryBody;
use journal::{Erasure, JournalError, Purpose};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, sleep};

/// How often the disk is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// The first erasure after a start, and the time between two.
const FIRST_ERASURE: Duration = Duration::from_secs(30);
const ERASURE_EVERY: Duration = Duration::from_secs(3_600);
/// Bodies erased in one transaction, and the rest after it: no lane waits long behind it.
const AT_ONCE: usize = 128;
const BREATH: Duration = Duration::from_millis(50);
const DAY_MS: i64 = 86_400_000;

/// How full the disk is. Decisions and acts of people are recorded in each stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// There is room.
    Room,
    /// The raw parts of reads are left out: alternatives, raw texts, telegrams.
    NoRawReads,
    /// Pictures are left out as well.
    NoPictures,
}

/// The stage at this much free room.
pub fn stage(free_bytes: u64, config: &JournalConfig) -> Stage {
    let free_mb = free_bytes >> 20;
    if free_mb < config.pictures_need_mb {
        Stage::NoPictures
    } else if free_mb < config.raw_reads_need_mb {
        Stage::NoRawReads
    } else {
        Stage::Room
    }
}

/// Watches over the journal until it fails.
pub async fn keep(
    ledger: Ledger,
    pictures: Pictures,
    folder: PathBuf,
    config: JournalConfig,
    disk_low: NodeFault,
) -> Result<(), JournalError> {
    let mut erasure_at = Instant::now() + FIRST_ERASURE;
    let mut before = Stage::Room;
    loop {
        if let Some(free) = free_bytes(&folder) {
            let now = stage(free, &config);
            if now != before {
                before = now;
                ledger.shed_raw(now >= Stage::NoRawReads);
                pictures.shed(now >= Stage::NoPictures);
                disk_low.clear().await?;
                if let Some(text) = told(now, free, &folder) {
                    disk_low.raise(text).await?;
                }
            }
        }
        if Instant::now() >= erasure_at {
            erasure_at = Instant::now() + ERASURE_EVERY;
            erase(&ledger, Purpose::Reads, config.reads_days).await?;
            erase(&ledger, Purpose::Decisions, config.decisions_days).await?;
            let age = Duration::from_secs(u64::from(config.pictures_days) * 86_400);
            if let Some(moment) = SystemTime::now().checked_sub(age) {
                let erased = pictures.erase_before(moment);
                if erased > 0 {
                    tracing::info!(erased, "pictures erased at the end of their time");
                }
            }
        }
        sleep(LOOK).await;
    }
}

/// Free bytes of the disk under a folder, for this user.
fn free_bytes(folder: &Path) -> Option<u64> {
    let told = nix::sys::statvfs::statvfs(folder).ok()?;
    Some(told.blocks_available().saturating_mul(told.fragment_size()))
}

fn told(stage: Stage, free: u64, folder: &Path) -> Option<String> {
    let left_out = match stage {
        Stage::Room => return None,
        Stage::NoRawReads => "raw parts of reads are left out",
        Stage::NoPictures => "raw parts of reads and pictures are left out",
    };
    Some(format!(
        "{}: {} MB free; {left_out}, decisions and acts of people are recorded; make room on this disk",
        folder.display(),
        free >> 20
    ))
}

async fn erase(ledger: &Ledger, purpose: Purpose, days: u32) -> Result<(), JournalError> {
    let before_ms = ledger.now().wall_ms.0.saturating_sub(i64::from(days) * DAY_MS);
    let mut all = Erasure::default();
    loop {
        let done = ledger.journal().erase(purpose, before_ms, AT_ONCE).await?;
        if done.entries > 0 {
            all.first_seq = if all.entries == 0 { done.first_seq } else { all.first_seq };
            all.last_seq = done.last_seq;
            all.entries += done.entries;
        }
        if !done.more {
            break;
        }
        sleep(BREATH).await;
    }
    if all.entries == 0 {
        return Ok(());
    }
    let Erasure { entries, first_seq, last_seq, .. } = all;
    let purpose = purpose.name().to_owned();
    ledger.append_node(EntryBody::Erased { purpose, before_ms, entries, first_seq, last_seq }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_reads_go_first_then_pictures() {
        let config = JournalConfig::default();
        let at = |mb: u64| stage(mb << 20, &config);
        assert_eq!(at(config.raw_reads_need_mb), Stage::Room);
        assert_eq!(at(config.raw_reads_need_mb - 1), Stage::NoRawReads);
        assert_eq!(at(config.pictures_need_mb - 1), Stage::NoPictures);
        assert_eq!(at(0), Stage::NoPictures);
    }
}
