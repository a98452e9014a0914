//! Quadrangles of text on a frame and their projective frames. Pure.

use gate_types::observation::PixelBox;
use lpr_ocr::decode::Found;

/// A point of the frame: pixels, x right, y down; (0, 0) is the corner of the first pixel.
pub(crate) type Point = (f32, f32);

/// Four corners of a text as it is read: where it begins above, where it ends above, ends below, begins below.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quad(pub [Point; 4]);

/// The projective map of the unit square onto a quadrangle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Projection([f64; 8]);

impl Projection {
    /// Where a point of the unit square lies; `None` near the horizon.
    pub(crate) fn map(&self, u: f64, v: f64) -> Option<(f64, f64)> {
        let m = &self.0;
        let depth = m[6] * u + m[7] * v + 1.0;
        let x = (m[0] * u + m[1] * v + m[2]) / depth;
        let y = (m[3] * u + m[4] * v + m[5]) / depth;
        (depth > 0.05 && x.is_finite() && y.is_finite()).then_some((x, y))
    }
    /// The 3 x 3 matrix, row by row.
    pub(crate) fn matrix(&self) -> [f64; 9] {
        let m = &self.0;
        [m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7], 1.0]
    }
}

impl Quad {
    /// The rectangle of a box with a centre, extents along and across, and a reading direction (radians).
    pub(crate) fn rectangle(cx: f32, cy: f32, w: f32, h: f32, angle: f32) -> Self {
        let (s, c) = angle.sin_cos();
        let (a, b) = (w / 2.0, h / 2.0);
        Self([(-a, -b), (a, -b), (a, b), (-a, b)].map(|(u, v)| (cx + u * c - v * s, cy + u * s + v * c)))
    }
    /// The rectangle of an object found.
    pub(crate) fn of(found: &Found) -> Self {
        Self::rectangle(found.cx, found.cy, found.w, found.h, found.angle)
    }
    /// The map of the unit square; `None` for a quadrangle without an inside.
    pub(crate) fn projection(&self) -> Option<Projection> {
        let [p0, p1, p2, p3] = self.0.map(|p| (f64::from(p.0), f64::from(p.1)));
        let (dx1, dy1) = (p1.0 - p2.0, p1.1 - p2.1);
        let (dx2, dy2) = (p3.0 - p2.0, p3.1 - p2.1);
        let (sx, sy) = (p0.0 - p1.0 + p2.0 - p3.0, p0.1 - p1.1 + p2.1 - p3.1);
        let det = dx1 * dy2 - dx2 * dy1;
        if det.abs() < 1e-6 {
            return None;
        }
        let g = (sx * dy2 - dx2 * sy) / det;
        let h = (dx1 * sy - sx * dy1) / det;
        let m = [
            p1.0 - p0.0 + g * p1.0,
            p3.0 - p0.0 + h * p3.0,
            p0.0,
            p1.1 - p0.1 + g * p1.1,
            p3.1 - p0.1 + h * p3.1,
            p0.1,
            g,
            h,
        ];
        m.iter().all(|v| v.is_finite()).then_some(Projection(m))
    }
    /// Mean length along the text and across it.
    pub(crate) fn sides(&self) -> (f32, f32) {
        let [p0, p1, p2, p3] = self.0;
        let length = |a: Point, b: Point| (a.0 - b.0).hypot(a.1 - b.1);
        ((length(p0, p1) + length(p3, p2)) / 2.0, (length(p0, p3) + length(p1, p2)) / 2.0)
    }
    /// Longest edge along the text and across it.
    pub(crate) fn longest_sides(&self) -> (f32, f32) {
        let [p0, p1, p2, p3] = self.0;
        let length = |a: Point, b: Point| (a.0 - b.0).hypot(a.1 - b.1);
        (length(p0, p1).max(length(p3, p2)), length(p0, p3).max(length(p1, p2)))
    }
    /// Wider at every edge by `edge` of the short side and at both ends by `ends` of the long one, in the
    /// quadrangle's own projective frame.
    pub(crate) fn widened(&self, edge: f32, ends: f32) -> Self {
        let (w, h) = self.sides();
        let short = w.min(h);
        let (u, v) = (edge * short / w.max(1e-3) + ends, edge * short / h.max(1e-3));
        self.part(-u, -v, 1.0 + u, 1.0 + v)
    }
    /// The part between two corners of the unit square (which may lie outside it).
    pub(crate) fn part(&self, u0: f32, v0: f32, u1: f32, v1: f32) -> Self {
        let corners = [(u0, v0), (u1, v0), (u1, v1), (u0, v1)];
        let projective = self.projection().and_then(|p| {
            let mut out = [(0.0, 0.0); 4];
            for (to, (u, v)) in out.iter_mut().zip(corners) {
                let (x, y) = p.map(f64::from(u), f64::from(v))?;
                *to = (x as f32, y as f32);
            }
            Some(Self(out))
        });
        projective.unwrap_or_else(|| Self(corners.map(|(u, v)| self.bilinear(u, v))))
    }
    fn bilinear(&self, u: f32, v: f32) -> Point {
        let [p0, p1, p2, p3] = self.0;
        let mix = |a: f32, b: f32, c: f32, d: f32| {
            (a * (1.0 - u) + b * u) * (1.0 - v) + (d * (1.0 - u) + c * u) * v
        };
        (mix(p0.0, p1.0, p2.0, p3.0), mix(p0.1, p1.1, p2.1, p3.1))
    }
    /// Signed area, square pixels; positive when the corners run clockwise on the screen.
    pub(crate) fn area(&self) -> f32 {
        let p = &self.0;
        (0..4).map(|i| p[i].0 * p[(i + 1) % 4].1 - p[(i + 1) % 4].0 * p[i].1).sum::<f32>() / 2.0
    }
    /// Whether every corner turns the same, clockwise way.
    pub(crate) fn is_convex(&self) -> bool {
        let p = &self.0;
        (0..4).all(|i| {
            let (a, b, c) = (p[i], p[(i + 1) % 4], p[(i + 2) % 4]);
            (b.0 - a.0) * (c.1 - b.1) - (b.1 - a.1) * (c.0 - b.0) > 0.0
        })
    }
    /// The oriented box nearest to it, as the object `like`.
    pub(crate) fn oriented(&self, like: &Found) -> Found {
        let [p0, p1, p2, p3] = self.0;
        let along = ((p1.0 - p0.0 + p2.0 - p3.0) / 2.0, (p1.1 - p0.1 + p2.1 - p3.1) / 2.0);
        let (w, h) = self.sides();
        let (cx, cy) = self.0.iter().fold((0.0, 0.0), |s, p| (s.0 + p.0 / 4.0, s.1 + p.1 / 4.0));
        Found { cx, cy, w: w.max(2.0), h: h.max(2.0), angle: along.1.atan2(along.0), ..*like }
    }
    /// Turned about its centre, radians, positive from x to y.
    pub(crate) fn turned(&self, angle: f32) -> Self {
        let (s, c) = angle.sin_cos();
        let (cx, cy) = self.0.iter().fold((0.0, 0.0), |s, p| (s.0 + p.0 / 4.0, s.1 + p.1 / 4.0));
        Self(self.0.map(|(x, y)| {
            let (dx, dy) = (x - cx, y - cy);
            (cx + dx * c - dy * s, cy + dx * s + dy * c)
        }))
    }
    /// The upright box around it.
    pub(crate) fn upright(&self) -> PixelBox {
        let fold = |of: fn(&Point) -> f32, with: fn(f32, f32) -> f32, start: f32| {
            self.0.iter().map(of).fold(start, with)
        };
        let (x, y) = (fold(|p| p.0, f32::min, f32::MAX), fold(|p| p.1, f32::min, f32::MAX));
        let (x1, y1) = (fold(|p| p.0, f32::max, f32::MIN), fold(|p| p.1, f32::max, f32::MIN));
        PixelBox { x, y, w: x1 - x, h: y1 - y }
    }
}

/// Part of the smaller of two boxes that both share, 0..=1.
pub(crate) fn shared(a: &PixelBox, b: &PixelBox) -> f32 {
    let w = (a.x + a.w).min(b.x + b.w) - a.x.max(b.x);
    let h = (a.y + a.h).min(b.y + b.h) - a.y.max(b.y);
    if w <= 0.0 || h <= 0.0 {
        return 0.0;
    }
    w * h / (a.w * a.h).min(b.w * b.h).max(1e-3)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SKEW: Quad = Quad([(100.0, 50.0), (300.0, 80.0), (290.0, 140.0), (105.0, 120.0)]);

    fn near(a: (f64, f64), b: Point) -> bool {
        (a.0 - f64::from(b.0)).abs() < 1e-3 && (a.1 - f64::from(b.1)).abs() < 1e-3
    }

    #[test]
    fn corners_of_the_unit_square_are_corners_of_the_quad() {
        let p = SKEW.projection().unwrap();
        for ((u, v), corner) in [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)].into_iter().zip(SKEW.0) {
            assert!(near(p.map(u, v).unwrap(), corner), "{u} {v}");
        }
        // Diagonals meet at the middle of the unit square, in any perspective.
        let (x, y) = p.map(0.5, 0.5).unwrap();
        let on = |a: Point, b: Point| {
            let cross =
                (f64::from(b.0 - a.0)) * (y - f64::from(a.1)) - f64::from(b.1 - a.1) * (x - f64::from(a.0));
            cross.abs() < 1e-2
        };
        assert!(on(SKEW.0[0], SKEW.0[2]) && on(SKEW.0[1], SKEW.0[3]), "{x} {y}");
    }

    #[test]
    fn a_rectangle_is_widened_by_its_short_side() {
        let q = Quad::rectangle(200.0, 100.0, 100.0, 20.0, 0.0).widened(0.1, 0.0);
        let b = q.upright();
        assert!((b.x - 148.0).abs() < 1e-3 && (b.w - 104.0).abs() < 1e-3, "{b:?}");
        assert!((b.y - 88.0).abs() < 1e-3 && (b.h - 24.0).abs() < 1e-3, "{b:?}");
        let ends = Quad::rectangle(200.0, 100.0, 100.0, 20.0, 0.0).widened(0.0, 0.05).upright();
        assert!((ends.w - 110.0).abs() < 1e-3 && (ends.h - 20.0).abs() < 1e-3);
    }

    #[test]
    fn a_turned_box_comes_back_as_it_was() {
        let found = Found {
            class: lpr_ocr::decode::ObjectClass::CodeColumn,
            score: 0.5,
            cx: 300.0,
            cy: 200.0,
            w: 240.0,
            h: 30.0,
            angle: 1.5,
        };
        let back = Quad::of(&found).oriented(&found);
        assert!(
            (back.angle - 1.5).abs() < 1e-4
                && (back.w - 240.0).abs() < 1e-2
                && (back.cx - 300.0).abs() < 1e-2
        );
        assert!((Quad::of(&found).turned(0.2).oriented(&found).angle - 1.7).abs() < 1e-4);
    }

    #[test]
    fn crossed_and_flat_quads_are_told() {
        assert!(SKEW.is_convex() && SKEW.area() > 0.0);
        let crossed = Quad([SKEW.0[0], SKEW.0[2], SKEW.0[1], SKEW.0[3]]);
        assert!(!crossed.is_convex());
        let mirrored = Quad([SKEW.0[1], SKEW.0[0], SKEW.0[3], SKEW.0[2]]);
        assert!(!mirrored.is_convex() && mirrored.area() < 0.0);
        assert!(Quad([(1.0, 1.0); 4]).projection().is_none());
    }
}
