//! Since when a presence input says what it says.

use gate_types::Mono;
use gate_types::observation::Level;

/// A presence input with the time of its last change; unknown is neither there nor gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Presence {
    on: Option<bool>,
    since: Mono,
}

impl Presence {
    pub(super) fn see(&mut self, level: Level, now: Mono) {
        let on = match level {
            Level::On => Some(true),
            Level::Off | Level::NotFitted => Some(false),
            Level::Unknown => None,
        };
        if on != self.on {
            *self = Self { on, since: now };
        }
    }
    /// Freshly on.
    pub(super) fn is_on(self) -> bool {
        self.on == Some(true)
    }
    /// Freshly off.
    pub(super) fn is_off(self) -> bool {
        self.on == Some(false)
    }
    pub(super) fn on_for(self, now: Mono, ms: u64) -> bool {
        self.is_on() && now.since_ms(self.since) >= ms
    }
    pub(super) fn off_for(self, now: Mono, ms: u64) -> bool {
        self.is_off() && now.since_ms(self.since) >= ms
    }
    /// The moment at which it will have said the same for `ms`.
    pub(super) fn lasts_at(self, ms: u64) -> Mono {
        self.since.plus_ms(ms)
    }
}
