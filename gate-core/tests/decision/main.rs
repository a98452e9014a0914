//! Tests of the decision itself: the policy table generated exhaustively, permits, fusion of many sources,
//! the expectation's part, and the calibration of probabilities.
#![allow(clippy::unwrap_used, unreachable_pub, dead_code, reason = "tests; the site is shared with others")]

mod calibration;
mod cases;
mod circumstances;
mod fusion;
mod papers;
mod permits;
#[path = "../core/site.rs"]
mod site;
mod table;
