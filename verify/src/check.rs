//! Checking a pack: chain, commitments, signatures, pictures; every problem named with its place.

use crate::pack::{FORMAT, PACK, Pack, PackEntry, README};
use crate::tell;
use crate::zip::read_zip;
use ed25519_dalek::VerifyingKey;
use gate_types::chain::{SALT, commitment, entry_hash, sha256_hex};
use gate_types::entry::{Entry, EntryBody};
use gate_types::head::{SignedHead, read_head, read_receipt};
use gate_types::jws;
use std::collections::{BTreeMap, BTreeSet};

/// Keys that the reader has from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// The gate's.
    pub gate: Option<VerifyingKey>,
    /// Central's.
    pub central: Option<VerifyingKey>,
}

/// What a pack proves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// What holds.
    pub holds: Vec<String>,
    /// What rests on a key that nobody vouched for, and what is not there.
    pub notes: Vec<String>,
    /// What is wrong; empty: the pack is genuine as far as the keys go.
    pub problems: Vec<String>,
    /// The pass in words, of proven entries only.
    pub story: Vec<String>,
}

/// Checks the bytes of a pack.
pub fn check(bytes: &[u8], keys: &Keys) -> Report {
    let mut report = Report::default();
    if let Err(problem) = run(bytes, keys, &mut report) {
        report.problems.push(problem);
    }
    report
}

fn run(bytes: &[u8], keys: &Keys, report: &mut Report) -> Result<(), String> {
    let members = read_zip(bytes).map_err(|e| e.to_string())?;
    let mut members: BTreeMap<String, &[u8]> = members.into_iter().collect();
    members.remove(README);
    let json = members.remove(PACK).ok_or_else(|| format!("{PACK} is missing"))?;
    let pack: Pack = serde_json::from_slice(json).map_err(|e| format!("{PACK}: {e}"))?;
    if pack.format != FORMAT {
        return Err(format!("{PACK}: format `{}`; this program knows {FORMAT}", pack.format));
    }
    let whole = section(&pack, report)?;
    signatures(&pack, keys, report)?;
    pictures(&whole, members, report);
    report.story = whole.iter().map(|(seq, entry)| format!("entry {seq}  {}", tell::line(entry))).collect();
    Ok(())
}

/// Recomputes the section; gives the entries of the pass.
fn section(pack: &Pack, report: &mut Report) -> Result<Vec<(u64, Entry)>, String> {
    let mut previous = pack.previous.clone();
    let mut whole = Vec::new();
    let mut expected = pack.entries.first().map(|e| e.seq.0).ok_or("the section has no entries")?;
    let mut erased = 0;
    for stored in &pack.entries {
        let seq = stored.seq.0;
        if seq != expected {
            return Err(format!("entry {expected} is missing from the section: {seq} follows"));
        }
        let committed = committed(stored).map_err(|why| format!("entry {seq}: {why}"))?;
        if entry_hash(&previous, stored.epoch, stored.seq, &committed) != stored.hash {
            return Err(format!("entry {seq} does not fit the chain: it or its predecessor was changed"));
        }
        if let Some(body) = &stored.body {
            let entry: Entry = serde_json::from_str(body).map_err(|e| format!("entry {seq}: {e}"))?;
            if entry.pass.as_ref() != Some(&pack.pass) {
                return Err(format!("entry {seq} is shown and is not of pass {}", pack.pass));
            }
            whole.push((seq, entry));
        }
        erased += u64::from(stored.erased);
        previous.clone_from(&stored.hash);
        expected = seq + 1;
    }
    let count = pack.entries.len();
    report.holds.push(format!("the chain of {count} entries; {} of them are of this pass", whole.len()));
    if erased > 0 {
        report.notes.push(format!("{erased} entries were erased at the end of their purpose's time"));
    }
    Ok(whole)
}

fn committed(stored: &PackEntry) -> Result<[u8; 32], String> {
    let bytes = |text: &str, what: &str| hex::decode(text).map_err(|_| format!("{what} is not hex"));
    match (&stored.body, &stored.salt, &stored.commitment) {
        (Some(body), Some(salt), None) => {
            let salt = bytes(salt, "salt")?;
            if salt.len() != SALT {
                return Err(format!("the salt is not {SALT} bytes"));
            }
            Ok(commitment(&salt, body))
        }
        (None, None, Some(text)) => {
            bytes(text, "commitment")?.try_into().map_err(|_| "the commitment is not 32 bytes".to_owned())
        }
        (_, _, _) => Err("neither a body with its salt nor a commitment alone".to_owned()),
    }
}

fn signatures(pack: &Pack, keys: &Keys, report: &mut Report) -> Result<(), String> {
    let SignedHead { head, .. } = read_head(&pack.head).map_err(|e| format!("the signed head: {e}"))?;
    let last = pack.entries.last().ok_or("the section has no entries")?;
    if (head.seq, head.epoch, &head.hash) != (last.seq, last.epoch, &last.hash) {
        return Err(format!("the head was signed for entry {} with another hash or start", head.seq.0));
    }
    if (&head.port, &head.node) != (&pack.port, &pack.node) {
        return Err(format!("the head is of node {} of port {}", head.node, head.port));
    }
    report.holds.push(format!("the gate's signature over entry {}, by key {}", head.seq.0, head.key));
    let mut vouched = false;
    if let Some(key) = &keys.gate {
        if jws::key_to_text(key) != head.key {
            return Err(format!("the head is signed by key {}, not by the gate's", head.key));
        }
        report.holds.push("that key is the gate's, by --gate-key".to_owned());
        vouched = true;
    }
    match (&pack.receipt, &keys.central) {
        (Some(text), Some(central)) => {
            let receipt = read_receipt(central, text).map_err(|e| format!("central's receipt: {e}"))?;
            if receipt.head != head {
                return Err("central's receipt is for another head".to_owned());
            }
            report.holds.push(format!(
                "central's receipt: it holds this head, and knows that key as the gate's, since {} ms",
                receipt.received_at_ms
            ));
            vouched = true;
        }
        (Some(_), None) => {
            report
                .notes
                .push("central's receipt is there and was not checked: give --central-key".to_owned());
        }
        (None, _) => {
            report
                .notes
                .push("no receipt of central: whoever holds the gate's key could have made this".to_owned());
        }
    }
    if !vouched {
        report.notes.push("nobody vouched for the gate's key: give --central-key or --gate-key".to_owned());
    }
    Ok(())
}

fn pictures(whole: &[(u64, Entry)], members: BTreeMap<String, &[u8]>, report: &mut Report) {
    let mut named = BTreeSet::new();
    for (seq, entry) in whole {
        if let EntryBody::OpticalRead { read, .. } = &entry.body
            && !read.frame_sha256.is_empty()
        {
            let member = format!("images/{}.jpg", read.frame_sha256);
            if members.contains_key(&member) {
                named.insert(member);
            } else {
                report.notes.push(format!("entry {seq}: its picture is not (any longer) kept"));
            }
        }
    }
    for (name, bytes) in members {
        let address = name.strip_prefix("images/").and_then(|n| n.strip_suffix(".jpg"));
        if !named.contains(&name) {
            report.problems.push(format!("member `{name}` belongs to no entry"));
        } else if address != Some(sha256_hex(bytes).as_str()) {
            report.problems.push(format!("picture `{name}` is not the one that its entry names"));
        }
    }
    report.holds.push(format!("{} pictures, each the one that its entry names", named.len()));
}
