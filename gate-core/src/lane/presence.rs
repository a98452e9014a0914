//! Since when a presence input says what it says, and whether it can be believed.

use gate_types::Mono;
use gate_types::observation::Level;

/// This many changes within [`CHATTER_WINDOW_MS`] are no vehicles: the loop or its amplifier chatters.
const CHATTER_CHANGES: usize = 8;
/// See [`CHATTER_CHANGES`], milliseconds. The wheels of one vehicle change a loop twice a second at most.
const CHATTER_WINDOW_MS: u64 = 3_000;
/// A loop that has chattered is believed again after it has said the same for this long, milliseconds.
const CHATTER_REST_MS: u64 = 3_000;

/// A presence input with the time of its last change; unknown is neither there nor gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Presence {
    on: Option<bool>,
    since: Mono,
    /// The last changes between on and off, oldest first; zero where there were fewer.
    changes: [Mono; CHATTER_CHANGES],
    chatters: bool,
}

impl Presence {
    pub(super) fn see(&mut self, level: Level, now: Mono) {
        let on = match level {
            Level::On => Some(true),
            Level::Off | Level::NotFitted => Some(false),
            Level::Unknown => None,
        };
        if on != self.on {
            if on.is_some() && self.on.is_some() {
                self.changes.rotate_left(1);
                if let Some(last) = self.changes.last_mut() {
                    *last = now;
                }
                let first = self.changes.first().copied().unwrap_or_default();
                self.chatters |= first > Mono(0) && now.since_ms(first) <= CHATTER_WINDOW_MS;
            }
            (self.on, self.since) = (on, now);
        }
        if self.chatters && self.on.is_some() && now.since_ms(self.since) >= CHATTER_REST_MS {
            self.chatters = false;
            self.changes = [Mono(0); CHATTER_CHANGES];
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
    /// Since when it says what it says.
    pub(super) fn since(self) -> Mono {
        self.since
    }
    /// It changes faster than vehicles do, or did so lately: it proves nothing.
    pub(super) fn chatters(self) -> bool {
        self.chatters
    }
    /// The moment at which it will have said the same for `ms`.
    pub(super) fn lasts_at(self, ms: u64) -> Mono {
        self.since.plus_ms(ms)
    }
    /// When it can be believed again, if it chatters and changes no more.
    pub(super) fn rests_at(self) -> Option<Mono> {
        self.chatters.then(|| self.lasts_at(CHATTER_REST_MS))
    }
}
