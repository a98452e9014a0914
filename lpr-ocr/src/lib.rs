//! Camera readings: worker protocol, MJPEG codec, decoding, voting over frames, worker supervision.
//!
//! The heavy part (pictures and nets) runs in a process of its own, `varco-ocr serve`, one per camera,
//! so that a crash, a hang or a leak in it never takes the gate's daemon or another camera along. This crate is what both
//! ends share, and the daemon's end; it links no picture library.

pub mod decode;
mod frames;
pub mod mjpeg;
pub mod protocol;
pub mod scene;
mod spec;
pub mod vote;
mod worker;

pub use frames::{Evidence, FrameStore, MOST_FRAME_BYTES};
pub use spec::{CameraCommand, CameraSpec, WorkerSpec};
pub use worker::{WorkerDriver, WorkerLimits};
