//! Whether the place of an ADR panel is orange, where the frame has colours.

use crate::geometry::Quad;
use crate::picture;
use opencv::core::{Mat, MatTraitConst as _, Vec3b};

/// A panel has at least this part of orange; below, it is less plausible.
const ORANGE_PART: f32 = 0.25;
/// Confidence kept where there is no orange at all: dirt, sodium light and faded panels exist.
const WITHOUT: f32 = 0.5;
/// A frame whose pixels are less coloured than this on average is infra-red or grey.
const GREY_FRAME: f32 = 0.04;

/// Where a frame's colours come from.
pub(crate) enum Colour<'a> {
    /// Nowhere.
    None,
    /// A checked picture file; decoded at a quarter of the size when needed.
    File(&'a [u8]),
    /// A decoded frame; blue, green, red.
    Frame(&'a Mat),
}

/// How plausible a panel is by its colour: 1, or less where the frame has colours and the place no orange.
pub(crate) fn plausible(colour: &Colour<'_>, quad: &Quad) -> anyhow::Result<f32> {
    let decoded;
    let (mat, scale) = match colour {
        Colour::None => return Ok(1.0),
        Colour::File(bytes) => {
            decoded = picture::colour_quarter(bytes)?;
            (&decoded, 4.0)
        }
        Colour::Frame(mat) => (*mat, 1.0),
    };
    if mat.channels() != 3 || mat.depth() != opencv::core::CV_8U {
        return Ok(1.0);
    }
    let (w, h) = (mat.cols(), mat.rows());
    let step = (w.max(h) / 64).max(1);
    let (mut sum, mut n) = (0.0, 0.0f32);
    for y in (0..h).step_by(step as usize) {
        for x in (0..w).step_by(step as usize) {
            sum += saturation(*mat.at_2d::<Vec3b>(y, x)?);
            n += 1.0;
        }
    }
    if sum / n.max(1.0) < GREY_FRAME {
        return Ok(1.0);
    }
    let around = quad.widened(0.1, 0.0);
    let Some(projection) = around.projection() else { return Ok(1.0) };
    let (mut orange, mut n) = (0.0, 0.0f32);
    for v in 0..12 {
        for u in 0..16 {
            let Some((x, y)) = projection.map((f64::from(u) + 0.5) / 16.0, (f64::from(v) + 0.5) / 12.0)
            else {
                continue;
            };
            let (x, y) = ((x / scale) as i32, (y / scale) as i32);
            if (0..w).contains(&x) && (0..h).contains(&y) {
                orange += f32::from(u8::from(is_orange(*mat.at_2d::<Vec3b>(y, x)?)));
                n += 1.0;
            }
        }
    }
    let part = orange / n.max(1.0);
    Ok(WITHOUT + (1.0 - WITHOUT) * (part / ORANGE_PART).min(1.0))
}

fn saturation(p: Vec3b) -> f32 {
    let (top, low) = (p.0.iter().max().copied().unwrap_or(0), p.0.iter().min().copied().unwrap_or(0));
    f32::from(top - low) / f32::from(top.max(40))
}

/// Hue from about 5 to 50 degrees, coloured enough.
fn is_orange(p: Vec3b) -> bool {
    let [b, g, r] = p.0.map(f32::from);
    r > g && g >= b && r - b > 0.3 * r && r > 50.0 && g - b < 0.85 * (r - b) && g - b > 0.08 * (r - b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use opencv::core::{CV_8UC3, Rect, Scalar};
    use opencv::imgproc;

    fn frame(ground: Scalar, panel: Scalar) -> Mat {
        let mut mat = Mat::new_rows_cols_with_default(300, 400, CV_8UC3, ground).unwrap();
        imgproc::rectangle(&mut mat, Rect::new(100, 100, 80, 60), panel, -1, 8, 0).unwrap();
        mat
    }
    fn say(mat: &Mat) -> f32 {
        plausible(&Colour::Frame(mat), &Quad::rectangle(140.0, 130.0, 70.0, 50.0, 0.0)).unwrap()
    }

    #[test]
    fn an_orange_place_is_plausible_and_a_white_one_less() {
        let blue = Scalar::new(160.0, 90.0, 60.0, 0.0);
        assert!(say(&frame(blue, Scalar::new(20.0, 120.0, 250.0, 0.0))) > 0.99);
        assert!(say(&frame(blue, Scalar::new(250.0, 250.0, 250.0, 0.0))) < 0.6);
    }

    #[test]
    fn a_grey_frame_says_nothing_of_colour() {
        assert!(say(&frame(Scalar::all(80.0), Scalar::all(200.0))) > 0.99);
        assert!(plausible(&Colour::None, &Quad::rectangle(1.0, 1.0, 2.0, 2.0, 0.0)).unwrap() > 0.99);
    }
}
