//! What whole-system tests need: the built binaries as child processes, and stand-ins for field devices
//! that speak the real wires and know nothing of the product's code (a PLC block, an MJPEG camera).
//!
//! A test that waits, waits for a condition with a limit ([`until`]); none sleeps for luck.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a harness fails by panicking")]

mod block;
mod camera;
mod cluster;
mod code_reader;
mod port;
mod postgres;
mod process;
mod proxy;
mod quick;
mod story;
mod volume;

pub use block::Block;
pub use camera::Camera;
pub use cluster::Cluster;
pub use code_reader::CodeReader;
pub use port::{Central, Gate, NodeFile, Stand};
pub use postgres::{BODY, Postgres, Promise};
pub use process::{Process, binary, root};
pub use proxy::{Mood, Proxy};
pub use quick::{QuickGate, QuickLane, quick_lanes};
pub use story::{
    ContainerLane, LANE, container_lane, container_only, drive_through, grey_picture, released_export,
    released_import, rendered, side_view, two_places,
};
pub use volume::Volume;

use std::future::Future;
use std::time::{Duration, Instant};

/// Asks again every 50 ms until the answer is `Some`, or fails after `limit_s` naming what it waited for.
pub async fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    limit_s: u64,
    mut ask: impl FnMut() -> F,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < Duration::from_secs(limit_s), "waited {limit_s} s in vain for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
