//! The daemon's one clock: monotonic since start, wall time beside it.

use gate_types::{Mono, Stamp, Wall};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Gives stamps. Copies share the start, so that stamps of all devices of a daemon compare.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }
    /// This moment on both clocks.
    pub fn now(&self) -> Stamp {
        let mono = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX));
        Stamp { mono_ms: Mono(mono), wall_ms: Wall(wall) }
    }
    /// The instant of a monotonic moment, for timers.
    pub fn instant_of(&self, mono: Mono) -> Instant {
        self.start + std::time::Duration::from_millis(mono.0)
    }
}
