//! Cutting a quadrangle out of the full-resolution grey frame, smoothed where it shrinks.

use crate::geometry::{Projection, Quad};
use opencv::core::{BORDER_REPLICATE, CV_32F, Mat, MatTraitConst as _, MatTraitConstManual as _};
use opencv::core::{MatTraitManual as _, Rect, Scalar, Size};
use opencv::imgproc;

/// Largest picture side a corner may lie away from, pixels: beyond it a quadrangle is nonsense.
const FAR_PX: f32 = 100_000.0;
/// Most samples along one side of a pixel of the crop.
const MOST_SAMPLES: f32 = 8.0;

/// Cuts `quad` into a grey picture of `w` x `h` pixels; `None` for a quadrangle without an inside.
///
/// Large objects are first shrunk by a whole factor (area mean), then sampled two to four times as
/// densely as needed and averaged down, so that the time does not grow with the object.
pub(crate) fn cut(grey: &Mat, quad: &Quad, w: i32, h: i32) -> opencv::Result<Option<Mat>> {
    let Some(projection) = quad.projection() else { return Ok(None) };
    if quad.0.iter().any(|p| !(p.0.abs() < FAR_PX && p.1.abs() < FAR_PX)) {
        return Ok(None);
    }
    let (along, across) = quad.longest_sides();
    let (sx, sy) = (along / w as f32, across / h as f32);
    let shrink = (sx.min(sy) / 2.0).floor().clamp(1.0, 64.0) as i32;
    let samples = |s: f32| (s / shrink as f32).round().clamp(1.0, MOST_SAMPLES) as i32;
    let size = Size::new(w * samples(sx), h * samples(sy));
    let reduced;
    let (source, origin) = if shrink > 1 {
        let region = around(grey, quad, shrink)?;
        let part = Mat::roi(grey, region)?;
        let mut small = Mat::default();
        let to = Size::new((region.width / shrink).max(1), (region.height / shrink).max(1));
        imgproc::resize(&part, &mut small, to, 0.0, 0.0, imgproc::INTER_AREA)?;
        reduced = small;
        (&reduced, (region.x, region.y))
    } else {
        (grey, (0, 0))
    };
    let matrix = sampling(&projection, size, origin, f64::from(shrink));
    let map = Mat::new_rows_cols_with_data(3, 3, &matrix)?;
    let mut view = Mat::default();
    let how = imgproc::INTER_LINEAR | imgproc::WARP_INVERSE_MAP;
    imgproc::warp_perspective(source, &mut view, &map, size, how, BORDER_REPLICATE, Scalar::default())?;
    if size.width == w && size.height == h {
        return Ok(Some(view));
    }
    let mut out = Mat::default();
    imgproc::resize(&view, &mut out, Size::new(w, h), 0.0, 0.0, imgproc::INTER_AREA)?;
    Ok(Some(out))
}

/// From pixel indices of the sampled view to pixel indices of the (shrunk) source.
fn sampling(projection: &Projection, size: Size, origin: (i32, i32), shrink: f64) -> [f64; 9] {
    let m = projection.matrix();
    let (du, dv) = (1.0 / f64::from(size.width), 1.0 / f64::from(size.height));
    let mut out = [0.0; 9];
    // Unit square from indices: u = (i + 0.5) du, v = (j + 0.5) dv.
    for r in 0..3 {
        let (a, b, c) = (m[3 * r], m[3 * r + 1], m[3 * r + 2]);
        out[3 * r] = a * du;
        out[3 * r + 1] = b * dv;
        out[3 * r + 2] = a * du / 2.0 + b * dv / 2.0 + c;
    }
    // Source indices from frame pixels: (x - origin) / shrink - 0.5.
    let shift = [f64::from(origin.0), f64::from(origin.1)];
    for c in 0..3 {
        for r in 0..2 {
            out[3 * r + c] = (out[3 * r + c] - shift[r] * out[6 + c]) / shrink - 0.5 * out[6 + c];
        }
    }
    out
}

/// The region of the frame around a quadrangle, its sides multiples of `step` where the frame allows.
fn around(grey: &Mat, quad: &Quad, step: i32) -> opencv::Result<Rect> {
    let frame = grey.size()?;
    let b = quad.upright();
    let range = |from: f32, length: f32, most: i32| {
        let start = ((from.floor() as i32) - step).clamp(0, (most - 1).max(0));
        let end = ((from + length).ceil() as i32 + step).clamp(start + 1, most.max(start + 1));
        let whole = (end - start + step - 1) / step * step;
        (start, if start + whole <= most { whole } else { ((end - start) / step * step).max(1) })
    };
    let (x, width) = range(b.x, b.w, frame.width);
    let (y, height) = range(b.y, b.h, frame.height);
    Ok(Rect::new(x, y, width.min(frame.width - x), height.min(frame.height - y)))
}

/// The net's input of a grey crop: plane 0 = (x - mean) / (deviation + 4), plane 1 (where the net has
/// one) = `flag`.
pub(crate) fn input(crop: &Mat, planes: i32, flag: f32) -> opencv::Result<Mat> {
    let pixels = crop.data_typed::<u8>()?;
    let (mut sum, mut squares) = (0u64, 0u64);
    for &p in pixels {
        sum += u64::from(p);
        squares += u64::from(p) * u64::from(p);
    }
    let n = pixels.len().max(1) as f64;
    let mean = sum as f64 / n;
    let deviation = (squares as f64 / n - mean * mean).max(0.0).sqrt();
    let (mean, scale) = (mean as f32, (1.0 / (deviation + 4.0)) as f32);
    let mut out = Mat::new_nd_with_default(
        &[1, planes, crop.rows(), crop.cols()],
        CV_32F,
        Scalar::all(f64::from(flag)),
    )?;
    for (to, from) in out.data_typed_mut::<f32>()?.iter_mut().zip(pixels) {
        *to = (f32::from(*from) - mean) * scale;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use opencv::core::{CV_8UC1, Point, Vector};

    /// A frame with a black quadrangle, its left half white inside.
    fn frame(quad: &Quad) -> Mat {
        let mut mat = Mat::new_rows_cols_with_default(900, 1400, CV_8UC1, Scalar::all(120.0)).unwrap();
        let fill = |mat: &mut Mat, q: &Quad, tone: f64| {
            let p: Vector<Point> =
                q.0.iter().map(|p| Point::new(p.0.round() as i32, p.1.round() as i32)).collect();
            imgproc::fill_convex_poly_def(mat, &p, Scalar::all(tone)).unwrap();
        };
        fill(&mut mat, quad, 10.0);
        fill(&mut mat, &quad.part(0.0, 0.0, 0.5, 1.0), 240.0);
        mat
    }

    fn check(quad: Quad) {
        let crop = cut(&frame(&quad), &quad, 192, 48).unwrap().unwrap();
        assert_eq!((crop.cols(), crop.rows()), (192, 48));
        let at = |x: i32, y: i32| *crop.at_2d::<u8>(y, x).unwrap();
        for y in [4, 24, 43] {
            assert!(at(8, y) > 220 && at(88, y) > 220, "left half of {quad:?} at {y}");
            assert!(at(104, y) < 40 && at(184, y) < 40, "right half of {quad:?} at {y}");
        }
    }

    #[test]
    fn a_quad_of_any_size_fills_the_crop() {
        check(Quad::rectangle(400.0, 300.0, 180.0, 45.0, 0.0));
        check(Quad::rectangle(700.0, 450.0, 1300.0, 300.0, 0.05));
        check(Quad::rectangle(300.0, 450.0, 700.0, 90.0, 1.57));
        check(Quad([(100.0, 100.0), (900.0, 300.0), (880.0, 480.0), (110.0, 420.0)]));
    }

    #[test]
    fn beyond_the_frame_its_edge_goes_on() {
        let mat = Mat::new_rows_cols_with_default(30, 40, CV_8UC1, Scalar::all(77.0)).unwrap();
        for quad in [
            Quad::rectangle(0.0, 0.0, 400.0, 100.0, 0.3),
            Quad::rectangle(-5_000.0, 9_000.0, 4_000.0, 1_000.0, 0.3),
        ] {
            let crop = cut(&mat, &quad, 192, 48).unwrap().unwrap();
            assert!(crop.data_typed::<u8>().unwrap().iter().all(|p| *p == 77));
        }
    }

    #[test]
    fn nonsense_gives_no_crop() {
        let mat = Mat::new_rows_cols_with_default(30, 40, CV_8UC1, Scalar::all(77.0)).unwrap();
        for bad in [f32::NAN, f32::INFINITY, 1e9] {
            assert!(cut(&mat, &Quad::rectangle(bad, 0.0, 40.0, 10.0, 0.0), 192, 48).unwrap().is_none());
        }
        assert!(cut(&mat, &Quad([(3.0, 3.0); 4]), 192, 48).unwrap().is_none());
    }

    #[test]
    fn a_crop_is_normalised_by_its_own_light() {
        let mut crop = Mat::new_rows_cols_with_default(48, 192, CV_8UC1, Scalar::all(100.0)).unwrap();
        for row in 0..24 {
            crop.at_row_mut::<u8>(row).unwrap().fill(200);
        }
        let out = input(&crop, 2, 1.0).unwrap();
        let values = out.data_typed::<f32>().unwrap();
        assert!((values[0] - 50.0 / 54.0).abs() < 1e-4, "{}", values[0]);
        assert!((values[192 * 47] + 50.0 / 54.0).abs() < 1e-4);
        assert!(values[192 * 48..].iter().all(|v| (*v - 1.0).abs() < 1e-6));
    }
}
