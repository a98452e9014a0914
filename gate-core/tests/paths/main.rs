//! Following missions node by node: the 15 sequences of Bari, every single step beside them, and what the
//! clock, the roads and the read rates tell.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "tests")]

mod clock;
mod compared;
mod explained;
mod oracle;
mod port;
mod sequences;
#[path = "../core/site.rs"]
#[allow(dead_code, reason = "shared with the tests of the lane")]
mod site;
