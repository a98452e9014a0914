//! The edge daemon of one node, `varco-gate`: wiring, one event loop per lane, the ways to central and
//! broker, and the console. It decides nothing: `gate-core` does, and this crate executes its effects.

mod arm;
pub mod board;
mod caught;
pub mod central;
pub mod check;
pub mod console;
pub mod enrol;
pub mod heads;
pub mod identity;
pub mod journal_key;
pub mod lane_loop;
pub mod ledger;
pub mod metrics;
pub mod mqtt;
pub mod once;
pub mod outbox;
pub mod passes;
pub mod permits;
pub mod pictures;
pub mod push;
pub mod remote;
pub mod run;
pub mod signs;
pub mod upkeep;
pub mod verbs;
pub mod verifier;
pub mod wiring;
