//! What the journal's tests share: entries of small passes, and a signer.
#![allow(dead_code, reason = "each test file uses its part")]

use ed25519_dalek::SigningKey;
use gate_types::entry::{Entry, EntryBody, PassOutcome, PassSummary};
use gate_types::head::HeadSigner;
use gate_types::mission::Direction;
use gate_types::{LaneId, Mono, NodeId, PassId, PortId, Stamp, Wall};
use journal::{Journal, Opened, Options, Sink};
use std::path::Path;
use std::time::{Duration, Instant};

pub(crate) fn lane() -> LaneId {
    LaneId::new("n1-in-1").unwrap()
}
pub(crate) fn entry(number: u64, at_ms: i64, body: EntryBody) -> Entry {
    let at = Stamp { mono_ms: Mono(0), wall_ms: Wall(at_ms) };
    Entry { lane: None, pass: Some(PassId { lane: lane(), number }), at, body }
}
pub(crate) fn opened(number: u64, at_ms: i64) -> Entry {
    entry(number, at_ms, EntryBody::PassOpened { direction: Direction::In })
}
pub(crate) fn refused(number: u64, at_ms: i64) -> Entry {
    let body =
        EntryBody::ReleaseRefused { nonce: format!("n{number}"), why: "BA 123 CD is not known".into() };
    entry(number, at_ms, body)
}
pub(crate) fn closed(number: u64, at_ms: i64) -> Entry {
    let summary = PassSummary {
        direction: Direction::In,
        outcome: PassOutcome::TurnedBack,
        opened_at_ms: at_ms,
        identity: Default::default(),
        mission: None,
        verdict: None,
        raised_by: None,
    };
    entry(number, at_ms, EntryBody::PassClosed { summary: Box::new(summary) })
}
/// A whole small pass.
pub(crate) fn pass(number: u64, at_ms: i64) -> Vec<Entry> {
    vec![opened(number, at_ms), refused(number, at_ms), closed(number, at_ms)]
}
pub(crate) fn signer() -> HeadSigner {
    let key = SigningKey::from_bytes(&[7; 32]);
    HeadSigner::new(PortId::new("ITBRI").unwrap(), NodeId::new("1").unwrap(), key)
}
pub(crate) fn signed(path: &Path) -> (Journal, Opened) {
    let options = Options { receivers: vec![Sink::Central], signer: Some(signer()), ..Options::default() };
    Journal::open_with(path, options).unwrap()
}
/// Waits until a head covers `seq`.
pub(crate) async fn covered(journal: &Journal, seq: u64) {
    let started = Instant::now();
    while journal.stats().await.unwrap().signed < seq {
        assert!(started.elapsed() < Duration::from_secs(10), "no head for entry {seq}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
/// Copies a journal with its log and head file, as a disk would show it after a cut.
pub(crate) fn copy(from: &Path, to: &Path) {
    for end in ["", "-wal", ".head"] {
        let name = |path: &Path| std::path::PathBuf::from(format!("{}{end}", path.display()));
        if name(from).exists() {
            std::fs::copy(name(from), name(to)).unwrap();
        }
    }
}
/// Waits until the writer has ended and folded its log.
pub(crate) async fn closed_file(path: &Path) {
    let log = std::path::PathBuf::from(format!("{}-wal", path.display()));
    let started = Instant::now();
    while std::fs::metadata(&log).map_or(0, |m| m.len()) > 0 {
        assert!(started.elapsed() < Duration::from_secs(10), "{} is not folded", log.display());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
