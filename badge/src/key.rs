//! The secret that a reader and its panel share.

use osdp::secure::SCBK_D;
use std::fmt;
use std::path::Path;

/// Which key secures the line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// None: anybody on the line may read and forge badges.
    None,
    /// The key printed in the standard (SCBK-D), for a reader's installation.
    Install,
    /// The reader's own.
    Own([u8; 16]),
}

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read.
    #[error("key file {0}: {1}")]
    Io(String, std::io::Error),
    /// It holds something else.
    #[error("key file {0}: 32 hex digits are expected and nothing else")]
    Form(String),
}

impl Key {
    /// From a file of 32 hex digits.
    pub fn load(file: &Path) -> Result<Self, KeyError> {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|e| KeyError::Io(name.clone(), e))?;
        let mut key = [0; 16];
        hex::decode_to_slice(text.trim(), &mut key).map_err(|_| KeyError::Form(name))?;
        Ok(Self::Own(key))
    }
    /// The bytes, where there is one.
    pub(crate) fn bytes(self) -> Option<[u8; 16]> {
        match self {
            Key::None => None,
            Key::Install => Some(SCBK_D),
            Key::Own(key) => Some(key),
        }
    }
    /// As the security block tells it: 0 for the installation's, 1 for the reader's own.
    pub(crate) fn kind(self) -> u8 {
        match self {
            Key::None | Key::Install => 0,
            Key::Own(_) => 1,
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Key::None => "no key",
            Key::Install => "the installation key",
            Key::Own(_) => "a key of its own",
        })
    }
}
