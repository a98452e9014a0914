//! The gate pass: what a driver shows as a QR code. Central signs it in advance for one mission at one node;
//! it tells the lane who comes, and is one fact beside the others. It admits nobody by itself.

use crate::id::{MissionId, NodeId, PortId};
use crate::jws::{self, JwsError};
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// What the body says that it is.
pub const PASS_TYPE: &str = "varco-pass/1";
/// The text of the code begins so; the compact JWS follows.
pub const PREFIX: &str = "VARCO1:";
/// Longest text of a code, bytes: version 40 of QR holds 2953 bytes at level L.
pub const MAX_TEXT: usize = 2_953;
/// So far the clocks of central and gate may differ, milliseconds.
pub const CLOCKS_MS: i64 = 30_000;

/// The body that central signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatePass {
    /// [`PASS_TYPE`].
    pub typ: String,
    /// Its name; each is taken once.
    pub id: String,
    /// Who issued it: the port whose central signed.
    pub issuer: PortId,
    /// The one node where it counts.
    pub node: NodeId,
    /// Central's clock when it signed, milliseconds since 1970.
    pub issued_at_ms: i64,
    /// It ends at this moment.
    pub expires_at_ms: i64,
    /// The mission.
    pub mission: MissionId,
}

/// What is wrong with a pass, for records and rules. A name is never changed nor given another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassFault {
    /// This port's central did not sign it, or not as a pass.
    Forged,
    /// It counts at another port or node.
    Foreign,
    /// Its time is over, or has not come.
    Expired,
    /// Another vehicle was let through on it.
    Used,
}

/// A gate pass that was shown to a lane, as it was judged before the lane heard of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ShownPass {
    /// It holds, and is bound to this vehicle's pass through the lane.
    Valid {
        /// Its name.
        id: String,
        /// The mission.
        mission: MissionId,
        /// It ends at this moment, milliseconds since 1970.
        expires_at_ms: i64,
    },
    /// It does not hold.
    Refused {
        /// What is wrong.
        fault: PassFault,
        /// The same in words.
        why: String,
    },
}

/// Why a code is no pass here and now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PassRefusal {
    /// Some other code.
    #[error("no gate pass: the text does not begin with {PREFIX}")]
    Foreign,
    /// Longer than a code can be.
    #[error("{0} bytes are more than a code holds")]
    Long(usize),
    /// Not signed by this port's central, or not of the form.
    #[error("{0}")]
    Unsigned(#[from] JwsError),
    /// Central signed it as something else.
    #[error("its body is no gate pass of this version (`{PASS_TYPE}`)")]
    Type,
    /// Another port issued it.
    #[error("it was issued by {0}")]
    Issuer(String),
    /// It counts at another node.
    #[error("it counts at node {0}")]
    Node(String),
    /// Its time is over.
    #[error("it expired {0} ms ago")]
    Expired(i64),
    /// Issued in the future.
    #[error("it is issued {0} ms in the future; check both clocks")]
    Future(i64),
    /// Taken before.
    #[error("it was used already")]
    Used,
}

impl PassRefusal {
    /// The text is a pass of ours, or pretends to be: worth a word to an operator.
    pub fn is_pass(&self) -> bool {
        self.fault().is_some()
    }
    /// What is wrong with the pass; none where the text is no pass at all.
    pub fn fault(&self) -> Option<PassFault> {
        match self {
            PassRefusal::Foreign | PassRefusal::Long(_) => None,
            PassRefusal::Unsigned(_) | PassRefusal::Type => Some(PassFault::Forged),
            PassRefusal::Issuer(_) | PassRefusal::Node(_) => Some(PassFault::Foreign),
            PassRefusal::Expired(_) | PassRefusal::Future(_) => Some(PassFault::Expired),
            PassRefusal::Used => Some(PassFault::Used),
        }
    }
}

/// The text of the code.
pub fn write(key: &SigningKey, pass: &GatePass) -> Result<String, JwsError> {
    Ok(format!("{PREFIX}{}", jws::sign(key, pass)?))
}

/// Verifies the text of a code. Whether it was used before is the gate's to know.
pub fn read(
    key: &VerifyingKey,
    issuer: &PortId,
    node: &NodeId,
    now_ms: i64,
    text: &str,
) -> Result<GatePass, PassRefusal> {
    if text.len() > MAX_TEXT {
        return Err(PassRefusal::Long(text.len()));
    }
    let compact = text.trim().strip_prefix(PREFIX).ok_or(PassRefusal::Foreign)?;
    let pass: GatePass = jws::verify(key, compact)?;
    if pass.typ != PASS_TYPE || pass.id.is_empty() || pass.id.len() > 128 {
        return Err(PassRefusal::Type);
    }
    if pass.issuer != *issuer {
        return Err(PassRefusal::Issuer(pass.issuer.to_string()));
    }
    if pass.node != *node {
        return Err(PassRefusal::Node(pass.node.to_string()));
    }
    if pass.issued_at_ms > now_ms.saturating_add(CLOCKS_MS) {
        return Err(PassRefusal::Future(pass.issued_at_ms.saturating_sub(now_ms)));
    }
    if now_ms >= pass.expires_at_ms {
        return Err(PassRefusal::Expired(now_ms.saturating_sub(pass.expires_at_ms)));
    }
    Ok(pass)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn pass() -> GatePass {
        GatePass {
            typ: PASS_TYPE.into(),
            id: "p-1".into(),
            issuer: PortId::new("ITBRI").unwrap(),
            node: NodeId::new("1").unwrap(),
            issued_at_ms: NOW,
            expires_at_ms: NOW + 3_600_000,
            mission: MissionId::new("m-1").unwrap(),
        }
    }
    fn at(pass: &GatePass, now_ms: i64) -> Result<GatePass, PassRefusal> {
        let key = SigningKey::from_bytes(&[7; 32]);
        let text = write(&key, pass).unwrap();
        read(&key.verifying_key(), &PortId::new("ITBRI").unwrap(), &NodeId::new("1").unwrap(), now_ms, &text)
    }

    #[test]
    fn a_pass_counts_at_its_node_within_its_time_under_its_issuer() {
        assert_eq!(at(&pass(), NOW), Ok(pass()));
        assert_eq!(at(&pass(), NOW + 3_600_000), Err(PassRefusal::Expired(0)));
        assert_eq!(at(&pass(), NOW - 40_000), Err(PassRefusal::Future(40_000)));
        let other = GatePass { issuer: PortId::new("ITTRS").unwrap(), ..pass() };
        assert_eq!(at(&other, NOW), Err(PassRefusal::Issuer("ITTRS".into())));
        let other = GatePass { node: NodeId::new("2").unwrap(), ..pass() };
        assert_eq!(at(&other, NOW), Err(PassRefusal::Node("2".into())));
        let other = GatePass { typ: "varco-command/1".into(), ..pass() };
        assert_eq!(at(&other, NOW), Err(PassRefusal::Type));
    }

    #[test]
    fn other_codes_and_forgeries_are_told_apart() {
        let key = SigningKey::from_bytes(&[7; 32]).verifying_key();
        let (port, node) = (PortId::new("ITBRI").unwrap(), NodeId::new("1").unwrap());
        let told = |text: &str| read(&key, &port, &node, NOW, text);
        assert_eq!(told("https://example.org"), Err(PassRefusal::Foreign));
        assert!(matches!(told("VARCO1:abc"), Err(PassRefusal::Unsigned(_))));
        let forged = write(&SigningKey::from_bytes(&[8; 32]), &pass()).unwrap();
        assert_eq!(told(&forged), Err(PassRefusal::Unsigned(JwsError::Signature)));
        assert!(matches!(told(&"x".repeat(3_000)), Err(PassRefusal::Long(3_000))));
        let text = write(&SigningKey::from_bytes(&[7; 32]), &pass()).unwrap();
        assert!(text.len() < 600, "a code of {} bytes is hard to read from a phone", text.len());
    }
}
