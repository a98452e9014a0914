//! From a rough box to the corners of the text in it. Pure; the aligner itself runs in `nets`.

use crate::card::TextKind;
use crate::geometry::{Point, Quad};
use lpr_ocr::decode::{Found, ObjectClass};

/// A corner beyond this (of -1..1 over the view) may be cut off: the text is aligned once more.
const EDGE: f32 = 0.92;
/// A quadrangle with less than this part of the view is no text.
const LEAST_AREA: f32 = 0.02;
/// A quadrangle whose sides differ from the box's by more than this factor is not believed.
const MOST_OFF: f32 = 2.5;

/// What the aligner says of a box.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aligned {
    /// Corners of the text; `None` where they make no sense.
    pub quad: Option<Quad>,
    /// Whether a corner lies at the edge of the view.
    pub at_edge: bool,
    /// Probability that there is nothing to read.
    pub nothing: f32,
    /// What is to be read most probably, where there is something.
    pub class: ObjectClass,
    /// Whether that is a plate of two lines.
    pub two_rows: bool,
    /// Probability of that, among all kinds.
    pub p: f32,
}

/// The part of the frame that the aligner looks at, for a rough box.
pub(crate) fn view(f: &Found) -> Quad {
    Quad::rectangle(f.cx, f.cy, 1.3 * f.w + 0.8 * f.h, 2.2 * f.h + 0.06 * f.w, f.angle)
}

/// The aligner's output: 8 coordinates and a logit per kind.
pub(crate) fn aligned(values: &[f32], kinds: &[TextKind], view: &Quad, found: &Found) -> Option<Aligned> {
    let (corners, logits) = values.split_at_checked(8)?;
    let top = logits.iter().copied().fold(f32::MIN, f32::max);
    let sum: f32 = logits.iter().map(|l| (l - top).exp()).sum();
    let of = |n: usize| (logits.get(n).copied().unwrap_or(f32::MIN) - top).exp() / sum;
    let (mut nothing, mut class, mut two_rows, mut p) = (0.0, found.class, false, 0.0);
    for (n, kind) in kinds.iter().enumerate() {
        match *kind {
            TextKind::Nothing => nothing += of(n),
            TextKind::Text { class: c, two_rows: t } if of(n) > p => (class, two_rows, p) = (c, t, of(n)),
            TextKind::Text { .. } => {}
        }
    }
    let nothing = if nothing.is_finite() { nothing } else { 0.0 };
    let at: Vec<Point> = corners.chunks_exact(2).map(|c| ((c[0] + 1.0) / 2.0, (c[1] + 1.0) / 2.0)).collect();
    let at_edge = corners.iter().any(|v| v.abs() > EDGE);
    let quad = believable(&at, view, found);
    Some(Aligned { quad, at_edge, nothing, class, two_rows, p })
}

/// The quadrangle on the frame, where its corners (of the unit square of the view) make sense.
fn believable(at: &[Point], view: &Quad, found: &Found) -> Option<Quad> {
    let unit = Quad(<[Point; 4]>::try_from(at).ok()?);
    if !unit.is_convex()
        || unit.area() < LEAST_AREA
        || unit.0.iter().any(|p| p.0.abs() > 3.0 || p.1.abs() > 3.0)
    {
        return None;
    }
    let [(x0, y0), (x1, y1), _, (x3, y3)] = view.0;
    let quad =
        Quad(unit.0.map(|(u, v)| (x0 + (x1 - x0) * u + (x3 - x0) * v, y0 + (y1 - y0) * u + (y3 - y0) * v)));
    let (w, h) = quad.sides();
    let fits = |a: f32, b: f32| a < b * MOST_OFF && b < a * MOST_OFF;
    (fits(w, found.w) && fits(h, found.h)).then_some(quad)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [TextKind; 4] = [
        TextKind::Nothing,
        TextKind::Text { class: ObjectClass::Plate, two_rows: false },
        TextKind::Text { class: ObjectClass::Plate, two_rows: true },
        TextKind::Text { class: ObjectClass::CodeLine, two_rows: false },
    ];

    fn found(angle: f32) -> Found {
        Found { class: ObjectClass::Plate, score: 0.9, cx: 500.0, cy: 400.0, w: 200.0, h: 50.0, angle }
    }
    fn values(corners: [f32; 8], logits: [f32; 4]) -> Vec<f32> {
        corners.into_iter().chain(logits).collect()
    }
    /// The corners that say that the text fills the box.
    fn whole(f: &Found) -> [f32; 8] {
        let (x, y) = (f.w / (1.3 * f.w + 0.8 * f.h), f.h / (2.2 * f.h + 0.06 * f.w));
        [-x, -y, x, -y, x, y, -x, y]
    }

    #[test]
    fn corners_come_back_in_frame_pixels() {
        for angle in [0.0, 0.3, 1.6] {
            let f = found(angle);
            let a = aligned(&values(whole(&f), [0.0, 1.0, 5.0, 0.0]), &KINDS, &view(&f), &f).unwrap();
            let quad = a.quad.unwrap();
            for (p, q) in quad.0.iter().zip(Quad::of(&f).0) {
                assert!((p.0 - q.0).abs() < 0.01 && (p.1 - q.1).abs() < 0.01, "{quad:?}");
            }
            assert!(a.two_rows && !a.at_edge && a.p > 0.9 && a.nothing < 0.01);
        }
    }

    #[test]
    fn what_makes_no_sense_is_not_used() {
        let f = found(0.0);
        let say = |corners| aligned(&values(corners, [0.0; 4]), &KINDS, &view(&f), &f).unwrap();
        let w = whole(&f);
        let crossed = [w[4], w[5], w[2], w[3], w[0], w[1], w[6], w[7]];
        assert!(say(crossed).quad.is_none());
        assert!(say([0.0; 8]).quad.is_none());
        assert!(say([f32::NAN; 8]).quad.is_none());
        assert!(say(w.map(|v| v * 0.3)).quad.is_none(), "too small for the box");
        let cut = say([-0.99, w[1], w[2], w[3], w[4], w[5], -0.99, w[7]]);
        assert!(cut.at_edge && cut.quad.is_some());
    }

    #[test]
    fn nothing_to_read_has_its_probability() {
        let f = found(0.0);
        let a = aligned(&values(whole(&f), [6.0, 0.0, 0.0, 0.0]), &KINDS, &view(&f), &f).unwrap();
        assert!(a.nothing > 0.98);
        assert!(aligned(&[0.0; 3], &KINDS, &view(&f), &f).is_none());
    }
}
