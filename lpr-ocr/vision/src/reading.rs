//! What an object says, as the gate and the command line take it.

use crate::geometry::{Quad, shared};
use crate::object::Object;
use gate_types::observation::{Alternative, OpticalRead, View};
use lpr_ocr::decode::{Features, ObjectClass};

/// Below this confidence nothing is told.
const LEAST: f32 = 0.02;

/// A reading with what the command line tells beyond it.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    /// The reading.
    pub read: OpticalRead,
    /// `one_row`, `two_rows`, `horizontal`, `vertical`, `stack`, `panel`.
    pub layout: &'static str,
    /// Corners of the text.
    pub quad: Quad,
    /// What the confidence is made of.
    pub features: Features,
}

/// What an object said; `None` where nothing was read.
pub(crate) fn reading(o: &Object, view: View) -> Option<Reading> {
    let resolved = o.best()?;
    let trust = 1.0 - o.nothing;
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
    Some(Reading { read, layout, quad: o.quad, features: resolved.features })
}

/// Best first; of readings of one place or one text only the best.
pub(crate) fn best_of(mut all: Vec<Reading>) -> Vec<Reading> {
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
