//! Enrolment: a one-time token buys this gate a certificate. The key pair is made here and never leaves.

use crate::identity::{IdentityFolder, provider};
use crate::verifier::PinnedAuthority;
use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use config::Loaded;
use gate_types::api;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for central's answer, milliseconds; a person waits for it.
const ENROL_TIMEOUT_MS: u64 = 15_000;
/// Longest accepted answer, bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// The parts of `varco1.SECRET.FINGERPRINT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The one-time secret.
    pub secret: String,
    /// SHA-256 of the authority's certificate, DER.
    pub fingerprint: [u8; 32],
}

impl Token {
    /// Parses the token's text.
    pub fn parse(text: &str) -> Result<Self> {
        let shape = "expected varco1.SECRET.FINGERPRINT as central printed it";
        let parts: Vec<&str> = text.trim().split('.').collect();
        let ["varco1", secret, fingerprint] = parts.as_slice() else {
            bail!("token: {shape}");
        };
        if secret.is_empty() || secret.len() > 128 {
            bail!("token: the secret is empty or longer than 128 characters; {shape}");
        }
        let bytes = B64.decode(fingerprint).with_context(|| format!("token: fingerprint; {shape}"))?;
        let fingerprint: [u8; 32] = bytes
            .try_into()
            .map_err(|_| anyhow::anyhow!("token: the fingerprint is not 32 bytes; {shape}"))?;
        Ok(Self { secret: (*secret).to_owned(), fingerprint })
    }
}

/// A fresh key pair (ECDSA P-256) with its certificate signing request.
#[derive(Debug)]
pub struct Request {
    /// The private key, PEM.
    pub key_pem: String,
    /// The request, PEM.
    pub csr_pem: String,
}

impl Request {
    /// Makes a key pair for `name`; central sets the subject by itself and takes only the key.
    pub fn make(name: &str) -> Result<Self> {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).context("key pair")?;
        let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).context("signing request")?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let csr_pem =
            params.serialize_request(&key).context("signing request")?.pem().context("signing request")?;
        Ok(Self { key_pem: key.serialize_pem(), csr_pem })
    }
}

/// Enrols the gate of a node file and stores its identity.
pub async fn enrol(loaded: &Loaded, token: &str) -> Result<()> {
    let token = Token::parse(token)?;
    let folder = IdentityFolder::of(&loaded.node.state_dir);
    let made = Request::make(loaded.node.node.as_str())?;
    let verifier = PinnedAuthority::new(token.fingerprint, provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    let client = crate::central::http_client(tls, Duration::from_millis(ENROL_TIMEOUT_MS))?;
    let url = crate::central::join(&loaded.node.central.url, api::ENROL);
    let request = api::EnrolRequest {
        secret: token.secret,
        node: loaded.node.node.clone(),
        csr_pem: made.csr_pem.clone(),
    };
    let answer: api::EnrolAnswer = crate::central::post(&client, &url, &request, MAX_ANSWER).await?;
    if answer.port != loaded.site.port {
        bail!(
            "central at {url} serves port {} and this node belongs to {}; check central.url and the site file",
            answer.port,
            loaded.site.port
        );
    }
    let ca =
        CertificateDer::from_pem_slice(answer.ca_pem.as_bytes()).context("central's ca_pem is not PEM")?;
    if Sha256::digest(&ca).as_slice() != token.fingerprint {
        bail!("central at {url} answered with another authority than the token names; ask for a new token");
    }
    gate_types::jws::key_from_text(&answer.release_key).context("central's release_key")?;
    folder.store(&made.key_pem, &answer.certificate_pem, &answer.ca_pem, &answer.release_key)?;
    crate::identity::Identity::load(&folder).context("the new identity does not load")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_from_garbage() {
        let good = format!("varco1.abc.{}", B64.encode([7; 32]));
        assert_eq!(Token::parse(&good).unwrap(), Token { secret: "abc".into(), fingerprint: [7; 32] });
        for bad in ["", "varco1", "varco2.a.b", "varco1..AAAA", "varco1.a.AAAA", "varco1.a.!!"] {
            assert!(Token::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_request_holds_the_public_key_of_its_private_key() {
        let made = Request::make("3").unwrap();
        let key = rcgen::KeyPair::from_pem(&made.key_pem).unwrap();
        let csr = rcgen::CertificateSigningRequestParams::from_pem(&made.csr_pem).unwrap();
        use rcgen::PublicKeyData as _;
        assert_eq!(csr.public_key.der_bytes(), key.der_bytes());
        assert!(!made.csr_pem.contains("PRIVATE"));
    }
}
