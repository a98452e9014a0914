//! The newest evidence frame of every camera, shared between drivers and the console.

use gate_types::{DeviceId, Stamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Largest JPEG kept, bytes.
pub const MOST_FRAME_BYTES: usize = 1 << 20;
/// Most cameras kept.
const MOST_CAMERAS: usize = 256;

/// The JPEG on which a text was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The picture.
    pub jpeg: Arc<[u8]>,
    /// SHA-256 of `jpeg`, lower-case hex.
    pub sha256: String,
    /// When it arrived.
    pub stamp: Stamp,
}

/// One evidence frame per camera; clones share it.
#[derive(Debug, Clone, Default)]
pub struct FrameStore(Arc<Mutex<HashMap<DeviceId, Evidence>>>);

impl FrameStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
    /// Keeps a frame in place of the camera's last one. False (and nothing kept) where it is larger
    /// than [`MOST_FRAME_BYTES`] or too many cameras are known.
    pub fn put(&self, camera: &DeviceId, evidence: Evidence) -> bool {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = map.contains_key(camera) || map.len() < MOST_CAMERAS;
        if evidence.jpeg.len() > MOST_FRAME_BYTES || !room {
            return false;
        }
        map.insert(camera.clone(), evidence);
        true
    }
    /// The camera's newest evidence frame.
    pub fn get(&self, camera: &DeviceId) -> Option<Evidence> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(camera).cloned()
    }
    /// The frame with this checksum, where a camera still has it.
    pub fn by_sha256(&self, sha256: &str) -> Option<Evidence> {
        let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        map.values().find(|e| e.sha256 == sha256).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_frame_per_camera_and_none_too_large() {
        let store = FrameStore::new();
        let camera = DeviceId::new("n1-in-1.front").unwrap();
        let frame = |n: usize, sha: &str| Evidence {
            jpeg: vec![0u8; n].into(),
            sha256: sha.into(),
            stamp: Stamp::default(),
        };
        assert!(store.put(&camera, frame(10, "a")));
        assert!(store.put(&camera, frame(20, "b")));
        assert!(!store.put(&camera, frame(MOST_FRAME_BYTES + 1, "c")));
        assert_eq!(store.get(&camera).unwrap().sha256, "b");
        assert!(store.by_sha256("a").is_none() && store.by_sha256("b").is_some());
    }
}
