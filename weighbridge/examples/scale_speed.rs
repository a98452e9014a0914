//! Every indicator's codec against a memory copy of the same bytes.
//!
//! `cargo run --release -p weighbridge --example scale_speed`

use device::Endpoint;
use std::hint::black_box;
use std::time::Instant;
use weighbridge::wire::{Format, Load, Speech};

const TELEGRAMS: u32 = 20_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let load = Load { kg: 12_340.0, ..Load::default() };
    for name in
        ["toledo", "sics", "sma", "dini", "rice-lake", "yaohua", "yaohua-reversed", "yaohua-line", "systec"]
    {
        let endpoint = Endpoint::parse(&format!("tcp://h:1?protocol={name}&unit=kg"))?;
        let mut format = Format::of_endpoint(&endpoint)?;
        let mut speech = Speech::of_name(name, 20.0).ok_or("no such format")?;
        let mut one = speech.telegram(&load).unwrap_or_default();
        if let Some(request) = format.request() {
            one = speech.hear(&request, &load).0;
        }
        let stream = one.repeat(TELEGRAMS as usize);
        let speed = |started: Instant| stream.len() as f64 / started.elapsed().as_secs_f64() / 1e6;
        let mut copy = vec![0u8; stream.len()];
        copy.copy_from_slice(&stream);
        let started = Instant::now();
        copy.copy_from_slice(black_box(&stream));
        black_box(&copy);
        let memory = speed(started);
        let started = Instant::now();
        let mut told = 0u32;
        for segment in stream.chunks(512) {
            let mut rest = segment;
            while let Some(telegram) = format.take(&mut rest) {
                telegram?;
                told += 1;
            }
        }
        let (decoded, seconds) = (speed(started), started.elapsed().as_secs_f64());
        let a_second = f64::from(told) / seconds;
        println!(
            "{name:16} {decoded:6.1} MB/s, {a_second:9.0} telegrams a second, {:.5} of a copy",
            decoded / memory
        );
    }
    Ok(())
}
