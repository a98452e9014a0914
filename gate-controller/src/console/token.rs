//! The token that guards operators' acts: made at the first start, readable by the daemon's user alone.

use crate::identity::write_private;
use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;

/// Kept as a hash, so that comparing takes the same time for every guess.
#[derive(Clone)]
pub struct ConsoleToken([u8; 32]);

impl ConsoleToken {
    /// From the token's text.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.trim()).into())
    }
    /// Whether this is the token.
    pub fn is(&self, text: &str) -> bool {
        let given: [u8; 32] = Sha256::digest(text.trim()).into();
        given == self.0
    }
}

/// Reads `state_dir/console-token`, or makes it.
pub fn token(state_dir: &Path) -> Result<ConsoleToken> {
    let file = state_dir.join("console-token");
    if !file.exists() {
        let mut bytes = [0_u8; TOKEN_BYTES];
        getrandom::fill(&mut bytes).map_err(|e| anyhow::anyhow!("random numbers: {e}"))?;
        write_private(&file, hex::encode(bytes).as_bytes())?;
    }
    let text =
        std::fs::read_to_string(&file).with_context(|| format!("{}: cannot be read", file.display()))?;
    if text.trim().len() < TOKEN_BYTES {
        bail!(
            "{}: shorter than {TOKEN_BYTES} characters; delete it, a new one is made at the start",
            file.display()
        );
    }
    Ok(ConsoleToken::of(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_token_is_made_once_for_this_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let made = token(folder.path()).unwrap();
        let file = folder.path().join("console-token");
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(made.is(&text) && token(folder.path()).unwrap().is(&text));
        assert!(!made.is("") && !made.is("x"));
        std::fs::write(&file, "short").unwrap();
        assert!(token(folder.path()).is_err());
    }
}
