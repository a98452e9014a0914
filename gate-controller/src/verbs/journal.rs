//! `journal verify` and `journal export`.

use crate::journal_key::verifying_key;
use anyhow::{Context as _, Result};
use journal::{Audit, audit, read_all};
use std::io::Write;
use std::path::Path;

/// Audits a journal and prints what it found; true where nothing is wrong. The gate's key is the one given,
/// or the one of the identity folder beside the journal.
pub fn verify_journal(path: &Path, key: Option<&str>, out: &mut impl Write) -> Result<bool> {
    let beside = path.with_file_name("identity").join("journal-key.pub");
    let given = match key {
        Some(key) => Some(verifying_key(key)?),
        None if beside.exists() => {
            Some(verifying_key(&beside.to_string_lossy()).with_context(|| beside.display().to_string())?)
        }
        None => None,
    };
    let found = audit(path, given.as_ref())?;
    tell(&found, given.is_some(), out)?;
    Ok(found.holds())
}

fn tell(found: &Audit, key_known: bool, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "{} entries, the last is {} with hash {}", found.entries, found.last, found.head)?;
    if found.erased > 0 {
        writeln!(
            out,
            "{} bodies erased at the end of their purpose's time; the chain holds over them",
            found.erased
        )?;
    }
    match &found.anchored {
        Some(anchored) => {
            writeln!(
                out,
                "{} signed heads stand, the newest at entry {}, by key {}",
                found.heads, anchored.seq, anchored.key
            )?;
            if !key_known {
                writeln!(out, "note: nobody said whose key that is; give --key")?;
            }
            match anchored.receipted {
                Some(seq) => writeln!(out, "central acknowledged up to entry {seq}")?,
                None => writeln!(out, "note: no receipt of central is kept here")?,
            }
        }
        None => writeln!(out, "note: no signed head stands")?,
    }
    match found.window() {
        0 => {}
        n => writeln!(
            out,
            "note: the last {n} entries stand behind the newest signed head and could be cut unseen"
        )?,
    }
    for finding in &found.findings {
        writeln!(out, "BROKEN: {finding}")?;
    }
    writeln!(out, "{}", if found.holds() { "The journal holds." } else { "The journal does NOT hold." })
}

/// Writes entries `from..=to` as JSON lines.
pub fn export_journal(path: &Path, from: u64, to: u64, out: &mut impl Write) -> Result<()> {
    for row in read_all(path)?.after(from.saturating_sub(1)) {
        let row = row?;
        if row.seq.0 > to {
            break;
        }
        let entry: serde_json::Value = if row.is_erased() {
            serde_json::Value::Null
        } else {
            serde_json::from_str(&row.body).with_context(|| format!("entry {}", row.seq.0))?
        };
        let line = serde_json::json!({
            "epoch": row.epoch, "seq": row.seq, "hash": row.hash, "salt": row.salt().map(hex::encode),
            "commitment": row.commitment().map(hex::encode), "erased": row.is_erased(), "entry": entry,
        });
        writeln!(out, "{line}")?;
    }
    Ok(())
}
