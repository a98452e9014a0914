//! varco-sim: a port with ground truth whose devices speak the real wires.

pub mod render;
pub mod world;
