//! LLRPStatus (parameter 287, clause 16.2.7.1).

use super::WireError;
use super::bits::{Cursor, Writer};

/// Status codes of clause 15 that are used here.
pub mod code {
    /// Success.
    pub const SUCCESS: u16 = 0;
    /// M_ParameterError.
    pub const PARAMETER_ERROR: u16 = 100;
    /// M_FieldError.
    pub const FIELD_ERROR: u16 = 101;
    /// M_UnexpectedMessage.
    pub const UNEXPECTED_MESSAGE: u16 = 105;
    /// M_UnsupportedMessage.
    pub const UNSUPPORTED_MESSAGE: u16 = 109;
    /// M_UnsupportedVersion.
    pub const UNSUPPORTED_VERSION: u16 = 110;
    /// A_Invalid.
    pub const INVALID: u16 = 300;
    /// R_DeviceError.
    pub const DEVICE_ERROR: u16 = 401;
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LlrpStatus {
    /// 0 is success; see [`code`].
    pub code: u16,
    /// The reader's words; at most 1 KiB is sent.
    pub text: String,
}

impl LlrpStatus {
    /// Success.
    pub fn ok() -> Self {
        Self { code: code::SUCCESS, text: String::new() }
    }
    /// A failure in words.
    pub fn failed(code: u16, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
    /// True for success.
    pub fn is_ok(&self) -> bool {
        self.code == code::SUCCESS
    }
    pub(super) const KIND: u16 = 287;

    pub(super) fn write(&self, w: &mut Writer) {
        let mut end = self.text.len().min(1024);
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        w.tlv(Self::KIND, "LLRPStatus", |w| {
            w.u16(self.code).text(&self.text[..end], "LLRPStatus");
        });
    }
    pub(super) fn read(c: Cursor<'_>) -> Result<Self, WireError> {
        let mut c = c.named("LLRPStatus");
        Ok(Self { code: c.u16("StatusCode")?, text: c.text("ErrorDescription")? })
    }
}
