//! varco-sim: a port with ground truth whose devices speak the real wires.

pub mod demo;
pub mod device;
pub mod faces;
pub mod page;
pub mod render;
pub mod world;
