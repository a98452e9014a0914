//! Codes on a frame, drawn by Debian's qrencode.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use barcode::picture::codes;
use proptest::prelude::*;
use std::process::Command;
use std::time::Instant;

/// What qrencode draws for a text: modules, dark is true.
fn drawn(text: &str) -> Vec<Vec<bool>> {
    let done = Command::new("qrencode").args(["-l", "M", "-t", "ASCII", "-m", "0", "-o", "-", text]).output();
    let done = done.expect("qrencode is missing: run scripts/peers.sh");
    let text = String::from_utf8(done.stdout).unwrap();
    text.lines().map(|l| l.as_bytes().chunks(2).map(|c| c[0] == b'#').collect()).collect()
}

/// A frame with the code at a place and scale, on a tone with some noise.
fn frame(
    width: usize,
    height: usize,
    modules: &[Vec<bool>],
    scale: f64,
    at: (usize, usize),
    noise: u8,
) -> Vec<u8> {
    let mut seed = 0x5eed_u64;
    let mut rough = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        if noise == 0 { 0 } else { seed.to_le_bytes()[2] % noise }
    };
    let mut grey = Vec::with_capacity(width * height);
    for y in 0..height {
        for x in 0..width {
            let (dx, dy) = (x as f64 - at.0 as f64, y as f64 - at.1 as f64);
            let (mx, my) = (dx / scale, dy / scale);
            let dark = mx >= 0.0
                && my >= 0.0
                && modules.get(my as usize).and_then(|row| row.get(mx as usize)).copied().unwrap_or(false);
            grey.push(if dark { 40 + rough() } else { 200 - rough() });
        }
    }
    grey
}

fn pass() -> String {
    format!("VARCO1:{}", "eyJhbGciOiJFZERTQSJ9.".repeat(20))
}

#[test]
fn a_pass_is_read_off_a_frame_of_a_camera() {
    let modules = drawn(&pass());
    for (scale, noise) in [(3.0, 0), (4.0, 0), (5.0, 0), (4.0, 10), (4.0, 40), (6.0, 40)] {
        let grey = frame(1280, 720, &modules, scale, (211, 97), noise);
        let started = Instant::now();
        let found = codes(1280, &grey);
        let took = started.elapsed();
        println!(
            "{} modules at {scale} pixels, noise {noise}: {} read, {took:?}",
            modules.len(),
            found.len()
        );
        // On a noisy frame it may be missed, never misread; the next frame comes.
        assert!(found.iter().all(|text| *text == pass()), "scale {scale}, noise {noise}");
        assert!(noise > 0 || found.len() == 1, "scale {scale}");
    }
    assert!(codes(1280, &frame(1280, 720, &[], 1.0, (0, 0), 60)).is_empty());
    assert!(codes(0, &[1, 2]).is_empty() && codes(3, &[1, 2]).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_frame_has_codes_or_none(width in 1usize..80, bytes in prop::collection::vec(any::<u8>(), 0..6_000)) {
        let whole = bytes.len() / width * width;
        let _any = codes(width, &bytes[..whole]);
    }

    #[test]
    fn a_code_that_was_scratched_is_read_right_or_not_at_all(spots in prop::collection::vec((0usize..61, 0usize..61), 0..400)) {
        let mut modules = drawn("VARCO1:scratched");
        for (x, y) in spots {
            if let Some(module) = modules.get_mut(y).and_then(|row| row.get_mut(x)) {
                *module = !*module;
            }
        }
        for text in codes(400, &frame(400, 400, &modules, 5.0, (40, 40), 10)) {
            prop_assert_eq!(text, "VARCO1:scratched");
        }
    }
}
