//! The state folder beside the database: keys and the administrator's token, each file for its owner only.

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ed25519_dalek::SigningKey;
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| anyhow::anyhow!("the system gives no random bytes: {e}"))?;
    Ok(bytes)
}

/// A secret of 256 bits as base64url.
pub(crate) fn secret() -> Result<String> {
    Ok(B64.encode(random::<32>()?))
}

/// SHA-256 of a secret's text; what is stored in its place.
pub(crate) fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Compares two digests in a time that does not depend on where they differ.
pub(crate) fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.iter().zip(b).fold(0, |differing, (x, y)| differing | (x ^ y)) == 0
}

/// Writes a file that appears whole or not at all; `mode` counts from its first byte on.
pub fn write_whole(path: &Path, text: &str, mode: u32) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().context("a file to be written has no name")?.to_string_lossy().into_owned();
    let part = folder.join(format!(".{name}.{}.part", std::process::id()));
    let told = || format!("{} cannot be written; check the folder's rights and space", path.display());
    match fs::remove_file(&part) {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        Err(e) => return Err(e).with_context(told),
    }
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(mode).open(&part).with_context(told)?;
    file.write_all(text.as_bytes()).with_context(told)?;
    file.sync_all().with_context(told)?;
    fs::rename(&part, path).with_context(told)?;
    File::open(folder).and_then(|f| f.sync_all()).with_context(told)
}

/// Writes a file that is not there yet, whole. Where another process was first, its file stays.
pub(crate) fn write_first(path: &Path, text: &str, mode: u32) -> Result<()> {
    let name = path.file_name().context("a file to be written has no name")?.to_string_lossy().into_owned();
    let first = path.with_file_name(format!(".{name}.{}.first", std::process::id()));
    write_whole(&first, text, mode)?;
    let linked = fs::hard_link(&first, path);
    fs::remove_file(&first).with_context(|| format!("{} cannot be removed", first.display()))?;
    match linked {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => {
            Err(e).with_context(|| format!("{} cannot be written", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Reads a secret file, or makes it at first start. A secret that others may read is refused.
pub(crate) fn keep(path: &Path, make: impl FnOnce() -> Result<String>) -> Result<String> {
    match fs::metadata(path) {
        Ok(found) => {
            if found.permissions().mode() & 0o077 != 0 {
                anyhow::bail!(
                    "{} may be read by others than its owner; run `chmod 600` on it",
                    path.display()
                );
            }
            fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
        }
        Err(e) if e.kind() == ErrorKind::NotFound => {
            write_first(path, &make()?, 0o600)?;
            fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
        }
        Err(e) => Err(e).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// The key that signs release answers: the Ed25519 seed as base64url.
pub(crate) fn release_key(path: &Path) -> Result<SigningKey> {
    let text = keep(path, secret)?;
    let told = || format!("{} is not an Ed25519 seed of 32 bytes in base64url", path.display());
    let bytes = B64.decode(text.trim()).with_context(told)?;
    let seed: [u8; 32] = bytes.try_into().map_err(|_| anyhow::anyhow!(told()))?;
    Ok(SigningKey::from_bytes(&seed))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin-token");
        let first = keep(&path, secret).unwrap();
        assert_eq!(keep(&path, secret).unwrap(), first);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(keep(&path, secret).unwrap_err().to_string().contains("chmod 600"));
        assert!(same(&digest("a"), &digest("a")) && !same(&digest("a"), &digest("b")));
    }
}
