//! OSDP frames against a memory copy of the same bytes: found and checked, and a whole secured question and answer.
//!
//! `cargo run -p badge --example osdp_speed`

use badge::{Framer, Key, Panel, ReaderFace, WrongAnswer};
use std::hint::black_box;
use std::time::Instant;

const FRAMES: usize = 4_000;
const ROUNDS: u32 = 20;

fn main() -> Result<(), WrongAnswer> {
    let key = Key::Own([7; 16]);
    let (mut panel, mut reader) = (Panel::new(1, key, [1; 8])?, ReaderFace::new(1, key, [2; 8]));
    let mut stream = Vec::new();
    let mut exchanges = 0;
    let started = Instant::now();
    for n in 0..FRAMES {
        if n % 10 == 0 {
            reader.present(&[0xde, 0xad, 0xbe, 0x80], 26);
        }
        let question = panel.ask(None)?;
        stream.extend_from_slice(&question);
        for answer in reader.push(&question) {
            panel.answer(&answer)?;
            stream.extend_from_slice(&answer);
            exchanges += 1;
        }
    }
    let a_second = f64::from(exchanges) / started.elapsed().as_secs_f64();

    let bytes = stream.len() as f64 * f64::from(ROUNDS);
    let speed = |started: Instant| bytes / started.elapsed().as_secs_f64() / 1e6;
    let mut copy = vec![0u8; stream.len()];
    let started = Instant::now();
    for _ in 0..ROUNDS {
        copy.copy_from_slice(black_box(&stream));
        black_box(&copy);
    }
    let memory = speed(started);
    let started = Instant::now();
    let mut frames = 0;
    for _ in 0..ROUNDS {
        let mut framer = Framer::new();
        frames += stream.chunks(256).map(|piece| framer.push(piece).len()).sum::<usize>();
    }
    let framed = speed(started);
    println!(
        "copy {memory:.0} MB/s; framing {framed:.0} MB/s, ratio {:.4} ({frames} frames)",
        framed / memory
    );
    println!("secured questions and answers, both sides: {a_second:.0} a second");
    Ok(())
}
