//! A picture of bytes with the few strokes that a drawing of a truck needs.

use rand::Rng;

/// Red, green, blue.
pub type Colour = [u8; 3];

/// An RGB picture.
#[derive(Debug, Clone)]
pub struct Canvas {
    /// Width, pixels.
    pub w: usize,
    /// Height, pixels.
    pub h: usize,
    /// Rows from the top, three bytes a pixel.
    pub px: Vec<u8>,
}

/// A rectangle of fractional pixels: left, upper edge, width, height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

impl Rect {
    /// A rectangle.
    pub fn new(x: f32, y: f32, w: f32, h: f32) -> Self {
        Self { x, y, w, h }
    }
    /// All four numbers times `s`.
    pub fn scaled(self, s: f32) -> Self {
        Self::new(self.x * s, self.y * s, self.w * s, self.h * s)
    }
    /// Its four corners, clockwise from the upper left.
    pub fn corners(self) -> [(f32, f32); 4] {
        [
            (self.x, self.y),
            (self.x + self.w, self.y),
            (self.x + self.w, self.y + self.h),
            (self.x, self.y + self.h),
        ]
    }
    /// The smallest rectangle around both.
    pub fn union(self, o: Self) -> Self {
        let (x, y) = (self.x.min(o.x), self.y.min(o.y));
        let r = (self.x + self.w).max(o.x + o.w);
        let b = (self.y + self.h).max(o.y + o.h);
        Self::new(x, y, r - x, b - y)
    }
}

impl Canvas {
    /// A picture in one colour.
    pub fn new(w: usize, h: usize, c: Colour) -> Self {
        let mut px = Vec::with_capacity(w * h * 3);
        for _ in 0..w * h {
            px.extend_from_slice(&c);
        }
        Self { w, h, px }
    }
    fn clip(&self, r: Rect) -> (usize, usize, usize, usize) {
        let to = |v: f32, max: usize| (v.round().max(0.0) as usize).min(max);
        (to(r.x, self.w), to(r.y, self.h), to(r.x + r.w, self.w), to(r.y + r.h, self.h))
    }
    /// Fills a rectangle.
    pub fn fill(&mut self, r: Rect, c: Colour) {
        let (x0, y0, x1, y1) = self.clip(r);
        for y in y0..y1 {
            for p in self.px[(y * self.w + x0) * 3..(y * self.w + x1.max(x0)) * 3].chunks_exact_mut(3) {
                p.copy_from_slice(&c);
            }
        }
    }
    /// Fills a rectangle with a vertical run from one colour to another.
    pub fn gradient(&mut self, r: Rect, top: Colour, bottom: Colour) {
        let (_, y0, _, y1) = self.clip(r);
        for y in y0..y1 {
            let t = (y as f32 - r.y) / r.h.max(1.0);
            self.fill(Rect::new(r.x, y as f32, r.w, 1.0), mix(top, bottom, t));
        }
    }
    /// Fills a rectangle with rounded corners.
    pub fn rounded(&mut self, r: Rect, radius: f32, c: Colour) {
        let (x0, y0, x1, y1) = self.clip(r);
        for y in y0..y1 {
            for x in x0..x1 {
                let (fx, fy) = (x as f32 + 0.5, y as f32 + 0.5);
                let dx = (r.x + radius - fx).max(fx - (r.x + r.w - radius)).max(0.0);
                let dy = (r.y + radius - fy).max(fy - (r.y + r.h - radius)).max(0.0);
                let a = (radius + 0.5 - (dx * dx + dy * dy).sqrt()).clamp(0.0, 1.0);
                self.blend(x, y, c, a);
            }
        }
    }
    /// Fills an ellipse inside a rectangle.
    pub fn ellipse(&mut self, r: Rect, c: Colour) {
        let (x0, y0, x1, y1) = self.clip(r);
        let (rx, ry) = ((r.w / 2.0).max(0.5), (r.h / 2.0).max(0.5));
        for y in y0..y1 {
            for x in x0..x1 {
                let dx = (x as f32 + 0.5 - r.x - rx) / rx;
                let dy = (y as f32 + 0.5 - r.y - ry) / ry;
                let a = ((1.0 - (dx * dx + dy * dy).sqrt()) * rx.min(ry) + 0.5).clamp(0.0, 1.0);
                self.blend(x, y, c, a);
            }
        }
    }
    /// Puts a colour over one pixel, `a` in 0..=1.
    pub fn blend(&mut self, x: usize, y: usize, c: Colour, a: f32) {
        if x >= self.w || y >= self.h || a <= 0.0 {
            return;
        }
        let at = (y * self.w + x) * 3;
        for (p, c) in self.px[at..at + 3].iter_mut().zip(c) {
            *p = (f32::from(*p) * (1.0 - a) + f32::from(c) * a + 0.5) as u8;
        }
    }
    /// Vertical folds, as of a container's wall: `period` pixels apart, brighter left and darker right.
    pub fn corrugate(&mut self, r: Rect, period: f32, depth: f32) {
        let (x0, y0, x1, y1) = self.clip(r);
        for x in x0..x1 {
            let phase = ((x as f32 - r.x) / period).fract();
            let gain = match phase {
                p if p < 0.12 => 1.0 + depth * p / 0.12,
                p if p < 0.45 => 1.0 + depth * 0.35,
                p if p < 0.57 => 1.0 - depth * (1.0 - (p - 0.45) / 0.12 * 0.3),
                _ => 1.0 - depth * 0.35,
            };
            for y in y0..y1 {
                let at = (y * self.w + x) * 3;
                for p in &mut self.px[at..at + 3] {
                    *p = (f32::from(*p) * gain).clamp(0.0, 255.0) as u8;
                }
            }
        }
    }
    /// Rust runs and scratches.
    pub fn wear(&mut self, r: Rect, count: usize, rng: &mut impl Rng) {
        for _ in 0..count {
            let x = r.x + rng.random::<f32>() * r.w;
            let y = r.y + rng.random::<f32>() * r.h;
            let len = rng.random_range(6.0..60.0_f32);
            let c = if rng.random_bool(0.6) { [112, 66, 40] } else { [188, 186, 180] };
            let a = rng.random_range(0.1..0.4_f32);
            for i in 0..len as usize {
                let xi = (x + (i as f32 * 0.05).sin() * 2.0) as usize;
                self.blend(xi, y as usize + i, c, a * (1.0 - i as f32 / len));
            }
        }
    }
}

/// Between two colours, `t` in 0..=1.
pub fn mix(a: Colour, b: Colour, t: f32) -> Colour {
    let t = t.clamp(0.0, 1.0);
    std::array::from_fn(|i| (f32::from(a[i]) * (1.0 - t) + f32::from(b[i]) * t) as u8)
}

/// A colour brighter (above 1) or darker.
pub fn shade(c: Colour, gain: f32) -> Colour {
    c.map(|v| (f32::from(v) * gain).clamp(0.0, 255.0) as u8)
}

/// How bright people see a colour, 0..=255.
pub fn luma(c: Colour) -> f32 {
    0.3 * f32::from(c[0]) + 0.59 * f32::from(c[1]) + 0.11 * f32::from(c[2])
}
