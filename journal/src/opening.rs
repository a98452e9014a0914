//! Opening a journal: what it holds, what should be there, where it goes on.

use crate::anchor;
use crate::append::{Opened, Options, Sink};
use crate::audit::{self, Audit};
use crate::error::JournalError;
use crate::finding::Finding;
use crate::reserve::Reserve;
use crate::signing::{HeadWatch, Signing};
use crate::writer::{Queued, Sent, Writer, database};
use crate::{outbox, quarantine, read, schema};
use gate_types::BootEpoch;
use gate_types::chain::GENESIS;
use gate_types::head::SignedHead;
use rusqlite::{Connection, OptionalExtension as _};
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Weak};
use tokio::sync::{Semaphore, watch};

/// An open journal: its past and the ways to its threads.
pub(crate) struct Started {
    pub(crate) opened: Opened,
    pub(crate) heads: Option<HeadWatch>,
    pub(crate) history: watch::Receiver<Option<Arc<Audit>>>,
}

/// Where a journal stands, by its own rows.
pub(crate) struct Last {
    pub(crate) seq: u64,
    pub(crate) epoch: u32,
    pub(crate) hash: String,
}

/// What a file tells, before anything is written to it.
struct Past {
    db: Connection,
    last: Last,
    /// The entry up to which the chain is still to be checked.
    unchecked: u64,
    opened: Opened,
    events: u64,
    central: Sent,
    broker: Sent,
    newest: Option<SignedHead>,
}

/// Opens the file, reads its past, and starts the threads. `alive` tells whether anybody still holds it.
/// A file that is no sound database is set aside, and a new one begun above its numbers: a loss of records
/// is no reason to hold trucks, and none to hide.
pub(crate) fn start(
    path: &Path,
    options: Options,
    queue: Receiver<Queued>,
    alive: Weak<Semaphore>,
) -> Result<Started, JournalError> {
    let reserve = Reserve::keep(path, options.reserve_bytes);
    let past = match past(path, &options, None) {
        Err(error) if error.is_damage() => {
            let folder = quarantine::set_aside(path)?;
            tracing::error!(%error, folder = %folder.display(), "the journal is damaged and set aside");
            past(path, &options, Some(Finding::SetAside { folder, why: error.to_string() }))?
        }
        other => other?,
    };
    let Past { db, last, unchecked: from, opened, events, central, broker, newest } = past;
    let seq = opened.last_seq;
    let stopped =
        |e: std::io::Error| JournalError::Stopped(format!("the journal's head file or thread: {e}"));
    let signed = newest.as_ref().map_or(0, |h| h.head.seq.0);
    let (signing, heads) = match options.signer {
        Some(signer) => {
            let (signing, heads) = Signing::start(path, signer, newest).map_err(stopped)?;
            (Some(signing), Some(heads))
        }
        None => (None, None),
    };
    let writer =
        Writer::new(path, db, opened.epoch, seq, last.hash, events, central, broker, signing, reserve)
            .signed_before(signed);
    let room = alive.clone();
    spawn("journal", move || writer.serve(queue, room)).map_err(stopped)?;
    let (checked, history) = watch::channel(None);
    let file = path.to_path_buf();
    spawn("journal history", move || {
        let found = audit::history(&file, from, || alive.strong_count() > 0);
        checked.send_replace(found.map(Arc::new));
    })
    .map_err(stopped)?;
    Ok(Started { opened, heads, history })
}

fn past(path: &Path, options: &Options, set_aside: Option<Finding>) -> Result<Past, JournalError> {
    let db = schema::open(path)?;
    let last = last(path, &db)?;
    let anew = set_aside.is_some();
    let mut findings: Vec<_> = set_aside.into_iter().collect();
    let heads = anchors(path, &db, options.signer.is_some(), &mut findings)?;
    let (unchecked, tail) = audit::tail(path, &db, &heads, &last)?;
    findings.extend(tail);
    let (mut seq, mut epoch) = (last.seq, last.epoch);
    for head in &heads {
        seq = seq.max(head.head.seq.0);
        epoch = epoch.max(head.head.epoch.0);
    }
    seq = seq.max(options.seen.seq);
    epoch = epoch.max(options.seen.epoch);
    if anew && seq == 0 {
        // Nobody knows the numbers of the file that was set aside: no epoch of it may come again.
        epoch = quarantine::epoch_of_the_clock();
    } else if seq > last.seq && !anew {
        findings.push(Finding::TailLost { from: last.seq + 1, to: seq });
    }
    // A pass has more than one entry, so no lane's number is above that of the last entry.
    let pass_floor = match seq {
        0 if anew => u64::from(epoch),
        seq if seq > last.seq => seq,
        _ => 0,
    };
    let (open_passes, unreadable) = read::open_passes(path, &db)?;
    findings.extend(unreadable);
    let events = db
        .query_row("SELECT COUNT(*) FROM outbox", [], |r| r.get(0))
        .map_err(database(path, "count the outbox"))?;
    let last_pass = read::last_passes(path, &db)?;
    let opened =
        Opened { epoch: BootEpoch(epoch + 1), last_seq: seq, pass_floor, last_pass, open_passes, findings };
    let sent = |sink| {
        let begins =
            if options.receivers.contains(&sink) { outbox::Row::Open } else { outbox::Row::NotMeant };
        outbox::past(path, &db, sink).map(|(closed, none_below)| Sent { closed, none_below, begins })
    };
    let (central, broker) = (sent(Sink::Central)?, sent(Sink::Broker)?);
    let newest = heads.into_iter().max_by_key(|h| h.head.seq);
    Ok(Past { db, last, unchecked, opened, events, central, broker, newest })
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

/// The last entry.
pub(crate) fn last(path: &Path, db: &Connection) -> Result<Last, JournalError> {
    let row = db
        .query_row("SELECT seq, epoch, hash FROM entry ORDER BY seq DESC LIMIT 1", [], |r| {
            Ok(Last { seq: r.get(0)?, epoch: r.get(1)?, hash: r.get(2)? })
        })
        .optional()
        .map_err(database(path, "read the head"))?;
    Ok(row.unwrap_or(Last { seq: 0, epoch: 0, hash: GENESIS.to_owned() }))
}

/// Genuine signed heads: those of the head file, and the newest of the journal itself.
fn anchors(
    path: &Path,
    db: &Connection,
    signs: bool,
    findings: &mut Vec<Finding>,
) -> Result<Vec<SignedHead>, JournalError> {
    if !signs {
        return Ok(Vec::new());
    }
    let (slots, damaged) = anchor::read(path)
        .map_err(|e| JournalError::Stopped(format!("the journal's head file: {e}; look at the disk")))?;
    findings.extend(damaged);
    let (mut heads, damaged) = anchor::heads(&slots);
    findings.extend(damaged);
    let (own, forged) = read::newest_heads(path, db, 4)?;
    heads.extend(own);
    findings.extend(forged);
    Ok(heads)
}
