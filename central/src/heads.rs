//! Heads of the gates' journals: kept, acknowledged under central's key, and held against what came before.

use crate::store::{NewAlarm, StoreError, Tx};
use ed25519_dalek::SigningKey;
use gate_types::NodeId;
use gate_types::api::{AlarmKind, AlarmView, CentralEvent, HeadAnswer};
use gate_types::head::{HeadReceipt, ReceiptMark, SignedHead};
use gate_types::jws;

/// Takes a head within one transaction. One that contradicts what is held is kept and not acknowledged;
/// one that is acknowledged becomes a leaf of the public log, once.
pub(crate) fn take(
    tx: &Tx<'_>,
    key: &SigningKey,
    node: &NodeId,
    signed: Option<&SignedHead>,
    now_ms: i64,
) -> Result<HeadAnswer, StoreError> {
    tx.lock_node(node)?;
    let mut alarms: Vec<AlarmView> = Vec::new();
    let mut receipt = None;
    if let Some(signed) = signed {
        let known = tx.known_heads(node, signed)?;
        let head = &signed.head;
        let seq = head.seq.0;
        let mut alarm = |what: &str, text: String| -> Result<(), StoreError> {
            let kind = AlarmKind::JournalContradicts;
            let cause = format!("{node}/{what}/{seq}/{}", head.hash);
            alarms.extend(tx.raise(&NewAlarm::sure(kind, &cause, node, now_ms, &text, now_ms))?);
            Ok(())
        };
        if let Some(first) = known.key.filter(|first| *first != head.key) {
            alarm(
                "key",
                format!(
                    "the journal of node {node} is signed by key {} and was by {first}: was the gate replaced? \
                 if not, its secrets are in other hands",
                    head.key
                ),
            )?;
        }
        if seq < known.newest {
            alarm(
                "shorter",
                format!(
                    "the journal of node {node} ends at entry {seq} and was at {} before: its tail was lost or an \
                 old copy put back; compare with the events held here",
                    known.newest
                ),
            )?;
        }
        let is_new = tx.insert_head(node, signed, now_ms)?;
        if let Some(other) = known.contradiction {
            alarm(
                "hash",
                format!(
                    "entry {seq} of node {node}'s journal has hash {} and was reported here with {other}: its \
                 history was written anew; secure the gate and compare",
                    head.hash
                ),
            )?;
        } else {
            if is_new {
                tx.append_leaf(node, seq, &signed.jws)?;
            }
            let body =
                HeadReceipt { what: ReceiptMark::HeadReceipt, head: head.clone(), received_at_ms: now_ms };
            let text = jws::sign(key, &body);
            receipt = Some(text.map_err(|e| StoreError::Content { what: "receipt", cause: e.to_string() })?);
        }
    }
    let news: Vec<CentralEvent> =
        alarms.into_iter().map(|alarm| CentralEvent::Alarm { alarm: Box::new(alarm) }).collect();
    tx.tell(&news)?;
    Ok(HeadAnswer { receipt, seen: tx.journal_seen(node)? })
}
