//! A contact sheet: failing pictures side by side, each with its truth and its reading.

use crate::reading::Reading;
use crate::{picture, read};
use anyhow::Context as _;
use opencv::core::{CV_8UC3, Mat, MatTraitConst as _, Point, Rect, Scalar, Size};
use opencv::{imgcodecs, imgproc};
use std::path::{Path, PathBuf};

const COLUMNS: usize = 4;
const CELL_W: i32 = 480;
const CELL_H: i32 = 330;
const TEXT_H: i32 = 60;
/// Most failures shown.
const MOST: usize = 80;

/// One failing picture.
pub(crate) struct Failing {
    /// The file.
    pub path: PathBuf,
    /// Truth and reading, in words.
    pub words: [String; 2],
    /// What was read on it.
    pub readings: Vec<Reading>,
}

/// Writes the sheet.
pub(crate) fn write(target: &Path, failing: &[Failing]) -> anyhow::Result<()> {
    let shown = &failing[..failing.len().min(MOST)];
    let rows = shown.len().div_ceil(COLUMNS).max(1) as i32;
    let mut sheet =
        Mat::new_rows_cols_with_default(rows * CELL_H, COLUMNS as i32 * CELL_W, CV_8UC3, Scalar::all(32.0))?;
    for (n, f) in shown.iter().enumerate() {
        let (x, y) = ((n % COLUMNS) as i32 * CELL_W, (n / COLUMNS) as i32 * CELL_H);
        // A picture that cannot be decoded leaves its cell empty.
        if let Ok(mut image) = picture::load(&f.path).and_then(|bytes| picture::colour(&bytes)) {
            read::drawn(&mut image, &f.readings)?;
            let size = image.size()?;
            let fit = (f64::from(CELL_W - 4) / f64::from(size.width))
                .min(f64::from(CELL_H - TEXT_H - 4) / f64::from(size.height));
            let side = |n: i32| ((f64::from(n) * fit) as i32).max(1);
            let mut small = Mat::default();
            let to = Size::new(side(size.width), side(size.height));
            imgproc::resize(&image, &mut small, to, 0.0, 0.0, imgproc::INTER_AREA)?;
            let mut cell = Mat::roi_mut(&mut sheet, Rect::new(x + 2, y + 2, to.width, to.height))?;
            small.copy_to(&mut cell)?;
        }
        let name = f.path.file_name().unwrap_or_default().to_string_lossy();
        let words = format!("{}  {}", f.words[0], name);
        for (line, text) in [(26, words.as_str()), (6, f.words[1].as_str())] {
            let at = Point::new(x + 4, y + CELL_H - line);
            read::write_at(&mut sheet, text, at, 0.45, Scalar::all(235.0), 1)?;
        }
    }
    anyhow::ensure!(
        imgcodecs::imwrite_def(target, &sheet).with_context(|| target.display().to_string())?,
        "{}: cannot be written",
        target.display()
    );
    Ok(())
}
