//! The journal's hash chain (I5, D89). An entry is chained by a salted commitment to its body, so that a
//! body can be erased, or left out of a proof, without breaking the chain; the salt keeps a short body (a
//! plate) from being guessed from its commitment.
//!
//! `commitment = SHA-256("varco-body-2\0" ‖ salt ‖ body)`,
//! `hash = SHA-256("varco-entry-2\0" ‖ previous hash ‖ epoch ‖ seq ‖ commitment)`; hashes as 64 lower-case
//! hex digits, numbers as 8 bytes big-endian, the body as its stored JSON text.

use crate::{BootEpoch, EntrySeq};
use sha2::{Digest as _, Sha256};

/// What the first entry chains to: 64 zeros.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Bytes of a salt.
pub const SALT: usize = 16;

/// What stands for a body in the chain.
pub type Commitment = [u8; 32];

/// The commitment to a body under its salt.
pub fn commitment(salt: &[u8], body: &str) -> Commitment {
    let mut hasher = Sha256::new();
    hasher.update(b"varco-body-2\0");
    hasher.update(salt);
    hasher.update(body.as_bytes());
    hasher.finalize().into()
}

/// The hash of one entry, lower-case hex.
pub fn entry_hash(previous: &str, epoch: BootEpoch, seq: EntrySeq, commitment: &Commitment) -> String {
    let mut hasher = Sha256::new();
    hasher.update(b"varco-entry-2\0");
    hasher.update(previous.as_bytes());
    hasher.update(u64::from(epoch.0).to_be_bytes());
    hasher.update(seq.0.to_be_bytes());
    hasher.update(commitment);
    hex::encode(hasher.finalize())
}

/// The hash of an entry of the first format, which chained the body itself and cannot be erased.
pub fn entry_hash_v1(previous: &str, epoch: BootEpoch, seq: EntrySeq, body: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(previous.as_bytes());
    hasher.update(u64::from(epoch.0).to_be_bytes());
    hasher.update(seq.0.to_be_bytes());
    hasher.update(body.as_bytes());
    hex::encode(hasher.finalize())
}

/// SHA-256 of anything, lower-case hex: the address of an image.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_an_entry_is_in_its_hash_and_a_body_only_through_its_commitment() {
        let of = |previous: &str, epoch, seq, salt: &[u8], body: &str| {
            entry_hash(previous, BootEpoch(epoch), EntrySeq(seq), &commitment(salt, body))
        };
        let first = of(GENESIS, 1, 1, &[1; SALT], "{}");
        assert_eq!(first.len(), 64);
        let others = [
            of(&first, 1, 1, &[1; SALT], "{}"),
            of(GENESIS, 2, 1, &[1; SALT], "{}"),
            of(GENESIS, 1, 2, &[1; SALT], "{}"),
            of(GENESIS, 1, 1, &[2; SALT], "{}"),
            of(GENESIS, 1, 1, &[1; SALT], "{ }"),
        ];
        assert!(others.iter().all(|other| *other != first));
        let erased = entry_hash(GENESIS, BootEpoch(1), EntrySeq(1), &commitment(&[1; SALT], "{}"));
        assert_eq!(erased, first, "the commitment alone is enough");
    }
}
