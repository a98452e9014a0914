//! The port with its ground truth.

pub mod ident;
