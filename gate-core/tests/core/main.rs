//! Tests of the decision: paths, fusion, interlock, policy, golden lane stories, and properties over
//! random action sequences.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "tests")]

mod answers;
mod bench;
mod chart;
mod following;
mod fusion;
mod interlock;
mod mission;
mod policy;
mod properties;
mod site;
mod steps;
mod stories;
mod tell;
mod watchman;
