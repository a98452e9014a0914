//! Whether a camera still sees the scene that it was set up for.
//!
//! A frame is reduced to [`WIDTH`] x [`HEIGHT`] grey pixels and from there to a field of edge directions in
//! double angle (Knutsson's and Granlund's orientation field), each weighted by how far its edge stands out:
//! neither light nor whether an edge is brighter on its left or its right change it. The field is compared with a
//! reference block by block at the best common shift of a few pixels (wind, vibration); a vehicle in view
//! hides some blocks and leaves the others. Pure: no picture library, no clock.

mod watch;

pub use watch::{SceneState, SceneWatch};

/// Width of the reduced frame, pixels.
pub const WIDTH: usize = 160;
/// Height of the reduced frame, pixels.
pub const HEIGHT: usize = 90;
/// Blocks across and down.
const ACROSS: usize = WIDTH / BLOCK_W;
const DOWN: usize = HEIGHT / BLOCK_H;
const BLOCK_W: usize = 16;
const BLOCK_H: usize = 15;
/// Largest shift that is no change of scene, reduced pixels (2 % of the width).
const SHAKE: isize = 3;
/// A grey step this large weighs a half.
const STEP: f32 = 8.0;
/// Mean squared weight of a block that has something to show.
const SHOWS: f32 = 0.03;
/// Agreement of a block that shows what it showed, -1..=1.
const AGREES: f32 = 0.6;
/// A part seen this large needs no search for a better shift.
const PLAINLY: f32 = 0.75;
/// The file's first bytes.
const MAGIC: &[u8; 16] = b"varco-scene 1 \r\n";

/// The field of edge directions of one frame, or of many.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// Cosine and sine of twice the direction, times the weight.
    field: Vec<[f32; 2]>,
}

/// A stored reference that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no reference scene of this version")]
pub struct NotAScene;

/// How much of a reference is to be seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// Part of the reference's blocks that show what they showed, 0..=1.
    pub seen: f32,
    /// Those blocks.
    pub blocks: usize,
    /// Part of the reference's blocks that show anything at all, 0..=1.
    pub shows: f32,
    /// The shift at which they were found, reduced pixels.
    pub shift: (isize, isize),
}

impl Scene {
    /// Of [`WIDTH`] x [`HEIGHT`] grey pixels, row by row; `None` for another number of them.
    pub fn of(grey: &[u8]) -> Option<Self> {
        if grey.len() != WIDTH * HEIGHT {
            return None;
        }
        let mut field = vec![[0.0; 2]; WIDTH * HEIGHT];
        let p = |x: usize, y: usize| f32::from(grey[y * WIDTH + x]);
        for y in 1..HEIGHT - 1 {
            for x in 1..WIDTH - 1 {
                // Sobel's operator over 4, so that a step of one grey value counts one.
                let column = |x: usize| p(x, y - 1) + 2.0 * p(x, y) + p(x, y + 1);
                let row = |y: usize| p(x - 1, y) + 2.0 * p(x, y) + p(x + 1, y);
                let (gx, gy) = ((column(x + 1) - column(x - 1)) / 4.0, (row(y + 1) - row(y - 1)) / 4.0);
                let weight = gx * gx + gy * gy + STEP * STEP;
                field[y * WIDTH + x] = [(gx * gx - gy * gy) / weight, 2.0 * gx * gy / weight];
            }
        }
        Some(Self { field })
    }

    /// Blocks that have something to show.
    pub fn blocks(&self) -> usize {
        (0..ACROSS * DOWN).filter(|b| self.energy(*b) >= SHOWS).count()
    }

    /// How much of this reference a frame shows.
    pub fn compare(&self, frame: &Self) -> Match {
        let usable: Vec<usize> = (0..ACROSS * DOWN).filter(|b| self.energy(*b) >= SHOWS).collect();
        let here = self.at(frame, &usable, (0, 0));
        if here.seen >= PLAINLY || usable.is_empty() {
            return here;
        }
        let shifts = (-SHAKE..=SHAKE).flat_map(|dy| (-SHAKE..=SHAKE).map(move |dx| (dx, dy)));
        shifts
            .map(|shift| self.at(frame, &usable, shift))
            .fold(here, |a, b| if b.seen > a.seen { b } else { a })
    }

    /// Goes a step towards a frame found at a shift: light and seasons are followed, a change of scene is not.
    pub fn follow(&mut self, frame: &Self, shift: (isize, isize), rate: f32) {
        for y in 0..HEIGHT {
            for x in 0..WIDTH {
                let Some(seen) = moved(x, y, shift).map(|at| frame.field[at]) else { continue };
                let own = &mut self.field[y * WIDTH + x];
                *own = [own[0] + (seen[0] - own[0]) * rate, own[1] + (seen[1] - own[1]) * rate];
            }
        }
    }

    /// As it is kept in a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let number = |v: &f32| (v.clamp(-1.0, 1.0) * 127.0).round() as i8 as u8;
        MAGIC.iter().copied().chain(self.field.iter().flatten().map(number)).collect()
    }
    /// From a file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotAScene> {
        let body = bytes.strip_prefix(MAGIC).filter(|b| b.len() == WIDTH * HEIGHT * 2).ok_or(NotAScene)?;
        let number = |b: u8| f32::from(b as i8) / 127.0;
        Ok(Self { field: body.chunks_exact(2).map(|c| [number(c[0]), number(c[1])]).collect() })
    }

    /// Mean squared weight of a block.
    fn energy(&self, block: usize) -> f32 {
        let sum: f32 = pixels(block).map(|(x, y)| square(self.field[y * WIDTH + x])).sum();
        sum / (BLOCK_W * BLOCK_H) as f32
    }

    fn at(&self, frame: &Self, usable: &[usize], shift: (isize, isize)) -> Match {
        let (mut agree, mut show) = (0, 0);
        for &block in usable {
            let (mut both, mut own, mut its) = (0.0, 0.0, 0.0);
            for (x, y) in pixels(block) {
                let Some(at) = moved(x, y, shift) else { continue };
                let (a, b) = (self.field[y * WIDTH + x], frame.field[at]);
                both += a[0] * b[0] + a[1] * b[1];
                own += square(a);
                its += square(b);
            }
            let shows = its >= SHOWS / 2.0 * (BLOCK_W * BLOCK_H) as f32;
            show += usize::from(shows);
            agree += usize::from(both >= AGREES * (own * its).sqrt().max(1e-3));
        }
        let part = |n: usize| n as f32 / usable.len().max(1) as f32;
        Match { seen: part(agree), blocks: agree, shows: part(show), shift }
    }
}

fn square(v: [f32; 2]) -> f32 {
    v[0] * v[0] + v[1] * v[1]
}

fn pixels(block: usize) -> impl Iterator<Item = (usize, usize)> {
    let (x0, y0) = (block % ACROSS * BLOCK_W, block / ACROSS * BLOCK_H);
    (y0..y0 + BLOCK_H).flat_map(move |y| (x0..x0 + BLOCK_W).map(move |x| (x, y)))
}

/// Where a pixel went by a shift.
fn moved(x: usize, y: usize, (dx, dy): (isize, isize)) -> Option<usize> {
    let x = x.checked_add_signed(dx).filter(|x| *x < WIDTH)?;
    let y = y.checked_add_signed(dy).filter(|y| *y < HEIGHT)?;
    Some(y * WIDTH + x)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Boxes of a place by its number, moved by `dx`, in a light.
    pub(crate) fn picture(place: u32, dx: isize, gain: f32) -> Vec<u8> {
        let mut state = u64::from(place) * 7_919 + 1;
        let mut next = move |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from((state >> 33) % n).unwrap()
        };
        let mut grey = vec![110u8; WIDTH * HEIGHT];
        for _ in 0..60 {
            let (x, y, w, h, tone) = (next(190), next(90), 4 + next(30), 3 + next(20), next(220));
            for yy in y..(y + h).min(HEIGHT) {
                for xx in x..x + w {
                    let at = isize::try_from(xx).unwrap() - 15 + dx;
                    if let Ok(at) = usize::try_from(at)
                        && at < WIDTH
                    {
                        grey[yy * WIDTH + at] = u8::try_from(tone).unwrap();
                    }
                }
            }
        }
        grey.iter().map(|p| (f32::from(*p) * gain) as u8).collect()
    }
    pub(crate) fn scene(place: u32, dx: isize, gain: f32) -> Scene {
        Scene::of(&picture(place, dx, gain)).unwrap()
    }

    #[test]
    fn the_same_place_is_known_in_any_light_and_another_is_not() {
        for place in 0..20 {
            let known = scene(place, 0, 1.0);
            assert!(known.blocks() > 15);
            for (dx, gain) in [(0, 0.35), (2, 0.8), (-3, 1.1)] {
                let m = known.compare(&scene(place, dx, gain));
                assert!(m.seen > 0.6, "{place} {dx} {gain}: {m:?}");
            }
            let turned = known.compare(&scene(place, 16, 1.0));
            assert!(turned.seen < 0.42, "{place}: {turned:?}");
            let other = known.compare(&scene(place + 100, 0, 1.0));
            assert!(other.seen < 0.3, "{place}: {other:?}");
            let covered = known.compare(&Scene::of(&[90; WIDTH * HEIGHT]).unwrap());
            assert!(covered.shows < 0.01 && covered.blocks == 0);
        }
    }

    #[test]
    fn a_file_holds_what_was_learned_and_nothing_else_is_one() {
        let known = scene(3, 0, 1.0);
        let back = Scene::from_bytes(&known.to_bytes()).unwrap();
        assert!(back.compare(&known).seen > 0.99);
        assert_eq!(Scene::from_bytes(&known.to_bytes()[..99]), Err(NotAScene));
        assert_eq!(Scene::from_bytes(b""), Err(NotAScene));
        assert!(Scene::of(&[0; 7]).is_none());
    }
}
