//! QR codes on a frame. Pure, but run it where a frame is: in the vision worker, whose fall costs a camera.

use crate::line::MOST_TEXT;

/// Largest frame that is looked at, pixels.
pub const MOST_PIXELS: usize = 16 << 20;
/// Most codes that are told of one frame.
pub const MOST_CODES: usize = 8;

/// The texts of the codes on a grey frame of `width` pixels a line, in no order; none of a frame that does not
/// fit its width or is too large.
pub fn codes(width: usize, grey: &[u8]) -> Vec<String> {
    if width == 0 || grey.len() > MOST_PIXELS || !grey.len().is_multiple_of(width) {
        return Vec::new();
    }
    let height = grey.len() / width;
    let pixel = |x: usize, y: usize| grey.get(y * width + x).copied().unwrap_or_default();
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, pixel);
    let mut texts = Vec::new();
    for grid in prepared.detect_grids().iter().take(MOST_CODES) {
        match grid.decode() {
            Ok((_, text)) if text.len() <= MOST_TEXT && !texts.contains(&text) => texts.push(text),
            Ok(_) | Err(_) => {}
        }
    }
    texts
}
