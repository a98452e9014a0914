//! Drawings of a truck as seen by the cameras of a lane, flat, in millimetres times a scale.

use super::canvas::{Canvas, Colour, Rect, luma, mix, shade};
use super::text::{Face, Style, line};
use super::{Look, Truth, plate};
use crate::world::ident::{PlateFace, Unit};
use gate_types::observation::ReadKind;
use rand::Rng;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;

/// A flat drawing with what stands on it.
pub struct Drawing {
    /// The picture.
    pub canvas: Canvas,
    /// The texts, boxes in the drawing's pixels.
    pub truths: Vec<Truth>,
}

/// How a container code is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One line.
    Horizontal,
    /// Owner code above, number below.
    TwoLine,
    /// One column of characters.
    Vertical,
}

impl Layout {
    /// As written in `truth.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Layout::Horizontal => "horizontal",
            Layout::TwoLine => "two_line",
            Layout::Vertical => "vertical",
        }
    }
}

fn plate_truth(face: &PlateFace, at: Rect) -> Truth {
    Truth {
        text: face.text(),
        at,
        kind: ReadKind::Plate,
        region: face.region,
        type_code: "",
        layout: if face.two_lines { "two_line" } else { "single" },
    }
}

/// The tractor's front: 2500 mm wide, 1640 mm of its lower part.
pub fn front(look: &Look, s: f32, rng: &mut ChaCha8Rng) -> Drawing {
    let mut c = Canvas::new((2500.0 * s) as usize, (1640.0 * s) as usize, shade(look.cab, 0.92));
    let mm = |x: f32, y: f32, w: f32, h: f32| Rect::new(x * s, y * s, w * s, h * s);
    c.gradient(mm(0.0, 0.0, 2500.0, 620.0), shade(look.cab, 1.08), look.cab);
    c.rounded(mm(150.0, -300.0, 2200.0, 660.0), 60.0 * s, [22, 26, 32]);
    c.gradient(mm(190.0, 0.0, 2120.0, 330.0), [70, 84, 98], [28, 34, 42]);
    c.rounded(mm(1050.0, 40.0, 400.0, 220.0), 40.0 * s, [38, 44, 52]);
    for x in [420.0, 1250.0] {
        c.fill(mm(x, 318.0, 700.0, 16.0), [12, 12, 14]);
    }
    let board = mm(860.0, 405.0, 780.0, 74.0);
    let lettering = if luma(look.cab) > 120.0 { [30, 34, 46] } else { [228, 228, 224] };
    line(&mut c, look.haulier, board, Style::new(Face::DejaVu, lettering));
    // Grille.
    c.rounded(mm(430.0, 540.0, 1640.0, 430.0), 50.0 * s, [24, 25, 28]);
    for i in 0..6 {
        c.gradient(mm(470.0, 566.0 + i as f32 * 68.0, 1560.0, 40.0), [92, 94, 98], [44, 45, 48]);
    }
    c.ellipse(mm(1190.0, 690.0, 120.0, 120.0), [170, 174, 178]);
    // Bumper with lamps and the plate.
    c.gradient(mm(0.0, 990.0, 2500.0, 470.0), shade(look.cab, 0.8), shade(look.cab, 0.55));
    c.rounded(mm(560.0, 1040.0, 1380.0, 330.0), 36.0 * s, shade(look.cab, 0.35));
    for x in [90.0, 1990.0] {
        c.rounded(mm(x, 1010.0, 420.0, 200.0), 50.0 * s, [30, 32, 36]);
        c.ellipse(mm(x + 30.0, 1034.0, 160.0, 150.0), [232, 234, 226]);
        c.ellipse(mm(x + 220.0, 1034.0, 150.0, 150.0), [204, 208, 206]);
        c.rounded(mm(x + 40.0, 1250.0, 300.0, 110.0), 40.0 * s, [210, 170, 80]);
    }
    c.fill(mm(0.0, 1460.0, 2500.0, 180.0), [20, 20, 22]);
    c.wear(mm(0.0, 400.0, 2500.0, 1200.0), 40, rng);
    let (w, h) = if look.front.two_lines { (340.0, 220.0) } else { (520.0, 112.0) };
    let px = 1250.0 - w / 2.0 + rng.random_range(-40.0..40.0);
    let outline = plate::draw(&mut c, &look.front, px * s, (1150.0 - h / 2.0 + 40.0) * s, s);
    Drawing { canvas: c, truths: vec![plate_truth(&look.front, outline)] }
}

/// The rear: doors of the container or trailer above, under-run bar with lamps and plate below;
/// 2500 mm wide, 2000 mm high.
pub fn rear(look: &Look, s: f32, rng: &mut ChaCha8Rng) -> Drawing {
    let body = look.unit.as_ref().map_or(look.livery, |u| u.colour);
    let mut c = Canvas::new((2500.0 * s) as usize, (2000.0 * s) as usize, shade(body, 0.85));
    let mm = |x: f32, y: f32, w: f32, h: f32| Rect::new(x * s, y * s, w * s, h * s);
    let mut truths = Vec::new();
    for x in [60.0, 1265.0] {
        c.fill(mm(x, 0.0, 1175.0, 1440.0), body);
        if look.unit.is_some() {
            for i in 0..4 {
                c.gradient(
                    mm(x + 40.0, i as f32 * 366.0 + 6.0, 1095.0, 14.0),
                    shade(body, 0.8),
                    shade(body, 1.1),
                );
            }
        }
    }
    c.fill(mm(1240.0, 0.0, 20.0, 1440.0), shade(body, 0.35));
    let doors = match &look.unit {
        Some(unit) => {
            let layout = if rng.random_bool(0.7) { Layout::Horizontal } else { Layout::TwoLine };
            let place = (1330.0, rng.random_range(110.0..240.0), 960.0);
            truths.push(code(&mut c, unit, body, layout, place, rng.random_range(100.0..122.0), s));
            weights(&mut c, body, mm(1345.0, 640.0, 560.0, 40.0));
            mm(150.0, 300.0, 900.0, 190.0)
        }
        None => mm(240.0, 420.0, 2000.0, 240.0),
    };
    let lettering = if luma(body) > 118.0 { shade(body, 0.3) } else { [232, 232, 226] };
    line(&mut c, look.haulier, doors, Style::new(Face::DejaVu, lettering));
    for x in [420.0, 860.0, 1560.0, 2000.0] {
        if look.unit.is_some() || x == 860.0 || x == 1560.0 {
            // Locking bars stand beside the code, as on a real door.
            let x = if look.unit.is_some() && x == 1560.0 {
                1300.0
            } else if x == 2000.0 {
                2380.0
            } else {
                x
            };
            c.gradient(mm(x, 0.0, 34.0, 1440.0), shade(body, 1.18), shade(body, 0.75));
            c.rounded(mm(x - 70.0, 1010.0, 174.0, 44.0), 8.0 * s, shade(body, 0.62));
        }
    }
    if look.unit.is_some() {
        c.wear(mm(60.0, 0.0, 2380.0, 1400.0), 60, rng);
    }
    c.fill(mm(0.0, 1440.0, 2500.0, 60.0), shade(body, 0.5));
    c.fill(mm(0.0, 1500.0, 2500.0, 500.0), [26, 26, 28]);
    c.gradient(mm(70.0, 1560.0, 2360.0, 290.0), [66, 68, 72], [40, 41, 44]);
    for x in [110.0, 1970.0] {
        c.rounded(mm(x, 1600.0, 420.0, 130.0), 20.0 * s, [150, 24, 26]);
        c.fill(mm(x + 140.0, 1600.0, 110.0, 130.0), [216, 130, 34]);
    }
    for i in 0..12 {
        let tone = if i % 2 == 0 { [200, 40, 36] } else { [226, 226, 222] };
        c.fill(mm(70.0 + i as f32 * 196.7, 1790.0, 196.7, 56.0), tone);
    }
    let (w, h) = if look.rear.two_lines { (340.0, 220.0) } else { (520.0, 112.0) };
    let px = 1250.0 - w / 2.0 + rng.random_range(-260.0..60.0);
    let outline = plate::draw(&mut c, &look.rear, px * s, (1680.0 - h / 2.0) * s, s);
    truths.push(plate_truth(&look.rear, outline));
    Drawing { canvas: c, truths }
}

/// A piece of the load's side: 3200 mm wide, 1800 mm high, upper rear corner.
pub fn side(look: &Look, s: f32, rng: &mut ChaCha8Rng) -> Drawing {
    let body = look.unit.as_ref().map_or(look.livery, |u| u.colour);
    let mut c = Canvas::new((3200.0 * s) as usize, (1800.0 * s) as usize, body);
    let mm = |x: f32, y: f32, w: f32, h: f32| Rect::new(x * s, y * s, w * s, h * s);
    let lettering = if luma(body) > 118.0 { shade(body, 0.3) } else { [232, 232, 226] };
    let Some(unit) = &look.unit else {
        for x in 0..7 {
            c.gradient(mm(x as f32 * 470.0, 0.0, 14.0, 1800.0), shade(body, 0.8), shade(body, 0.7));
            c.fill(mm(x as f32 * 470.0 + 210.0, 1500.0, 40.0, 220.0), [40, 40, 42]);
        }
        let board = mm(300.0, 560.0, 2500.0, 420.0);
        line(&mut c, look.haulier, board, Style::new(Face::DejaVu, lettering));
        c.fill(mm(0.0, 1720.0, 3200.0, 80.0), [34, 34, 36]);
        return Drawing { canvas: c, truths: Vec::new() };
    };
    c.corrugate(mm(0.0, 90.0, 3120.0, 1620.0), 278.0 * s, 0.13);
    c.fill(mm(0.0, 0.0, 3200.0, 90.0), shade(body, 0.9));
    c.fill(mm(0.0, 1710.0, 3200.0, 90.0), shade(body, 0.62));
    c.fill(mm(3110.0, 0.0, 90.0, 1800.0), shade(body, 0.84));
    c.rounded(mm(3080.0, 0.0, 120.0, 110.0), 10.0 * s, shade(body, 0.66));
    let vertical = rng.random_bool(0.15);
    let board = mm(150.0, 760.0, 1500.0, 360.0);
    let big = Style { ink: 0.9, ..Style::new(Face::DejaVu, lettering) };
    line(&mut c, look.haulier, board, big);
    let cap = rng.random_range(100.0..125.0);
    let truth = if vertical {
        code(&mut c, unit, body, Layout::Vertical, (2860.0, 170.0, 130.0), cap * 0.92, s)
    } else {
        code(&mut c, unit, body, Layout::Horizontal, (1880.0, rng.random_range(170.0..260.0), 1130.0), cap, s)
    };
    c.wear(mm(0.0, 90.0, 3100.0, 1600.0), 90, rng);
    Drawing { canvas: c, truths: vec![truth] }
}

/// Writes a code at (x, y, width) millimetres with capitals `cap` high; the check digit is framed, the
/// size-type code stands below. The box is around the code alone.
fn code(
    c: &mut Canvas,
    unit: &Unit,
    body: Colour,
    layout: Layout,
    (x, y, w): (f32, f32, f32),
    cap: f32,
    s: f32,
) -> Truth {
    let ink = if luma(body) > 128.0 { mix(shade(body, 0.18), [20, 20, 24], 0.6) } else { [236, 236, 230] };
    let style = Style { squeeze: 0.7, ..Style::new(Face::DejaVu, ink).left() };
    let (owner, number, digit) = (&unit.code[..4], &unit.code[4..10], &unit.code[10..]);
    let mut draw =
        |text: &str, x: f32, y: f32, w: f32| line(c, text, Rect::new(x * s, y * s, w * s, cap * s), style);
    let (ink_box, digit_box, below) = match layout {
        Layout::Horizontal => {
            let a = draw(owner, x, y, w * 0.36);
            let b = draw(number, a.x / s + a.w / s + cap * 0.42, y, w * 0.5);
            let d = draw(digit, b.x / s + b.w / s + cap * 0.42, y, cap);
            (a.union(b), d, y + cap * 1.55)
        }
        Layout::TwoLine => {
            let a = draw(owner, x, y, w * 0.6);
            let b = draw(number, x, y + cap * 1.45, w * 0.66);
            let d = draw(digit, b.x / s + b.w / s + cap * 0.42, y + cap * 1.45, cap);
            (a.union(b), d, y + cap * 3.0)
        }
        Layout::Vertical => {
            let mut around: Option<Rect> = None;
            let mut at = y;
            for (i, ch) in unit.code[..10].chars().enumerate() {
                let r = draw(&ch.to_string(), x, at, cap);
                around = Some(around.map_or(r, |a: Rect| a.union(r)));
                at += cap * if i == 3 { 1.5 } else { 1.2 };
            }
            let d = draw(digit, x, at + cap * 0.3, cap);
            (around.unwrap_or(d), d, at + cap * 2.2)
        }
    };
    let type_width = if layout == Layout::Vertical { cap } else { w * 0.4 };
    if layout != Layout::Vertical {
        line(c, unit.type_code, Rect::new(x * s, below * s, type_width * s, cap * s), style);
    }
    let pad = cap * 0.17 * s;
    let frame =
        Rect::new(digit_box.x - pad, digit_box.y - pad, digit_box.w + 2.0 * pad, digit_box.h + 2.0 * pad);
    let t = (9.0 * s).max(1.5);
    for r in [
        Rect::new(frame.x, frame.y, frame.w, t),
        Rect::new(frame.x, frame.y + frame.h - t, frame.w, t),
        Rect::new(frame.x, frame.y, t, frame.h),
        Rect::new(frame.x + frame.w - t, frame.y, t, frame.h),
    ] {
        c.fill(r, ink);
    }
    Truth {
        text: unit.code.clone(),
        at: ink_box.union(digit_box),
        kind: ReadKind::Container,
        region: "",
        type_code: unit.type_code,
        layout: layout.name(),
    }
}

fn weights(c: &mut Canvas, body: Colour, first: Rect) {
    let ink = if luma(body) > 128.0 { [30, 30, 34] } else { [226, 226, 220] };
    let style = Style { squeeze: 0.8, ..Style::new(Face::DejaVu, ink).left() };
    for (i, text) in
        ["MAX GROSS 30480 KG", "TARE 3780 KG", "NET 26700 KG", "CU CAP 67.7 CU M"].iter().enumerate()
    {
        let place = Rect::new(first.x, first.y + i as f32 * first.h * 1.7, first.w, first.h);
        line(c, text, place, style);
    }
}

/// A haulier's name, invented.
pub fn haulier(rng: &mut ChaCha8Rng) -> &'static str {
    const NAMES: [&str; 12] = [
        "ADRIA TRASPORTI",
        "LEVANTE CARGO",
        "MURGIA LOGISTICA",
        "TRANS ILIRIA",
        "PIREUS LINE",
        "OTRANTO EXPRESS",
        "DALMAT PREVOZ",
        "AUTOTRASPORTI GRAVINA",
        "EGNATIA FREIGHT",
        "BALTIK ROAD",
        "SCUTARI TRANS",
        "IONICA",
    ];
    NAMES.choose(rng).copied().unwrap_or(NAMES[0])
}
