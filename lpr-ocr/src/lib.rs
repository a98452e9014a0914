//! Camera readings: worker protocol, MJPEG codec, voting over frames, worker supervision.
