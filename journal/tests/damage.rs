//! A log cut at every 512 bytes and 200 flipped bits: every loss at or below the newest anchored head is named
//! with its position, and what the window after it holds is told (F-PWR1, F-PWR3).

mod common;

use common::{closed_file, covered, opened, pass, signed, signer};
use journal::{Audit, Finding, Journal, audit};
use rand::{Rng as _, SeedableRng as _};
use std::path::{Path, PathBuf};

/// Passes below the anchored head, and behind it.
const BELOW: u64 = 20;
const BEHIND: u64 = 3;

fn file(journal: &Path, end: &str) -> PathBuf {
    PathBuf::from(format!("{}{end}", journal.display()))
}

/// A journal whose newest anchored head stands at `BELOW` passes, with some entries behind it, as the files
/// lie on the disk while the daemon runs: `fold` puts the first part into the database file.
async fn picture(folder: &Path, fold: bool) -> (PathBuf, u64, u64) {
    let path = folder.join("journal.db");
    let head = file(&path, ".head");
    let (journal, _) = signed(&path);
    for n in 1..=BELOW {
        journal.append(&pass(n, 0)).await.unwrap();
    }
    if fold {
        // An orderly end folds the log; the next start goes on.
        drop(journal);
        for _ in 0..2_000 {
            if std::fs::metadata(file(&path, "-wal")).map_or(0, |m| m.len()) == 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let (journal, _) = signed(&path);
        journal.append(&[opened(BELOW + 1, 0)]).await.unwrap();
        covered(&journal, BELOW * 3 + 1).await;
        return rest(folder, &path, &head, &journal, BELOW * 3 + 1).await;
    }
    covered(&journal, BELOW * 3).await;
    rest(folder, &path, &head, &journal, BELOW * 3).await
}

async fn rest(
    folder: &Path,
    path: &Path,
    head: &Path,
    journal: &journal::Journal,
    anchored: u64,
) -> (PathBuf, u64, u64) {
    let before = std::fs::read(head).unwrap();
    let mut last = anchored;
    for n in 0..BEHIND {
        last = journal.append(&pass(100 + n, 0)).await.unwrap().last().unwrap().seq.0;
    }
    let shot = folder.join("shot.db");
    std::fs::copy(path, &shot).unwrap();
    std::fs::copy(file(path, "-wal"), file(&shot, "-wal")).unwrap();
    // The power goes before the next head is signed.
    std::fs::write(file(&shot, ".head"), before).unwrap();
    (shot, anchored, last)
}

fn place(shot: &Path, into: &Path, end: &str, change: impl FnOnce(&mut Vec<u8>)) {
    for other in ["", "-wal", ".head"] {
        let mut bytes = std::fs::read(file(shot, other)).unwrap();
        if other == end {
            change(&mut bytes);
            std::fs::write(file(into, other), bytes).unwrap();
            return place_rest(shot, into, end);
        }
    }
}

fn place_rest(shot: &Path, into: &Path, end: &str) {
    for other in ["", "-wal", ".head"] {
        if other != end {
            std::fs::copy(file(shot, other), file(into, other)).unwrap();
        }
    }
    let _ = std::fs::remove_file(file(into, "-shm"));
}

/// Entries that still stand as they were written.
fn intact(found: &Audit, last: u64) -> Vec<u64> {
    let named = |seq: u64| {
        found.findings.iter().any(|f| match f {
            Finding::Missing { from, to } | Finding::TailLost { from, to } => (*from..=*to).contains(&seq),
            Finding::Unreadable { from, to, .. } => (*from..=*to).contains(&seq),
            Finding::Changed { seq: at } | Finding::Rewritten { seq: at } => *at == seq,
            Finding::Mislabelled { .. }
            | Finding::HeadNotGenuine { .. }
            | Finding::HeadFile { .. }
            | Finding::Database { .. }
            | Finding::SetAside { .. }
            | Finding::BeginsAnew { .. } => false,
        })
    };
    (1..=last).filter(|seq| !named(*seq)).collect()
}

#[tokio::test]
async fn a_log_cut_at_every_512_bytes_loses_only_a_named_tail() {
    let folder = tempfile::tempdir().unwrap();
    let (shot, anchored, written) = picture(folder.path(), false).await;
    let log = std::fs::read(file(&shot, "-wal")).unwrap();
    // The log ends at its last frame; zeros that are set aside follow.
    let used = log.iter().rposition(|b| *b != 0).unwrap() + 1;
    let cut = folder.path().join("cut.db");
    let (mut cuts, mut losses, mut last_seen) = (0, 0, 0);
    for at in (0..=used + 512).step_by(512) {
        place(&shot, &cut, "-wal", |bytes| bytes.truncate(at));
        let found = audit(&cut, Some(&signer().key()));
        cuts += 1;
        let found = match found {
            Ok(found) => found,
            Err(error) => panic!("cut at {at}: {error}"),
        };
        // What stands is a prefix of what was written, and no shorter for a longer log (prefix property).
        assert!(found.last >= last_seen, "cut at {at}: {} after {last_seen}", found.last);
        last_seen = found.last;
        if found.last < anchored {
            losses += 1;
            let tail = Finding::TailLost { from: found.last + 1, to: anchored };
            let whole = found.findings.iter().any(|f| {
                *f == tail || matches!(f, Finding::Unreadable { from: 1, to, .. } if *to == anchored)
            });
            assert!(whole, "cut at {at}: {found:?}");
        } else {
            assert!(found.holds(), "cut at {at}: {:?}", found.findings);
            assert_eq!(found.window(), found.last - anchored, "the window after the head is told");
        }
    }
    assert_eq!(last_seen, written);
    println!("{cuts} cuts, {losses} of them below the anchored head, each named");
    assert!(losses > 50);
}

#[tokio::test]
async fn two_hundred_flipped_bits_lose_nothing_unnamed() {
    let folder = tempfile::tempdir().unwrap();
    let (shot, anchored, _) = picture(folder.path(), true).await;
    let seed: u64 = 20_261_122;
    println!("seed {seed}");
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let sound = folder.path().join("sound.db");
    place_rest(&shot, &sound, "none");
    let truth = audit(&sound, Some(&signer().key())).unwrap();
    assert!(truth.holds(), "{:?}", truth.findings);
    let truth: Vec<_> = journal::read_all(&sound).unwrap().map(Result::unwrap).collect();
    let flipped = folder.path().join("flipped.db");
    let (mut named, mut harmless) = (0, 0);
    for n in 0..200 {
        let end = ["", "-wal", "", ".head"][n % 4];
        let bytes = std::fs::read(file(&shot, end)).unwrap();
        let used = bytes.iter().rposition(|b| *b != 0).unwrap() + 1;
        let at = random.random_range(0..used);
        let bit = random.random_range(0..8);
        place(&shot, &flipped, end, |bytes| bytes[at] ^= 1 << bit);
        let what =
            format!("bit {bit} of byte {at} of the {} file", if end.is_empty() { "journal" } else { end });
        let found = match audit(&flipped, Some(&signer().key())) {
            Ok(found) => found,
            // Not a single page can be read and no head is known: the whole is named as unreadable.
            Err(error) => panic!("{what}: {error}"),
        };
        // Every entry at or below the anchored head that is not as it was is named.
        let standing: Vec<_> = match journal::read_all(&flipped) {
            Ok(rows) => rows.map_while(Result::ok).collect(),
            Err(_) => Vec::new(),
        };
        let intact = intact(&found, anchored);
        for seq in &intact {
            let was = &truth[(*seq - 1) as usize];
            let is = standing.iter().find(|e| e.seq.0 == *seq);
            // Behind an unreadable page `standing` ends; the audit looked further.
            if let Some(is) = is {
                let label = Finding::Mislabelled { seq: *seq };
                assert!(
                    is == was || found.findings.contains(&label),
                    "{what}: entry {seq} changed unnamed: {:?}",
                    found.findings
                );
            } else {
                let unreadable = found.findings.iter().any(|f| matches!(f, Finding::Unreadable { .. }));
                assert!(unreadable, "{what}: entry {seq} lost unnamed: {:?}", found.findings);
            }
        }
        if found.holds() { harmless += 1 } else { named += 1 }
    }
    println!(
        "{named} flips named, {harmless} in places that hold nothing (free space, window, log of old pages)"
    );
    assert!(named >= 40, "{named} named");
}

/// What no start may fail on: the file is no database (any more). It is set aside as it was found, and the
/// numbers go on above all that are known.
#[tokio::test]
async fn a_file_that_is_no_database_is_set_aside_and_a_new_one_begun_above_its_numbers() {
    for (what, at, length) in
        [("its head", 0, 100), ("its first pages", 0, 40_000), ("its tables", 100, 3_900)]
    {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        {
            let (journal, _) = signed(&path);
            for n in 1..=40 {
                journal.append(&pass(n, 0)).await.unwrap();
            }
            covered(&journal, 120).await;
        }
        closed_file(&path).await;
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.iter_mut().skip(at).take(length).for_each(|byte| *byte = 0xa5);
        std::fs::write(&path, &bytes).unwrap();
        let (journal, past) = signed(&path);
        let Some(Finding::SetAside { folder: aside, why }) = past.findings.first() else {
            panic!("{what}: {:?}", past.findings);
        };
        assert!(!why.is_empty() && past.findings.len() == 1, "{what}: {:?}", past.findings);
        assert_eq!(std::fs::read(aside.join("journal.db")).unwrap(), bytes, "{what}: kept as it was found");
        assert!(aside.join("journal.db.head").exists(), "{what}: with what was signed");
        assert_eq!((past.last_seq, past.epoch.0), (120, 2), "{what}: the head file knows the numbers");
        let next = journal.append(&pass(41, 0)).await.unwrap();
        assert_eq!(next[0].seq.0, 121, "{what}");
        covered(&journal, 123).await;
        let found = audit(&path, None).unwrap();
        assert_eq!(found.findings, [Finding::BeginsAnew { at: 121 }], "{what}");
        assert_eq!(found.window(), 0, "{what}: signed on");
        // Whoever starts next is not told of it again as of something new.
        drop(journal);
        closed_file(&path).await;
        let (_journal, past) = signed(&path);
        assert_eq!((past.findings, past.last_seq, past.epoch.0), (vec![], 123, 3), "{what}");
    }
}

#[tokio::test]
async fn without_any_knowledge_of_the_numbers_no_epoch_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    std::fs::write(&path, vec![0x5a; 8192]).unwrap();
    let (journal, past) = Journal::open(&path).unwrap();
    assert!(matches!(past.findings[..], [Finding::SetAside { .. }]), "{:?}", past.findings);
    assert!(past.epoch.0 > 1_000_000, "an epoch by the clock: {:?}", past.epoch);
    assert_eq!(journal.append(&pass(1, 0)).await.unwrap()[0].seq.0, 1);
}
