//! Letters on a canvas: two open faces that travel inside the program.

use super::canvas::{Canvas, Colour, Rect};
use ab_glyph::{Font as _, FontRef, GlyphId, PxScale, point};
use std::sync::OnceLock;

static DEJAVU: &[u8] = include_bytes!("../../assets/DejaVuSansCondensed-Bold.ttf");
static DIN: &[u8] = include_bytes!("../../assets/OSP-DIN.ttf");

/// The lettering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// DejaVu Sans Condensed Bold.
    DejaVu,
    /// OSP-DIN, the family of road signs and many plates.
    Din,
}

struct Loaded {
    font: FontRef<'static>,
    /// Height of a capital as a share of the scale.
    cap: f32,
}

fn face(face: Face) -> Option<&'static Loaded> {
    static FACES: OnceLock<[Option<Loaded>; 2]> = OnceLock::new();
    let faces = FACES.get_or_init(|| {
        [DEJAVU, DIN].map(|bytes| {
            let font = FontRef::try_from_slice(bytes).ok()?;
            let glyph = font.glyph_id('H').with_scale_and_position(PxScale::from(1000.0), point(0.0, 0.0));
            let cap = font.outline_glyph(glyph).map_or(0.72, |o| o.px_bounds().height() / 1000.0);
            Some(Loaded { font, cap })
        })
    });
    match face {
        Face::DejaVu => faces[0].as_ref(),
        Face::Din => faces[1].as_ref(),
    }
}

/// Draws one line with capitals as high as `place`: letters keep their shape (at most `squeeze`
/// narrower, and smaller where even that is too wide) and the rest of the width becomes space between
/// them, up to `spread` of a letter's width. Returns the box around the ink.
pub fn line(canvas: &mut Canvas, text: &str, place: Rect, style: Style) -> Rect {
    let Some(loaded) = face(style.face) else { return place };
    let mut scale_y = place.h / loaded.cap;
    let raw: f32 = text.chars().map(|c| loaded.font.h_advance_unscaled(loaded.font.glyph_id(c))).sum();
    let needed = raw / loaded.font.height_unscaled() * scale_y * style.squeeze;
    if needed > place.w {
        scale_y *= place.w / needed;
    }
    let advance = |g: GlyphId| loaded.font.h_advance_unscaled(g) / loaded.font.height_unscaled() * scale_y;
    let glyphs: Vec<(char, GlyphId)> = text.chars().map(|c| (c, loaded.font.glyph_id(c))).collect();
    let width: f32 = glyphs.iter().map(|(_, g)| advance(*g)).sum();
    let squeeze = (place.w / width.max(1.0)).clamp(style.squeeze, 1.0);
    let gaps = (glyphs.len().max(2) - 1) as f32;
    let mean = width * squeeze / glyphs.len().max(1) as f32;
    let spare = ((place.w - width * squeeze) / gaps).clamp(0.0, mean * style.spread);
    let used = width * squeeze + spare * gaps;
    let mut x = place.x + (place.w - used).max(0.0) / 2.0 * style.centre;
    let mut ink: Option<Rect> = None;
    for (c, g) in glyphs {
        let scale = PxScale { x: scale_y * squeeze, y: scale_y };
        let glyph = g.with_scale_and_position(scale, point(x, place.y + place.h));
        if c != ' '
            && let Some(outline) = loaded.font.outline_glyph(glyph)
        {
            let b = outline.px_bounds();
            outline.draw(|gx, gy, a| {
                let (px, py) = (b.min.x + gx as f32, b.min.y + gy as f32);
                if px >= 0.0 && py >= 0.0 {
                    canvas.blend(px as usize, py as usize, style.colour, a * style.ink);
                }
            });
            let r = Rect::new(b.min.x, b.min.y, b.width(), b.height());
            ink = Some(ink.map_or(r, |i| i.union(r)));
        }
        x += advance(g) * squeeze + spare;
    }
    ink.unwrap_or(place)
}

/// How a line looks.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// The lettering.
    pub face: Face,
    /// The colour.
    pub colour: Colour,
    /// Cover of the ink, 0..=1.
    pub ink: f32,
    /// Narrowest letters, share of their own width.
    pub squeeze: f32,
    /// Widest extra space, share of a letter's width.
    pub spread: f32,
    /// 1: centred; 0: at the left.
    pub centre: f32,
}

impl Style {
    /// Centred, moderately spread.
    pub fn new(face: Face, colour: Colour) -> Self {
        Self { face, colour, ink: 1.0, squeeze: 0.62, spread: 0.35, centre: 1.0 }
    }
    /// At the left without extra space.
    pub fn left(self) -> Self {
        Self { spread: 0.06, centre: 0.0, ..self }
    }
}
