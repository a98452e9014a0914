//! Finding objects: the frame shrunk into the detector's input, its maps turned into boxes.

use crate::nets::Nets;
use lpr_ocr::decode::boxes;
use lpr_ocr::decode::{Found, FrameScale, MapShape};
use opencv::core::{CV_32F, Mat, MatTraitConst as _, MatTraitConstManual as _, MatTraitManual as _};
use opencv::core::{Rect, Scalar, Size};
use opencv::imgproc;
use std::time::Instant;

impl Nets {
    /// Objects on a grey frame, best first; the frame fills `part` (0..=1) of the detector's input.
    pub(crate) fn detect(&mut self, grey: &Mat, threshold: f32, part: f32) -> anyhow::Result<Vec<Found>> {
        let started = Instant::now();
        let card = &self.detector_card;
        let stride = card.stride_px;
        let (full_w, full_h) = (card.net.width_px, card.net.height_px);
        let size = grey.size()?;
        let fitting = FrameScale::fit(size.width, size.height, full_w, full_h);
        let scale = FrameScale { factor: fitting.factor * part };
        let fit = |n: i32, most: i32| ((n as f32 * scale.factor).round() as i32).clamp(1, most);
        // No more of the input than the frame fills: three quarters of it for a frame of 4:3, a quarter at half the size.
        let input =
            |n: i32, most: i32| if self.any_size { stepped(fit(n, most), stride).min(most) } else { most };
        let (w, h) = (input(size.width, full_w), input(size.height, full_h));
        let small = shrunk(grey, Size::new(fit(size.width, w), fit(size.height, h)))?;
        let mut input = Mat::new_nd_with_default(&[1, 1, h, w], CV_32F, Scalar::all(0.0))?;
        let values = input.data_typed_mut::<f32>()?;
        for row in 0..small.rows() {
            let at = (row * w) as usize;
            for (to, from) in values[at..].iter_mut().zip(small.at_row::<u8>(row)?) {
                *to = (f32::from(*from) - 127.5) / 64.0;
            }
        }
        let (rows, columns) = ((h / stride) as usize, (w / stride) as usize);
        let shape = MapShape { rows, columns, stride_px: stride as usize, classes: &card.classes };
        let wanted = [1, shape.channels() as i32, rows as i32, columns as i32];
        let maps = self.detector.run(&input, &wanted)?;
        let found = boxes::decode(&maps, shape, threshold, scale)?;
        self.spent.detect += started.elapsed();
        Ok(found)
    }
    /// Objects on a part of the frame, in pixels of the frame.
    pub(crate) fn detect_in(&mut self, grey: &Mat, at: Rect, threshold: f32) -> anyhow::Result<Vec<Found>> {
        let part = Mat::roi(grey, at)?.try_clone()?;
        let found = self.detect(&part, threshold, 1.0)?;
        let moved = found.into_iter().map(|f| Found { cx: f.cx + at.x as f32, cy: f.cy + at.y as f32, ..f });
        Ok(moved.collect())
    }
    /// Input pixels per frame pixel when the whole frame is looked at.
    pub(crate) fn frame_scale(&self, size: Size) -> f32 {
        let net = &self.detector_card.net;
        FrameScale::fit(size.width, size.height, net.width_px, net.height_px).factor
    }
}

/// At least a length, in steps that nets with two further halvings take.
fn stepped(length: i32, stride: i32) -> i32 {
    let step = 4 * stride;
    (length + step - 1) / step * step
}

/// A grey picture at a smaller (or larger) size: halved by area means while that is possible, which is
/// fast, then by interpolation.
fn shrunk(grey: &Mat, to: Size) -> opencv::Result<Mat> {
    let mut now: Option<Mat> = None;
    loop {
        let from = now.as_ref().unwrap_or(grey);
        let size = from.size()?;
        let mut out = Mat::default();
        if size.width >= 2 * to.width && size.height >= 2 * to.height {
            let even = Mat::roi(from, Rect::new(0, 0, size.width / 2 * 2, size.height / 2 * 2))?;
            let half = Size::new(size.width / 2, size.height / 2);
            imgproc::resize(&even, &mut out, half, 0.0, 0.0, imgproc::INTER_AREA)?;
            now = Some(out);
        } else {
            imgproc::resize(from, &mut out, to, 0.0, 0.0, imgproc::INTER_LINEAR)?;
            return Ok(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opencv::core::CV_8UC1;

    #[test]
    fn a_frame_keeps_its_places_when_it_shrinks() {
        let mut mat = Mat::new_rows_cols_with_default(1537, 2049, CV_8UC1, Scalar::all(0.0)).unwrap();
        let mut white = Mat::roi_mut(&mut mat, Rect::new(1024, 768, 1025, 769)).unwrap();
        opencv::core::MatTrait::set_to(&mut white, &Scalar::all(200.0), &opencv::core::no_array()).unwrap();
        drop(white);
        let small = shrunk(&mat, Size::new(640, 480)).unwrap();
        let at = |x: i32, y: i32| *small.at_2d::<u8>(y, x).unwrap();
        assert_eq!((at(317, 300), at(323, 236), at(322, 243), at(639, 479)), (0, 0, 200, 200));
    }

    #[test]
    fn a_tiny_frame_grows() {
        let mat = Mat::new_rows_cols_with_default(20, 30, CV_8UC1, Scalar::all(9.0)).unwrap();
        assert_eq!(shrunk(&mat, Size::new(720, 480)).unwrap().cols(), 720);
    }
}
