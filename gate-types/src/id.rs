//! One newtype per kind of identifier, so that a lane is never taken for a node.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Why a text is not an identifier of the asked kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} `{text}` is not valid: {why}")]
pub struct IdError {
    /// The kind of identifier that was asked for.
    pub kind: &'static str,
    /// What was given, cut to 64 characters.
    pub text: String,
    /// The rule that it breaks.
    pub why: &'static str,
}

fn check_name(kind: &'static str, text: &str) -> Result<(), IdError> {
    let fail = |why| Err(IdError { kind, text: text.chars().take(64).collect(), why });
    if text.is_empty() || text.len() > 48 {
        return fail("1 to 48 characters");
    }
    let ok = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    if !text.chars().all(ok) {
        return fail("letters, digits, `-`, `_` and `.` only");
    }
    Ok(())
}

macro_rules! name_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks and wraps a name: 1 to 48 ASCII letters, digits, `-`, `_`, `.`.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                check_name($kind, &text)?;
                Ok(Self(text))
            }
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

name_id!(
    /// A port (UN/LOCODE by habit, `ITBRI`).
    PortId, "port"
);
name_id!(
    /// A control point of the port: gate, parking, facility gate (B1.3: `1` to `8` at Bari).
    NodeId, "node"
);
name_id!(
    /// One physical channel of a node; unique in the port (`n1-in-1`).
    LaneId, "lane"
);
name_id!(
    /// One instrument or actuator; unique in the port (`n1-in-1.front`).
    DeviceId, "device"
);
name_id!(
    /// A process type that fixes the admissible mission paths (`P1` to `P4` at Bari, B15).
    ProcessId, "process"
);
name_id!(
    /// A vehicle's job as central names it.
    MissionId, "mission"
);

/// The unique IoT identifier of a moving object (B5): a UUID (RFC 9562), version 7, issued by customs only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IotId(pub Uuid);

impl fmt::Display for IotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One vehicle's way through one lane: the lane and a counter that is never reused, kept by the journal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PassId {
    /// The lane of the pass.
    pub lane: LaneId,
    /// Counts the passes of this lane from 1.
    pub number: u64,
}

impl fmt::Display for PassId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.lane, self.number)
    }
}

/// The journal's own sequence number, from 1, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntrySeq(pub u64);

/// Counts the starts of one daemon's journal; with [`EntrySeq`] and the node it is the idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BootEpoch(pub u32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_refuse_what_would_break_a_topic_or_a_path() {
        for bad in ["", "a/b", "a b", "a#", "+", &"x".repeat(49)] {
            assert!(LaneId::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(LaneId::new("n1-in-1").unwrap().as_str(), "n1-in-1");
    }
}
