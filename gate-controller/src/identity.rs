//! The gate's identity at central: its key and certificate, the authority it trusts, and the key that
//! signs release answers. Files of `state_dir/identity/`, written once by `enrol`.

use anyhow::{Context as _, Result, bail};
use ed25519_dalek::VerifyingKey;
use gate_types::jws;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the parts lie.
#[derive(Debug, Clone)]
pub struct IdentityFolder(PathBuf);

impl IdentityFolder {
    /// The identity folder of a state directory.
    pub fn of(state_dir: &Path) -> Self {
        Self(state_dir.join("identity"))
    }
    /// The private key, PEM, mode 0600.
    pub fn key(&self) -> PathBuf {
        self.0.join("key.pem")
    }
    /// The gate's certificate, PEM.
    pub fn certificate(&self) -> PathBuf {
        self.0.join("cert.pem")
    }
    /// The authority's certificate, PEM.
    pub fn authority(&self) -> PathBuf {
        self.0.join("ca.pem")
    }
    /// The key that signs release answers, base64url.
    pub fn release_key(&self) -> PathBuf {
        self.0.join("release-key")
    }
    /// The seed of the key that signs this gate's journal, base64url, mode 0600.
    pub fn journal_key(&self) -> PathBuf {
        self.0.join("journal-key")
    }
    /// The key that verifies the journal's heads, base64url.
    pub fn journal_key_public(&self) -> PathBuf {
        self.0.join("journal-key.pub")
    }
    /// Writes all parts; the certificate last, so that a folder with a certificate is whole.
    pub fn store(&self, key_pem: &str, certificate_pem: &str, ca_pem: &str, release_key: &str) -> Result<()> {
        create_private_dir(&self.0)?;
        write_private(&self.key(), key_pem.as_bytes())?;
        write_private(&self.authority(), ca_pem.as_bytes())?;
        write_private(&self.release_key(), release_key.as_bytes())?;
        write_private(&self.certificate(), certificate_pem.as_bytes())
    }
}

/// A folder that only this user may look into.
pub fn create_private_dir(folder: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("{}: cannot be created; check the rights of state_dir", folder.display()))
}

/// Writes a file of mode 0600 beside its place, syncs it, and renames it there.
pub fn write_private(file: &Path, bytes: &[u8]) -> Result<()> {
    let what = || format!("{}: cannot be written; check free space and rights", file.display());
    let beside = file.with_extension("new");
    let mut out = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .with_context(what)?;
    out.write_all(bytes).with_context(what)?;
    out.sync_all().with_context(what)?;
    std::fs::rename(&beside, file).with_context(what)
}

/// The loaded identity, ready for TLS.
#[derive(Debug, Clone)]
pub struct Identity {
    /// TLS towards central: its authority as the only root, this gate's certificate as client.
    pub tls: rustls::ClientConfig,
    /// Verifies release answers.
    pub release_key: VerifyingKey,
}

impl Identity {
    /// Reads the identity folder. The error says how to enrol where the gate is not enrolled yet.
    pub fn load(folder: &IdentityFolder) -> Result<Self> {
        if !folder.certificate().exists() {
            bail!(
                "{}: this gate is not enrolled; get a token for the node from central and run \
                 `varco-gate enrol --config FILE --token TOKEN`",
                folder.certificate().display()
            );
        }
        let read = |path: PathBuf| {
            std::fs::read(&path)
                .with_context(|| format!("{}: cannot be read; enrol the gate anew", path.display()))
        };
        let roots = root_store(&read(folder.authority())?)
            .with_context(|| format!("{}: enrol the gate anew", folder.authority().display()))?;
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(&read(folder.certificate())?)
                .collect::<Result<_, _>>()
                .with_context(|| {
                    format!("{}: not a PEM certificate; enrol the gate anew", folder.certificate().display())
                })?;
        let key = PrivateKeyDer::from_pem_slice(&read(folder.key())?).with_context(|| {
            format!("{}: not a PEM private key; enrol the gate anew", folder.key().display())
        })?;
        let tls = rustls::ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .with_context(|| format!("{}: key and certificate do not fit", folder.certificate().display()))?;
        let text = String::from_utf8(read(folder.release_key())?).context("release-key: not text")?;
        let release_key = jws::key_from_text(&text)
            .with_context(|| format!("{}: enrol the gate anew", folder.release_key().display()))?;
        Ok(Self { tls, release_key })
    }
}

/// The one crypto provider of this daemon.
pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn root_store(pem: &[u8]) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.context("not a PEM certificate")?).context("not usable as an authority")?;
    }
    if roots.is_empty() {
        bail!("holds no certificate");
    }
    Ok(roots)
}
