//! One reading out of many frames of one camera, and out of the cameras of a lane: log-probabilities of
//! each text are summed, alternatives among them; strings are not counted. Pure.

use gate_types::iso6346;
use gate_types::observation::{Alternative, CheckDigit, OpticalRead, PixelBox, ReadKind};

/// Most frames of one object that count; later ones are dropped.
const MOST_FRAMES: usize = 64;
/// Most objects of one camera.
const MOST_OBJECTS: usize = 8;
/// Most texts kept of one object.
const MOST_TEXTS: usize = 24;
/// A text that a frame did not list had at most this probability there.
const UNLISTED: f32 = 0.01;
/// Share of the unlisted probability that another frame would give to the same unlisted text.
const SAME_OTHER: f32 = 0.35;
/// How far the errors of two frames of one camera are the same error (dirt, angle, light, reader): n
/// frames count as n / (1 + (n - 1) * this) independent ones, never more than 1 / this.
const SHARED_BY_FRAMES: f32 = 0.35;
/// The same for two cameras that see different sides.
const SHARED_BY_CAMERAS: f32 = 0.1;
/// Two texts of one length with at most one differing character in this many are one object's.
const ONE_IN: usize = 4;
/// Most confident a fused reading gets.
const CEILING: f32 = 0.999;

#[derive(Debug, Clone)]
struct Object {
    frames: Vec<OpticalRead>,
}

/// The readings of one camera since a vehicle arrived.
#[derive(Debug, Clone, Default)]
pub struct Fusion {
    objects: Vec<Object>,
}

impl Fusion {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds what one frame said. Each object takes at most one reading of a frame.
    pub fn add_frame(&mut self, reads: &[OpticalRead]) {
        let mut taken = vec![false; self.objects.len()];
        for read in reads {
            let place = self
                .objects
                .iter()
                .enumerate()
                .filter(|(n, o)| !taken.get(*n).copied().unwrap_or(true) && o.is_same(read))
                .max_by(|a, b| a.1.likeness(read).total_cmp(&b.1.likeness(read)))
                .map(|(n, _)| n);
            match place {
                Some(n) => {
                    taken[n] = true;
                    if self.objects[n].frames.len() < MOST_FRAMES {
                        self.objects[n].frames.push(read.clone());
                    }
                }
                None if self.objects.len() < MOST_OBJECTS => {
                    self.objects.push(Object { frames: vec![read.clone()] });
                    taken.push(true);
                }
                None => {}
            }
        }
    }
    /// One fused reading per object, best first.
    pub fn fused(&self) -> Vec<OpticalRead> {
        let mut all: Vec<OpticalRead> =
            self.objects.iter().filter_map(|o| o.fused(SHARED_BY_FRAMES)).collect();
        all.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        all
    }
}

impl Object {
    fn is_same(&self, read: &OpticalRead) -> bool {
        let Some(last) = self.frames.last() else { return false };
        if last.kind != read.kind || last.view != read.view {
            return false;
        }
        self.likeness(read) > 0.0
    }
    /// 2 for the same text, 1.5 for nearly the same, up to 1 for a box at the same place, 0 for another
    /// object.
    fn likeness(&self, read: &OpticalRead) -> f32 {
        if self.frames.iter().any(|f| f.text == read.text) {
            return 2.0;
        }
        if self.frames.iter().any(|f| nearly(&f.text, &read.text)) {
            return 1.5;
        }
        self.frames.last().map_or(0.0, |f| overlap(&f.at, &read.at))
    }
    fn fused(&self, shared: f32) -> Option<OpticalRead> {
        let texts = self.texts();
        let n = self.frames.len() as f32;
        let temper = 1.0 + (n - 1.0) * shared;
        let mut scores: Vec<f32> =
            texts.iter().map(|t| self.frames.iter().map(|f| p_of(f, t).ln()).sum::<f32>() / temper).collect();
        let other = self.frames.iter().map(|f| unlisted(f, n > 1.0).ln()).sum::<f32>() / temper;
        let top = scores.iter().copied().fold(other, f32::max);
        let sum: f32 = scores.iter().map(|s| (s - top).exp()).sum::<f32>() + (other - top).exp();
        for s in &mut scores {
            *s = ((*s - top).exp() / sum).min(CEILING);
        }
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        let best = *order.first()?;
        // The frame that shows it best stands for it; where none has it first, the newest.
        let shown = self
            .frames
            .iter()
            .filter(|f| f.text == texts[best])
            .max_by(|a, b| a.confidence.total_cmp(&b.confidence));
        let mut out = shown.or(self.frames.last())?.clone();
        if out.text != texts[best] {
            (out.check_digit, out.region) = (verdict(out.kind, &texts[best]), None);
        }
        let type_code = self.frames.iter().rev().find_map(|f| f.type_code.clone());
        out.text.clone_from(&texts[best]);
        out.confidence = scores[best];
        out.type_code = out.type_code.or(type_code);
        out.alternatives = order
            .iter()
            .skip(1)
            .take(8)
            .map(|&i| Alternative { text: texts[i].clone(), confidence: scores[i] })
            .collect();
        Some(out)
    }
    fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        let firsts = self.frames.iter().map(|f| &f.text);
        let others = self.frames.iter().flat_map(|f| f.alternatives.iter().map(|a| &a.text));
        for t in firsts.chain(others) {
            if texts.len() < MOST_TEXTS && !texts.contains(t) {
                texts.push(t.clone());
            }
        }
        texts
    }
}

/// One reading per object out of the readings of several cameras of one lane, each already fused over
/// its frames; best first. Readings of one object have the same text, list it as an alternative, or
/// differ in few characters; boxes of different cameras cannot be compared.
pub fn across_cameras(reads: &[OpticalRead]) -> Vec<OpticalRead> {
    let mut objects: Vec<Object> = Vec::new();
    let mut order: Vec<&OpticalRead> = reads.iter().collect();
    order.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    for read in order.into_iter().take(MOST_FRAMES) {
        let lists = |a: &OpticalRead, b: &OpticalRead| a.alternatives.iter().any(|t| t.text == b.text);
        let same = |f: &OpticalRead| {
            f.kind == read.kind
                && (f.text == read.text || nearly(&f.text, &read.text) || lists(f, read) || lists(read, f))
        };
        match objects.iter_mut().find(|o| o.frames.iter().any(same)) {
            Some(object) => object.frames.push(read.clone()),
            None => objects.push(Object { frames: vec![read.clone()] }),
        }
    }
    let mut all: Vec<OpticalRead> = objects.iter().filter_map(|o| o.fused(SHARED_BY_CAMERAS)).collect();
    all.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    all
}

/// Whether two texts of one length differ in so few characters that they are readings of one object.
fn nearly(a: &str, b: &str) -> bool {
    let n = a.chars().count();
    n >= ONE_IN
        && n == b.chars().count()
        && a.chars().zip(b.chars()).filter(|(x, y)| x != y).count() <= n / ONE_IN
}

/// The check digit's verdict on a text that no frame had as its first.
fn verdict(kind: ReadKind, text: &str) -> CheckDigit {
    match kind {
        ReadKind::Plate | ReadKind::Adr | ReadKind::Seal => CheckDigit::None,
        ReadKind::Container => {
            let digit = text.get(..10).and_then(iso6346::check_digit);
            let told = text.get(10..).and_then(|d| d.parse::<u8>().ok());
            if digit.is_some() && digit == told { CheckDigit::Valid } else { CheckDigit::Invalid }
        }
    }
}

fn p_of(frame: &OpticalRead, text: &str) -> f32 {
    let p = if frame.text == text {
        frame.confidence
    } else {
        frame.alternatives.iter().find(|a| a.text == text).map_or(0.0, |a| a.confidence)
    };
    let floor = (UNLISTED.min(unlisted(frame, false) / 4.0)).max(1e-4);
    if p.is_finite() { p.clamp(floor, 1.0) } else { floor }
}

fn unlisted(frame: &OpticalRead, many: bool) -> f32 {
    let listed: f32 = frame.confidence + frame.alternatives.iter().map(|a| a.confidence).sum::<f32>();
    let rest = if listed.is_finite() { (1.0 - listed).clamp(1e-3, 1.0) } else { 1.0 };
    if many { rest * SAME_OTHER } else { rest }
}

/// Overlap of two boxes grown by half their height: a vehicle that creeps stays one object.
fn overlap(a: &PixelBox, b: &PixelBox) -> f32 {
    let grow = a.h.min(b.h) / 2.0;
    let w = (a.x + a.w).min(b.x + b.w) - a.x.max(b.x) + grow;
    let h = (a.y + a.h).min(b.y + b.h) - a.y.max(b.y) + grow;
    let least = (a.w * a.h).min(b.w * b.h).max(1.0);
    if w <= 0.0 || h <= 0.0 { 0.0 } else { (w * h / least).min(1.0) }
}

#[cfg(test)]
mod tests;
