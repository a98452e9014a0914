//! Compact JWS (RFC 7515) with EdDSA over Ed25519 (RFC 8037): what central signs and gates verify.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The only header that is accepted: algorithm and use are not negotiated.
const HEADER: &str = r#"{"alg":"EdDSA"}"#;
/// Longest accepted compact form, bytes.
pub const MAX_LEN: usize = 64 * 1024;

/// Why a signed message is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Too long, not three parts, or not base64url.
    #[error("signed message is malformed: {0}")]
    Malformed(&'static str),
    /// Another algorithm or header than EdDSA.
    #[error("signed message has a header other than the one agreed")]
    Header,
    /// The signature does not hold under the known key.
    #[error("signature does not hold under the known key")]
    Signature,
    /// The body is signed but not of the expected shape.
    #[error("signed body does not fit: {0}")]
    Body(String),
}

/// Signs a body.
pub fn sign<T: Serialize>(key: &SigningKey, body: &T) -> Result<String, JwsError> {
    let json = serde_json::to_vec(body).map_err(|e| JwsError::Body(e.to_string()))?;
    let signed = format!("{}.{}", B64.encode(HEADER), B64.encode(json));
    let signature = key.sign(signed.as_bytes());
    Ok(format!("{signed}.{}", B64.encode(signature.to_bytes())))
}

/// Verifies a compact JWS strictly and parses its body.
pub fn verify<T: DeserializeOwned>(key: &VerifyingKey, compact: &str) -> Result<T, JwsError> {
    if compact.len() > MAX_LEN {
        return Err(JwsError::Malformed("longer than 64 KiB"));
    }
    let (signed, signature) = compact.rsplit_once('.').ok_or(JwsError::Malformed("not three parts"))?;
    let (header, body) = signed.split_once('.').ok_or(JwsError::Malformed("not three parts"))?;
    if header != B64.encode(HEADER) {
        return Err(JwsError::Header);
    }
    let bytes = B64.decode(signature).map_err(|_| JwsError::Malformed("signature is not base64url"))?;
    let signature =
        Signature::from_slice(&bytes).map_err(|_| JwsError::Malformed("signature is not 64 bytes"))?;
    key.verify_strict(signed.as_bytes(), &signature).map_err(|_| JwsError::Signature)?;
    let json = B64.decode(body).map_err(|_| JwsError::Malformed("body is not base64url"))?;
    serde_json::from_slice(&json).map_err(|e| JwsError::Body(e.to_string()))
}

/// Parses the body without looking at the signature: only to learn which key to verify with.
pub(crate) fn read_unverified<T: DeserializeOwned>(compact: &str) -> Result<T, JwsError> {
    if compact.len() > MAX_LEN {
        return Err(JwsError::Malformed("longer than 64 KiB"));
    }
    let (signed, _) = compact.rsplit_once('.').ok_or(JwsError::Malformed("not three parts"))?;
    let (_, body) = signed.split_once('.').ok_or(JwsError::Malformed("not three parts"))?;
    let json = B64.decode(body).map_err(|_| JwsError::Malformed("body is not base64url"))?;
    serde_json::from_slice(&json).map_err(|e| JwsError::Body(e.to_string()))
}

/// A verifying key as base64url of its 32 bytes.
pub fn key_to_text(key: &VerifyingKey) -> String {
    B64.encode(key.to_bytes())
}

/// Reads a verifying key from base64url.
pub fn key_from_text(text: &str) -> Result<VerifyingKey, JwsError> {
    let bytes = B64.decode(text.trim()).map_err(|_| JwsError::Malformed("key is not base64url"))?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| JwsError::Malformed("key is not 32 bytes"))?;
    VerifyingKey::from_bytes(&bytes).map_err(|_| JwsError::Malformed("key is not a curve point"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_untouched_message_under_the_right_key_counts() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let jws = sign(&key, &("pass", 1)).unwrap();
        let body: (String, u32) = verify(&key.verifying_key(), &jws).unwrap();
        assert_eq!(body, ("pass".into(), 1));
        let other = SigningKey::from_bytes(&[8; 32]).verifying_key();
        assert_eq!(verify::<(String, u32)>(&other, &jws), Err(JwsError::Signature));
        for at in 0..jws.len() {
            let mut bytes = jws.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(bytes).unwrap();
            if forged != jws {
                assert!(verify::<(String, u32)>(&key.verifying_key(), &forged).is_err(), "byte {at}");
            }
        }
        let none = format!("{}.{}.", B64.encode(r#"{"alg":"none"}"#), B64.encode("[\"pass\",1]"));
        assert_eq!(verify::<(String, u32)>(&key.verifying_key(), &none), Err(JwsError::Header));
    }
}
