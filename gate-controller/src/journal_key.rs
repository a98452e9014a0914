//! The key that signs this gate's journal heads: made at the first start, kept as the other secrets are.

use crate::identity::{IdentityFolder, create_private_dir, write_private};
use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ed25519_dalek::{SigningKey, VerifyingKey};
use gate_types::jws;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Reads `identity/journal-key` (the Ed25519 seed, base64url, mode 0600), or makes it; beside it stands
/// `journal-key.pub` for whoever is to check evidence.
pub fn signing_key(state_dir: &Path) -> Result<SigningKey> {
    let folder = IdentityFolder::of(state_dir);
    let file = folder.journal_key();
    if !file.exists() {
        let mut seed = [0_u8; 32];
        getrandom::fill(&mut seed).map_err(|e| anyhow::anyhow!("random numbers: {e}"))?;
        if let Some(parent) = file.parent() {
            create_private_dir(parent)?;
        }
        write_private(&file, B64.encode(seed).as_bytes())?;
    }
    let told = || format!("{}: not an Ed25519 seed of 32 bytes in base64url", file.display());
    let mode = std::fs::metadata(&file).with_context(told)?.permissions().mode();
    if mode & 0o077 != 0 {
        bail!("{}: others than its owner may read it; run `chmod 600` on it", file.display());
    }
    let text = std::fs::read_to_string(&file).with_context(told)?;
    let seed: [u8; 32] =
        B64.decode(text.trim()).with_context(told)?.try_into().map_err(|_| anyhow::anyhow!(told()))?;
    let key = SigningKey::from_bytes(&seed);
    let public = jws::key_to_text(&key.verifying_key());
    if std::fs::read_to_string(folder.journal_key_public()).ok().as_deref() != Some(public.as_str()) {
        write_private(&folder.journal_key_public(), public.as_bytes())?;
    }
    Ok(key)
}

/// A verifying key given as text or as a file with it.
pub fn verifying_key(given: &str) -> Result<VerifyingKey> {
    let text = std::fs::read_to_string(given).unwrap_or_else(|_| given.to_owned());
    jws::key_from_text(&text)
        .with_context(|| format!("`{given}` is neither a key in base64url nor a file with one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_for_this_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let key = signing_key(folder.path()).unwrap();
        assert_eq!(signing_key(folder.path()).unwrap(), key);
        let file = folder.path().join("identity/journal-key");
        let public = folder.path().join("identity/journal-key.pub");
        assert_eq!(verifying_key(public.to_str().unwrap()).unwrap(), key.verifying_key());
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(signing_key(folder.path()).unwrap_err().to_string().contains("chmod 600"));
    }
}
