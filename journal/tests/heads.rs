//! Signed heads: a cut tail, a restored copy and a history written anew are found and named (F-PWR2, F-TAMP1),
//! numbers are never used again, and erasure keeps the chain (D49).

mod common;

use common::{closed_file, copy, covered, pass, signed, signer};
use gate_types::api::JournalPosition;
use gate_types::head::read_head;
use journal::{Finding, Journal, Options, Purpose, audit, prove, verify};
use rusqlite::Connection;
use std::path::PathBuf;

fn stand() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    (folder, path)
}

#[tokio::test]
async fn everything_is_signed_once_the_writer_rests_and_at_its_end() {
    let (_folder, path) = stand();
    let (journal, _) = signed(&path);
    journal.append(&pass(1, 0)).await.unwrap();
    covered(&journal, 3).await;
    let head = journal.heads().unwrap().borrow().clone().unwrap();
    assert_eq!(read_head(&head.jws).unwrap().head.seq.0, 3);
    let found = audit(&path, Some(&signer().key())).unwrap();
    assert!(found.holds(), "{:?}", found.findings);
    assert_eq!((found.last, found.anchored.clone().unwrap().seq, found.window()), (3, 3, 0));
    journal.append(&pass(2, 0)).await.unwrap();
    let mut history = journal.history();
    drop(journal);
    history.changed().await.ok();
    // The end signs what was not signed yet; the threads end with the last handle.
    let mut found = audit(&path, None).unwrap();
    for _ in 0..400 {
        if found.window() == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        found = audit(&path, None).unwrap();
    }
    assert!(found.holds() && found.window() == 0, "{found:?}");
    let proof = prove(&path, &gate_types::PassId { lane: common::lane(), number: 1 }).unwrap();
    assert_eq!((proof.entries.len(), proof.receipt), (3, None));
}

#[tokio::test]
async fn a_cut_tail_is_named_and_its_numbers_are_never_used_again() {
    let (_folder, path) = stand();
    {
        let (journal, _) = signed(&path);
        for n in 1..=4 {
            journal.append(&pass(n, 0)).await.unwrap();
        }
        covered(&journal, 12).await;
    }
    closed_file(&path).await;
    // Whoever owns the disk cuts the last two passes, and the heads in the same file with them.
    let sql = "PRAGMA foreign_keys=OFF; DELETE FROM outbox WHERE seq > 6; DELETE FROM entry WHERE seq > 6; DELETE FROM head;";
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    let found = audit(&path, Some(&signer().key())).unwrap();
    assert_eq!(found.findings, [Finding::TailLost { from: 7, to: 12 }]);

    let (journal, opened) = signed(&path);
    assert_eq!(opened.findings, [Finding::TailLost { from: 7, to: 12 }]);
    assert_eq!((opened.last_seq, opened.epoch.0), (12, 2));
    let next = journal.append(&pass(5, 0)).await.unwrap();
    assert_eq!(next[0].seq.0, 13, "a lost number is never used again");
    covered(&journal, 15).await;
    let found = audit(&path, None).unwrap();
    assert_eq!(found.findings, [Finding::Missing { from: 7, to: 12 }], "the loss stays visible");
}

#[tokio::test]
async fn a_journal_put_back_from_a_copy_goes_on_above_what_central_has_seen() {
    let (folder, path) = stand();
    let old = folder.path().join("old.db");
    {
        let (journal, _) = signed(&path);
        journal.append(&pass(1, 0)).await.unwrap();
        covered(&journal, 3).await;
        copy(&path, &old);
        journal.append(&pass(2, 0)).await.unwrap();
        covered(&journal, 6).await;
    }
    // Last week's copy with its own head file knows nothing of what came after; central does.
    let seen = JournalPosition { epoch: 1, seq: 6 };
    let options = Options { signer: Some(signer()), seen, ..Options::default() };
    let (journal, opened) = Journal::open_with(&old, options).unwrap();
    assert_eq!(opened.findings, [Finding::TailLost { from: 4, to: 6 }]);
    assert_eq!(journal.append(&pass(3, 0)).await.unwrap()[0].seq.0, 7);
    // Central was silent at the start and answers later.
    let later = JournalPosition { epoch: 9, seq: 20 };
    let lost = journal.resume_above(later).await.unwrap();
    assert_eq!(lost, Some(Finding::TailLost { from: 10, to: 20 }));
    assert_eq!(journal.append(&pass(4, 0)).await.unwrap()[0].seq.0, 21);
    assert_eq!(journal.resume_above(later).await.unwrap(), None);
}

#[tokio::test]
async fn a_history_written_anew_is_found_by_its_signed_heads() {
    let (folder, path) = stand();
    let forged = folder.path().join("forged.db");
    {
        let (journal, _) = signed(&path);
        journal.append(&pass(1, 0)).await.unwrap();
        covered(&journal, 3).await;
        // The forger writes another history of the same length, with a chain that holds.
        let (other, _) = Journal::open(&forged).unwrap();
        other.append(&pass(9, 0)).await.unwrap();
    }
    closed_file(&forged).await;
    assert!(verify(&forged).unwrap().holds());
    std::fs::copy(format!("{}.head", path.display()), format!("{}.head", forged.display())).unwrap();
    let found = audit(&forged, Some(&signer().key())).unwrap();
    assert_eq!(found.findings, [Finding::Rewritten { seq: 3 }]);
    let (_journal, opened) = signed(&forged);
    assert_eq!(opened.findings, [Finding::Rewritten { seq: 3 }]);
}

#[tokio::test]
async fn what_is_erased_is_gone_and_the_chain_holds() {
    let (_folder, path) = stand();
    let (journal, _) = signed(&path);
    for n in 1..=3 {
        journal.append(&pass(n, n as i64 * 1_000)).await.unwrap();
    }
    journal.append(&[common::opened(4, 0), common::refused(4, 0)]).await.unwrap();
    let none = journal.erase(Purpose::Decisions, 2_500, 100).await.unwrap();
    assert_eq!(none.entries, 0, "nothing is erased that central does not hold yet");
    let events = journal.unsent(journal::Sink::Central, 100).await.unwrap();
    let done: Vec<_> = events.iter().map(|e| (e.epoch, e.seq)).collect();
    journal.acknowledge(journal::Sink::Central, &done).await.unwrap();
    let erased = journal.erase(Purpose::Decisions, 2_500, 100).await.unwrap();
    assert_eq!((erased.entries, erased.first_seq, erased.last_seq), (4, 2, 6));
    assert_eq!(journal.erase(Purpose::Decisions, 9_999, 1).await.unwrap().entries, 1);
    assert_eq!(journal.erase(Purpose::Decisions, 9_999, 9).await.unwrap().entries, 1, "an open pass stays");
    covered(&journal, 11).await;
    let found = audit(&path, Some(&signer().key())).unwrap();
    assert!(found.holds(), "{:?}", found.findings);
    assert_eq!((found.entries, found.erased), (11, 6));
    let proof = prove(&path, &gate_types::PassId { lane: common::lane(), number: 2 }).unwrap();
    assert!(proof.entries.iter().any(|e| e.is_erased()));
    drop(journal);
    closed_file(&path).await;
    let bytes = std::fs::read(&path).unwrap();
    let plates = bytes.windows(9).filter(|w| w == b"BA 123 CD").count();
    assert_eq!(plates, 1, "only the open pass still names the plate");
    // Putting anything in the place of what was erased breaks the chain.
    let sql = "UPDATE entry SET commitment = zeroblob(32) WHERE seq = 2";
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    assert_eq!(audit(&path, None).unwrap().findings, [Finding::Changed { seq: 2 }]);
}
