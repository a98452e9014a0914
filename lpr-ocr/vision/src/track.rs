//! Objects followed from frame to frame, and their readings fused. Pure.

use crate::geometry::shared;
use crate::reading::Reading;
use gate_types::observation::{OpticalRead, PixelBox};
use lpr_ocr::vote::Fusion;

/// Readings below this begin no object.
const BEGIN: f32 = 0.1;
/// Objects followed at the same time at most.
const MOST_TRACKS: usize = 32;
/// Best frames kept of each.
const MOST_BEST: usize = 3;
/// Boxes of two frames that share this part are one object's.
const SHARED: f32 = 0.2;
/// So are boxes whose centres lie within this many lengths, where the texts are alike.
const NEAR: f32 = 3.0;
/// Fused readings below this are not told.
const LEAST: f32 = 0.2;

/// A frame that shows an object well.
#[derive(Debug, Clone)]
pub(crate) struct BestFrame<F> {
    /// The frame.
    pub frame: F,
    /// When, ms since the start.
    pub at_ms: u64,
    /// What it said.
    pub confidence: f32,
    /// Where.
    pub at: PixelBox,
}

/// An object that has left.
#[derive(Debug, Clone)]
pub(crate) struct Left<F> {
    /// Counts from 1.
    pub number: u64,
    /// All frames fused.
    pub read: OpticalRead,
    /// The layout of its best frame.
    pub layout: &'static str,
    /// When it was first and last seen, ms since the start.
    pub first_ms: u64,
    /// See `first_ms`.
    pub last_ms: u64,
    /// Frames that it was read on.
    pub frames: u32,
    /// Best first, at most three.
    pub best: Vec<BestFrame<F>>,
}

struct Track<F> {
    number: u64,
    first_ms: u64,
    last_ms: u64,
    frames: u32,
    last: OpticalRead,
    /// Movement of the centre, pixels a millisecond.
    speed: (f32, f32),
    layout: (f32, &'static str),
    fusion: Fusion,
    best: Vec<BestFrame<F>>,
}

/// All objects in the picture.
pub(crate) struct Tracks<F> {
    tracks: Vec<Track<F>>,
    gone_ms: u64,
    count: u64,
}

impl<F: Clone> Tracks<F> {
    /// No objects; one not seen for `gone_ms` has left.
    pub(crate) fn new(gone_ms: u64) -> Self {
        Self { tracks: Vec::new(), gone_ms, count: 0 }
    }
    /// Adds what a frame said.
    pub(crate) fn add(&mut self, now_ms: u64, frame: &F, readings: &[Reading]) {
        let mut taken: Vec<u64> = Vec::new();
        for r in readings {
            let fit = self
                .tracks
                .iter_mut()
                .filter(|t| !taken.contains(&t.number))
                .map(|t| (t.likeness(&r.read, now_ms), t))
                .filter(|(likeness, _)| *likeness > 0.0)
                .max_by(|a, b| a.0.total_cmp(&b.0));
            if let Some((_, track)) = fit {
                track.add(now_ms, frame, r);
                taken.push(track.number);
            } else if r.read.confidence >= BEGIN && self.tracks.len() < MOST_TRACKS {
                self.count += 1;
                taken.push(self.count);
                self.tracks.push(Track::new(self.count, now_ms, frame, r));
            }
        }
    }
    /// The objects that have left by now.
    pub(crate) fn left(&mut self, now_ms: u64) -> Vec<Left<F>> {
        let gone_ms = self.gone_ms;
        let (gone, stay) =
            self.tracks.drain(..).partition(|t: &Track<F>| now_ms.saturating_sub(t.last_ms) > gone_ms);
        self.tracks = stay;
        told(gone)
    }
    /// All objects, at the end.
    pub(crate) fn end(&mut self) -> Vec<Left<F>> {
        told(std::mem::take(&mut self.tracks))
    }
}

fn told<F>(tracks: Vec<Track<F>>) -> Vec<Left<F>> {
    let left = |t: Track<F>| {
        let mut read = t.fusion.fused().into_iter().next().filter(|r| r.confidence >= LEAST)?;
        // The place of the best frame stands for the object's.
        read.at = t.best.first().map_or(t.last.at, |b| b.at);
        let (number, first_ms, last_ms) = (t.number, t.first_ms, t.last_ms);
        Some(Left { number, read, layout: t.layout.1, first_ms, last_ms, frames: t.frames, best: t.best })
    };
    tracks.into_iter().filter_map(left).collect()
}

impl<F: Clone> Track<F> {
    fn new(number: u64, now_ms: u64, frame: &F, r: &Reading) -> Self {
        let mut track = Self {
            number,
            first_ms: now_ms,
            last_ms: now_ms,
            frames: 0,
            last: r.read.clone(),
            speed: (0.0, 0.0),
            layout: (0.0, r.layout),
            fusion: Fusion::new(),
            best: Vec::new(),
        };
        track.add(now_ms, frame, r);
        track
    }
    /// 0 for another object; more for a likelier one.
    fn likeness(&self, read: &OpticalRead, now_ms: u64) -> f32 {
        if self.last.kind != read.kind {
            return 0.0;
        }
        let dt = now_ms.saturating_sub(self.last_ms).min(2_000) as f32;
        let a = &self.last.at;
        let expected = PixelBox { x: a.x + self.speed.0 * dt, y: a.y + self.speed.1 * dt, ..*a };
        let place = shared(&expected, &read.at).max(shared(a, &read.at));
        if self.last.text == read.text {
            return 2.0 + place;
        }
        let ((x0, y0), (x1, y1)) = (centre(&expected), centre(&read.at));
        let near = (x0 - x1).hypot(y0 - y1) < NEAR * read.at.w.max(read.at.h);
        if place >= SHARED || (near && alike(&self.last.text, &read.text)) { 0.1 + place } else { 0.0 }
    }
    fn add(&mut self, now_ms: u64, frame: &F, r: &Reading) {
        if now_ms > self.last_ms {
            let dt = (now_ms - self.last_ms) as f32;
            let ((x0, y0), (x1, y1)) = (centre(&self.last.at), centre(&r.read.at));
            self.speed = ((x1 - x0) / dt, (y1 - y0) / dt);
        }
        (self.last, self.last_ms) = (r.read.clone(), now_ms);
        self.frames = self.frames.saturating_add(1);
        if r.read.confidence > self.layout.0 {
            self.layout = (r.read.confidence, r.layout);
        }
        // It was followed here: to the fusion all its readings are of one place.
        let mut one_place = r.read.clone();
        one_place.at = PixelBox { x: 0.0, y: 0.0, w: 1.0, h: 1.0 };
        self.fusion.add_frame(&[one_place]);
        let (confidence, at) = (r.read.confidence, r.read.at);
        let place = self.best.iter().position(|b| b.confidence < confidence).unwrap_or(self.best.len());
        if place < MOST_BEST {
            self.best.insert(place, BestFrame { frame: frame.clone(), at_ms: now_ms, confidence, at });
            self.best.truncate(MOST_BEST);
        }
    }
}

fn centre(b: &PixelBox) -> (f32, f32) {
    (b.x + b.w / 2.0, b.y + b.h / 2.0)
}

/// Whether two texts differ in a quarter of their places at most.
fn alike(a: &str, b: &str) -> bool {
    let n = a.chars().count();
    n == b.chars().count() && a.chars().zip(b.chars()).filter(|(x, y)| x != y).count() * 4 <= n
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Quad;
    use gate_types::observation::{CheckDigit, ReadKind, View};
    use lpr_ocr::decode::{Probabilities, Resolver};

    fn reading(text: &str, confidence: f32, x: f32) -> Reading {
        let read = OpticalRead {
            kind: ReadKind::Plate,
            view: View::Front,
            text: text.into(),
            raw_text: text.into(),
            confidence,
            check_digit: CheckDigit::None,
            region: None,
            type_code: None,
            alternatives: vec![],
            at: PixelBox { x, y: 300.0, w: 120.0, h: 30.0 },
            frame_sha256: String::new(),
        };
        let logits = lpr_ocr::decode::beam::made_logits("AB123CD", 7, 20.0);
        let seen = Probabilities::from_logits(&logits).unwrap();
        let features = Resolver::new(&[]).unwrap().resolve(ReadKind::Plate, &[seen]).unwrap().features;
        Reading { read, layout: "one_row", quad: Quad::rectangle(x, 300.0, 120.0, 30.0, 0.0), features }
    }

    #[test]
    fn a_moving_plate_is_one_object_and_the_next_one_another() {
        let mut tracks = Tracks::new(1_000);
        for n in 0..6u64 {
            let x = 100.0 + 90.0 * n as f32;
            let text = if n == 2 { "AB128CD" } else { "AB123CD" };
            tracks.add(n * 100, &n, &[reading(text, 0.6 + 0.05 * n as f32, x)]);
            assert!(tracks.left(n * 100).is_empty());
        }
        assert!(tracks.left(1_400).is_empty());
        let left = tracks.left(1_600);
        assert_eq!(left.len(), 1);
        let l = &left[0];
        assert_eq!((l.read.text.as_str(), l.frames, l.first_ms, l.last_ms), ("AB123CD", 6, 0, 500));
        assert!(l.read.confidence > 0.8, "{}", l.read.confidence);
        assert_eq!(l.best.iter().map(|b| b.frame).collect::<Vec<_>>(), [5, 4, 3]);
        tracks.add(1_700, &9, &[reading("XA456EF", 0.9, 110.0)]);
        assert_eq!(
            tracks.end().first().map(|l| (l.number, l.read.text.clone())),
            Some((2, "XA456EF".into()))
        );
    }

    #[test]
    fn two_plates_of_one_frame_are_two_objects() {
        let mut tracks = Tracks::new(1_000);
        for n in 0..3u64 {
            tracks.add(n * 100, &n, &[reading("AB123CD", 0.9, 100.0), reading("XA456EF", 0.8, 700.0)]);
        }
        let mut texts: Vec<String> = tracks.end().into_iter().map(|l| l.read.text).collect();
        texts.sort();
        assert_eq!(texts, ["AB123CD", "XA456EF"]);
    }

    #[test]
    fn weak_readings_begin_nothing() {
        let mut tracks = Tracks::new(1_000);
        tracks.add(0, &0, &[reading("AB123CD", 0.05, 100.0)]);
        assert!(tracks.end().is_empty());
    }
}
