//! One camera's newest frame, its progress with the vehicle in the lane, and its health.

use crate::capture::Pixels;
use gate_types::observation::{OpticalRead, ReadKind};
use lpr_ocr::CameraSpec;
use lpr_ocr::protocol::{CameraState, MOST_CODES};
use lpr_ocr::vote::Fusion;
use opencv::core::{Mat, MatTraitConst as _, MatTraitConstManual as _};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A fused reading this confident, twice, needs no more frames.
const SURE: f32 = 0.97;
const SURE_TIMES: u32 = 2;
/// Most frames read per vehicle.
const MOST_FRAMES: u32 = 12;
/// Byte-identical frames in a row that make a frozen picture, while observing.
const FROZEN_FRAMES: u32 = 5;
/// A frame older than this when a vehicle is announced may show the empty lane.
const STALE: Duration = Duration::from_millis(300);
/// Time between two searches for codes.
const SEARCH: Duration = Duration::from_millis(400);
/// Each frame waits longer for the next: early ones come fast, late ones see the vehicle standing.
const SPACING_MS: u64 = 60;
const MOST_SPACING_MS: u64 = 800;

/// One camera.
pub(crate) struct Camera {
    /// What the daemon told of it.
    pub spec: CameraSpec,
    newest: Option<Pixels>,
    arrived: Instant,
    seq: u64,
    taken: u64,
    measured: u64,
    same: u32,
    fusion: Fusion,
    frames_read: u32,
    sure: BTreeMap<ReadKind, u32>,
    next_at: Instant,
    /// The last frame that was searched for codes, and when the next one may be.
    searched: u64,
    search_at: Instant,
    codes: Vec<String>,
    link: Option<Result<(), String>>,
    frozen: bool,
    /// What is wrong with the picture (black, burnt, not decodable).
    pub picture_fault: Option<String>,
    told: Option<(CameraState, String)>,
}

impl Camera {
    /// A camera of which nothing is known yet.
    pub(crate) fn new(spec: CameraSpec) -> Self {
        let now = Instant::now();
        Self {
            spec,
            newest: None,
            arrived: now,
            seq: 0,
            taken: 0,
            measured: 0,
            same: 0,
            fusion: Fusion::new(),
            frames_read: 0,
            sure: BTreeMap::new(),
            next_at: now,
            searched: 0,
            search_at: now,
            codes: Vec::new(),
            link: None,
            frozen: false,
            picture_fault: None,
            told: None,
        }
    }
    /// Takes a frame in place of the last one.
    pub(crate) fn frame(&mut self, pixels: Pixels, on: bool) {
        let same = on && self.newest.as_ref().is_some_and(|last| identical(last, &pixels));
        self.same = if same { self.same + 1 } else { 0 };
        if on {
            self.frozen = self.same + 1 >= FROZEN_FRAMES;
        }
        self.newest = Some(pixels);
        self.arrived = Instant::now();
        self.seq += 1;
        self.link = Some(Ok(()));
    }
    /// The link is up, or down for a reason.
    pub(crate) fn link(&mut self, down: Option<String>) {
        self.link = Some(down.map_or(Ok(()), Err));
    }
    /// A vehicle was announced.
    pub(crate) fn new_round(&mut self) {
        if self.arrived.elapsed() > STALE {
            self.taken = self.seq;
        }
        self.same = 0;
        self.fusion = Fusion::new();
        self.frames_read = 0;
        self.sure.clear();
        self.next_at = Instant::now();
        self.searched = self.taken;
        self.search_at = self.next_at;
        self.codes.clear();
    }
    /// When the newest frame may be searched for codes; drivers show them while all else is read already.
    pub(crate) fn search_due(&self) -> Option<Instant> {
        (self.spec.codes && self.seq != self.searched && self.codes.len() < MOST_CODES)
            .then_some(self.search_at)
    }
    /// The newest frame, to be searched for codes.
    pub(crate) fn take_for_search(&mut self) -> Option<Pixels> {
        self.searched = self.seq;
        self.newest.clone()
    }
    /// The codes among these that were not found in this round before.
    pub(crate) fn found(&mut self, texts: Vec<String>) -> Vec<String> {
        self.search_at = Instant::now() + SEARCH;
        let new: Vec<String> = texts.into_iter().filter(|t| !self.codes.contains(t)).collect();
        self.codes.extend(new.iter().cloned());
        new
    }
    /// Whether a frame is worth reading, now or (`Some`) not before a moment.
    pub(crate) fn due(&self) -> Option<Instant> {
        (self.seq != self.taken && !self.done()).then_some(self.next_at)
    }
    /// The newest frame, to be read.
    pub(crate) fn take(&mut self) -> Option<Pixels> {
        self.taken = self.seq;
        self.measured = self.seq;
        self.newest.clone()
    }
    /// The newest frame, to be measured only; `None` where it was before.
    pub(crate) fn take_for_measures(&mut self) -> Option<Pixels> {
        if self.measured == self.seq {
            return None;
        }
        self.measured = self.seq;
        self.newest.clone()
    }
    /// What one frame said.
    pub(crate) fn was_read(&mut self, reads: &[OpticalRead]) {
        self.fusion.add_frame(reads);
        self.frames_read += 1;
        let pause = (SPACING_MS * u64::from(self.frames_read)).min(MOST_SPACING_MS);
        self.next_at = Instant::now() + Duration::from_millis(pause);
        let fused = self.fusion.fused();
        for &kind in &self.spec.kinds {
            let best = fused.iter().filter(|r| r.kind == kind).map(|r| r.confidence).fold(0.0, f32::max);
            let times = self.sure.entry(kind).or_default();
            *times = if best >= SURE { *times + 1 } else { 0 };
        }
    }
    fn done(&self) -> bool {
        // Most vehicles carry no panel: it is looked for on the frames that the rest needs.
        let mut needed = self.spec.kinds.iter().filter(|k| **k != ReadKind::Adr).peekable();
        let sure = needed.peek().is_some()
            && needed.all(|k| self.sure.get(k).is_some_and(|times| *times >= SURE_TIMES));
        sure || self.frames_read >= MOST_FRAMES
    }
    /// The health, where it differs from what was told last.
    pub(crate) fn news(&mut self) -> Option<(CameraState, String)> {
        let now = match (&self.link, self.frozen, &self.picture_fault) {
            (None, ..) => return None,
            (Some(Err(why)), ..) => (CameraState::Down, why.clone()),
            (Some(Ok(())), true, _) => (
                CameraState::Degraded,
                format!(
                    "camera at {}: the picture is frozen: {FROZEN_FRAMES} identical frames; restart the camera",
                    self.spec.endpoint
                ),
            ),
            (Some(Ok(())), false, Some(why)) => {
                (CameraState::Degraded, format!("camera at {}: {why}", self.spec.endpoint))
            }
            (Some(Ok(())), false, None) => (CameraState::Up, String::new()),
        };
        if self.told.as_ref() == Some(&now) {
            return None;
        }
        self.told = Some(now.clone());
        Some(now)
    }
}

fn identical(a: &Pixels, b: &Pixels) -> bool {
    match (a, b) {
        (Pixels::File(a), Pixels::File(b)) => a == b,
        (Pixels::Raw(a), Pixels::Raw(b)) => same_pixels(a, b),
        (Pixels::File(_), Pixels::Raw(_)) | (Pixels::Raw(_), Pixels::File(_)) => false,
    }
}

fn same_pixels(a: &Mat, b: &Mat) -> bool {
    a.rows() == b.rows()
        && a.cols() == b.cols()
        && matches!((a.data_bytes(), b.data_bytes()), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gate_types::DeviceId;
    use gate_types::observation::{CheckDigit, PixelBox, View};

    fn camera(kinds: Vec<ReadKind>) -> Camera {
        let id = DeviceId::new("n1-in-1.front").unwrap();
        Camera::new(CameraSpec {
            id,
            endpoint: "mjpeg://h:1/".into(),
            view: View::Front,
            kinds,
            codes: false,
        })
    }
    fn jpeg(n: u8) -> Pixels {
        Pixels::File(vec![n; 4].into())
    }
    fn read(confidence: f32) -> OpticalRead {
        OpticalRead {
            kind: ReadKind::Plate,
            view: View::Front,
            text: "AB123CD".into(),
            raw_text: "AB123CD".into(),
            confidence,
            check_digit: CheckDigit::None,
            region: None,
            type_code: None,
            alternatives: vec![],
            at: PixelBox { x: 1.0, y: 1.0, w: 9.0, h: 3.0 },
            frame_sha256: String::new(),
        }
    }

    #[test]
    fn a_sure_camera_rests_until_the_next_vehicle() {
        let mut c = camera(vec![ReadKind::Plate, ReadKind::Adr]);
        for n in 0..2 {
            c.frame(jpeg(n), true);
            assert!(c.due().is_some());
            assert!(c.take().is_some());
            c.was_read(&[read(0.99)]);
        }
        c.frame(jpeg(9), true);
        assert!(c.due().is_none());
        c.new_round();
        c.frame(jpeg(10), true);
        assert!(c.due().is_some());
    }

    #[test]
    fn an_unsure_camera_stops_after_twelve_frames() {
        let mut c = camera(vec![ReadKind::Plate]);
        for n in 0..12 {
            c.frame(jpeg(n), true);
            assert!(c.due().is_some(), "{n}");
            c.take();
            c.was_read(&[]);
        }
        c.frame(jpeg(99), true);
        assert!(c.due().is_none());
    }

    #[test]
    fn only_a_picture_that_stands_while_observing_is_frozen() {
        let mut c = camera(vec![ReadKind::Plate]);
        for _ in 0..9 {
            c.frame(jpeg(1), false);
        }
        assert_eq!(c.news().unwrap().0, CameraState::Up);
        for _ in 0..5 {
            c.frame(jpeg(1), true);
        }
        assert_eq!(c.news().unwrap().0, CameraState::Degraded);
        assert!(c.news().is_none(), "told once");
        c.frame(jpeg(2), true);
        assert_eq!(c.news().unwrap().0, CameraState::Up);
        c.link(Some("gone".into()));
        assert_eq!(c.news().unwrap(), (CameraState::Down, "gone".into()));
    }
}
