//! Camera readings: worker protocol, MJPEG codec, decoding, voting over frames, worker supervision.

pub mod decode;
