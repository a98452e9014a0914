//! Opening a journal: what it holds, what should be there, where it goes on.

use crate::anchor;
use crate::append::{Opened, Options, Sink};
use crate::audit::{self, Audit};
use crate::error::JournalError;
use crate::finding::Finding;
use crate::reserve::Reserve;
use crate::signing::{HeadWatch, Signing};
use crate::writer::{Queued, Sent, Writer, database};
use crate::{outbox, read, schema};
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

/// Opens the file, reads its past, and starts the threads. `alive` tells whether anybody still holds it.
pub(crate) fn start(
    path: &Path,
    options: Options,
    queue: Receiver<Queued>,
    alive: Weak<Semaphore>,
) -> Result<Started, JournalError> {
    let reserve = Reserve::keep(path, options.reserve_bytes);
    let db = schema::open(path)?;
    let fail = |what| database(path, what);
    let last = last(path, &db)?;
    let mut findings = Vec::new();
    let heads = anchors(path, &db, options.signer.is_some(), &mut findings)?;
    let (from, tail) = audit::tail(path, &db, &heads, &last)?;
    findings.extend(tail);
    let (mut seq, mut epoch) = (last.seq, last.epoch);
    for head in &heads {
        seq = seq.max(head.head.seq.0);
        epoch = epoch.max(head.head.epoch.0);
    }
    seq = seq.max(options.seen.seq);
    epoch = epoch.max(options.seen.epoch);
    if seq > last.seq {
        findings.push(Finding::TailLost { from: last.seq + 1, to: seq });
    }
    let events: u64 =
        db.query_row("SELECT COUNT(*) FROM outbox", [], |r| r.get(0)).map_err(fail("count the outbox"))?;
    let opened = Opened {
        epoch: BootEpoch(epoch + 1),
        last_seq: seq,
        last_pass: read::last_passes(path, &db)?,
        open_passes: read::open_passes(path, &db)?,
        findings,
    };
    let sent = |sink| {
        let begins =
            if options.receivers.contains(&sink) { outbox::Row::Open } else { outbox::Row::NotMeant };
        outbox::past(path, &db, sink).map(|(closed, none_below)| Sent { closed, none_below, begins })
    };
    let (central, broker) = (sent(Sink::Central)?, sent(Sink::Broker)?);
    let stopped =
        |e: std::io::Error| JournalError::Stopped(format!("the journal's head file or thread: {e}"));
    let newest = heads.into_iter().max_by_key(|h| h.head.seq);
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
    spawn("journal", move || writer.serve(queue)).map_err(stopped)?;
    let (checked, history) = watch::channel(None);
    let file = path.to_path_buf();
    spawn("journal history", move || {
        let found = audit::history(&file, from, || alive.strong_count() > 0);
        checked.send_replace(found.map(Arc::new));
    })
    .map_err(stopped)?;
    Ok(Started { opened, heads, history })
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
