//! The demo: starts the real programs around the simulated port, watches them, and holds their records
//! against the truth.

pub mod children;
pub mod folder;
pub mod hub;
pub mod judge;
pub mod people;
mod run;
pub mod summary;

pub use run::{Options, run};
