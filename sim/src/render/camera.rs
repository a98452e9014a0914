//! The camera: perspective, light, lens, sensor and JPEG.

use super::canvas::{Canvas, Rect};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::sync::OnceLock;

/// Frame width, pixels.
pub const WIDTH: usize = 1280;
/// Frame height, pixels.
pub const HEIGHT: usize = 720;
/// The prepared picture is larger by this much, so that each frame can be cut a little elsewhere.
pub const MARGIN: usize = 12;

/// A projective map of the plane.
#[derive(Debug, Clone, Copy)]
pub struct Homography([f32; 9]);

impl Homography {
    /// The map that takes four points to four others; `None` where three lie on one line.
    pub fn between(from: [(f32, f32); 4], to: [(f32, f32); 4]) -> Option<Self> {
        let mut m = [[0.0_f64; 9]; 8];
        for i in 0..4 {
            let (x, y) = (f64::from(from[i].0), f64::from(from[i].1));
            let (u, v) = (f64::from(to[i].0), f64::from(to[i].1));
            m[i * 2] = [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u];
            m[i * 2 + 1] = [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v];
        }
        for c in 0..8 {
            let best = (c..8).max_by(|a, b| m[*a][c].abs().total_cmp(&m[*b][c].abs()))?;
            m.swap(c, best);
            if m[c][c].abs() < 1e-9 {
                return None;
            }
            for r in 0..8 {
                if r != c {
                    let k = m[r][c] / m[c][c];
                    let pivot = m[c];
                    for (to, from) in m[r].iter_mut().zip(pivot).skip(c) {
                        *to -= k * from;
                    }
                }
            }
        }
        let mut h = [1.0_f32; 9];
        for i in 0..8 {
            h[i] = (m[i][8] / m[i][i]) as f32;
        }
        Some(Self(h))
    }
    /// Where a point goes.
    pub fn apply(&self, x: f32, y: f32) -> (f32, f32) {
        let h = &self.0;
        let w = h[6] * x + h[7] * y + h[8];
        ((h[0] * x + h[1] * y + h[2]) / w, (h[3] * x + h[4] * y + h[5]) / w)
    }
    /// The box around a mapped rectangle.
    pub fn bounds(&self, r: Rect) -> Rect {
        let p = r.corners().map(|(x, y)| self.apply(x, y));
        let min = |f: fn(&(f32, f32)) -> f32| p.iter().map(f).fold(f32::MAX, f32::min);
        let max = |f: fn(&(f32, f32)) -> f32| p.iter().map(f).fold(f32::MIN, f32::max);
        let (x, y) = (min(|p| p.0), min(|p| p.1));
        Rect::new(x, y, max(|p| p.0) - x, max(|p| p.1) - y)
    }
}

/// Lays `drawing` over `scene` inside the quadrilateral `quad` (corners clockwise from upper left).
/// Returns the map from the drawing to the scene.
pub fn project(scene: &mut Canvas, drawing: &Canvas, quad: [(f32, f32); 4]) -> Option<Homography> {
    let full = Rect::new(0.0, 0.0, drawing.w as f32, drawing.h as f32);
    let forward = Homography::between(full.corners(), quad)?;
    let back = Homography::between(quad, full.corners())?;
    let area = forward.bounds(full);
    let clamp = |v: f32, max: usize| (v.max(0.0) as usize).min(max);
    let (x0, x1) = (clamp(area.x.floor(), scene.w), clamp(area.x + area.w + 1.0, scene.w));
    let (y0, y1) = (clamp(area.y.floor(), scene.h), clamp(area.y + area.h + 1.0, scene.h));
    let (mw, mh) = (drawing.w as f32 - 1.001, drawing.h as f32 - 1.001);
    for y in y0..y1 {
        for x in x0..x1 {
            let (u, v) = back.apply(x as f32 + 0.5, y as f32 + 0.5);
            let (u, v) = (u - 0.5, v - 0.5);
            if u < -0.5 || v < -0.5 || u > mw + 0.5 || v > mh + 0.5 {
                continue;
            }
            let (u, v) = (u.clamp(0.0, mw), v.clamp(0.0, mh));
            let (iu, iv) = (u as usize, v as usize);
            let (fu, fv) = ((u.fract() * 256.0) as u32, (v.fract() * 256.0) as u32);
            let a = (iv * drawing.w + iu) * 3;
            let b = a + drawing.w * 3;
            let at = (y * scene.w + x) * 3;
            for c in 0..3 {
                let p = |i: usize| u32::from(drawing.px[i + c]);
                let top = p(a) * (256 - fu) + p(a + 3) * fu;
                let bottom = p(b) * (256 - fu) + p(b + 3) * fu;
                scene.px[at + c] = ((top * (256 - fv) + bottom * fv) >> 16) as u8;
            }
        }
    }
    Some(forward)
}

/// The light of one visit.
#[derive(Debug, Clone, Copy)]
pub struct Light {
    /// Brightness over all, about 0.45 (dusk) to 1.1 (sun).
    pub gain: f32,
    /// Red minus blue, about -0.08 (overcast) to 0.12 (low sun).
    pub warmth: f32,
    /// Edge of a shadow across the picture, share of the width; none beyond 1.
    pub shadow_x: f32,
    /// Brightness inside the shadow.
    pub shadow_gain: f32,
    /// A glare's place, shares of width and height, and its strength (0: none).
    pub glare: (f32, f32, f32),
    /// Dirt on truck and lens, 0..=1.
    pub dirt: f32,
    /// Radius of blur, pixels 0..=1.
    pub blur: f32,
    /// Standard deviation of the sensor's noise, grey values.
    pub noise: f32,
    /// JPEG quality.
    pub quality: u8,
}

impl Light {
    /// A light as it may be.
    pub fn random(rng: &mut ChaCha8Rng) -> Self {
        let dusk = rng.random_bool(0.25);
        let sun = !dusk && rng.random_bool(0.4);
        Self {
            gain: if dusk { rng.random_range(0.5..0.72) } else { rng.random_range(0.82..1.08) },
            warmth: if dusk { rng.random_range(0.0..0.12) } else { rng.random_range(-0.06..0.06) },
            shadow_x: if sun { rng.random_range(0.1..0.9) } else { 2.0 },
            shadow_gain: rng.random_range(0.55..0.78),
            glare: (
                rng.random(),
                rng.random_range(0.0..0.4),
                if sun { rng.random_range(0.0..70.0) } else { 0.0 },
            ),
            dirt: rng.random_range(0.0..0.45_f32).powi(2) * 2.0,
            blur: rng.random_range(0.0..0.7),
            noise: if dusk { rng.random_range(4.0..8.0) } else { rng.random_range(1.5..4.5) },
            quality: rng.random_range(80..=90),
        }
    }
    /// Puts light, dirt and blur onto a prepared picture.
    pub fn shine(&self, scene: &mut Canvas, rng: &mut ChaCha8Rng) {
        const STEP: usize = 16;
        let (gw, gh) = (scene.w / STEP + 2, scene.h / STEP + 2);
        let cw = gw / 5 + 3;
        let coarse: Vec<f32> = (0..cw * (gh / 5 + 3)).map(|_| rng.random::<f32>()).collect();
        let smooth = |gx: usize, gy: usize| {
            let at = |x: usize, y: usize| coarse[y * cw + x];
            let (x, y, fx, fy) = (gx / 5, gy / 5, (gx % 5) as f32 / 5.0, (gy % 5) as f32 / 5.0);
            let top = at(x, y) * (1.0 - fx) + at(x + 1, y) * fx;
            top * (1.0 - fy) + (at(x, y + 1) * (1.0 - fx) + at(x + 1, y + 1) * fx) * fy
        };
        let tilt = rng.random_range(-0.25..0.25_f32);
        let mut grid = vec![(0.0_f32, 0.0_f32); gw * gh];
        for gy in 0..gh {
            for gx in 0..gw {
                let (fx, fy) = (gx as f32 / gw as f32, gy as f32 / gh as f32);
                let vignette = 1.0 - 0.22 * ((fx - 0.5).powi(2) + (fy - 0.5).powi(2));
                let soft = ((fx + (fy - 0.5) * tilt * 2.0 - self.shadow_x) * 14.0).clamp(0.0, 1.0);
                let shadow = 1.0 - soft * (1.0 - self.shadow_gain);
                let dirt = 1.0 - self.dirt * 0.5 * smooth(gx, gy);
                let d = ((fx - self.glare.0).powi(2) * 3.0 + (fy - self.glare.1).powi(2)) * 18.0;
                grid[gy * gw + gx] = (self.gain * vignette * shadow * dirt, self.glare.2 * (-d).exp());
            }
        }
        let tint = [1.0 + self.warmth, 1.0, 1.0 - self.warmth];
        for y in 0..scene.h {
            let (gy, fy) = (y / STEP, (y % STEP) as f32 / STEP as f32);
            for x in 0..scene.w {
                let (gx, fx) = (x / STEP, (x % STEP) as f32 / STEP as f32);
                let g = |dx: usize, dy: usize| grid[(gy + dy) * gw + gx + dx];
                let (a, b, c, d) = (g(0, 0), g(1, 0), g(0, 1), g(1, 1));
                let lerp = |p: f32, q: f32, t: f32| p + (q - p) * t;
                let gain = lerp(lerp(a.0, b.0, fx), lerp(c.0, d.0, fx), fy);
                let glare = lerp(lerp(a.1, b.1, fx), lerp(c.1, d.1, fx), fy);
                let at = (y * scene.w + x) * 3;
                for (p, t) in scene.px[at..at + 3].iter_mut().zip(tint) {
                    *p = (f32::from(*p) * gain * t + glare).clamp(0.0, 255.0) as u8;
                }
            }
        }
        soften(scene, self.blur);
    }
    /// One frame of a prepared picture: cut at (`dx`, `dy`) of the margin, with this frame's noise.
    pub fn expose(&self, scene: &Canvas, (dx, dy): (usize, usize), rng: &mut ChaCha8Rng) -> Vec<u8> {
        let table = noise_table();
        let mut frame = Vec::with_capacity(WIDTH * HEIGHT * 3);
        let sigma = (self.noise * 16.0) as i32;
        for y in 0..HEIGHT {
            let from = ((y + dy) * scene.w + dx) * 3;
            let start = rng.random_range(0..table.len() - WIDTH);
            let row = &scene.px[from..from + WIDTH * 3];
            for (p, n) in row.chunks_exact(3).zip(&table[start..]) {
                let n = (i32::from(*n) * sigma) >> 9;
                frame.extend(p.iter().map(|v| (i32::from(*v) + n).clamp(0, 255) as u8));
            }
        }
        encode(&frame, self.quality)
    }
}

/// A JPEG of a full frame.
pub fn encode(rgb: &[u8], quality: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(200_000);
    let mut encoder = Encoder::new(&mut out, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    // The sizes are this module's own constants, so that the encoder has nothing to refuse.
    if let Err(error) = encoder.encode(rgb, WIDTH as u16, HEIGHT as u16, ColorType::Rgb) {
        tracing::error!(%error, "a frame could not be encoded");
    }
    out
}

fn soften(scene: &mut Canvas, k: f32) {
    if k < 0.1 {
        return;
    }
    let side = (k * 0.25 * 256.0) as u32;
    let mid = 256 - 2 * side;
    let stride = scene.w * 3;
    let source = scene.px.clone();
    for i in 3..source.len() - 3 {
        let sum = u32::from(source[i]) * mid + (u32::from(source[i - 3]) + u32::from(source[i + 3])) * side;
        scene.px[i] = (sum >> 8) as u8;
    }
    let source = scene.px.clone();
    for i in stride..source.len() - stride {
        let sum = u32::from(source[i]) * mid
            + (u32::from(source[i - stride]) + u32::from(source[i + stride])) * side;
        scene.px[i] = (sum >> 8) as u8;
    }
}

fn noise_table() -> &'static [i8] {
    static TABLE: OnceLock<Vec<i8>> = OnceLock::new();
    TABLE.get_or_init(|| {
        use rand::SeedableRng as _;
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        // Twelve uniform numbers make a good enough bell; unit: 1/32 of a standard deviation.
        (0..1 << 16)
            .map(|_| ((0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0) * 32.0)
            .map(|v| v.clamp(-127.0, 127.0) as i8)
            .collect()
    })
}
