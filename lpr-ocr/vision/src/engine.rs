//! One grey frame in, readings out: find, align, cut, read, resolve; more crops only where there is doubt.

use crate::geometry::shared;
use crate::nets::Nets;
use crate::object::{Object, SURE, kind_of};
use crate::panel::{self, Colour};
use crate::reading::{Reading, best_of, reading};
use gate_types::observation::{ReadKind, View};
use lpr_ocr::decode::{Found, ObjectClass, Resolver};
use opencv::core::{Mat, MatTraitConst as _, Rect};

/// Objects with at least this probability are read.
const THRESHOLD: f32 = 0.25;
/// Beside a sure reading, an object of its kind below this part of its probability is not read.
const OUTSHONE: f32 = 0.6;
/// Tried where nothing was found of a kind that is looked for.
const LOW_THRESHOLD: f32 = 0.12;
/// Most such objects of one kind.
const MOST_LOW: usize = 2;
/// From this confidence of a kind on, weak objects of it are not looked at.
const ENOUGH: f32 = 0.3;
/// Beside a sure reading of its kind an object below this confidence gets no more crops.
const BESIDE: f32 = 0.5;
/// Where nothing is read with this confidence, the frame is looked at once more.
pub(crate) const FOUND: f32 = 0.6;
/// A plate wider than this part of the frame is a close-up, better seen at half the size; one of twice that, at
/// a quarter.
const CLOSE_UP: f32 = 0.25;
/// Crops that a further look may spend at least.
const LEAST_CROPS: u32 = 4;
/// Tiles are looked at where the detector's input shows a frame pixel smaller than this.
const TILE_SCALE: f32 = 0.7;
/// Side of a tile, part of the frame's: two overlap by a fifth.
const TILE: f32 = 0.6;

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

/// Nets and languages of one thread.
pub(crate) struct Engine {
    pub(crate) nets: Nets,
    pub(crate) resolver: Resolver,
    effort: Effort,
    /// Kinds that are looked for on the frame in work.
    pub(crate) wanted: Vec<ReadKind>,
    /// Crops that may still be read on the frame in work.
    pub(crate) crops_left: u32,
    /// Crops allowed beyond the effort's for further looks at it.
    crops_more: u32,
}

impl Engine {
    /// An engine; OpenCV is kept to the calling thread.
    pub(crate) fn new(nets: Nets, regions: &[String], effort: Effort) -> anyhow::Result<Self> {
        opencv::core::set_num_threads(1)?;
        let resolver = Resolver::new(regions)?;
        Ok(Self { nets, resolver, effort, wanted: Vec::new(), crops_left: 0, crops_more: 0 })
    }
    /// The models' names.
    pub(crate) fn models(&self) -> &str {
        &self.nets.names
    }
    /// Everything of the kinds asked for on one grey frame, best first.
    pub(crate) fn read(
        &mut self,
        grey: &Mat,
        kinds: &[ReadKind],
        view: View,
    ) -> anyhow::Result<Vec<Reading>> {
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
        (self.crops_left, self.crops_more) = (self.effort.crops.max(1), 0);
        self.wanted = kinds.to_vec();
        let mut objects: Vec<Object> = Vec::new();
        let found = self.nets.detect(grey, LOW_THRESHOLD, 1.0)?;
        let types: Vec<Found> = found.iter().filter(|f| f.class == ObjectClass::TypeCode).copied().collect();
        self.look(grey, found, kinds, &mut objects)?;
        let mut close_up_px = CLOSE_UP * grey.cols() as f32;
        for part in [0.5, 0.25] {
            if self.effort.half && !is_clear(&objects, Some(close_up_px)) {
                let found = self.nets.detect(grey, LOW_THRESHOLD, part)?;
                self.look(grey, found, kinds, &mut objects)?;
            }
            close_up_px *= 2.0;
        }
        let is_large = self.nets.frame_scale(grey.size()?) < TILE_SCALE;
        if self.effort.tiles && is_large && !is_clear(&objects, None) {
            let mut found = Vec::new();
            for at in tiles(grey.cols(), grey.rows()) {
                found.extend(self.nets.detect_in(grey, at, LOW_THRESHOLD)?);
            }
            found.sort_by(|a, b| b.score.total_cmp(&a.score));
            self.look(grey, found, kinds, &mut objects)?;
        }
        for o in &objects {
            let (class, score, raw) = (o.found.class.name(), o.found.score, o.best().map(|r| &r.raw_text));
            tracing::debug!(class, score, nothing = o.nothing, raw, confidence = o.confidence(), "object");
        }
        let mut readings: Vec<Reading> =
            objects.iter().filter(|o| kinds.contains(&o.kind)).filter_map(|o| reading(o, view)).collect();
        for r in readings.iter_mut().filter(|r| r.read.kind == ReadKind::Adr) {
            r.read.confidence *= panel::plausible(colour, &r.quad)?;
        }
        let mut kept = best_of(readings);
        self.type_codes(grey, &types, &mut kept)?;
        let crops = self.effort.crops.max(1) + self.crops_more - self.crops_left;
        let spent = std::mem::take(&mut self.nets.spent);
        tracing::debug!(objects = objects.len(), crops, readings = kept.len(), ?spent, "frame");
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
            let more = LEAST_CROPS.saturating_sub(self.crops_left);
            self.crops_left += more;
            self.crops_more += more;
        }
        for f in found {
            let Some(kind) = kind_of(f.class) else { continue };
            let at = f.upright();
            // What was read surely is not read again; the same object seen in two tiles counts once.
            let known = |o: &Object| o.kind == kind && shared(&o.quad.upright(), &at) > 0.6;
            let sure = objects[..from].iter().any(|o| o.is_sure() && known(o));
            if !sure && !objects[from..].iter().any(known) {
                objects.push(Object::new(f, kind));
            }
        }
        // What is looked for first; then what may turn out to be it.
        objects[from..].sort_by_key(|o| !kinds.contains(&o.kind));
        let best = |objects: &[Object], kind| {
            objects.iter().filter(|o| o.kind == kind).map(Object::confidence).fold(0.0, f32::max)
        };
        // Each strong object once, best first, but none that is much weaker than one of its kind that is sure already;
        // then weak ones of kinds that still miss.
        for n in from..objects.len() {
            let (kind, score) = (objects[n].kind, objects[n].found.score);
            let outshone = |o: &Object| o.kind == kind && o.is_sure() && score < OUTSHONE * o.found.score;
            let other = !kinds.contains(&kind);
            let in_vain = objects.iter().any(|o| outshone(o) || other && o.is_sure());
            if score >= THRESHOLD && !in_vain {
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
                let beside = top >= SURE && o.confidence() < BESIDE;
                let open = o.is_begun() && !o.is_done() && !beside;
                open.then(|| o.found.score + o.confidence() - if top >= SURE { 1.0 } else { 0.0 })
            };
            let next = (from..objects.len())
                .filter_map(|n| worth(&objects[n]).map(|w| (n, w)))
                .max_by(|a, b| a.1.total_cmp(&b.1));
            let Some((n, _)) = next else { break };
            self.attempt(grey, &mut objects[n])?;
        }
        Ok(())
    }
}

/// Whether something was read clearly; a plate wider than `close_up_px` must be sure.
fn is_clear(objects: &[Object], close_up_px: Option<f32>) -> bool {
    let close =
        |o: &Object| o.kind == ReadKind::Plate && close_up_px.is_some_and(|most| o.quad.upright().w > most);
    objects.iter().any(|o| o.confidence() >= FOUND && (o.is_sure() || !close(o)))
}

/// Two by two overlapping parts of a frame.
fn tiles(width: i32, height: i32) -> [Rect; 4] {
    let (w, h) = (((width as f32 * TILE) as i32).max(1), ((height as f32 * TILE) as i32).max(1));
    [(0, 0), (width - w, 0), (0, height - h), (width - w, height - h)].map(|(x, y)| Rect::new(x, y, w, h))
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
