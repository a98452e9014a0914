//! The decision: fusion, lane automaton, interlock, policy, mission progress.
//!
//! Sans-io: no runtime, socket, file, clock, thread or random number lives here. A [`Lane`] is fed
//! with [`Input`]s and with time, and gives [`Effect`]s that its shell executes strictly in order;
//! everything after an [`Effect::Record`] waits until that entry is durable. The same inputs at the
//! same stamps give the same effects, byte for byte.
//!
//! - [`spec`]: what a lane is. [`input`], [`effect`]: the surface.
//! - [`lane`]: the automaton, one file per state.
//! - [`interlock`]: the only place that makes a barrier command.
//! - [`fusion`]: evidence of one pass to one identity. [`policy`]: identity and answer to a verdict.
//! - [`mission`]: progress along mission paths; central uses it as well.

pub mod effect;
pub mod fusion;
pub mod input;
pub mod interlock;
pub mod lane;
pub mod mission;
pub mod policy;
pub mod spec;

pub use effect::{Effect, LightColour};
pub use input::{AnswerFailure, Correction, Input, OperatorAct, RestoredPass, VerifiedAnswer, VerifiedSheet};
pub use interlock::{ArmCommand, Cleared, Side};
pub use lane::Lane;
pub use spec::{CameraSpec, IdentityRule, LaneDevices, LaneSpec, LaneTimers, WeightRule};
