//! One object of a frame: where its text lies, what its crops said, and what is tried next.

use crate::align::Aligned;
use crate::geometry::Quad;
use gate_types::observation::ReadKind;
use lpr_ocr::decode::{Found, ObjectClass, Probabilities, Resolved, Resolver};

/// At this confidence an object needs no more crops.
pub(crate) const SURE: f32 = 0.9;
/// Below this ln p a crop does not show what is looked for; no more crops of it are read.
const HOPELESS_LOG_P: f64 = -25.0;
/// Below this ln p the other orientation of a code is tried.
const DOUBTFUL_LOG_P: f64 = -5.0;
/// Crops whose own ln p lies further below the best one's do not count.
const BEHIND_NATS: f64 = 4.0;
/// Most crops that count for one object.
const MOST_JOINT: usize = 4;
/// So many crops that say the same are enough, whatever confidence that gives.
const AGREEING: usize = 3;

/// Below this confidence the text itself is asked what it is.
const UNSETTLED: f32 = 0.5;
/// What the text is by itself must be that much surer than what it was taken for.
const SURER: f32 = 0.2;

/// What the aligner says with more than this probability is so: plates, panels and codes on a painted field look alike from afar.
const TOLD: f32 = 0.6;

/// One more way to look at an object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Attempt {
    /// The text's corners (or the box) with the usual margin.
    First,
    /// Another margin, part of the short side.
    Margin(f32),
    /// The corners sought once more, from where they were found.
    Realign,
    /// Turned, radians.
    Turn(f32),
    /// A column as a line, or an upright line as a column.
    OtherWay,
}

/// What is tried, in order.
const ATTEMPTS: &[Attempt] = &[
    Attempt::First,
    Attempt::Margin(0.06),
    Attempt::Margin(0.18),
    Attempt::Realign,
    Attempt::OtherWay,
    Attempt::Turn(0.03),
    Attempt::Turn(-0.03),
];

/// A crop that was read.
struct Crop {
    seen: Probabilities,
    text: Option<String>,
    log_p: f64,
    quad: Quad,
}

/// One object in work.
pub(crate) struct Object {
    /// The rough box as it is read now.
    pub found: Found,
    /// What kind of identifier is looked for in it.
    pub kind: ReadKind,
    /// The text's corners, or those of the box.
    pub quad: Quad,
    /// Whether the corners come from the aligner.
    pub is_aligned: bool,
    /// Probability that there is nothing to read.
    pub nothing: f32,
    /// Whether it is a plate of two lines.
    pub two_rows: bool,
    crops: Vec<Crop>,
    best: Option<Resolved>,
    next: usize,
    done: bool,
}

impl Object {
    /// An object not looked at yet.
    pub(crate) fn new(found: Found, kind: ReadKind) -> Self {
        Self {
            found,
            kind,
            quad: Quad::of(&found),
            is_aligned: false,
            nothing: 0.0,
            two_rows: false,
            crops: Vec::new(),
            best: None,
            next: 0,
            done: false,
        }
    }
    /// What is known of the text so far.
    pub(crate) fn best(&self) -> Option<&Resolved> {
        self.best.as_ref()
    }
    /// Probability that the best text so far is right.
    pub(crate) fn confidence(&self) -> f32 {
        self.best.as_ref().map_or(0.0, Resolved::confidence)
    }
    /// Whether no more crops are needed.
    pub(crate) fn is_sure(&self) -> bool {
        self.confidence() >= SURE
    }
    /// Whether nothing more is tried.
    pub(crate) fn is_done(&self) -> bool {
        self.done || self.is_sure()
    }
    /// Whether it was looked at.
    pub(crate) fn is_begun(&self) -> bool {
        self.next > 0
    }
    /// Gives it up.
    pub(crate) fn give_up(&mut self) {
        self.done = true;
    }
    /// The next attempt.
    pub(crate) fn next_attempt(&mut self) -> Option<Attempt> {
        let attempt = ATTEMPTS.get(self.next).copied();
        self.next += 1;
        self.done |= attempt.is_none();
        attempt
    }
    /// Takes over what the aligner says.
    pub(crate) fn take(&mut self, a: &Aligned) {
        self.nothing = a.nothing;
        let Some(quad) = a.quad else { return };
        (self.quad, self.is_aligned) = (quad, true);
        self.two_rows = a.two_rows;
        // The orientation is the view's; among classes that run alike the aligner knows best.
        // A code stays one: its check digit tells more.
        let alike = (a.class == ObjectClass::CodeColumn) == (self.found.class == ObjectClass::CodeColumn);
        let stays = self.found.class.is_code() && !a.class.is_code();
        if a.p > TOLD && alike && !stays && a.class != ObjectClass::TypeCode {
            self.found.class = a.class;
            self.kind = kind_of(a.class).unwrap_or(self.kind);
        }
    }
    /// Takes what a crop of `quad` says, on a frame where readings of the kinds `wanted` are looked for.
    pub(crate) fn add(&mut self, resolver: &Resolver, wanted: &[ReadKind], seen: Probabilities, quad: Quad) {
        let mut alone = resolver.resolve(self.kind, std::slice::from_ref(&seen));
        if let Some(other) = self.by_text(resolver, wanted, &seen, alone.as_ref()) {
            // What was read as another kind does not count.
            self.crops.clear();
            self.best = None;
            self.found.class = match other.kind {
                ReadKind::Plate => ObjectClass::Plate,
                ReadKind::Container if other.two_rows => ObjectClass::CodeStack,
                ReadKind::Container => ObjectClass::CodeLine,
                ReadKind::Adr => ObjectClass::AdrPanel,
                ReadKind::Seal => self.found.class,
            };
            self.kind = other.kind;
            alone = Some(other);
        }
        let log_p = alone.as_ref().map_or(f64::MIN, |r| r.log_p);
        if self.crops.is_empty() && log_p < HOPELESS_LOG_P && !self.found.class.is_code() {
            self.done = true;
        }
        let first = self.crops.is_empty();
        let text = alone.as_ref().and_then(|r| r.candidates.first()).map(|c| c.text.clone());
        self.crops.push(Crop { seen, text, log_p, quad });
        self.crops.sort_by(|a, b| b.log_p.total_cmp(&a.log_p));
        let top = self.crops[0].log_p;
        self.crops.retain(|c| c.log_p >= top - BEHIND_NATS);
        self.crops.truncate(MOST_JOINT);
        self.quad = self.crops[0].quad;
        let says = &self.crops[0].text;
        self.done |= self.crops.len() >= AGREEING && self.crops.iter().all(|c| c.text == *says);
        self.best = if first || self.crops.len() == 1 {
            // Only one counts, and it was resolved just now or stands from before.
            if self.crops[0].log_p == log_p { alone } else { self.best.take() }
        } else {
            let all: Vec<Probabilities> = self.crops.iter().map(|c| c.seen.clone()).collect();
            resolver.resolve(self.kind, &all)
        };
        let height_px = self.character_px();
        if let Some(best) = &mut self.best {
            resolver.seen(best, self.found.score, height_px);
        }
    }
    /// What the text of a crop is where it is not what the object was taken for: four letters and seven digits with the right
    /// check digit are a code, whatever they are painted on; a panel's two rows are a pair of the list; a plate's text comes from a
    /// grammar.
    fn by_text(
        &self,
        resolver: &Resolver,
        wanted: &[ReadKind],
        seen: &Probabilities,
        own: Option<&Resolved>,
    ) -> Option<Resolved> {
        let assessed = |mut r: Resolved| {
            resolver.seen(&mut r, self.found.score, self.character_px());
            r
        };
        if self.found.class == ObjectClass::CodeColumn || self.confidence() >= UNSETTLED {
            return None;
        }
        // A plate of two rows that are a listed pair is a panel, and one of eleven characters with the right check digit a code,
        // however well it reads as a plate.
        let two_rows = own.is_some_and(|r| r.two_rows);
        let long = own.is_some_and(|r| r.raw_text.chars().count() == lpr_ocr::decode::code::LENGTH);
        let own = own.cloned().map_or(0.0, |r| assessed(r).confidence());
        let plainly = |kind: ReadKind| {
            self.kind == ReadKind::Plate
                && match kind {
                    ReadKind::Adr => two_rows,
                    ReadKind::Container => long,
                    ReadKind::Plate | ReadKind::Seal => false,
                }
        };
        let surer = |r: &Resolved| {
            let least = if plainly(r.kind) { UNSETTLED } else { own + SURER };
            r.confidence() >= least
        };
        [ReadKind::Plate, ReadKind::Container, ReadKind::Adr]
            .into_iter()
            .filter(|k| *k != self.kind && wanted.contains(k))
            .filter(|k| own < UNSETTLED || plainly(*k))
            .filter_map(|k| resolver.resolve(k, std::slice::from_ref(seen)))
            .filter(Resolved::is_of_its_kind)
            .map(assessed)
            .filter(surer)
            .max_by(|a, b| a.confidence().total_cmp(&b.confidence()))
    }
    /// Height of a character on the frame, pixels.
    fn character_px(&self) -> f32 {
        let rows = self.two_rows || self.best.as_ref().is_some_and(|r| r.two_rows);
        self.quad.sides().1 / if rows { 2.2 } else { 1.0 }
    }
    /// Whether the other orientation of a code is worth a crop.
    pub(crate) fn other_way(&self) -> Option<Found> {
        let doubtful = self.best.as_ref().is_none_or(|r| r.log_p < DOUBTFUL_LOG_P);
        let f = &self.found;
        let quarter = std::f32::consts::FRAC_PI_2;
        match f.class {
            ObjectClass::CodeColumn if doubtful => {
                let class = ObjectClass::CodeLine;
                Some(Found { class, w: f.h, h: f.w, angle: f.angle - quarter, ..*f })
            }
            ObjectClass::CodeLine | ObjectClass::CodeStack if doubtful && f.h > f.w => {
                let class = ObjectClass::CodeColumn;
                Some(Found { class, w: f.h, h: f.w, angle: f.angle + quarter, ..*f })
            }
            ObjectClass::CodeColumn
            | ObjectClass::CodeLine
            | ObjectClass::CodeStack
            | ObjectClass::Plate
            | ObjectClass::AdrPanel
            | ObjectClass::TypeCode => None,
        }
    }
}

/// The kind of identifier on an object; none for a size-type code, which belongs to a container code.
pub(crate) fn kind_of(class: ObjectClass) -> Option<ReadKind> {
    match class {
        ObjectClass::Plate => Some(ReadKind::Plate),
        ObjectClass::CodeLine | ObjectClass::CodeColumn | ObjectClass::CodeStack => Some(ReadKind::Container),
        ObjectClass::AdrPanel => Some(ReadKind::Adr),
        ObjectClass::TypeCode => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lpr_ocr::decode::beam::made_logits;

    const ALL: &[ReadKind] = &[ReadKind::Plate, ReadKind::Container, ReadKind::Adr];

    fn object(class: ObjectClass) -> Object {
        let found = Found { class, score: 0.9, cx: 100.0, cy: 50.0, w: 120.0, h: 30.0, angle: 0.0 };
        Object::new(found, kind_of(class).unwrap_or(ReadKind::Plate))
    }
    fn seen(text: &str, strength: f32) -> Probabilities {
        Probabilities::from_logits(&made_logits(text, text.len(), strength)).unwrap()
    }

    #[test]
    fn a_sure_object_needs_no_more() {
        let resolver = Resolver::new(&["it".into()]).unwrap();
        let mut o = object(ObjectClass::Plate);
        assert!(!o.is_done());
        assert_eq!(o.next_attempt(), Some(Attempt::First));
        o.add(&resolver, ALL, seen("EK679XR", 20.0), o.quad);
        assert!(o.is_done() && o.is_sure(), "{}", o.confidence());
    }

    #[test]
    fn crops_that_disagree_give_doubt() {
        let resolver = Resolver::new(&["it".into()]).unwrap();
        let mut o = object(ObjectClass::Plate);
        o.add(&resolver, ALL, seen("EK679XR", 20.0), o.quad);
        o.add(&resolver, ALL, seen("FK679XR", 20.0), o.quad);
        assert!(o.confidence() < 0.7, "{}", o.confidence());
        assert_eq!(o.best().unwrap().candidates.len().min(2), 2);
    }

    #[test]
    fn a_crop_that_shows_nothing_does_not_count() {
        let resolver = Resolver::new(&[]).unwrap();
        let mut o = object(ObjectClass::CodeLine);
        o.add(&resolver, ALL, seen("MAERSK", 20.0), o.quad);
        let other = Quad::rectangle(9.0, 9.0, 40.0, 10.0, 0.0);
        o.add(&resolver, ALL, seen("CSQU3054383", 20.0), other);
        assert!(o.is_sure() && o.quad == other);
        o.add(&resolver, ALL, seen("XX", 20.0), o.quad);
        assert!(o.is_sure(), "a worse crop changes nothing");
    }

    #[test]
    fn crops_that_agree_are_enough() {
        let resolver = Resolver::new(&["it".into()]).unwrap();
        let mut o = object(ObjectClass::Plate);
        for _ in 0..3 {
            assert!(!o.is_done());
            o.add(&resolver, ALL, seen("EK679XR", 5.5), o.quad);
        }
        assert!(o.is_done() && !o.is_sure(), "{}", o.confidence());
    }

    #[test]
    fn what_looks_like_a_plate_from_afar_is_read_as_what_it_is() {
        let mut o = object(ObjectClass::Plate);
        let quad = Some(Quad::rectangle(100.0, 50.0, 110.0, 28.0, 0.0));
        let sees = |class, p| Aligned { quad, at_edge: false, nothing: 0.0, class, two_rows: false, p };
        o.take(&sees(ObjectClass::AdrPanel, 0.4));
        assert_eq!(o.kind, ReadKind::Plate);
        o.take(&sees(ObjectClass::AdrPanel, 0.9));
        assert_eq!((o.kind, o.found.class), (ReadKind::Adr, ObjectClass::AdrPanel));
        o.take(&sees(ObjectClass::CodeColumn, 0.9));
        assert_eq!(o.kind, ReadKind::Adr, "no column in a view along the line");
        o.take(&sees(ObjectClass::CodeLine, 0.9));
        assert_eq!(o.kind, ReadKind::Container);
        o.take(&sees(ObjectClass::Plate, 0.9));
        assert_eq!(o.kind, ReadKind::Container, "its check digit tells more");
    }

    #[test]
    fn the_text_decides_what_the_look_does_not() {
        let resolver = Resolver::new(&[]).unwrap();
        let mut o = object(ObjectClass::Plate);
        o.add(&resolver, ALL, seen("JSJE2377282", 20.0), o.quad);
        assert_eq!((o.kind, o.found.class), (ReadKind::Container, ObjectClass::CodeLine));
        assert_eq!(o.best().unwrap().candidates[0].text, "JSJE2377282");
        let mut o = object(ObjectClass::Plate);
        o.add(&resolver, ALL, seen("JSJE2377283", 20.0), o.quad);
        assert_eq!(o.kind, ReadKind::Plate, "a wrong check digit makes no code");
        let mut o = object(ObjectClass::AdrPanel);
        o.add(&resolver, ALL, seen("EK679XR", 20.0), o.quad);
        assert_eq!((o.kind, o.found.class), (ReadKind::Plate, ObjectClass::Plate));
        let mut o = object(ObjectClass::CodeColumn);
        o.add(&resolver, ALL, seen("EK679XR", 20.0), o.quad);
        assert_eq!(o.kind, ReadKind::Container, "no plate is read downwards");
        let mut o = object(ObjectClass::Plate);
        let panel = Probabilities::from_logits(&made_logits("X801728", 3, 20.0)).unwrap();
        o.add(&resolver, ALL, panel.clone(), o.quad);
        assert_eq!(o.kind, ReadKind::Adr, "a pair of the list in two rows");
        let mut o = object(ObjectClass::Plate);
        o.add(&resolver, &[ReadKind::Plate], panel, o.quad);
        assert_eq!(o.kind, ReadKind::Plate, "panels are not looked for");
    }

    #[test]
    fn attempts_end() {
        let mut o = object(ObjectClass::CodeColumn);
        for _ in 0..40 {
            o.next_attempt();
        }
        assert!(o.is_done());
        assert_eq!(o.other_way().map(|f| (f.class, f.w)), Some((ObjectClass::CodeLine, 30.0)));
    }
}
