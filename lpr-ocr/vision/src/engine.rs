//! One grey frame in, readings out.

use crate::nets::{Margin, Nets};
use gate_types::observation::{Alternative, OpticalRead, PixelBox, ReadKind, View};
use lpr_ocr::decode::beam::Extent;
use lpr_ocr::decode::{Found, ObjectClass, Resolved, Resolver};
use opencv::core::Mat;

/// Objects with at least this probability are read.
const THRESHOLD: f32 = 0.25;
/// Tried where nothing was found of a kind that is looked for.
const LOW_THRESHOLD: f32 = 0.12;
/// Most objects read on one frame.
const MOST_READ: usize = 8;
/// Below this confidence two more crops of the object are read.
const SURE: f32 = 0.95;
/// Below this ln p the other orientation of a code is tried.
const DOUBTFUL_LOG_P: f64 = -5.0;
/// Below this confidence nothing is told.
const LEAST: f32 = 0.02;

/// Below this ln p a crop does not show what is looked for; no more crops of it are read.
const HOPELESS_LOG_P: f64 = -25.0;
/// Below this confidence of a kind the frame is looked at once more, smaller: close-ups.
const FOUND: f32 = 0.6;
/// Size of that second look, relative to the first.
const SMALLER: f32 = 0.4;

const FIRST: Margin = Margin { edge: 0.10, ends: 0.0 };
const MORE: [Margin; 2] = [Margin { edge: 0.18, ends: 0.02 }, Margin { edge: 0.03, ends: 0.01 }];
/// Most crops read on one frame beyond the first of each object: bounds the time of a frame.
const MOST_CROPS: u32 = 40;
/// How often a box is fitted to the text found in it.
const MOST_FITS: usize = 3;

/// A reading with what the command line tells beyond it.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    /// The reading.
    pub read: OpticalRead,
    /// `one_row`, `two_rows`, `horizontal`, `vertical`, `stack`, `panel`.
    pub layout: &'static str,
    /// Where, oriented.
    pub found: Found,
}

/// Nets and languages.
pub(crate) struct Engine {
    nets: Nets,
    resolver: Resolver,
    /// Whether a frame without a clear reading is looked at once more, smaller.
    close_ups: bool,
    /// Further crops that may be read on the frame in work.
    crops_left: u32,
}

impl Engine {
    /// An engine; OpenCV is kept to one thread.
    /// `close_ups`: look at frames without a clear reading once more, smaller; a lane's camera never
    /// has a plate across its whole frame.
    pub(crate) fn new(nets: Nets, regions: &[String], close_ups: bool) -> anyhow::Result<Self> {
        opencv::core::set_num_threads(1)?;
        Ok(Self { nets, resolver: Resolver::new(regions)?, close_ups, crops_left: 0 })
    }
    /// The models' names.
    pub(crate) fn models(&self) -> &str {
        &self.nets.names
    }
    /// Everything of the kinds asked for on one frame, best first.
    pub(crate) fn read(
        &mut self,
        grey: &Mat,
        kinds: &[ReadKind],
        view: View,
    ) -> anyhow::Result<Vec<Reading>> {
        let mut all = Vec::new();
        let mut missing = kinds.to_vec();
        self.crops_left = MOST_CROPS;
        for size in [1.0, SMALLER] {
            let found = self.nets.detect(grey, LOW_THRESHOLD, size)?;
            for &kind in &missing {
                self.read_kind(grey, &found, kind, view, &mut all)?;
            }
            missing.retain(|kind| !all.iter().any(|r| r.read.kind == *kind && r.read.confidence >= FOUND));
            if missing.is_empty() || !self.close_ups {
                break;
            }
        }
        all.retain(|r| r.read.confidence >= LEAST);
        all.sort_by(|a, b| b.read.confidence.total_cmp(&a.read.confidence));
        let mut kept: Vec<Reading> = Vec::new();
        for r in all {
            if !kept.iter().any(|k| {
                k.read.kind == r.read.kind && (k.read.text == r.read.text || covers(&k.read.at, &r.read.at))
            }) {
                kept.push(r);
            }
        }
        Ok(kept)
    }

    fn read_kind(
        &mut self,
        grey: &Mat,
        found: &[Found],
        kind: ReadKind,
        view: View,
        all: &mut Vec<Reading>,
    ) -> anyhow::Result<()> {
        let of_kind = found.iter().filter(|f| kind_of(f.class) == kind);
        for f in of_kind.clone().filter(|f| f.score >= THRESHOLD).take(MOST_READ) {
            all.extend(self.read_one(grey, f, kind, view)?);
        }
        if !all.iter().any(|r| r.read.kind == kind && r.read.confidence >= 0.5) {
            for f in of_kind.filter(|f| f.score < THRESHOLD).take(MOST_READ / 2) {
                all.extend(self.read_one(grey, f, kind, view)?);
            }
        }
        Ok(())
    }

    fn read_one(
        &mut self,
        grey: &Mat,
        found: &Found,
        kind: ReadKind,
        view: View,
    ) -> anyhow::Result<Option<Reading>> {
        let mut best = self.resolve(grey, found, kind)?.map(|r| (r, *found));
        if found.class.is_code() && best.as_ref().is_none_or(|b| b.0.log_p < DOUBTFUL_LOG_P) {
            for other in other_ways(found) {
                let second = self.resolve(grey, &other, kind)?;
                if let Some(second) = second.filter(|s| best.as_ref().is_none_or(|b| s.log_p > b.0.log_p)) {
                    best = Some((second, other));
                }
            }
        }
        Ok(best.map(|(resolved, way)| reading(resolved, &way, view)))
    }

    /// Counts a further crop of this frame.
    fn may_read(&mut self) -> bool {
        let may = self.crops_left > 0;
        self.crops_left = self.crops_left.saturating_sub(1);
        may
    }

    /// One crop; where it leaves doubt, more crops of the box as the text found in it suggests.
    fn resolve(&mut self, grey: &Mat, found: &Found, kind: ReadKind) -> anyhow::Result<Option<Resolved>> {
        let first = self.nets.read(grey, found, FIRST)?;
        let extent = first.extent();
        let mut best = self.resolver.resolve(kind, std::slice::from_ref(&first));
        if best.as_ref().is_some_and(is_sure) || extent.is_none() {
            return Ok(best);
        }
        // The best box so far with its crop, and the box in work.
        let (mut best_way, mut best_crop) = (*found, first.clone());
        let (mut way, mut last) = (*found, first);
        for _ in 0..MOST_FITS {
            let Some(extent) = last.extent() else { break };
            let Some(next) = fitted(&way, FIRST, extent, wanted(&way)) else { break };
            if !self.may_read() {
                break;
            }
            way = next;
            last = self.nets.read(grey, &way, FIRST)?;
            let again = self.resolver.resolve(kind, std::slice::from_ref(&last));
            if again.as_ref().is_some_and(is_sure) {
                return Ok(again);
            }
            if better(again.as_ref(), best.as_ref()) {
                (best, best_way, best_crop) = (again, way, last.clone());
            }
        }
        if best.as_ref().is_none_or(|r| r.log_p < HOPELESS_LOG_P) {
            return Ok(best);
        }
        if found.class.is_code() {
            // A check digit tells a good crop from a bad one: the box is moved where it reads better.
            for change in CHANGES {
                if !self.may_read() {
                    break;
                }
                let next = change.of(&best_way);
                let crop = self.nets.read(grey, &next, FIRST)?;
                let again = self.resolver.resolve(kind, std::slice::from_ref(&crop));
                if again.as_ref().is_some_and(is_sure) {
                    return Ok(again);
                }
                if better(again.as_ref(), best.as_ref()) {
                    (best, best_way, best_crop) = (again, next, crop);
                }
            }
        }
        let mut crops = vec![best_crop];
        for margin in MORE {
            if self.may_read() {
                crops.push(self.nets.read(grey, &best_way, margin)?);
            }
        }
        let joint = self.resolver.resolve(kind, &crops);
        Ok(if better(joint.as_ref(), best.as_ref()) { joint } else { best })
    }
}

/// A small change of an oriented box, in its own axes.
struct Change {
    /// Longer at the start, part of the width.
    start: f32,
    /// Longer at the end, part of the width.
    end: f32,
    /// Across, part of the height.
    across: f32,
    /// Turn, radians.
    turn: f32,
}

const STAY: Change = Change { start: 0.0, end: 0.0, across: 0.0, turn: 0.0 };
const CHANGES: [Change; 7] = [
    Change { turn: 0.03, ..STAY },
    Change { turn: -0.03, ..STAY },
    Change { start: 0.1, ..STAY },
    Change { end: 0.1, ..STAY },
    Change { start: 0.05, end: 0.05, ..STAY },
    Change { across: 0.15, ..STAY },
    Change { across: -0.15, ..STAY },
];

impl Change {
    fn of(&self, f: &Found) -> Found {
        let (s, c) = f.angle.sin_cos();
        let (along, across) = ((self.end - self.start) * f.w / 2.0, self.across * f.h);
        Found {
            cx: f.cx + along * c - across * s,
            cy: f.cy + along * s + across * c,
            w: f.w * (1.0 + self.start + self.end),
            angle: f.angle + self.turn,
            ..*f
        }
    }
}

/// How many characters stand along a box, where that is known.
fn wanted(found: &Found) -> Option<usize> {
    match found.class {
        ObjectClass::CodeLine | ObjectClass::CodeColumn => Some(11),
        ObjectClass::CodeStack | ObjectClass::Plate | ObjectClass::AdrPanel => None,
    }
}

fn is_sure(r: &Resolved) -> bool {
    r.candidates.first().is_some_and(|c| c.confidence >= SURE)
}

fn better(a: Option<&Resolved>, b: Option<&Resolved>) -> bool {
    let of = |r: Option<&Resolved>| r.and_then(|r| r.candidates.first()).map_or(-1.0, |c| c.confidence);
    of(a) > of(b)
}

/// The box whose ends lie a character's pitch outside the first and last character; `None` where it
/// is so already.
fn fitted(found: &Found, margin: Margin, extent: Extent, wanted: Option<usize>) -> Option<Found> {
    const END: f32 = 0.95;
    const SLACK: f32 = 0.35;
    let crop_w = found.w * (1.0 + 2.0 * margin.ends) + 2.0 * margin.edge * found.w.min(found.h);
    const EDGE: f32 = 1.3;
    let (mut left, mut right) = (extent.first - END * extent.pitch, extent.last + END * extent.pitch);
    // Characters are missing, and one stands at the edge: more of the text lies beyond it.
    if wanted.is_some_and(|n| extent.count < n) {
        if extent.first < EDGE * extent.pitch {
            left = left.min(-0.8 * extent.pitch);
        }
        if extent.last > 1.0 - EDGE * extent.pitch {
            right = right.max(1.0 + 0.8 * extent.pitch);
        }
    }
    let reach = 1.5 * extent.pitch;
    let (left, right) = (left.max(-reach), right.min(1.0 + reach));
    if left.abs() < SLACK * extent.pitch && (right - 1.0).abs() < SLACK * extent.pitch {
        return None;
    }
    let shift = ((left + right) / 2.0 - 0.5) * crop_w;
    let edge = 2.0 * margin.edge * found.w.min(found.h);
    let w = ((right - left) * crop_w - edge).max(found.h.min(found.w));
    let (s, c) = found.angle.sin_cos();
    Some(Found { cx: found.cx + shift * c, cy: found.cy + shift * s, w, ..*found })
}

/// The kind of identifier on an object.
pub(crate) fn kind_of(class: ObjectClass) -> ReadKind {
    match class {
        ObjectClass::Plate => ReadKind::Plate,
        ObjectClass::CodeLine | ObjectClass::CodeColumn | ObjectClass::CodeStack => ReadKind::Container,
        ObjectClass::AdrPanel => ReadKind::Adr,
    }
}

/// The same box read another way: a column as lines, an upright line or stack as a column.
fn other_ways(found: &Found) -> Vec<Found> {
    let quarter = std::f32::consts::FRAC_PI_2;
    match found.class {
        ObjectClass::CodeColumn => {
            let class = ObjectClass::CodeLine;
            vec![Found { class, w: found.h, h: found.w, angle: found.angle - quarter, ..*found }]
        }
        ObjectClass::CodeLine | ObjectClass::CodeStack if found.h > found.w => {
            let class = ObjectClass::CodeColumn;
            vec![Found { class, w: found.h, h: found.w, angle: found.angle + quarter, ..*found }]
        }
        ObjectClass::CodeLine | ObjectClass::CodeStack | ObjectClass::Plate | ObjectClass::AdrPanel => vec![],
    }
}

fn reading(resolved: Resolved, found: &Found, view: View) -> Reading {
    // A weak detection of a clear text is often another text.
    let trust = 0.6 + 0.4 * (found.score / 0.5).min(1.0);
    let mut candidates = resolved.candidates.into_iter();
    let first = candidates.next();
    let (text, confidence) = first.map_or((String::new(), 0.0), |c| (c.text, c.confidence * trust));
    let layout = match (found.class, resolved.two_rows) {
        (ObjectClass::Plate, false) => "one_row",
        (ObjectClass::Plate, true) => "two_rows",
        (class, _) => class.layout(),
    };
    let alternatives =
        candidates.take(8).map(|c| Alternative { text: c.text, confidence: c.confidence * trust }).collect();
    let read = OpticalRead {
        kind: resolved.kind,
        view,
        text,
        raw_text: resolved.raw_text,
        confidence,
        check_digit: resolved.check_digit,
        region: resolved.region,
        type_code: None,
        alternatives,
        at: found.upright(),
        frame_sha256: String::new(),
    };
    Reading { read, layout, found: *found }
}

/// Whether two boxes share more than half of the smaller.
fn covers(a: &PixelBox, b: &PixelBox) -> bool {
    let w = (a.x + a.w).min(b.x + b.w) - a.x.max(b.x);
    let h = (a.y + a.h).min(b.y + b.h) - a.y.max(b.y);
    w > 0.0 && h > 0.0 && w * h > 0.5 * (a.w * a.h).min(b.w * b.h)
}
