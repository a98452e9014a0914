//! Central over real sockets: mutual TLS as gates use it, HTTP as people and integrators use it.
#![allow(clippy::unwrap_used)]

mod enrolment;
mod events;
mod harness;
mod heads;
mod life;
mod malformed;
mod missions;
mod permits;
mod process;
mod release;
mod signing;
