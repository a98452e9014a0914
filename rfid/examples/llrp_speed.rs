//! LLRP codec against a memory copy of the same bytes: reports of 20 tags cut into segments of 1460 bytes,
//! deframed and decoded, and encoded.
//!
//! `cargo run --release -p rfid --example llrp_speed`

use rfid::wire::{Deframer, EpcBits, Message, Report, TagReport};
use std::hint::black_box;
use std::time::Instant;

const REPORTS: u32 = 2_000;
const ROUNDS: u32 = 20;

fn report(n: u32) -> Result<Message, rfid::wire::WireError> {
    let mut tags = Vec::new();
    for tag in 0..20u32 {
        let mut bytes = [0x34, 0x76, 0x45, 0x1f, 0xd4, 0, 0, 0, 0, 0, 0, 0];
        bytes[8..].copy_from_slice(&(n * 20 + tag).to_be_bytes());
        let mut tag = TagReport::of(EpcBits::of_bytes(&bytes)?);
        (tag.antenna, tag.peak_rssi_dbm, tag.seen_count) = (Some(1), Some(-51), Some(3));
        (tag.first_seen_utc_us, tag.last_seen_utc_us) = (Some(1), Some(2));
        tags.push(tag);
    }
    Ok(Message::Report(Report { tags, dropped: 0 }))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let messages: Vec<Message> = (0..REPORTS).map(report).collect::<Result<_, _>>()?;
    let mut stream = Vec::new();
    for (id, message) in (1..).zip(&messages) {
        stream.extend(message.encode(id)?);
    }
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
    let mut tags = 0;
    for _ in 0..ROUNDS {
        let mut deframer = Deframer::new();
        for segment in stream.chunks(1_460) {
            let mut rest = segment;
            while let Some(frame) = deframer.take(&mut rest)? {
                if let Message::Report(report) = Message::decode(&frame)? {
                    tags += report.tags.len();
                }
            }
        }
    }
    let decoded = speed(started);
    let a_second = tags as f64 / started.elapsed().as_secs_f64();

    let started = Instant::now();
    for _ in 0..ROUNDS {
        for (id, message) in (1..).zip(&messages) {
            black_box(message.encode(id)?);
        }
    }
    let encoded = speed(started);
    println!("memory copy {memory:.0} MB/s");
    println!(
        "decoding    {decoded:.0} MB/s, {a_second:.0} tags a second, {:.4} of the copy",
        decoded / memory
    );
    println!("encoding    {encoded:.0} MB/s, {:.4} of the copy", encoded / memory);
    Ok(())
}
