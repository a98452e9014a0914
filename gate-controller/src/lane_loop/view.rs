//! What people see of the lane.

use super::LaneLoop;
use gate_types::console::LaneView;
use gate_types::observation::OpticalRead;
use std::sync::Arc;
use std::time::Duration;

/// Shortest time between two views of a lane, milliseconds: at most ten a second.
const VIEW_MS: u64 = 100;
/// Reads shown for one camera: one of each kind.
const READS_SHOWN: usize = 4;

impl LaneLoop {
    pub(super) fn remember(&mut self, camera: &str, read: &OpticalRead) {
        let reads = self.reads.entry(camera.to_owned()).or_default();
        if let Some(shown) = reads.iter_mut().find(|r| r.kind == read.kind) {
            *shown = read.clone();
        } else if reads.len() < READS_SHOWN {
            reads.push(read.clone());
        }
    }
    pub(super) fn publish(&mut self) {
        self.view_stale = false;
        self.view_due = tokio::time::Instant::now() + Duration::from_millis(VIEW_MS);
        let view = LaneView {
            reads: self.reads.clone(),
            sign: self.told.sign.clone(),
            cameras: self.cameras.clone(),
            ..self.parts.lane.snapshot()
        };
        self.parts.view.send_if_modified(|shown| {
            let changed = shown.as_deref() != Some(&view);
            if changed {
                *shown = Some(Arc::new(view));
            }
            changed
        });
    }
}
