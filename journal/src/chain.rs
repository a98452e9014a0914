//! The hash chain.

use gate_types::{BootEpoch, EntrySeq};
use sha2::{Digest as _, Sha256};

/// What the first entry chains to: 64 zeros.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The hash of one entry, lower-case hex.
pub fn entry_hash(previous: &str, epoch: BootEpoch, seq: EntrySeq, body: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(previous.as_bytes());
    hasher.update(u64::from(epoch.0).to_be_bytes());
    hasher.update(seq.0.to_be_bytes());
    hasher.update(body.as_bytes());
    hex::encode(hasher.finalize())
}
