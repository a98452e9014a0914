//! A tap on a device's wire, switchable while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// How much the tap shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TapLevel {
    /// Nothing.
    Off,
    /// Way and length.
    Header,
    /// Way and bytes as hex, at most 512 a message.
    Payload,
}

/// The way of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the device.
    Rx,
    /// To the device.
    Tx,
}

/// Cloned handles share one level.
#[derive(Debug, Clone)]
pub struct Tap(Arc<AtomicU8>);

impl Tap {
    /// A tap that shows nothing yet.
    pub fn off() -> Self {
        Self(Arc::new(AtomicU8::new(0)))
    }
    /// Switches all clones.
    pub fn set(&self, level: TapLevel) {
        let n = match level {
            TapLevel::Off => 0,
            TapLevel::Header => 1,
            TapLevel::Payload => 2,
        };
        self.0.store(n, Ordering::Relaxed);
    }
    /// Shows one message's bytes as far as the level allows, as a trace event of target `wire`.
    pub fn bytes(&self, device: &str, way: Way, bytes: &[u8]) {
        match self.0.load(Ordering::Relaxed) {
            0 => {}
            1 => tracing::info!(target: "wire", device, ?way, len = bytes.len()),
            _ => {
                let shown = &bytes[..bytes.len().min(512)];
                let hex: String = shown.iter().map(|b| format!("{b:02x}")).collect();
                tracing::info!(target: "wire", device, ?way, len = bytes.len(), hex);
            }
        }
    }
}
