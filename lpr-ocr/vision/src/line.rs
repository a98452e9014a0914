//! Readings as JSON and as text.

use crate::reading::Reading;
use gate_types::observation::{Alternative, CheckDigit, OpticalRead, PixelBox, ReadKind};
use serde::Serialize;

/// What `read --json` tells of a file.
#[derive(Serialize)]
pub(crate) struct FileLine<'a> {
    pub file: &'a str,
    pub width: i32,
    pub height: i32,
    pub ms: f32,
    pub reads: Vec<ReadLine<'a>>,
}

/// What `read --json` tells of a broken file.
#[derive(Serialize)]
pub(crate) struct ErrorLine<'a> {
    pub file: &'a str,
    pub error: String,
}

/// One reading.
#[derive(Serialize)]
pub(crate) struct ReadLine<'a> {
    pub kind: ReadKind,
    pub text: &'a str,
    pub raw_text: &'a str,
    pub confidence: f32,
    #[serde(rename = "box")]
    pub at: PixelBox,
    pub layout: &'a str,
    pub region: Option<&'a str>,
    pub check_digit: CheckDigit,
    pub type_code: Option<&'a str>,
    pub alternatives: Vec<AlternativeLine<'a>>,
}

/// Another text of a reading.
#[derive(Serialize)]
pub(crate) struct AlternativeLine<'a> {
    pub text: &'a str,
    pub confidence: f32,
}

/// To four places.
pub(crate) fn rounded(v: f32) -> f32 {
    (v * 10_000.0).round() / 10_000.0
}

/// To a tenth of a pixel.
pub(crate) fn box_of(at: &PixelBox) -> PixelBox {
    let tenth = |v: f32| (v * 10.0).round() / 10.0;
    PixelBox { x: tenth(at.x), y: tenth(at.y), w: tenth(at.w), h: tenth(at.h) }
}

/// The alternatives that are worth telling.
pub(crate) fn alternatives(all: &[Alternative]) -> Vec<AlternativeLine<'_>> {
    all.iter()
        .filter(|a| a.confidence >= 0.001)
        .map(|a| AlternativeLine { text: &a.text, confidence: rounded(a.confidence) })
        .collect()
}

/// A reading as JSON.
pub(crate) fn of<'a>(r: &'a OpticalRead, layout: &'a str) -> ReadLine<'a> {
    ReadLine {
        kind: r.kind,
        text: &r.text,
        raw_text: &r.raw_text,
        confidence: rounded(r.confidence),
        at: box_of(&r.at),
        layout,
        region: r.region.as_deref(),
        check_digit: r.check_digit,
        type_code: r.type_code.as_deref(),
        alternatives: alternatives(&r.alternatives),
    }
}

/// A reading as text.
pub(crate) fn plain(file: &str, r: &Reading) -> String {
    let kind = match r.read.kind {
        ReadKind::Plate => "plate",
        ReadKind::Container => "container",
        ReadKind::Adr => "adr",
        ReadKind::Seal => "seal",
    };
    let digit = match r.read.check_digit {
        CheckDigit::Valid => ", check digit right",
        CheckDigit::Invalid => ", check digit WRONG",
        CheckDigit::None => "",
    };
    let told = |name: &str, value: &Option<String>| {
        value.as_ref().map_or(String::new(), |v| format!(", {name} {v}"))
    };
    let at = box_of(&r.read.at);
    format!(
        "{file}: {kind} {} ({:.1} %), {}{}{}{digit}, at {:.0},{:.0} {:.0}x{:.0}",
        r.read.text,
        r.read.confidence * 100.0,
        r.layout.replace('_', " "),
        told("region", &r.read.region),
        told("type", &r.read.type_code),
        at.x,
        at.y,
        at.w,
        at.h
    )
}
