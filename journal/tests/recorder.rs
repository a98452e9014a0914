//! The recorder's promises: durable order, a chain that shows every edit (I5), an outbox that sends until
//! it is acknowledged (I4), and a restart that knows what was open (I7).

use gate_types::chain::entry_hash_v1;
use gate_types::entry::{Entry, EntryBody, PassOutcome, PassSummary};
use gate_types::mission::Direction;
use gate_types::{BootEpoch, EntrySeq, LaneId, PassId, Stamp};
use journal::{ChainBroken, Finding, Journal, Sink, verify};
use rusqlite::Connection;
use std::path::Path;

fn lane() -> LaneId {
    LaneId::new("n1-in-1").unwrap()
}
fn entry(number: u64, body: EntryBody) -> Entry {
    Entry { lane: None, pass: Some(PassId { lane: lane(), number }), at: Stamp::default(), body }
}
fn opened(number: u64) -> Entry {
    entry(number, EntryBody::PassOpened { direction: Direction::In })
}
fn closed(number: u64) -> Entry {
    let summary = PassSummary {
        direction: Direction::In,
        outcome: PassOutcome::TurnedBack,
        opened_at_ms: 0,
        identity: Default::default(),
        mission: None,
        verdict: None,
        raised_by: None,
    };
    entry(number, EntryBody::PassClosed { summary: Box::new(summary) })
}
fn tamper(path: &Path, sql: &str) {
    let sql = format!("PRAGMA foreign_keys=OFF; {sql}");
    Connection::open(path).unwrap().execute_batch(&sql).unwrap();
}

#[tokio::test]
async fn a_restart_continues_numbers_and_knows_the_open_pass() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    {
        let (journal, past) = Journal::open(&path).unwrap();
        assert_eq!((past.epoch.0, past.last_seq), (1, 0));
        journal.append(&[opened(1), closed(1)]).await.unwrap();
        let last = journal.append(&[opened(2), entry(2, EntryBody::VehicleUnder {})]).await.unwrap();
        assert_eq!(last[1].seq, EntrySeq(4));
    }
    let (journal, past) = Journal::open(&path).unwrap();
    assert_eq!((past.epoch.0, past.last_seq, past.last_pass[&lane()]), (2, 4, 2));
    assert_eq!(past.open_passes.len(), 1);
    let (pass, entries) = &past.open_passes[0];
    assert_eq!((pass.number, entries.len()), (2, 2));
    let next = journal.append(&[closed(2)]).await.unwrap();
    assert_eq!(next[0].seq, EntrySeq(5));
    assert_eq!(verify(&path).unwrap().entries, 5);
}

#[tokio::test]
async fn an_event_is_sent_until_its_receiver_acknowledges_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let (journal, _) = Journal::open(&path).unwrap();
    journal.append(&[opened(1), entry(1, EntryBody::VehicleUnder {}), closed(1)]).await.unwrap();
    let waiting = journal.unsent(Sink::Central, 10).await.unwrap();
    assert_eq!(waiting.iter().map(|e| e.seq.0).collect::<Vec<_>>(), [1, 3], "VehicleUnder stays at the edge");
    journal.acknowledge(Sink::Central, &[(waiting[0].epoch, waiting[0].seq)]).await.unwrap();
    assert_eq!(journal.unsent(Sink::Central, 10).await.unwrap().len(), 1);
    assert_eq!(journal.unsent(Sink::Broker, 10).await.unwrap().len(), 2, "each receiver for itself");
    let stats = journal.stats().await.unwrap();
    assert_eq!((stats.entries, stats.events, stats.acknowledged, stats.published), (3, 2, 1, 0));
}

#[tokio::test]
async fn without_a_broker_nothing_waits_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let (journal, _) = Journal::open_for(&path, &[Sink::Central]).unwrap();
    journal.append(&[opened(1), closed(1)]).await.unwrap();
    assert_eq!(journal.unsent(Sink::Central, 10).await.unwrap().len(), 2);
    assert_eq!(journal.unsent(Sink::Broker, 10).await.unwrap(), vec![]);
    drop(journal);

    // A broker was configured since: it is told what happens from now on.
    let (journal, _) = Journal::open(&path).unwrap();
    journal.append(&[opened(2)]).await.unwrap();
    let waiting = journal.unsent(Sink::Broker, 10).await.unwrap();
    assert_eq!(waiting.iter().map(|e| e.seq.0).collect::<Vec<_>>(), [3]);
    let stats = journal.stats().await.unwrap();
    assert_eq!((stats.events, stats.acknowledged, stats.published), (3, 0, 0));
}

#[tokio::test]
async fn concurrent_appends_keep_their_own_order_and_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let (journal, _) = Journal::open(&path).unwrap();
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let journal = journal.clone();
            tokio::spawn(async move { journal.append(&[opened(n), closed(n)]).await.unwrap() })
        })
        .collect();
    for task in tasks {
        let done = task.await.unwrap();
        assert_eq!(done[0].seq.0 + 1, done[1].seq.0);
    }
    assert_eq!(verify(&path).unwrap().entries, 40);
}

#[tokio::test]
async fn every_edit_removal_or_swap_is_named_with_its_position() {
    for (sql, position) in [
        ("UPDATE entry SET body = replace(body, '\"in\"', '\"out\"') WHERE seq = 3", "entry 3 "),
        ("DELETE FROM entry WHERE seq = 2", "entry 2 is missing"),
        (
            "UPDATE entry SET seq = 99 WHERE seq = 4; UPDATE entry SET seq = 4 WHERE seq = 5; UPDATE entry SET seq = 5 WHERE seq = 99",
            "entry 4 ",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        {
            let (journal, _) = Journal::open(&path).unwrap();
            for n in 1..=6 {
                journal.append(&[opened(n)]).await.unwrap();
            }
        }
        tamper(&path, sql);
        let broken = verify(&path).unwrap_err();
        let ChainBroken::Found(found) = &broken else { panic!("{broken}") };
        assert!(matches!(found[0], Finding::Changed { .. } | Finding::Missing { .. }), "{found:?}");
        assert!(broken.to_string().contains(position), "{sql}: {broken}");
    }
}

#[test]
fn a_file_that_is_no_journal_is_refused_in_words_by_a_reader() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    std::fs::write(&path, vec![b'x'; 8192]).unwrap();
    let error = verify(&path).unwrap_err();
    assert!(error.to_string().contains("journal.db"), "{error}");
}

#[tokio::test]
async fn a_journal_of_the_first_format_can_be_read_without_being_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "CREATE TABLE entry (seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, lane TEXT, pass INTEGER, \
         kind TEXT NOT NULL, body TEXT NOT NULL, hash TEXT NOT NULL) STRICT; PRAGMA user_version=1",
    )
    .unwrap();
    let mut head = journal::GENESIS.to_owned();
    for (seq, entry) in (1..).zip([opened(1), closed(1)]) {
        let body = serde_json::to_string(&entry).unwrap();
        head = entry_hash_v1(&head, BootEpoch(1), EntrySeq(seq), &body);
        let sql = "INSERT INTO entry VALUES (?1, 1, ?2, 1, ?3, ?4, ?5)";
        db.execute(sql, (seq, lane().as_str(), entry.body.kind(), &body, &head)).unwrap();
    }
    drop(db);
    let before = std::fs::read(&path).unwrap();
    let audit = verify(&path).unwrap();
    assert_eq!((audit.entries, audit.last), (2, 2));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    // A start goes on in the second format.
    let (journal, past) = Journal::open(&path).unwrap();
    assert_eq!((past.last_seq, past.last_pass[&lane()]), (2, 1));
    journal.append(&[opened(2)]).await.unwrap();
    assert_eq!(verify(&path).unwrap().entries, 3);
}
