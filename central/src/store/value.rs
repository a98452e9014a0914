//! Values on their way into a statement and cells on their way out, the same for every kind of store.

use super::StoreError;

/// One parameter of a statement. Whole numbers of every width travel as `Int`, truth values as 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// No value.
    Null,
    /// A whole number.
    Int(i64),
    /// A text without the character U+0000, which PostgreSQL does not keep.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl Value<'_> {
    /// The same as an answer has it.
    pub(crate) fn cell(&self) -> Cell {
        match self {
            Self::Null => Cell::Null,
            Self::Int(n) => Cell::Int(*n),
            Self::Text(text) => Cell::Text((*text).to_owned()),
            Self::Bytes(bytes) => Cell::Bytes(bytes.to_vec()),
        }
    }
}

impl From<i64> for Value<'_> {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}
impl From<u32> for Value<'_> {
    fn from(n: u32) -> Self {
        Self::Int(i64::from(n))
    }
}
impl From<bool> for Value<'_> {
    fn from(yes: bool) -> Self {
        Self::Int(i64::from(yes))
    }
}
impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}
impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}
impl<'a> From<&'a [u8; 32]> for Value<'a> {
    fn from(bytes: &'a [u8; 32]) -> Self {
        Self::Bytes(bytes)
    }
}
impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The parameters of one statement.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::store::value::Value::from($value)),*] };
}
pub(crate) use values;

/// One cell of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Cell {
    /// No value.
    Null,
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Cell {
    /// The cell as a parameter.
    pub(crate) fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Int(n) => Value::Int(*n),
            Self::Text(text) => Value::Text(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
        }
    }
}

/// One row of an answer, read by place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row(pub(crate) Vec<Cell>);

impl Row {
    fn wrong(&self, place: usize, wanted: &str) -> StoreError {
        StoreError::Content {
            what: "row",
            cause: format!("column {place} is no {wanted}: {:?}", self.0.get(place)),
        }
    }
    /// A whole number.
    pub(crate) fn int(&self, place: usize) -> Result<i64, StoreError> {
        self.opt_int(place)?.ok_or_else(|| self.wrong(place, "number"))
    }
    /// A whole number or nothing.
    pub(crate) fn opt_int(&self, place: usize) -> Result<Option<i64>, StoreError> {
        match self.0.get(place) {
            Some(Cell::Int(n)) => Ok(Some(*n)),
            Some(Cell::Null) => Ok(None),
            Some(Cell::Text(_) | Cell::Bytes(_)) | None => Err(self.wrong(place, "number")),
        }
    }
    /// A number that counts and therefore is never negative.
    pub(crate) fn count(&self, place: usize) -> Result<u64, StoreError> {
        Ok(u64::try_from(self.int(place)?).unwrap_or(0))
    }
    /// A text.
    pub(crate) fn text(&self, place: usize) -> Result<&str, StoreError> {
        self.opt_text(place)?.ok_or_else(|| self.wrong(place, "text"))
    }
    /// A text or nothing.
    pub(crate) fn opt_text(&self, place: usize) -> Result<Option<&str>, StoreError> {
        match self.0.get(place) {
            Some(Cell::Text(text)) => Ok(Some(text)),
            Some(Cell::Null) => Ok(None),
            Some(Cell::Int(_) | Cell::Bytes(_)) | None => Err(self.wrong(place, "text")),
        }
    }
    /// 32 bytes.
    pub(crate) fn hash(&self, place: usize) -> Result<[u8; 32], StoreError> {
        match self.0.get(place) {
            Some(Cell::Bytes(bytes)) => {
                bytes.as_slice().try_into().map_err(|_| self.wrong(place, "hash of 32 bytes"))
            }
            Some(Cell::Null | Cell::Int(_) | Cell::Text(_)) | None => {
                Err(self.wrong(place, "hash of 32 bytes"))
            }
        }
    }
}
