//! `evidence export`: the proof of one pass as a file that an outsider can check with `varco-verify`.

use anyhow::{Context as _, Result, anyhow, bail};
use gate_types::PassId;
use gate_types::entry::EntryBody;
use gate_types::head::read_head;
use journal::{ImageStore, Stored, prove};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;
use verify::{FORMAT, Keys, Pack, PackEntry, check};

/// The pictures' folder in the state directory.
pub(crate) const IMAGES: &str = "images";

/// Writes the evidence of `LANE:NUMBER` from a journal and the pictures beside it; what it holds in words.
pub fn export_evidence(journal: &Path, pass: &str, file: &Path) -> Result<String> {
    let pass = super::pass_id(pass)?;
    let proof = prove(journal, &pass)?;
    let head = read_head(&proof.head).context("the journal's signed head")?.head;
    let images = journal.with_file_name(IMAGES);
    let mut pictures = BTreeMap::new();
    let mut entries = Vec::with_capacity(proof.entries.len());
    for stored in &proof.entries {
        entries.push(packed(stored, &pass, journal, &images, &mut pictures)?);
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let pack = Pack {
        format: FORMAT.to_owned(),
        port: head.port,
        node: head.node,
        pass,
        exported_at_ms: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
        program: format!("varco-gate {}", env!("CARGO_PKG_VERSION")),
        previous: proof.previous,
        entries,
        head: proof.head,
        receipt: proof.receipt,
    };
    let bytes = verify::write(&pack, &pictures).map_err(|e| anyhow!("{e}"))?;
    let report = check(&bytes, &Keys::default());
    if !report.problems.is_empty() {
        bail!("the journal does not hold here: {}; run `journal verify`", report.problems.join("; "));
    }
    std::fs::write(file, &bytes).with_context(|| format!("{}: cannot be written", file.display()))?;
    Ok(format!(
        "{}: pass {}, {} entries to the signed head at {}, {} pictures{}",
        file.display(),
        pack.pass,
        pack.entries.len(),
        head.seq.0,
        pictures.len(),
        if pack.receipt.is_some() {
            ", with central's receipt"
        } else {
            "; central has not acknowledged it yet"
        }
    ))
}

/// An entry of this pass goes whole, with its picture; any other as its commitment alone.
fn packed(
    stored: &Stored,
    pass: &PassId,
    journal: &Path,
    images: &Path,
    pictures: &mut BTreeMap<String, Vec<u8>>,
) -> Result<PackEntry> {
    let ours = (stored.filed.0.as_deref(), stored.filed.1) == (Some(pass.lane.as_str()), Some(pass.number));
    let bare = PackEntry {
        epoch: stored.epoch,
        seq: stored.seq,
        hash: stored.hash.clone(),
        salt: None,
        body: None,
        commitment: stored.commitment().map(hex::encode),
        erased: ours && stored.is_erased(),
    };
    let Some(salt) = stored.salt().filter(|_| ours) else { return Ok(bare) };
    let entry = stored.entry(journal)?;
    if let EntryBody::OpticalRead { read, .. } = &entry.body
        && let Some(jpeg) = ImageStore::read(images, &read.frame_sha256)
    {
        pictures.insert(read.frame_sha256.clone(), jpeg);
    }
    let (salt, body) = (Some(hex::encode(salt)), Some(stored.body.clone()));
    Ok(PackEntry { salt, body, commitment: None, ..bare })
}
