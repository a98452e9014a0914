//! Synthetic but honest pictures of trucks: drawn flat, laid into perspective, lit, blurred, noised and
//! compressed. What stands on them is known exactly.

pub mod camera;
pub mod canvas;
pub mod plate;
pub mod text;
pub mod truck;

use crate::world::ident::{Carrier, Home, PlateFace, Unit, unit};
use camera::{HEIGHT, Homography, Light, MARGIN, WIDTH, project};
use canvas::{Canvas, Colour, Rect, shade};
use gate_types::observation::{ReadKind, View};
use rand::seq::IndexedRandom as _;
use rand::{Rng, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// A text that stands on a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Canonical text.
    pub text: String,
    /// Where, pixels: a plate's outline, a code's ink.
    pub at: Rect,
    /// Plate or container code.
    pub kind: ReadKind,
    /// A plate's country, ISO 3166.
    pub region: &'static str,
    /// A container's size and type.
    pub type_code: &'static str,
    /// `single`, `two_line`, `horizontal`, `vertical`.
    pub layout: &'static str,
}

/// What a truck looks like.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The tractor's plate.
    pub front: PlateFace,
    /// The trailer's plate.
    pub rear: PlateFace,
    /// The container, where it carries one.
    pub unit: Option<Unit>,
    /// The cab's paint.
    pub cab: Colour,
    /// The trailer's curtain.
    pub livery: Colour,
    /// The name on cab and trailer.
    pub haulier: &'static str,
}

impl Look {
    /// A truck of a country, with or without a container.
    pub fn random(home: Home, container: bool, rng: &mut ChaCha8Rng) -> Self {
        const PAINTS: [Colour; 9] = [
            [226, 228, 226],
            [176, 28, 34],
            [30, 62, 120],
            [232, 180, 40],
            [40, 92, 74],
            [196, 200, 204],
            [60, 66, 74],
            [198, 96, 30],
            [110, 150, 190],
        ];
        let paint = |rng: &mut ChaCha8Rng| PAINTS.choose(rng).copied().unwrap_or(PAINTS[0]);
        Self {
            front: home.plate(Carrier::Tractor, rng),
            rear: home.plate(Carrier::Trailer, rng),
            unit: container.then(|| unit(rng)),
            cab: paint(rng),
            livery: paint(rng),
            haulier: truck::haulier(rng),
        }
    }
}

/// One camera's picture of one visit, ready to be exposed frame by frame.
#[derive(Debug, Clone)]
pub struct Prepared {
    scene: Canvas,
    light: Light,
    truths: Vec<Truth>,
}

impl Prepared {
    /// A frame as JPEG with the texts on it; each call differs in noise and by a few pixels.
    pub fn frame(&self, rng: &mut ChaCha8Rng) -> (Vec<u8>, Vec<Truth>) {
        let cut = (rng.random_range(0..MARGIN), rng.random_range(0..MARGIN));
        let jpeg = self.light.expose(&self.scene, cut, rng);
        let mut truths = self.truths.clone();
        for t in &mut truths {
            t.at.x -= cut.0 as f32;
            t.at.y -= cut.1 as f32;
        }
        (jpeg, truths)
    }
}

const W: f32 = (WIDTH + MARGIN) as f32;
const H: f32 = (HEIGHT + MARGIN) as f32;

/// Prepares a truck's picture for one camera. `light` belongs to the visit and is the same for its cameras.
pub fn truck_scene(look: &Look, view: View, light: Light, rng: &mut ChaCha8Rng) -> Prepared {
    let scene = yard(rng);
    truck_before(scene, look, view, light, rng)
}

/// The same with the background of [`empty_scene`] by a generator of this seed: a camera that stays where it is.
pub fn truck_at(place: u64, look: &Look, view: View, light: Light, rng: &mut ChaCha8Rng) -> Prepared {
    truck_before(yard(&mut ChaCha8Rng::seed_from_u64(place)), look, view, light, rng)
}

fn truck_before(mut scene: Canvas, look: &Look, view: View, light: Light, rng: &mut ChaCha8Rng) -> Prepared {
    // Pixels of the drawing a millimetre: a little finer than on the picture.
    let (drawing, w, h) = match view {
        View::Front => (truck::front(look, 0.54, rng), 1120.0, 735.0),
        View::Rear => (truck::rear(look, 0.48, rng), 960.0, 768.0),
        View::Side | View::Top => (truck::side(look, 0.48, rng), 1240.0, 700.0),
    };
    let quad = quad(view, w, h, rng);
    let ground = Rect::new(0.0, quad[2].1.min(quad[3].1) - 14.0, W, 60.0);
    scene.gradient(ground, [52, 52, 54], [84, 84, 86]);
    let map = project(&mut scene, &drawing.canvas, quad);
    light.shine(&mut scene, rng);
    let truths = drawing
        .truths
        .into_iter()
        .map(|t| Truth { at: map.map_or(t.at, |m: Homography| m.bounds(t.at)), ..t })
        .collect();
    Prepared { scene, light, truths }
}

/// The empty lane.
pub fn empty_scene(light: Light, rng: &mut ChaCha8Rng) -> Prepared {
    let mut scene = yard(rng);
    light.shine(&mut scene, rng);
    Prepared { scene, light, truths: Vec::new() }
}

fn quad(view: View, w: f32, h: f32, rng: &mut ChaCha8Rng) -> [(f32, f32); 4] {
    let size = rng.random_range(0.94..1.04_f32);
    let (w, h) = (w * size, h * size);
    let (cx, cy) = (W / 2.0 + rng.random_range(-46.0..46.0), H / 2.0 + rng.random_range(-10.0..10.0));
    let turn = rng.random_range(-0.035..0.035_f32);
    let keystone = rng.random_range(-0.05..0.08_f32);
    // The side camera looks along the truck: the far edge is lower than the near one.
    let yaw = match view {
        View::Side | View::Top => rng.random_range(0.02..0.12_f32),
        View::Front | View::Rear => rng.random_range(-0.08..0.08_f32),
    };
    let corner = |sx: f32, sy: f32| {
        let x = sx * w / 2.0 * (1.0 - sy * keystone);
        let y = sy * h / 2.0 * (1.0 + sx * yaw);
        (cx + x * turn.cos() - y * turn.sin(), cy + x * turn.sin() + y * turn.cos())
    };
    [corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)]
}

/// Sky, quay wall, fence, asphalt with lane lines.
fn yard(rng: &mut ChaCha8Rng) -> Canvas {
    let mut c = Canvas::new(WIDTH + MARGIN, HEIGHT + MARGIN, [120, 122, 124]);
    let horizon = H * rng.random_range(0.28..0.38_f32);
    let sky =
        [[168, 196, 222], [186, 190, 194], [206, 196, 180]].choose(rng).copied().unwrap_or([186, 190, 194]);
    c.gradient(Rect::new(0.0, 0.0, W, horizon), shade(sky, 0.92), sky);
    for i in 0..9 {
        let x = i as f32 * W / 8.0 + rng.random_range(-50.0..20.0);
        let tall = rng.random_range(26.0..90.0);
        let tone = [[126, 96, 82], [92, 104, 116], [140, 132, 116], [72, 84, 96]]
            .choose(rng)
            .copied()
            .unwrap_or([90; 3]);
        c.fill(Rect::new(x, horizon - tall, rng.random_range(70.0..150.0), tall), tone);
    }
    c.gradient(Rect::new(0.0, horizon, W, H - horizon), [92, 93, 96], [126, 126, 126]);
    for (x, slope) in [(W * 0.06, -0.22), (W * 0.94, 0.22)] {
        for y in horizon as usize..c.h {
            let t = y as f32 - horizon;
            c.fill(Rect::new(x + slope * t, y as f32, 5.0 + t * 0.02, 1.0), [210, 206, 190]);
        }
    }
    for _ in 0..1500 {
        let (x, y) = (rng.random_range(0..c.w), rng.random_range(horizon as usize..c.h));
        c.blend(x, y, [60, 60, 62], 0.4);
    }
    c
}

/// Writes `count` pictures with `truth.csv` into a folder: the three views in turn.
pub fn write_samples(seed: u64, count: usize, out: &std::path::Path) -> std::io::Result<()> {
    use std::fmt::Write as _;
    std::fs::create_dir_all(out)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut csv = String::from("file,text,x,y,w,h,region,type_code,layout,kind,view\n");
    for n in 0..count {
        let view = [View::Front, View::Rear, View::Side][n % 3];
        let container = view == View::Side || rng.random_bool(0.6);
        let look = Look::random(Home::random(&mut rng), container, &mut rng);
        let prepared = truck_scene(&look, view, Light::random(&mut rng), &mut rng);
        let (jpeg, truths) = prepared.frame(&mut rng);
        let view = format!("{view:?}").to_lowercase();
        let file = format!("{n:05}-{view}.jpg");
        std::fs::write(out.join(&file), jpeg)?;
        for t in truths {
            let kind = format!("{:?}", t.kind).to_lowercase();
            let Rect { x, y, w, h } = t.at;
            let (region, type_code, layout) = (t.region, t.type_code, t.layout);
            // Writing to a string cannot fail.
            let _ = writeln!(
                csv,
                "{file},{},{x:.1},{y:.1},{w:.1},{h:.1},{region},{type_code},{layout},{kind},{view}",
                t.text
            );
        }
    }
    std::fs::write(out.join("truth.csv"), csv)
}

/// Light and look of a lane shared by the cameras of one visit.
pub type SharedLook = Arc<Look>;
