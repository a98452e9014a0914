//! Whether a picture can be used at all.

use opencv::core::{Mat, MatTraitConst as _, MatTraitConstManual as _};

/// Brightness of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measures {
    /// Mean grey value, 0..=255.
    pub mean: f32,
    /// Grey value that 99 % of the pixels do not exceed.
    pub bright: u8,
    /// Part of the pixels at 250 or more.
    pub burnt: f32,
}

impl Measures {
    /// Measures a grey frame (a reduced one is enough).
    pub(crate) fn of(grey: &Mat) -> opencv::Result<Self> {
        let mut counts = [0u64; 256];
        for row in 0..grey.rows() {
            for &p in grey.at_row::<u8>(row)? {
                counts[usize::from(p)] += 1;
            }
        }
        let total: u64 = counts.iter().sum::<u64>().max(1);
        let sum: u64 = counts.iter().enumerate().map(|(v, n)| v as u64 * n).sum();
        let (mut below, mut bright) = (0, 255);
        for (v, n) in counts.iter().enumerate() {
            below += n;
            if below * 100 >= total * 99 {
                bright = v as u8;
                break;
            }
        }
        let burnt = counts[250..].iter().sum::<u64>() as f32 / total as f32;
        Ok(Self { mean: sum as f32 / total as f32, bright, burnt })
    }
    /// What is wrong, and what to do.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        if self.bright < 24 {
            return Some("the picture is black: check the lens cover, the light and the exposure");
        }
        if self.burnt > 0.6 {
            return Some("the picture is over-exposed: check the iris, the exposure and the sun");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opencv::core::{CV_8UC1, Scalar};

    fn fault(value: f64) -> Option<&'static str> {
        let mat = Mat::new_rows_cols_with_default(20, 30, CV_8UC1, Scalar::all(value)).unwrap();
        Measures::of(&mat).unwrap().fault()
    }

    #[test]
    fn black_and_burnt_frames_are_told() {
        assert!(fault(3.0).unwrap().contains("black"));
        assert!(fault(254.0).unwrap().contains("over-exposed"));
        assert_eq!(fault(90.0), None);
    }
}
