//! Modbus RTU and sign frames against a memory copy of the same bytes.
//!
//! `cargo run -p barrier-io --example block_speed`

use barrier_io::rtu::{Answer, Decoder, Request};
use barrier_io::sign;
use std::hint::black_box;
use std::time::Instant;

const FRAMES: usize = 10_000;
const ROUNDS: u32 = 10;

/// MB/s of a work over so many bytes.
fn speed(bytes: usize, mut work: impl FnMut()) -> f64 {
    let started = Instant::now();
    for _ in 0..ROUNDS {
        work();
    }
    bytes as f64 * f64::from(ROUNDS) / started.elapsed().as_secs_f64() / 1e6
}

fn copied(stream: &[u8]) -> f64 {
    let mut copy = vec![0u8; stream.len()];
    speed(stream.len(), || {
        copy.copy_from_slice(black_box(stream));
        black_box(&copy);
    })
}

fn main() {
    let request = Request::ReadInputs { start: 0, count: 8 };
    let questions = request.encode(1).repeat(FRAMES);
    let answer = Answer::Words((0..8).collect()).encode(1, request.function());
    let answers = answer.repeat(FRAMES);
    let heard = speed(questions.len(), || {
        let mut decoder = Decoder::new();
        for piece in questions.chunks(256) {
            black_box(decoder.push(piece));
        }
    });
    let read = speed(answers.len(), || {
        for frame in answers.chunks(answer.len()) {
            black_box(request.answer(1, frame).is_ok());
        }
    });
    let text = sign::encode(&["PROCEED TO".to_owned(), "LANE 2".to_owned()], 2, 16);
    let texts = text.repeat(FRAMES);
    let shown = speed(texts.len(), || {
        let mut decoder = sign::Decoder::new();
        for piece in texts.chunks(256) {
            black_box(decoder.push(piece));
        }
    });
    for (name, stream, ours) in
        [("RTU requests", &questions, heard), ("RTU answers", &answers, read), ("sign texts", &texts, shown)]
    {
        let memory = copied(stream);
        println!("{name}: {ours:.0} MB/s, copy {memory:.0} MB/s, ratio {:.4}", ours / memory);
    }
}
