//! Telegrams of a code reader against a memory copy of the same bytes, and gate passes verified.
//!
//! `cargo run -p barcode --example code_speed`

use barcode::line::{Decoder, encode};
use ed25519_dalek::SigningKey;
use gate_types::gate_pass;
use gate_types::{NodeId, PortId, jws};
use std::hint::black_box;
use std::time::Instant;

const CODES: usize = 10_000;
const ROUNDS: u32 = 10;
const PASSES: u32 = 500;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let stream: Vec<u8> = (0..CODES).flat_map(|n| encode(&format!("VARCO1:some-code-of-{n}"))).collect();
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
    for _ in 0..ROUNDS {
        let mut decoder = Decoder::new();
        for piece in stream.chunks(256) {
            black_box(decoder.push(piece));
        }
    }
    let decoded = speed(started);
    println!("code telegrams: {decoded:.0} MB/s, copy {memory:.0} MB/s, ratio {:.4}", decoded / memory);

    let key = SigningKey::from_bytes(&[7; 32]);
    let (port, node) = (PortId::new("ITBRI")?, NodeId::new("1")?);
    let body = serde_json::json!({ "typ": "foreign", "text": "x".repeat(300) });
    let text = format!("{}{}", gate_pass::PREFIX, jws::sign(&key, &body)?);
    let started = Instant::now();
    for _ in 0..PASSES {
        black_box(gate_pass::read(&key.verifying_key(), &port, &node, 0, &text).is_ok());
    }
    println!("signed passes judged: {:.0} a second", f64::from(PASSES) / started.elapsed().as_secs_f64());
    Ok(())
}
