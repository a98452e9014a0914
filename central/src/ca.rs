//! The port's certificate authority: it vouches for central towards the gates and for the gates towards
//! central. Its key never leaves the state folder, and a gate's key never leaves the gate.

use crate::state;
use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use gate_types::NodeId;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Gates and central get certificates of one year.
const VALID: Duration = Duration::from_secs(365 * 86_400);
/// The authority itself holds for twenty.
const CA_VALID: Duration = Duration::from_secs(20 * 365 * 86_400);
/// Certificates count from a day ago, for gates whose clock is behind.
const BACKDATED: Duration = Duration::from_secs(86_400);
/// What a gate's common name begins with.
const NODE_PREFIX: &str = "node:";

/// Why a certificate signing request is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    /// The request itself is at fault.
    #[error("csr_pem is not a certificate signing request whose signature holds: {0}")]
    Request(rcgen::Error),
    /// The authority is.
    #[error("the authority cannot sign: {0}")]
    Authority(String),
}

/// A certificate as issued.
pub(crate) struct Issued {
    pub(crate) pem: String,
    /// Lower-case hex.
    pub(crate) serial: String,
    pub(crate) not_after_ms: i64,
}

/// The authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
}

impl Authority {
    /// Opens the authority of a state folder, or founds it at first start.
    pub(crate) fn open(folder: &Path, port: &str) -> Result<Self> {
        let key_path = folder.join("ca-key.pem");
        let key_pem = state::keep(&key_path, || Ok(KeyPair::generate()?.serialize_pem()))?;
        let told = || format!("{} is not a private key in PEM", key_path.display());
        let key = KeyPair::from_pem(&key_pem).with_context(told)?;
        let path = folder.join("ca.pem");
        if !path.exists() {
            let (mut params, _, _) = params(&format!("varco authority of {port}"), CA_VALID)?;
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            state::write_first(&path, &params.self_signed(&key)?.pem(), 0o644)?;
        }
        let told = || format!("{} is not a certificate in PEM", path.display());
        let pem = std::fs::read_to_string(&path).with_context(told)?;
        let der =
            CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|e| anyhow::anyhow!("{}: {e}", told()))?;
        let der = der.into_owned();
        let issuer = Issuer::from_ca_cert_der(&der, key).with_context(told)?;
        Ok(Self { issuer, pem, der })
    }

    /// The authority's certificate, PEM.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// SHA-256 of the authority's certificate (DER), base64url: by it a gate knows the right central.
    pub(crate) fn fingerprint(&self) -> String {
        B64.encode(Sha256::digest(&self.der))
    }

    /// Signs a gate's request. Nothing of the request but its public key is taken over: name, purpose and
    /// validity are ours.
    pub(crate) fn issue(&self, node: &NodeId, csr_pem: &str) -> Result<Issued, IssueError> {
        let csr = CertificateSigningRequestParams::from_pem(csr_pem).map_err(IssueError::Request)?;
        let authority = |e: &dyn std::fmt::Display| IssueError::Authority(e.to_string());
        let (mut params, serial, not_after_ms) =
            params(&format!("{NODE_PREFIX}{node}"), VALID).map_err(|e| authority(&e))?;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&csr.public_key, &self.issuer).map_err(|e| authority(&e))?;
        Ok(Issued { pem: certificate.pem(), serial, not_after_ms })
    }

    /// TLS as the gates meet it: a fresh certificate for `names`, sent with the authority's; a client
    /// certificate is asked for but may be missing (a gate that enrols has none yet).
    pub(crate) fn server(&self, names: &[String]) -> Result<Arc<ServerConfig>> {
        let key = KeyPair::generate()?;
        let (mut params, _, _) = params("varco-central", VALID)?;
        let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        all.extend(names.iter().cloned());
        params.subject_alt_names =
            CertificateParams::new(all).context("--name: not a DNS name or IP address")?.subject_alt_names;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf = params.signed_by(&key, &self.issuer)?;
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).context("ca.pem is no usable trust anchor")?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .allow_unauthenticated()
            .build()?;
        let key =
            PrivateKeyDer::try_from(key.serialize_der()).map_err(|e| anyhow::anyhow!("server key: {e}"))?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![leaf.der().clone(), self.der.clone()], key)?;
        Ok(Arc::new(config))
    }
}

/// The node that a certificate of ours names; the chain is verified before.
pub(crate) fn node_of(der: &CertificateDer<'_>) -> Option<NodeId> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    let name = certificate.subject().iter_common_name().next()?.as_str().ok()?;
    NodeId::new(name.strip_prefix(NODE_PREFIX)?).ok()
}

/// Common parts of every certificate: name, random serial of 127 bits (CA/B baseline asks for 64), validity.
fn params(name: &str, valid: Duration) -> Result<(CertificateParams, String, i64)> {
    let since_1970 =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).context("the clock is before 1970")?;
    let mut serial = state::random::<16>()?;
    serial[0] = serial[0] & 0x7f | 0x40;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.not_before = date_time_ymd(1970, 1, 1) + since_1970.saturating_sub(BACKDATED);
    params.not_after = date_time_ymd(1970, 1, 1) + since_1970 + valid;
    let not_after_ms = i64::try_from((since_1970 + valid).as_millis())?;
    Ok((params, hex::encode(serial), not_after_ms))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_gets_the_name_of_its_token_whatever_it_asks_for() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::open(folder.path(), "ITBRI").unwrap();
        let again = Authority::open(folder.path(), "ITBRI").unwrap();
        assert_eq!(authority.fingerprint(), again.fingerprint());
        let key = KeyPair::generate().unwrap();
        let mut asked = CertificateParams::new(vec!["evil.example".to_owned()]).unwrap();
        asked.distinguished_name.push(DnType::CommonName, "node:2");
        let csr = asked.serialize_request(&key).unwrap().pem().unwrap();
        let issued = again.issue(&NodeId::new("1").unwrap(), &csr).unwrap();
        let der = CertificateDer::from_pem_slice(issued.pem.as_bytes()).unwrap();
        assert_eq!(node_of(&der), Some(NodeId::new("1").unwrap()));
        assert_eq!(node_of(&authority.der), None);
        for bad in
            ["", "no csr", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"]
        {
            assert!(matches!(again.issue(&NodeId::new("1").unwrap(), bad), Err(IssueError::Request(_))));
        }
    }
}
