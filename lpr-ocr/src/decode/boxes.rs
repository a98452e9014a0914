//! From the detector's maps to oriented boxes in pixels of the full frame.

use gate_types::observation::PixelBox;

/// What a detector finds; its card says which classes it has, in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectClass {
    /// A licence plate, one or two rows.
    Plate,
    /// A code written in one line.
    CodeLine,
    /// A code written downwards.
    CodeColumn,
    /// A code in two or three rows.
    CodeStack,
    /// An ADR panel with numbers.
    AdrPanel,
    /// A size-type code beside or below a code.
    TypeCode,
}

impl ObjectClass {
    /// All.
    pub const ALL: [Self; 6] =
        [Self::Plate, Self::CodeLine, Self::CodeColumn, Self::CodeStack, Self::AdrPanel, Self::TypeCode];
    /// The class's name in a model card.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plate => "plate",
            Self::CodeLine => "code_line",
            Self::CodeColumn => "code_column",
            Self::CodeStack => "code_stack",
            Self::AdrPanel => "adr_panel",
            Self::TypeCode => "type_code",
        }
    }
    /// The layout's name in output.
    pub fn layout(self) -> &'static str {
        match self {
            Self::Plate => "plate",
            Self::CodeLine => "horizontal",
            Self::CodeColumn => "vertical",
            Self::CodeStack => "stack",
            Self::AdrPanel => "panel",
            Self::TypeCode => "type_code",
        }
    }
    /// Whether a container or ILU code is expected.
    pub fn is_code(self) -> bool {
        match self {
            Self::CodeLine | Self::CodeColumn | Self::CodeStack => true,
            Self::Plate | Self::AdrPanel | Self::TypeCode => false,
        }
    }
}

/// Size and stride of the detector's maps, and what they find. Channels: a heat map per class, 2 of the
/// centre, 2 of the size, 2 of the angle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapShape<'a> {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Pixels of the detector's input per cell.
    pub stride_px: usize,
    /// The class of each heat map.
    pub classes: &'a [ObjectClass],
}

impl MapShape<'_> {
    /// Channels of the maps.
    pub fn channels(&self) -> usize {
        self.classes.len() + 6
    }
}

/// How a frame was put into the detector's input: scaled by `factor`, at the upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameScale {
    /// Detector pixels per frame pixel.
    pub factor: f32,
}

impl FrameScale {
    /// The scale at which a frame just fits.
    pub fn fit(frame_w: i32, frame_h: i32, input_w: i32, input_h: i32) -> Self {
        let factor = (input_w as f32 / frame_w.max(1) as f32).min(input_h as f32 / frame_h.max(1) as f32);
        Self { factor }
    }
}

/// An object found, in pixels of the full frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// What it is.
    pub class: ObjectClass,
    /// Detector's probability, 0..=1.
    pub score: f32,
    /// Centre.
    pub cx: f32,
    /// Centre.
    pub cy: f32,
    /// Extent along the reading direction.
    pub w: f32,
    /// Extent across it.
    pub h: f32,
    /// Reading direction, radians, x right and y down; near 0, near +90 degrees for a column.
    pub angle: f32,
}

impl Found {
    /// The corners, beginning where the text begins, along the reading direction.
    pub fn corners(&self, grow_px: f32) -> [(f32, f32); 4] {
        let (s, c) = self.angle.sin_cos();
        let (a, b) = (self.w / 2.0 + grow_px, self.h / 2.0 + grow_px);
        [(-a, -b), (a, -b), (a, b), (-a, b)].map(|(u, v)| (self.cx + u * c - v * s, self.cy + u * s + v * c))
    }
    /// The upright box around it.
    pub fn upright(&self) -> PixelBox {
        let p = self.corners(0.0);
        let x0 = p.iter().map(|p| p.0).fold(f32::MAX, f32::min);
        let x1 = p.iter().map(|p| p.0).fold(f32::MIN, f32::max);
        let y0 = p.iter().map(|p| p.1).fold(f32::MAX, f32::min);
        let y1 = p.iter().map(|p| p.1).fold(f32::MIN, f32::max);
        PixelBox { x: x0, y: y0, w: x1 - x0, h: y1 - y0 }
    }
}

/// Why maps are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("detector output has {found} values, expected {expected}")]
pub struct MapsError {
    /// Values that were there.
    pub found: usize,
    /// Values expected.
    pub expected: usize,
}

/// Most objects of one frame.
pub const MOST_OBJECTS: usize = 24;

/// Objects above `threshold` (a probability), best first.
pub fn decode(
    maps: &[f32],
    shape: MapShape<'_>,
    threshold: f32,
    scale: FrameScale,
) -> Result<Vec<Found>, MapsError> {
    let cells = shape.rows * shape.columns;
    if maps.len() != cells * shape.channels() {
        return Err(MapsError { found: maps.len(), expected: cells * shape.channels() });
    }
    let first = shape.classes.len();
    let logit_floor = (threshold / (1.0 - threshold)).ln();
    let at = |channel: usize, r: usize, c: usize| maps[channel * cells + r * shape.columns + c];
    let mut found = Vec::new();
    for (channel, &class) in shape.classes.iter().enumerate() {
        for r in 0..shape.rows {
            for c in 0..shape.columns {
                let logit = at(channel, r, c);
                if logit.is_nan() || logit < logit_floor || !is_peak(&at, shape, channel, r, c) {
                    continue;
                }
                let stride = shape.stride_px as f32;
                let size = |v: f32| stride * v.clamp(-3.0, 6.0).exp();
                let mut angle = at(first + 4, r, c).atan2(at(first + 5, r, c)) / 2.0;
                if class == ObjectClass::CodeColumn && angle < 0.0 {
                    angle += std::f32::consts::PI;
                }
                let one = Found {
                    class,
                    score: 1.0 / (1.0 + (-logit).exp()),
                    cx: (c as f32 + 0.5 + at(first, r, c).clamp(-2.0, 2.0)) * stride / scale.factor,
                    cy: (r as f32 + 0.5 + at(first + 1, r, c).clamp(-2.0, 2.0)) * stride / scale.factor,
                    w: size(at(first + 2, r, c)) / scale.factor,
                    h: size(at(first + 3, r, c)) / scale.factor,
                    angle,
                };
                if [one.cx, one.cy, one.w, one.h, one.angle].iter().all(|v| v.is_finite()) {
                    found.push(one);
                }
            }
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Found> = Vec::new();
    for one in found {
        if kept.iter().all(|k| !same_object(k, &one)) {
            kept.push(one);
        }
        if kept.len() == MOST_OBJECTS {
            break;
        }
    }
    Ok(kept)
}

fn is_peak(
    at: &impl Fn(usize, usize, usize) -> f32,
    shape: MapShape<'_>,
    channel: usize,
    r: usize,
    c: usize,
) -> bool {
    let here = at(channel, r, c);
    for y in r.saturating_sub(1)..=(r + 1).min(shape.rows - 1) {
        for x in c.saturating_sub(1)..=(c + 1).min(shape.columns - 1) {
            let other = at(channel, y, x);
            // Of equal neighbours the first counts.
            if other > here || (other == here && (y, x) < (r, c)) {
                return false;
            }
        }
    }
    true
}

/// Two boxes are one object when their centres lie within half the shorter side of the larger box. A
/// size-type code is part of a stack and stands for itself.
fn same_object(a: &Found, b: &Found) -> bool {
    if (a.class == ObjectClass::TypeCode) != (b.class == ObjectClass::TypeCode) {
        return false;
    }
    let larger = if a.w * a.h >= b.w * b.h { a } else { b };
    let reach = larger.w.min(larger.h) / 2.0;
    (a.cx - b.cx).hypot(a.cy - b.cy) < reach
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: MapShape<'static> =
        MapShape { rows: 68, columns: 120, stride_px: 8, classes: &ObjectClass::ALL };
    const CLASSES: usize = ObjectClass::ALL.len();

    fn empty() -> Vec<f32> {
        let cells = SHAPE.rows * SHAPE.columns;
        let mut maps = vec![0.0; cells * SHAPE.channels()];
        maps[..CLASSES * cells].fill(-9.0);
        maps
    }

    fn put(maps: &mut [f32], class: usize, r: usize, c: usize, logit: f32, values: [f32; 6]) {
        let cells = SHAPE.rows * SHAPE.columns;
        let cell = r * SHAPE.columns + c;
        maps[class * cells + cell] = logit;
        for (i, v) in values.into_iter().enumerate() {
            maps[(CLASSES + i) * cells + cell] = v;
        }
    }

    #[test]
    fn a_plate_comes_back_in_frame_pixels() {
        let mut maps = empty();
        put(&mut maps, 0, 30, 50, 3.0, [0.25, -0.25, (80.0f32 / 8.0).ln(), (20.0f32 / 8.0).ln(), 0.0, 1.0]);
        put(&mut maps, 0, 30, 51, 2.0, [0.0; 6]); // the peak's shoulder
        let found = decode(&maps, SHAPE, 0.25, FrameScale::fit(1920, 1080, 960, 544)).unwrap();
        assert_eq!(found.len(), 1);
        let f = found[0];
        assert!((f.cx - 812.0).abs() < 0.01 && (f.cy - 484.0).abs() < 0.01, "{f:?}");
        assert!((f.w - 160.0).abs() < 0.01 && (f.h - 40.0).abs() < 0.01);
        let b = f.upright();
        assert!((b.x - 732.0).abs() < 0.01 && (b.h - 40.0).abs() < 0.01);
    }

    #[test]
    fn a_column_is_read_downwards_whichever_way_its_axis_points() {
        let mut maps = empty();
        let tilt = (-178f32).to_radians(); // 2a of an axis at -89 degrees
        put(
            &mut maps,
            2,
            20,
            20,
            4.0,
            [0.0, 0.0, (400.0f32 / 8.0).ln(), (40.0f32 / 8.0).ln(), tilt.sin(), tilt.cos()],
        );
        let f = decode(&maps, SHAPE, 0.25, FrameScale { factor: 1.0 }).unwrap()[0];
        assert!((f.angle.to_degrees() - 91.0).abs() < 0.1, "{}", f.angle.to_degrees());
        let [start, along, ..] = f.corners(0.0);
        assert!(along.1 > start.1 + 390.0, "reads downwards");
        assert!(start.0 > f.cx, "the crop's upper edge is the right side of the column");
    }

    #[test]
    fn of_two_classes_at_one_place_the_better_one_stays() {
        let mut maps = empty();
        let size = [0.0, 0.0, 3.0, 1.0, 0.0, 1.0];
        put(&mut maps, 1, 10, 10, 2.0, size);
        put(&mut maps, 3, 10, 10, 3.0, size);
        let found = decode(&maps, SHAPE, 0.25, FrameScale { factor: 1.0 }).unwrap();
        assert_eq!(found.iter().map(|f| f.class).collect::<Vec<_>>(), [ObjectClass::CodeStack]);
    }

    #[test]
    fn nonsense_is_bounded() {
        assert!(decode(&[0.0; 3], SHAPE, 0.25, FrameScale { factor: 1.0 }).is_err());
        let cells = SHAPE.rows * SHAPE.columns;
        let nan = vec![f32::NAN; cells * SHAPE.channels()];
        assert!(decode(&nan, SHAPE, 0.25, FrameScale { factor: 1.0 }).unwrap().is_empty());
        let flat = vec![50.0; cells * SHAPE.channels()];
        assert!(decode(&flat, SHAPE, 0.25, FrameScale { factor: 1.0 }).unwrap().len() <= MOST_OBJECTS);
    }
}
