//! First contact: the server is trusted because its authority's certificate has the fingerprint that the
//! token carries, and for no other reason.

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// Finds the authority in the presented chain by its fingerprint and verifies the server against it alone.
#[derive(Debug)]
pub struct PinnedAuthority {
    fingerprint: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl PinnedAuthority {
    /// `fingerprint` is SHA-256 over the authority's certificate in DER.
    pub fn new(fingerprint: [u8; 32], provider: Arc<CryptoProvider>) -> Self {
        Self { fingerprint, provider }
    }
}

impl ServerCertVerifier for PinnedAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let authority = intermediates
            .iter()
            .find(|c| Sha256::digest(c).as_slice() == self.fingerprint)
            .ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
            .build()
            .map_err(|e| Error::General(e.to_string()))?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

    struct Authority {
        der: CertificateDer<'static>,
        issuer: Issuer<'static, KeyPair>,
    }

    fn authority() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let der = params.self_signed(&key).unwrap().der().clone();
        Authority { der, issuer: Issuer::new(params, key) }
    }
    fn leaf(of: &Authority, name: &str) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.signed_by(&key, &of.issuer).unwrap().der().clone()
    }
    fn verify(pin: &Authority, leaf: &CertificateDer<'_>, sent: &[CertificateDer<'_>], name: &str) -> bool {
        let pinned = PinnedAuthority::new(Sha256::digest(&pin.der).into(), crate::identity::provider());
        let name = ServerName::try_from(name.to_owned()).unwrap();
        pinned.verify_server_cert(leaf, sent, &name, &[], UnixTime::now()).is_ok()
    }

    #[test]
    fn only_a_server_of_the_pinned_authority_is_trusted() {
        let (ours, theirs) = (authority(), authority());
        let good = leaf(&ours, "localhost");
        assert!(verify(&ours, &good, std::slice::from_ref(&ours.der), "localhost"));
        // Another name than the certificate's.
        assert!(!verify(&ours, &good, std::slice::from_ref(&ours.der), "example.org"));
        // The authority is not in the chain.
        assert!(!verify(&ours, &good, &[], "localhost"));
        // A stranger's server that sends our authority along without being signed by it.
        let stranger = leaf(&theirs, "localhost");
        assert!(!verify(&ours, &stranger, &[ours.der.clone(), theirs.der.clone()], "localhost"));
        // A stranger's authority.
        assert!(!verify(&ours, &stranger, std::slice::from_ref(&theirs.der), "localhost"));
        // IP addresses count as names.
        let by_ip = leaf(&ours, "127.0.0.1");
        assert!(verify(&ours, &by_ip, std::slice::from_ref(&ours.der), "127.0.0.1"));
    }
}
