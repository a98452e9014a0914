//! Central over real sockets: mutual TLS as gates use it, HTTP as people and integrators use it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod alarms;
mod backup;
// The server that the whole-system benches use too; their package is no dependency, it waits for all others.
#[path = "../../../tests/src/cluster.rs"]
#[allow(unreachable_pub, dead_code)]
mod cluster;
mod enrolment;
mod events;
mod exports;
mod harness;
mod heads;
mod life;
mod log;
mod malformed;
mod missions;
mod outage;
mod permits;
mod process;
mod release;
mod shared;
mod signing;
