//! The vocabulary of the gate: identifiers and their check digits, observations, identities,
//! releases, mission paths, verdicts, faults, and the messages that travel between the gate, central
//! and the broker.
//!
//! Pure: no runtime, socket, file, clock, thread or random number lives here. Every type that crosses
//! a wire or lies in the journal is a versioned serde type of this crate, so that there is one place
//! where a field gets its meaning and unit.

pub mod api;
pub mod chain;
pub mod circumstances;
pub mod command;
pub mod confusion;
pub mod console;
pub mod decision;
pub mod endpoint;
pub mod entry;
pub mod fault;
pub mod gate_pass;
pub mod head;
pub mod id;
pub mod identity;
pub mod ilu;
pub mod iso6346;
pub mod jws;
pub mod mission;
pub mod mrn;
pub mod observation;
pub mod plate;
pub mod release;
pub mod rules;
pub mod time;
pub mod topic;
pub mod verdict;

pub use id::{BootEpoch, DeviceId, EntrySeq, IotId, LaneId, MissionId, NodeId, PassId, PortId, ProcessId};
pub use time::{Mono, Stamp, Wall};
