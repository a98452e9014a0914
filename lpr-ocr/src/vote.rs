//! One reading out of many frames of one camera: log-probabilities of each text are summed over the
//! frames, not strings counted. Pure.

use gate_types::observation::{Alternative, OpticalRead, PixelBox};

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
        let mut all: Vec<OpticalRead> = self.objects.iter().filter_map(Object::fused).collect();
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
    /// 2 for the same text, up to 1 for a box at the same place, 0 for another object.
    fn likeness(&self, read: &OpticalRead) -> f32 {
        if self.frames.iter().any(|f| f.text == read.text) {
            return 2.0;
        }
        self.frames.last().map_or(0.0, |f| overlap(&f.at, &read.at))
    }
    fn fused(&self) -> Option<OpticalRead> {
        let texts = self.texts();
        let n = self.frames.len() as f32;
        // Frames of one camera are not independent: their sum counts as its root.
        let temper = n.sqrt();
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
mod tests {
    use super::*;
    use gate_types::observation::{CheckDigit, ReadKind, View};

    fn read(text: &str, confidence: f32, x: f32, others: &[(&str, f32)]) -> OpticalRead {
        OpticalRead {
            kind: ReadKind::Plate,
            view: View::Front,
            text: text.into(),
            raw_text: text.into(),
            confidence,
            check_digit: CheckDigit::None,
            region: None,
            type_code: None,
            alternatives: others
                .iter()
                .map(|(t, c)| Alternative { text: (*t).into(), confidence: *c })
                .collect(),
            at: PixelBox { x, y: 500.0, w: 120.0, h: 30.0 },
            frame_sha256: String::new(),
        }
    }

    #[test]
    fn one_frame_keeps_its_confidence() {
        let mut f = Fusion::new();
        f.add_frame(&[read("AB123CD", 0.8, 0.0, &[("AB128CD", 0.1)])]);
        let got = f.fused();
        assert_eq!(got[0].text, "AB123CD");
        assert!((got[0].confidence - 0.8).abs() < 0.01, "{}", got[0].confidence);
        assert!((got[0].alternatives[0].confidence - 0.1).abs() < 0.01);
    }

    #[test]
    fn frames_that_agree_raise_and_frames_that_differ_lower() {
        let mut f = Fusion::new();
        for _ in 0..3 {
            f.add_frame(&[read("AB123CD", 0.6, 0.0, &[("AB128CD", 0.3)])]);
        }
        let agreed = f.fused()[0].confidence;
        assert!(agreed > 0.7, "{agreed}");
        f.add_frame(&[read("AB128CD", 0.9, 5.0, &[("AB123CD", 0.05)])]);
        let got = f.fused();
        assert_eq!(got.len(), 1, "same place, same object");
        assert!(got[0].confidence < agreed);
    }

    #[test]
    fn sure_evidence_beats_many_weak_votes() {
        let mut f = Fusion::new();
        for _ in 0..2 {
            f.add_frame(&[read("AB128CD", 0.5, 0.0, &[("AB123CD", 0.45)])]);
        }
        f.add_frame(&[read("AB123CD", 0.98, 0.0, &[])]);
        assert_eq!(f.fused()[0].text, "AB123CD");
    }

    #[test]
    fn two_plates_of_one_frame_stay_two() {
        let mut f = Fusion::new();
        for x in [0.0, 20.0, 40.0] {
            f.add_frame(&[read("AB123CD", 0.9, x, &[]), read("XA456EF", 0.8, 600.0 + x, &[])]);
        }
        let got = f.fused();
        assert_eq!(got.len(), 2);
        assert!(got.iter().all(|r| r.confidence > 0.9), "{got:?}");
    }

    #[test]
    fn nonsense_values_do_not_poison_the_sum() {
        let mut f = Fusion::new();
        f.add_frame(&[read("A", f32::NAN, 0.0, &[("B", f32::INFINITY)])]);
        f.add_frame(&[read("A", 0.9, 0.0, &[])]);
        assert!(f.fused().iter().all(|r| (0.0..=1.0).contains(&r.confidence)));
    }
}
