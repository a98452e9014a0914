//! A reader on a TCP port that sees two tags ten times a second: what another LLRP client is tried
//! against.
//!
//! `cargo run -p rfid --example reader_face -- 127.0.0.1:5084`

use rfid::reader::{Moment, ReaderFace, Sighting};
use rfid::wire::EpcBits;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:5084".into());
    let listener = tokio::net::TcpListener::bind(&address).await?;
    println!("listening on {}", listener.local_addr()?);
    let start = Instant::now();
    let now = || Moment {
        ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        utc_us: SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| u64::try_from(d.as_micros()).unwrap_or(u64::MAX)),
    };
    let vehicle = EpcBits::of_bytes(&[0x34, 0x76, 0x45, 0x1f, 0xd4, 0, 0, 0, 0, 0, 0x16, 0x2e])?;
    let container = EpcBits::of_bytes(&[0x33, 0x76, 0x45, 0x1f, 0xd4, 0x0c, 0x0e, 0x40, 0, 0, 0x16, 0x2e])?;
    let mut face = ReaderFace::new(4);
    loop {
        let (mut stream, peer) = listener.accept().await?;
        println!("{peer} connected");
        face.connected(now());
        let mut buffer = [0u8; 4096];
        let mut every = tokio::time::interval(Duration::from_millis(100));
        'client: loop {
            while let Some(bytes) = face.next_output() {
                if stream.write_all(&bytes).await.is_err() {
                    break 'client;
                }
            }
            if face.is_closing() {
                break;
            }
            tokio::select! {
                n = stream.read(&mut buffer) => match n {
                    Ok(0) | Err(_) => break,
                    Ok(n) => if let Err(error) = face.receive(&buffer[..n], now()) {
                        println!("{peer}: {error}");
                        break;
                    },
                },
                _ = every.tick() => {
                    face.tick(now());
                    face.see(&Sighting { epc: vehicle.clone(), antenna: 1, rssi_dbm: -51, pc: None }, now());
                    face.see(&Sighting { epc: container.clone(), antenna: 2, rssi_dbm: -58, pc: None }, now());
                }
            }
        }
        println!("{peer} gone");
    }
}
