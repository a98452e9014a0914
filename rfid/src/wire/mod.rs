//! LLRP 1.0.1 on the wire, both directions.
//!
//! The tables of message and parameter types are written by hand from the standard (GS1 EPCglobal
//! Low Level Reader Protocol 1.0.1, clauses 16 and 17). What a gate needs is typed; parameters of the
//! air interface and of vendors travel as [`RawTlv`] and survive a round trip.
//!
//! Bounds: a message is at most [`MAX_MESSAGE_BYTES`]; the [`Deframer`] never holds more, and refuses
//! a longer announced length before a byte of the body is stored.

mod bits;
mod config;
mod event;
mod frame;
mod message;
mod report;
mod rospec;
mod status;

pub use config::{Capabilities, GeneralCapabilities, KeepaliveSpec, ReaderSettings};
pub use event::{
    AntennaChange, ConnectionStatus, EventTime, ReaderEvent, ReaderEvents, RoSpecMoment, event_type,
};
pub use frame::{Deframer, Frame, HEADER_BYTES, MAX_MESSAGE_BYTES, VERSION_1_0_1};
pub use message::{Message, RoSpecAct, StatusReply};
pub use report::{EpcBits, Report, TagReport};
pub use rospec::{
    AiSpec, AiStopTrigger, Content, InventorySpec, ReportSpec, ReportTrigger, RoSpec, RoSpecState,
    StartTrigger, StopTrigger,
};
pub use status::{LlrpStatus, code};

/// A TLV parameter that this codec does not look into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawTlv {
    /// Parameter type, 128..=1023.
    pub kind: u16,
    /// Everything after the type and length fields.
    pub body: Vec<u8>,
}

/// Why bytes are not an LLRP message, or a value is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The announced message is longer than this codec takes.
    #[error("a message announces {length} bytes; at most {MAX_MESSAGE_BYTES} are taken")]
    TooLong {
        /// Announced length.
        length: u32,
    },
    /// The announced message is shorter than its own header.
    #[error("a message announces {length} bytes, less than its header of {HEADER_BYTES}")]
    TooShort {
        /// Announced length.
        length: u32,
    },
    /// A field or parameter reaches past the end of what holds it.
    #[error("{what} ends early: {field} is missing")]
    Truncated {
        /// Message or parameter.
        what: &'static str,
        /// The field that is cut off.
        field: &'static str,
    },
    /// A parameter's length is impossible.
    #[error("{what}: parameter {kind} has the impossible length {length}")]
    BadLength {
        /// What holds it.
        what: &'static str,
        /// Parameter type.
        kind: u16,
        /// Announced length.
        length: u16,
    },
    /// A parameter with no length field and of no known type: nothing after it can be read.
    #[error("{what}: unknown TV parameter {kind}; what follows cannot be found")]
    UnknownTv {
        /// What holds it.
        what: &'static str,
        /// TV type, 0..=127.
        kind: u8,
    },
    /// A field has a value that the standard does not give it.
    #[error("{what}: {field} is {value}, which the standard does not define")]
    Field {
        /// Message or parameter.
        what: &'static str,
        /// Field.
        field: &'static str,
        /// Value.
        value: u32,
    },
    /// A parameter that must be there is not.
    #[error("{what}: {part} is missing")]
    Missing {
        /// Message or parameter.
        what: &'static str,
        /// What is missing.
        part: &'static str,
    },
    /// A value does not fit its field.
    #[error("{what} does not fit an LLRP message")]
    DoesNotFit {
        /// What is too large.
        what: &'static str,
    },
}
