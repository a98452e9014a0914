//! Licence plates as they are drawn: country band, groups, seals.

use super::canvas::{Canvas, Colour, Rect};
use super::text::{Face, Style, line};
use crate::world::ident::PlateFace;

const BLUE: Colour = [16, 56, 150];
const INK: Colour = [18, 18, 22];

/// Draws a plate with its upper left corner at (`x`, `y`), `s` pixels a millimetre. Returns its outline.
pub fn draw(canvas: &mut Canvas, plate: &PlateFace, x: f32, y: f32, s: f32) -> Rect {
    let (wmm, hmm) = if plate.two_lines { (340.0, 220.0) } else { (520.0, 112.0) };
    let outline = Rect::new(x, y, wmm * s, hmm * s);
    canvas.rounded(
        Rect::new(x - 4.0 * s, y - 4.0 * s, outline.w + 8.0 * s, outline.h + 8.0 * s),
        10.0 * s,
        [30, 30, 32],
    );
    let ground = if plate.yellow { [236, 200, 40] } else { [236, 236, 232] };
    canvas.rounded(outline, 9.0 * s, ground);
    frame(canvas, outline, s);
    let band = 44.0 * s;
    let mut left = x + 8.0 * s;
    if plate.band {
        canvas.fill(Rect::new(x + 3.0 * s, y + 3.0 * s, band, outline.h - 6.0 * s), BLUE);
        stars(canvas, x + 3.0 * s + band / 2.0, y + 30.0 * s, 13.0 * s, plate.stars);
        let place = Rect::new(x + 5.0 * s, y + outline.h - 34.0 * s, band - 4.0 * s, 24.0 * s);
        line(canvas, plate.country, place, Style::new(Face::DejaVu, [240, 240, 240]));
        left += band;
    }
    let mut right = x + outline.w - 8.0 * s;
    if plate.right_band {
        canvas.fill(Rect::new(x + outline.w - 3.0 * s - band, y + 3.0 * s, band, outline.h - 6.0 * s), BLUE);
        canvas.ellipse(
            Rect::new(x + outline.w - 3.0 * s - band * 0.8, y + 14.0 * s, 26.0 * s, 26.0 * s),
            [225, 190, 60],
        );
        right -= band;
    }
    let face = if plate.din { Face::Din } else { Face::DejaVu };
    let style = Style { spread: 0.22, squeeze: 0.55, ..Style::new(face, INK) };
    if plate.two_lines {
        let top = Rect::new(left, y + 22.0 * s, right - left, 78.0 * s);
        let bottom = Rect::new(x + 14.0 * s, y + 122.0 * s, outline.w - 28.0 * s, 78.0 * s);
        line(canvas, &plate.groups[0], top, style);
        line(canvas, &plate.groups[1..].concat(), bottom, style);
    } else {
        let height = 78.0 * s;
        let top = y + (outline.h - height) / 2.0;
        groups(canvas, plate, Rect::new(left + 4.0 * s, top, right - left - 8.0 * s, height), style, s);
    }
    outline
}

fn groups(canvas: &mut Canvas, plate: &PlateFace, place: Rect, style: Style, s: f32) {
    let gap = if plate.seal { 52.0 * s } else { 20.0 * s };
    let rest = 16.0 * s;
    let chars: usize = plate.groups.iter().map(String::len).sum();
    let gaps = plate.groups.len().saturating_sub(1);
    let spare = if gaps == 0 { 0.0 } else { gap + rest * (gaps - 1) as f32 };
    let cell = ((place.w - spare) / chars.max(1) as f32).min(62.0 * s);
    let used = cell * chars as f32 + spare;
    let mut x = place.x + (place.w - used).max(0.0) / 2.0;
    for (i, group) in plate.groups.iter().enumerate() {
        let w = cell * group.len() as f32;
        line(canvas, group, Rect::new(x, place.y, w, place.h), style);
        x += w;
        if i == 0 && gaps > 0 {
            if plate.seal {
                let d = 34.0 * s;
                canvas.ellipse(Rect::new(x + (gap - d) / 2.0, place.y - 2.0 * s, d, d), [70, 140, 90]);
                canvas.ellipse(Rect::new(x + (gap - d) / 2.0, place.y + 42.0 * s, d, d), [186, 190, 196]);
            }
            x += gap;
        } else {
            x += rest;
        }
    }
}

fn frame(canvas: &mut Canvas, r: Rect, s: f32) {
    let t = (2.5 * s).max(1.0);
    for side in [
        Rect::new(r.x + t, r.y + t, r.w - 2.0 * t, t),
        Rect::new(r.x + t, r.y + r.h - 2.0 * t, r.w - 2.0 * t, t),
        Rect::new(r.x + t, r.y + t, t, r.h - 2.0 * t),
        Rect::new(r.x + r.w - 2.0 * t, r.y + t, t, r.h - 2.0 * t),
    ] {
        canvas.fill(side, [40, 40, 44]);
    }
}

fn stars(canvas: &mut Canvas, cx: f32, cy: f32, radius: f32, shown: bool) {
    if !shown {
        return;
    }
    for i in 0..12 {
        let a = i as f32 / 12.0 * std::f32::consts::TAU;
        let (x, y) = (cx + radius * a.sin(), cy - radius * a.cos());
        canvas.ellipse(
            Rect::new(x - radius * 0.13, y - radius * 0.13, radius * 0.26, radius * 0.26),
            [240, 210, 70],
        );
    }
}
