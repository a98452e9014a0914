//! Checked reading and writing of big-endian fields, TLVs and TVs.

use super::{MAX_MESSAGE_BYTES, RawTlv, WireError};

/// Reads fields of one message or parameter; every read names its field.
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    pub(super) what: &'static str,
}

/// One parameter as it lies in a list.
pub(super) enum Param<'a> {
    Tlv(u16, Cursor<'a>),
    /// A TV's type; its fields follow in the list's own cursor.
    Tv(u8),
}

impl<'a> Cursor<'a> {
    pub(super) fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { rest: bytes, what }
    }
    /// The same bytes under the name of what they turned out to be.
    pub(super) fn named(self, what: &'static str) -> Self {
        Self { what, ..self }
    }
    pub(super) fn take(&mut self, n: usize, field: &'static str) -> Result<&'a [u8], WireError> {
        match self.rest.split_at_checked(n) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(WireError::Truncated { what: self.what, field }),
        }
    }
    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], WireError> {
        let mut out = [0u8; N];
        out.copy_from_slice(self.take(N, field)?);
        Ok(out)
    }
    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, WireError> {
        Ok(u8::from_be_bytes(self.array(field)?))
    }
    pub(super) fn u16(&mut self, field: &'static str) -> Result<u16, WireError> {
        Ok(u16::from_be_bytes(self.array(field)?))
    }
    pub(super) fn u32(&mut self, field: &'static str) -> Result<u32, WireError> {
        Ok(u32::from_be_bytes(self.array(field)?))
    }
    pub(super) fn u64(&mut self, field: &'static str) -> Result<u64, WireError> {
        Ok(u64::from_be_bytes(self.array(field)?))
    }
    /// The highest bit of a byte whose other bits are reserved.
    pub(super) fn flag(&mut self, field: &'static str) -> Result<bool, WireError> {
        Ok(self.u8(field)? & 0x80 != 0)
    }
    /// `u16` byte count and UTF-8; wrong UTF-8 is replaced, never refused.
    pub(super) fn text(&mut self, field: &'static str) -> Result<String, WireError> {
        let n = usize::from(self.u16(field)?);
        Ok(String::from_utf8_lossy(self.take(n, field)?).into_owned())
    }
    pub(super) fn remaining(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }
    /// The next parameter of a list, or none at its end.
    pub(super) fn param(&mut self) -> Result<Option<Param<'a>>, WireError> {
        let Some(first) = self.rest.first().copied() else { return Ok(None) };
        if first & 0x80 != 0 {
            self.rest = &self.rest[1..];
            return Ok(Some(Param::Tv(first & 0x7f)));
        }
        let kind = self.u16("parameter type")? & 0x03ff;
        let length = self.u16("parameter length")?;
        let bad = WireError::BadLength { what: self.what, kind, length };
        let body = usize::from(length).checked_sub(4).ok_or_else(|| bad.clone())?;
        let (taken, rest) = self.rest.split_at_checked(body).ok_or(bad)?;
        self.rest = rest;
        Ok(Some(Param::Tlv(kind, Cursor::new(self.what, taken))))
    }
    /// The next parameter of a list that holds TLVs only.
    pub(super) fn tlv(&mut self) -> Result<Option<(u16, Cursor<'a>)>, WireError> {
        match self.param()? {
            None => Ok(None),
            Some(Param::Tlv(kind, body)) => Ok(Some((kind, body))),
            Some(Param::Tv(kind)) => Err(WireError::UnknownTv { what: self.what, kind }),
        }
    }
    /// All TLVs that are left, unread.
    pub(super) fn raws(&mut self) -> Result<Vec<RawTlv>, WireError> {
        let mut out = Vec::new();
        while let Some((kind, mut body)) = self.tlv()? {
            out.push(RawTlv { kind, body: body.remaining().to_vec() });
        }
        Ok(out)
    }
}

/// Writes fields. A value that does not fit is remembered and reported by [`Writer::finish`].
#[derive(Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    overflow: Option<&'static str>,
}

impl Writer {
    pub(super) fn u8(&mut self, v: u8) -> &mut Self {
        self.bytes.push(v);
        self
    }
    pub(super) fn u16(&mut self, v: u16) -> &mut Self {
        self.bytes.extend_from_slice(&v.to_be_bytes());
        self
    }
    pub(super) fn u32(&mut self, v: u32) -> &mut Self {
        self.bytes.extend_from_slice(&v.to_be_bytes());
        self
    }
    pub(super) fn u64(&mut self, v: u64) -> &mut Self {
        self.bytes.extend_from_slice(&v.to_be_bytes());
        self
    }
    pub(super) fn flag(&mut self, v: bool) -> &mut Self {
        self.u8(if v { 0x80 } else { 0 })
    }
    pub(super) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }
    pub(super) fn tv(&mut self, kind: u8) -> &mut Self {
        self.u8(0x80 | kind)
    }
    /// A count or length that must fit 16 bits.
    pub(super) fn count(&mut self, n: usize, what: &'static str) -> &mut Self {
        let fitting = u16::try_from(n).unwrap_or_else(|_| {
            self.overflow = Some(what);
            0
        });
        self.u16(fitting)
    }
    pub(super) fn text(&mut self, text: &str, what: &'static str) -> &mut Self {
        self.count(text.len(), what).raw(text.as_bytes())
    }
    /// A TLV parameter whose body `fill` writes.
    pub(super) fn tlv(&mut self, kind: u16, what: &'static str, fill: impl FnOnce(&mut Writer)) -> &mut Self {
        let mut inner = Writer::default();
        fill(&mut inner);
        self.overflow = self.overflow.or(inner.overflow);
        self.u16(kind & 0x03ff).count(inner.bytes.len() + 4, what).raw(&inner.bytes)
    }
    pub(super) fn raws(&mut self, raws: &[RawTlv]) -> &mut Self {
        for raw in raws {
            self.tlv(raw.kind, "parameter", |w| {
                w.raw(&raw.body);
            });
        }
        self
    }
    /// The bytes, when everything fitted.
    pub(super) fn finish(self) -> Result<Vec<u8>, WireError> {
        match self.overflow {
            Some(what) => Err(WireError::DoesNotFit { what }),
            None if self.bytes.len() > MAX_MESSAGE_BYTES => Err(WireError::DoesNotFit { what: "message" }),
            None => Ok(self.bytes),
        }
    }
}
