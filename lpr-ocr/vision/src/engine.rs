//! One grey frame in, readings out: find, align, cut, read, resolve; more crops only where there is doubt.

use crate::geometry::{Quad, shared};
use crate::nets::Nets;
use crate::object::{Attempt, Object, kind_of};
use crate::panel::{self, Colour};
use crate::type_code;
use gate_types::observation::{Alternative, CheckDigit, OpticalRead, ReadKind, View};
use lpr_ocr::decode::{Found, ObjectClass, Resolver};
use opencv::core::{Mat, MatTraitConst as _, Rect};

/// Objects with at least this probability are read.
const THRESHOLD: f32 = 0.25;
/// Tried where nothing was found of a kind that is looked for.
const LOW_THRESHOLD: f32 = 0.12;
/// Most such objects of one kind.
const MOST_LOW: usize = 4;
/// From this confidence of a kind on, weak objects of it are not looked at.
const ENOUGH: f32 = 0.5;
/// Beside a sure reading of its kind an object below this confidence gets no more crops.
const BESIDE: f32 = 0.3;
/// Below this confidence of a kind the frame is looked at once more.
const FOUND: f32 = 0.6;
/// A plate wider than this part of the frame is a close-up, better seen at half the size.
const CLOSE_UP: f32 = 0.25;
/// Crops that a further look may spend at least.
const LEAST_CROPS: u32 = 4;
/// Tiles are looked at where the detector's input shows a frame pixel smaller than this.
const TILE_SCALE: f32 = 0.7;
/// Side of a tile, part of the frame's: two overlap by a fifth.
const TILE: f32 = 0.6;
/// An object that has nothing to read with more than this probability is not read.
const NOTHING: f32 = 0.9;
/// Below this confidence nothing is told.
const LEAST: f32 = 0.02;

/// Margin at every edge, part of the short side: around the text's corners, and around a box.
const ALIGNED_MARGIN: f32 = 0.12;
const BOX_MARGIN: f32 = 0.10;

/// How much a frame may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// Most crops read on a frame.
    pub crops: u32,
    /// Whether a frame without a clear reading is looked at once more at half the size (close-ups).
    pub half: bool,
    /// Whether a large frame that shows nothing then is looked at in tiles.
    pub tiles: bool,
}

impl Effort {
    /// Crops of a frame where nothing else is said.
    pub(crate) const CROPS: u32 = 8;
    /// For a lane's camera: its frames follow each other, and a plate never fills one.
    pub(crate) const LANE: Self = Self { crops: Self::CROPS, half: false, tiles: false };
    /// For single pictures.
    pub(crate) const PICTURE: Self = Self { crops: Self::CROPS, half: true, tiles: true };
}

/// A reading with what the command line tells beyond it.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    /// The reading.
    pub read: OpticalRead,
    /// `one_row`, `two_rows`, `horizontal`, `vertical`, `stack`, `panel`.
    pub layout: &'static str,
    /// Corners of the text.
    pub quad: Quad,
}

/// Nets and languages of one thread.
pub(crate) struct Engine {
    nets: Nets,
    resolver: Resolver,
    effort: Effort,
    /// Crops that may still be read on the frame in work.
    crops_left: u32,
}

impl Engine {
    /// An engine; OpenCV is kept to the calling thread.
    pub(crate) fn new(nets: Nets, regions: &[String], effort: Effort) -> anyhow::Result<Self> {
        opencv::core::set_num_threads(1)?;
        Ok(Self { nets, resolver: Resolver::new(regions)?, effort, crops_left: 0 })
    }
    /// The models' names.
    pub(crate) fn models(&self) -> &str {
        &self.nets.names
    }
    /// Everything of the kinds asked for on one grey frame, best first.
    pub(crate) fn read(&mut self, grey: &Mat, kinds: &[ReadKind], view: View) -> anyhow::Result<Vec<Reading>> {
        self.read_colour(grey, &Colour::None, kinds, view)
    }
    /// The same with the frame's colours at hand, which are looked at only where a panel was read.
    pub(crate) fn read_colour(
        &mut self,
        grey: &Mat,
        colour: &Colour<'_>,
        kinds: &[ReadKind],
        view: View,
    ) -> anyhow::Result<Vec<Reading>> {
        self.crops_left = self.effort.crops.max(1);
        let mut objects: Vec<Object> = Vec::new();
        let found = self.nets.detect(grey, LOW_THRESHOLD, 1.0)?;
        let types: Vec<Found> = found.iter().filter(|f| f.class == ObjectClass::TypeCode).copied().collect();
        self.look(grey, found, kinds, &mut objects)?;
        if self.effort.half {
            let width = grey.cols() as f32;
            let close = |o: &Object| o.kind == ReadKind::Plate && o.quad.upright().w > CLOSE_UP * width;
            let missing = missing(&objects, kinds, |o| o.is_sure() || !close(o));
            if !missing.is_empty() {
                let found = self.nets.detect(grey, LOW_THRESHOLD, 0.5)?;
                self.look(grey, found, &missing, &mut objects)?;
            }
        }
        if self.effort.tiles && self.nets.frame_scale(grey.size()?) < TILE_SCALE {
            let missing = missing(&objects, kinds, |_| true);
            if !missing.is_empty() {
                let mut found = Vec::new();
                for at in tiles(grey.cols(), grey.rows()) {
                    found.extend(self.nets.detect_in(grey, at, LOW_THRESHOLD)?);
                }
                found.sort_by(|a, b| b.score.total_cmp(&a.score));
                self.look(grey, found, &missing, &mut objects)?;
            }
        }
        let mut readings: Vec<Reading> = objects.iter().filter_map(|o| reading(o, view)).collect();
        for r in readings.iter_mut().filter(|r| r.read.kind == ReadKind::Adr) {
            r.read.confidence *= panel::plausible(colour, &r.quad)?;
        }
        let mut kept = best_of(readings);
        self.type_codes(grey, &types, &mut kept)?;
        Ok(kept)
    }

    /// Reads the new objects of one look at the frame.
    fn look(
        &mut self,
        grey: &Mat,
        found: Vec<Found>,
        kinds: &[ReadKind],
        objects: &mut Vec<Object>,
    ) -> anyhow::Result<()> {
        let from = objects.len();
        if from > 0 {
            self.crops_left = self.crops_left.max(LEAST_CROPS);
        }
        for f in found {
            let Some(kind) = kind_of(f.class).filter(|k| kinds.contains(k)) else { continue };
            let at = f.upright();
            // What was read surely is not read again; the same object seen in two tiles counts once.
            let known = |o: &Object| o.kind == kind && shared(&o.quad.upright(), &at) > 0.6;
            let sure = objects[..from].iter().any(|o| o.is_sure() && known(o));
            if !sure && !objects[from..].iter().any(known) {
                objects.push(Object::new(f, kind));
            }
        }
        let best = |objects: &[Object], kind| {
            objects.iter().filter(|o| o.kind == kind).map(Object::confidence).fold(0.0, f32::max)
        };
        // Each strong object once, best first; then weak ones of kinds that still miss.
        for n in from..objects.len() {
            if objects[n].found.score >= THRESHOLD {
                self.attempt(grey, &mut objects[n])?;
            }
        }
        for &kind in kinds {
            let weak: Vec<usize> = (from..objects.len())
                .filter(|&n| objects[n].kind == kind && objects[n].found.score < THRESHOLD)
                .take(MOST_LOW)
                .collect();
            for n in weak {
                if best(objects, kind) < ENOUGH {
                    self.attempt(grey, &mut objects[n])?;
                }
            }
        }
        // Then the one that is worth most, until every object is sure or the crops are spent.
        while self.crops_left > 0 {
            let worth = |o: &Object| {
                let top = best(objects, o.kind);
                let beside = top >= crate::object::SURE && o.confidence() < BESIDE;
                let open = o.is_begun() && !o.is_done() && !beside;
                open.then(|| o.found.score + o.confidence() - if top >= crate::object::SURE { 1.0 } else { 0.0 })
            };
            let next = (from..objects.len())
                .filter_map(|n| worth(&objects[n]).map(|w| (n, w)))
                .max_by(|a, b| a.1.total_cmp(&b.1));
            let Some((n, _)) = next else { break };
            self.attempt(grey, &mut objects[n])?;
        }
        Ok(())
    }

    /// One more crop of an object, while crops are left.
    fn attempt(&mut self, grey: &Mat, o: &mut Object) -> anyhow::Result<()> {
        if self.crops_left == 0 {
            return Ok(());
        }
        let margin = if o.is_aligned { ALIGNED_MARGIN } else { BOX_MARGIN };
        let quad = o.quad;
        let cut = match o.next_attempt(self.nets.has_aligner()) {
            None => return Ok(()),
            Some(Attempt::First) => {
                self.align(grey, o)?;
                if o.nothing > NOTHING {
                    o.give_up();
                    return Ok(());
                }
                Some((o.quad, if o.is_aligned { ALIGNED_MARGIN } else { BOX_MARGIN }, 0.0))
            }
            Some(Attempt::Margin(other)) => Some((quad, other, 0.02)),
            Some(Attempt::Realign) => {
                let before = o.quad;
                let rough = if o.is_aligned { o.quad.oriented(&o.found) } else { o.found };
                if let Some(quad) = self.nets.align(grey, &rough)?.and_then(|a| a.quad) {
                    (o.quad, o.is_aligned) = (quad, true);
                }
                (o.quad != before).then_some((o.quad, ALIGNED_MARGIN, 0.0))
            }
            Some(Attempt::Fit) => o.fitted(margin).map(|q| (q, margin, 0.0)),
            Some(Attempt::Turn(angle)) => Some((quad.turned(angle), margin, 0.0)),
            Some(Attempt::Longer(start, end)) => {
                Some((quad.part(-start, 0.0, 1.0 + end, 1.0), margin, 0.0))
            }
            Some(Attempt::OtherWay) => match o.other_way() {
                Some(other) => return self.other_way(grey, o, other),
                None => None,
            },
        };
        if let Some((quad, margin, ends)) = cut {
            let column = o.found.class == ObjectClass::CodeColumn;
            self.crops_left -= 1;
            if let Some(seen) = self.nets.read(grey, &quad.widened(margin, ends), column)? {
                o.add(&self.resolver, seen, quad);
            }
        }
        Ok(())
    }

    /// Finds the text's corners; once more where they lie at the edge of what was looked at.
    fn align(&mut self, grey: &Mat, o: &mut Object) -> anyhow::Result<()> {
        let Some(first) = self.nets.align(grey, &o.found)? else { return Ok(()) };
        o.take(&first);
        if first.at_edge && first.quad.is_some() && first.nothing <= NOTHING {
            let rough = o.quad.oriented(&o.found);
            if let Some(second) = self.nets.align(grey, &rough)? {
                o.take(&second);
            }
        }
        Ok(())
    }

    /// Reads a code's box the other way round; the better way stays.
    fn other_way(&mut self, grey: &Mat, o: &mut Object, other: Found) -> anyhow::Result<()> {
        let mut turned = Object::new(other, o.kind);
        turned.next_attempt(self.nets.has_aligner());
        self.align(grey, &mut turned)?;
        let margin = if turned.is_aligned { ALIGNED_MARGIN } else { BOX_MARGIN };
        let quad = turned.quad;
        self.crops_left -= 1;
        let column = other.class == ObjectClass::CodeColumn;
        if let Some(seen) = self.nets.read(grey, &quad.widened(margin, 0.0), column)? {
            turned.add(&self.resolver, seen, quad);
        }
        let log_p = |o: &Object| o.best().map_or(f64::MIN, |r| r.log_p);
        if log_p(&turned) > log_p(o) {
            *o = turned;
        }
        Ok(())
    }

    /// Puts the nearest size-type code to each sure container code.
    fn type_codes(&mut self, grey: &Mat, types: &[Found], readings: &mut [Reading]) -> anyhow::Result<()> {
        for r in readings.iter_mut().filter(|r| r.read.kind == ReadKind::Container) {
            if r.read.check_digit != CheckDigit::Valid || r.read.confidence < FOUND {
                continue;
            }
            let Some(found) = type_code::nearest(types, &r.quad) else { continue };
            let quad = match self.nets.align(grey, found)? {
                Some(a) if a.nothing > NOTHING => continue,
                Some(a) => a.quad.unwrap_or(Quad::of(found)),
                None => Quad::of(found),
            };
            if let Some(seen) = self.nets.read(grey, &quad.widened(ALIGNED_MARGIN, 0.0), false)? {
                r.read.type_code = type_code::text(&seen);
            }
        }
        Ok(())
    }
}

/// The kinds of which nothing that counts was read clearly.
fn missing(objects: &[Object], kinds: &[ReadKind], counts: impl Fn(&Object) -> bool) -> Vec<ReadKind> {
    let has = |kind: &ReadKind| {
        objects.iter().any(|o| o.kind == *kind && o.confidence() >= FOUND && counts(o))
    };
    kinds.iter().copied().filter(|k| !has(k)).collect()
}

/// Two by two overlapping parts of a frame.
fn tiles(width: i32, height: i32) -> [Rect; 4] {
    let (w, h) = (((width as f32 * TILE) as i32).max(1), ((height as f32 * TILE) as i32).max(1));
    [(0, 0), (width - w, 0), (0, height - h), (width - w, height - h)].map(|(x, y)| Rect::new(x, y, w, h))
}

fn reading(o: &Object, view: View) -> Option<Reading> {
    let resolved = o.best()?;
    // A weak detection of a clear text is often another text.
    let trust = (0.6 + 0.4 * (o.found.score / 0.5).min(1.0)) * (1.0 - o.nothing);
    let mut candidates = resolved.candidates.iter();
    let first = candidates.next()?;
    let layout = match (o.found.class, resolved.two_rows || o.two_rows) {
        (ObjectClass::Plate, false) => "one_row",
        (ObjectClass::Plate, true) => "two_rows",
        (class, _) => class.layout(),
    };
    let alternatives = candidates
        .take(8)
        .map(|c| Alternative { text: c.text.clone(), confidence: c.confidence * trust })
        .collect();
    let read = OpticalRead {
        kind: resolved.kind,
        view,
        text: first.text.clone(),
        raw_text: resolved.raw_text.clone(),
        confidence: first.confidence * trust,
        check_digit: resolved.check_digit,
        region: resolved.region.clone(),
        type_code: None,
        alternatives,
        at: o.quad.upright(),
        frame_sha256: String::new(),
    };
    Some(Reading { read, layout, quad: o.quad })
}

/// Best first; of readings of one place or one text only the best.
fn best_of(mut all: Vec<Reading>) -> Vec<Reading> {
    all.retain(|r| r.read.confidence >= LEAST);
    all.sort_by(|a, b| b.read.confidence.total_cmp(&a.read.confidence));
    let mut kept: Vec<Reading> = Vec::new();
    for r in all {
        let same = |k: &Reading| {
            k.read.kind == r.read.kind && (k.read.text == r.read.text || shared(&k.read.at, &r.read.at) > 0.5)
        };
        if !kept.iter().any(same) {
            kept.push(r);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_the_frame_and_overlap() {
        let all = tiles(2048, 1536);
        assert!(all.iter().all(|t| t.x >= 0 && t.y >= 0 && t.x + t.width <= 2048 && t.y + t.height <= 1536));
        assert!(all[0].width + all[1].width > 2048 && all[0].height + all[2].height > 1536);
        assert_eq!((all[3].x + all[3].width, all[3].y + all[3].height), (2048, 1536));
    }
}
