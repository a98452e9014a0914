//! What a lane wants done. The shell executes effects strictly in order and invents none.

use crate::interlock::{Cleared, Side};
use gate_types::entry::Entry;
use gate_types::release::ReleaseRequest;
use gate_types::verdict::Instruction;

/// One thing to do. Everything after a [`Effect::Record`] waits until the entry is durable.
#[derive(Debug, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "few are queued at a time, and the shell matches on plain entries"
)]
pub enum Effect {
    /// Append to the journal.
    Record(Entry),
    /// Ask central; the outcome comes back as [`crate::Input::Answer`].
    AskRelease(ReleaseRequest),
    /// Command the arm; the outcome comes back as [`crate::Input::ArmWrite`].
    Actuate(Cleared),
    /// Set the lamp at an arm.
    Light(LightColour, Side),
    /// Show the driver an instruction.
    Show {
        /// The instruction.
        instruction: Instruction,
        /// The driver's language (BCP 47), where known.
        language: Option<String>,
    },
    /// A vehicle is there to be read (cameras observe, the reader inventories), or no longer.
    Watch(bool),
}

/// The lamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LightColour {
    /// Stop.
    Red,
    /// Drive.
    Green,
}
