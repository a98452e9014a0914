//! Picture files and camera frames to grey pixels, with the size checked before anything is decoded.

mod webp;

use opencv::core::{Mat, MatTraitConst as _, Vector};
use opencv::imgcodecs;
use std::io::Read as _;

/// Largest picture, pixels.
pub(crate) const MOST_PIXELS: u64 = 40_000_000;
/// Largest progressive JPEG, pixels: its decoder holds all coefficients at once.
const MOST_PROGRESSIVE_PIXELS: u64 = 16_000_000;
/// Most scans of a progressive JPEG: each costs the time of a whole picture.
const MOST_SCANS: usize = 32;
/// Longest and shortest side, pixels.
const SIDES: std::ops::RangeInclusive<u32> = 16..=16_384;
/// Largest file, bytes.
pub(crate) const MOST_FILE_BYTES: u64 = 64 << 20;

/// Why a picture is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PictureError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The file is empty.
    #[error("is empty")]
    Empty,
    /// The file is too large.
    #[error("has {0} bytes, at most {MOST_FILE_BYTES} are read")]
    Long(u64),
    /// Not a format that is read.
    #[error("is neither JPEG, PNG, WebP nor BMP")]
    Format,
    /// The header is damaged.
    #[error("has a damaged {0} header")]
    Header(&'static str),
    /// Zero pixels.
    #[error("has no pixels ({0} x {1})")]
    NoPixels(u32, u32),
    /// Too many pixels.
    #[error("has {0} x {1} pixels, at most {MOST_PIXELS} are decoded")]
    Large(u32, u32),
    /// A side that no camera delivers.
    #[error("is {0} x {1} pixels; sides from {least} to {most} are read", least = SIDES.start(), most = SIDES.end())]
    Side(u32, u32),
    /// A progressive JPEG that is made to cost time or memory.
    #[error(
        "is a progressive JPEG of {0} x {1} pixels in {2} scans; {MOST_PROGRESSIVE_PIXELS} pixels in {MOST_SCANS} are decoded"
    )]
    Progressive(u32, u32, usize),
    /// Not a file.
    #[error("is no file")]
    NotAFile,
    /// Its end is missing.
    #[error("is truncated: the {0} end is missing")]
    Truncated(&'static str),
    /// The decoder refuses it.
    #[error("cannot be decoded: {0}")]
    Decode(String),
}

/// Reads a file with a bound on its size.
pub(crate) fn load(path: &std::path::Path) -> Result<Vec<u8>, PictureError> {
    let meta = std::fs::metadata(path)?;
    if !meta.is_file() {
        return Err(PictureError::NotAFile);
    }
    if meta.len() > MOST_FILE_BYTES {
        return Err(PictureError::Long(meta.len()));
    }
    // The file may grow meanwhile.
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
    std::fs::File::open(path)?.take(MOST_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_FILE_BYTES {
        return Err(PictureError::Long(bytes.len() as u64));
    }
    Ok(bytes)
}

/// Width and height as the header tells them, after the header and the file's end were checked.
pub(crate) fn check(bytes: &[u8]) -> Result<(u32, u32), PictureError> {
    if bytes.is_empty() {
        return Err(PictureError::Empty);
    }
    let (w, h) = if bytes.starts_with(&[0xff, 0xd8]) {
        let (w, h, progressive) = jpeg_size(bytes).ok_or(PictureError::Header("JPEG"))?;
        if progressive {
            let scans = scans(bytes);
            if u64::from(w) * u64::from(h) > MOST_PROGRESSIVE_PIXELS || scans > MOST_SCANS {
                return Err(PictureError::Progressive(w, h, scans));
            }
        }
        // Cameras pad; the end marker must stand in the last part of the file.
        let tail = &bytes[bytes.len().saturating_sub(64 << 10)..];
        if !tail.windows(2).any(|w| w == [0xff, 0xd9]) {
            return Err(PictureError::Truncated("JPEG"));
        }
        (w, h)
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        let word = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let size = word(16).zip(word(20)).filter(|_| bytes.get(12..16) == Some(b"IHDR"));
        let size = size.ok_or(PictureError::Header("PNG"))?;
        let tail = &bytes[bytes.len().saturating_sub(4 << 10)..];
        if !tail.windows(4).any(|w| w == b"IEND") {
            return Err(PictureError::Truncated("PNG"));
        }
        size
    } else if webp::is_webp(bytes) {
        let size = webp::size(bytes).ok_or(PictureError::Header("WebP"))?;
        if !webp::is_whole(bytes) {
            return Err(PictureError::Truncated("WebP"));
        }
        size
    } else if bytes.starts_with(b"BM") {
        let word = |at: usize| Some(i32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let size = word(18).zip(word(22)).ok_or(PictureError::Header("BMP"))?;
        (size.0.unsigned_abs(), size.1.unsigned_abs())
    } else {
        return Err(PictureError::Format);
    };
    if w == 0 || h == 0 {
        return Err(PictureError::NoPixels(w, h));
    }
    if u64::from(w) * u64::from(h) > MOST_PIXELS {
        return Err(PictureError::Large(w, h));
    }
    if !SIDES.contains(&w) || !SIDES.contains(&h) {
        return Err(PictureError::Side(w, h));
    }
    Ok((w, h))
}

/// The usual ending of a picture file.
pub(crate) fn ending(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(b"\x89PNG") {
        "png"
    } else if bytes.starts_with(b"BM") {
        "bmp"
    } else if webp::is_webp(bytes) {
        "webp"
    } else {
        "jpg"
    }
}

/// Scans of a JPEG: start-of-scan markers, which coded data never hold.
fn scans(bytes: &[u8]) -> usize {
    bytes.windows(2).filter(|w| *w == [0xff, 0xda]).count()
}

/// The size in the first start-of-frame segment, and whether it is a progressive one.
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32, bool)> {
    let mut at = 2;
    loop {
        while *bytes.get(at)? != 0xff {
            at += 1;
        }
        while *bytes.get(at)? == 0xff {
            at += 1;
        }
        let marker = bytes[at];
        at += 1;
        match marker {
            0x01 | 0xd0..=0xd8 => continue,
            0xd9 | 0xda => return None,
            _ => {}
        }
        let two = |i: usize| Some(u32::from(*bytes.get(i)?) << 8 | u32::from(*bytes.get(i + 1)?));
        let length = two(at)? as usize;
        if (0xc0..=0xcf).contains(&marker) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            return Some((two(at + 5)?, two(at + 3)?, marker & 3 == 2));
        }
        if length < 2 {
            return None;
        }
        at += length;
    }
}

/// Grey pixels of a checked picture (EXIF rotation is obeyed).
pub(crate) fn grey(bytes: &[u8]) -> Result<Mat, PictureError> {
    decode(bytes, imgcodecs::IMREAD_GRAYSCALE)
}
/// Grey pixels at an eighth of the size, for measures.
pub(crate) fn grey_eighth(bytes: &[u8]) -> Result<Mat, PictureError> {
    decode(bytes, imgcodecs::IMREAD_REDUCED_GRAYSCALE_8)
}
/// Colour pixels at a quarter of the size.
pub(crate) fn colour_quarter(bytes: &[u8]) -> Result<Mat, PictureError> {
    decode(bytes, imgcodecs::IMREAD_REDUCED_COLOR_4)
}
/// Colour pixels, for drawing.
pub(crate) fn colour(bytes: &[u8]) -> Result<Mat, PictureError> {
    decode(bytes, imgcodecs::IMREAD_COLOR)
}

fn decode(bytes: &[u8], flags: i32) -> Result<Mat, PictureError> {
    check(bytes)?;
    let say = |e: opencv::Error| PictureError::Decode(e.message);
    let data = Mat::from_slice(bytes).map_err(say)?;
    let mat = imgcodecs::imdecode(&data, flags).map_err(say)?;
    if mat.empty() {
        return Err(PictureError::Decode("the decoder gave no pixels".into()));
    }
    Ok(mat)
}

/// Encodes as JPEG.
pub(crate) fn jpeg(mat: &Mat, quality: i32) -> Result<Vec<u8>, PictureError> {
    let mut out = Vector::new();
    let options = Vector::from_slice(&[imgcodecs::IMWRITE_JPEG_QUALITY, quality]);
    imgcodecs::imencode(".jpg", mat, &mut out, &options).map_err(|e| PictureError::Decode(e.message))?;
    Ok(out.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use opencv::core::{CV_8UC1, Scalar};

    fn sample() -> Vec<u8> {
        let mat = Mat::new_rows_cols_with_default(40, 60, CV_8UC1, Scalar::all(90.0)).unwrap();
        jpeg(&mat, 90).unwrap()
    }

    #[test]
    fn a_good_picture_has_its_size() {
        let bytes = sample();
        assert_eq!(check(&bytes).unwrap(), (60, 40));
        assert_eq!(grey(&bytes).unwrap().size().unwrap().width, 60);
    }

    #[test]
    fn progressive_pictures_are_bounded() {
        let mat = Mat::new_rows_cols_with_default(40, 60, CV_8UC1, Scalar::all(90.0)).unwrap();
        let mut out = Vector::new();
        let options = Vector::from_slice(&[imgcodecs::IMWRITE_JPEG_PROGRESSIVE, 1]);
        imgcodecs::imencode(".jpg", &mat, &mut out, &options).unwrap();
        let mut bytes: Vec<u8> = out.into();
        assert_eq!(check(&bytes).unwrap(), (60, 40));
        let end = bytes.len() - 2;
        for _ in 0..60 {
            bytes.splice(end..end, [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
        }
        assert!(matches!(check(&bytes), Err(PictureError::Progressive(60, 40, 61..))));
        let at = bytes.windows(2).position(|w| w == [0xff, 0xc2]).unwrap();
        bytes[at + 5..at + 9].copy_from_slice(&[0x20, 0, 0x20, 0]);
        assert!(matches!(check(&bytes), Err(PictureError::Progressive(8_192, 8_192, _))));
    }

    #[test]
    fn a_folder_is_no_picture() {
        assert!(matches!(load(&std::env::temp_dir()), Err(PictureError::NotAFile)));
    }

    #[test]
    fn each_bad_picture_has_its_name() {
        let good = sample();
        assert!(matches!(check(b""), Err(PictureError::Empty)));
        assert!(matches!(check(b"hello"), Err(PictureError::Format)));
        assert!(matches!(check(&good[..good.len() - 40]), Err(PictureError::Truncated("JPEG"))));
        assert!(matches!(check(&[0xff, 0xd8, 0xff]), Err(PictureError::Header("JPEG"))));
        let mut bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bomb.extend([0, 1, 0, 0, 0, 1, 0, 0]);
        bomb.extend(b"....IEND");
        assert!(matches!(check(&bomb), Err(PictureError::Large(65536, 65536))));
        bomb[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0, 20]);
        assert!(matches!(check(&bomb), Err(PictureError::Side(20_000, 20))));
        bomb[16..24].fill(0);
        assert!(matches!(check(&bomb), Err(PictureError::NoPixels(0, 0))));
    }
}
