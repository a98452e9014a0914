//! Bodies of pushing cameras against a memory copy of the same bytes.
//!
//! `cargo run -p lpr-push --example push_speed`

use lpr_push::{Form, PushError, read};
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: u32 = 2_000;

fn main() -> Result<(), PushError> {
    let alert = include_bytes!("../tests/bodies/hikvision-anpr.xml").as_slice();
    let picture = vec![0x55u8; 300_000];
    let part = |name: &str, body: &[u8]| {
        let head =
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n");
        [head.as_bytes(), body, b"\r\n"].concat()
    };
    let whole =
        [part("anpr.xml", alert), part("detectionPicture.jpg", &picture), b"--b--\r\n".to_vec()].concat();
    let milesight = include_bytes!("../tests/bodies/milesight.json").as_slice();
    let multipart = "multipart/form-data; boundary=b";
    for (name, form, kind, body) in [
        ("Hikvision XML", Form::Hikvision, "application/xml", alert),
        ("Hikvision with a picture of 300 kB", Form::Hikvision, multipart, &whole),
        ("Milesight JSON", Form::Milesight, "application/json", milesight),
    ] {
        let bytes = body.len() as f64 * f64::from(ROUNDS) / 1e6;
        let mut copy = vec![0u8; body.len()];
        let started = Instant::now();
        for _ in 0..ROUNDS {
            copy.copy_from_slice(black_box(body));
            black_box(&copy);
        }
        let memory = bytes / started.elapsed().as_secs_f64();
        let started = Instant::now();
        for _ in 0..ROUNDS {
            black_box(read(form, kind, black_box(body))?);
        }
        let taken = bytes / started.elapsed().as_secs_f64();
        let a_second = taken * 1e6 / body.len() as f64;
        println!(
            "{name}: {taken:.0} MB/s ({a_second:.0} a second), copy {memory:.0} MB/s, ratio {:.4}",
            taken / memory
        );
    }
    Ok(())
}
