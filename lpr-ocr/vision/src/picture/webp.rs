//! The size of a WebP picture (RFC 9649): the first chunk of its RIFF container.

/// Whether the file says that it is WebP.
pub(super) fn is_webp(bytes: &[u8]) -> bool {
    bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP")
}

/// Width and height; `None` for a damaged header.
pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let byte = |at: usize| bytes.get(at).copied().map(u32::from);
    let two = |at: usize| Some(byte(at)? | byte(at + 1)? << 8);
    let three = |at: usize| Some(two(at)? | byte(at + 2)? << 16);
    match bytes.get(12..16)? {
        // A key frame: its start code, then 14 bits of each side.
        b"VP8 " if bytes.get(23..26)? == [0x9d, 0x01, 0x2a] => Some((two(26)? & 0x3fff, two(28)? & 0x3fff)),
        b"VP8L" if byte(20)? == 0x2f => {
            let bits = three(21)? | byte(24)? << 24;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        // A still in the extended form; animations are no pictures of a vehicle.
        b"VP8X" if byte(20)? & 0x02 == 0 => Some((three(24)? + 1, three(27)? + 1)),
        _ => None,
    }
}

/// Whether the container's end is there.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let length = bytes.get(4..8).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
    length.is_some_and(|l| bytes.len() as u64 >= u64::from(l) + 8)
}

#[cfg(test)]
mod tests {
    use super::super::{PictureError, check, grey};
    use super::*;
    use opencv::core::{CV_8UC3, Mat, MatTraitConst as _, Scalar, Vector};
    use opencv::imgcodecs;

    fn sample(quality: i32) -> Vec<u8> {
        let mat = Mat::new_rows_cols_with_default(40, 60, CV_8UC3, Scalar::all(90.0)).unwrap();
        let mut out = Vector::new();
        let options = Vector::from_slice(&[imgcodecs::IMWRITE_WEBP_QUALITY, quality]);
        imgcodecs::imencode(".webp", &mat, &mut out, &options).unwrap();
        out.into()
    }

    #[test]
    fn lossy_and_lossless_pictures_are_read() {
        for quality in [80, 101] {
            let bytes = sample(quality);
            assert_eq!(check(&bytes).unwrap(), (60, 40));
            assert_eq!(grey(&bytes).unwrap().size().unwrap().width, 60);
        }
    }

    #[test]
    fn damaged_ones_are_named() {
        let good = sample(80);
        assert!(is_webp(&good));
        assert!(matches!(check(&good[..good.len() - 9]), Err(PictureError::Truncated("WebP"))));
        let mut bad = good.clone();
        bad[24] = 0;
        assert!(matches!(check(&bad), Err(PictureError::Header("WebP"))));
        let mut animated = good;
        animated[12..16].copy_from_slice(b"VP8X");
        animated[20] = 0x02;
        assert!(matches!(check(&animated), Err(PictureError::Header("WebP"))));
    }
}
