//! Signed heads of a gate's journal, and central's receipts for them: what makes a chain evidence and a cut
//! tail visible (D89-D92, F-TAMP1).
//!
//! A gate signs where its journal stands with an Ed25519 key of its own, off the way of any decision. Central
//! keeps each head and answers with a receipt under the key that signs releases: from then on neither the
//! gate nor whoever owns its disk can cut or rewrite what lies at or below that head without being found out.
//! What was written after the last head that central holds can still be cut; reports say where that window
//! begins.

use crate::jws::{self, JwsError};
use crate::{BootEpoch, EntrySeq, NodeId, PortId};
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// Marks a signed text as a head, so that no other signed text is taken for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadMark {
    /// The only value.
    JournalHead,
}

/// Marks a signed text as a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptMark {
    /// The only value.
    HeadReceipt,
}

/// Where a journal stood: the body of a signed head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalHead {
    /// What this is.
    pub what: HeadMark,
    /// The port.
    pub port: PortId,
    /// The node.
    pub node: NodeId,
    /// The start that wrote the last entry.
    pub epoch: BootEpoch,
    /// The last entry.
    pub seq: EntrySeq,
    /// Its hash, and by it everything before it.
    pub hash: String,
    /// Wall clock of the gate when it signed, milliseconds since 1970; for people.
    pub signed_at_ms: i64,
    /// The key that signs, base64url.
    pub key: String,
}

/// Central holds a head: the body of its receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadReceipt {
    /// What this is.
    pub what: ReceiptMark,
    /// The head.
    pub head: JournalHead,
    /// Wall clock of central when it had stored the head, milliseconds since 1970.
    pub received_at_ms: i64,
}

/// A head with its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    /// The body.
    pub head: JournalHead,
    /// The compact JWS.
    pub jws: String,
}

/// Signs heads: the key of one gate.
#[derive(Clone)]
pub struct HeadSigner {
    /// The port.
    pub port: PortId,
    /// The node.
    pub node: NodeId,
    key: SigningKey,
}

impl std::fmt::Debug for HeadSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HeadSigner of node {} of {}", self.node, self.port)
    }
}

impl HeadSigner {
    /// The signer of one gate.
    pub fn new(port: PortId, node: NodeId, key: SigningKey) -> Self {
        Self { port, node, key }
    }
    /// The key that verifies.
    pub fn key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }
    /// Signs where the journal stands.
    pub fn sign(
        &self,
        epoch: BootEpoch,
        seq: EntrySeq,
        hash: &str,
        at_ms: i64,
    ) -> Result<SignedHead, JwsError> {
        let head = JournalHead {
            what: HeadMark::JournalHead,
            port: self.port.clone(),
            node: self.node.clone(),
            epoch,
            seq,
            hash: hash.to_owned(),
            signed_at_ms: at_ms,
            key: jws::key_to_text(&self.key()),
        };
        let jws = jws::sign(&self.key, &head)?;
        Ok(SignedHead { head, jws })
    }
}

/// Reads a head that says itself which key signed it; whose key that is, somebody else must say.
pub fn read_head(signed: &str) -> Result<SignedHead, JwsError> {
    let named: JournalHead = jws::read_unverified(signed)?;
    let head = jws::verify(&jws::key_from_text(&named.key)?, signed)?;
    Ok(SignedHead { head, jws: signed.to_owned() })
}

/// Reads a receipt under central's key.
pub fn read_receipt(central: &VerifyingKey, signed: &str) -> Result<HeadReceipt, JwsError> {
    jws::verify(central, signed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(seed: u8) -> HeadSigner {
        let key = SigningKey::from_bytes(&[seed; 32]);
        HeadSigner::new(PortId::new("ITBRI").unwrap(), NodeId::new("1").unwrap(), key)
    }

    #[test]
    fn a_head_tells_its_key_and_holds_under_no_other() {
        let signed = signer(1).sign(BootEpoch(2), EntrySeq(9), &"a".repeat(64), 5).unwrap();
        assert_eq!(read_head(&signed.jws).unwrap(), signed);
        let mut lying = signed.head.clone();
        lying.key = jws::key_to_text(&signer(2).key());
        let forged = jws::sign(&signer(1).key, &lying).unwrap();
        assert_eq!(read_head(&forged), Err(JwsError::Signature));
    }

    #[test]
    fn a_receipt_is_no_head_and_a_head_no_receipt() {
        let central = SigningKey::from_bytes(&[9; 32]);
        let signed = signer(1).sign(BootEpoch(1), EntrySeq(1), &"b".repeat(64), 5).unwrap();
        let receipt = HeadReceipt { what: ReceiptMark::HeadReceipt, head: signed.head, received_at_ms: 6 };
        let text = jws::sign(&central, &receipt).unwrap();
        assert_eq!(read_receipt(&central.verifying_key(), &text).unwrap(), receipt);
        assert!(read_head(&text).is_err());
        assert!(read_receipt(&signer(1).key(), &signed.jws).is_err());
    }
}
