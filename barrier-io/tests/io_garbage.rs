//! The remote I/O driver against peers that do not speak Modbus, or speak it wrongly.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

mod common;

use common::{Block, Lane, free};
use device::{Health, Observed};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A repeatable source of bytes (xorshift).
struct Bytes(u64);
impl Bytes {
    fn next(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.to_le_bytes()[3]
    }
}

/// Answers the first `rounds` connections with rubbish, then is a good block on the same address.
#[tokio::test]
async fn rubbish_is_a_named_fault_that_heals() {
    let seed = 0x5eed_0001_u64;
    println!("seed {seed:#x}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut lane = Lane::start(address);
    let mut bytes = Bytes(seed);
    for round in 0..24 {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0u8; 12];
        stream.read_exact(&mut request).await.unwrap();
        let length = usize::from(bytes.next()) + 1;
        let noise: Vec<u8> = (0..length).map(|_| bytes.next()).collect();
        let mut answer = Vec::new();
        match round % 4 {
            // Pure noise.
            0 => answer.extend(&noise),
            // A right header around noise.
            1 => {
                answer.extend(&request[..4]);
                answer.extend(u16::try_from(length + 1).unwrap().to_be_bytes());
                answer.push(request[6]);
                answer.extend(&noise);
            }
            // A right header and function, a wrong count of registers.
            2 => {
                answer.extend(&request[..4]);
                answer.extend([0, 5, request[6], 4, 2, 0, 1]);
            }
            // Another transaction's answer.
            _ => answer.extend([0x77, 0x77, 0, 0, 0, 7, request[6], 4, 4, 0, 0, 0, 0]),
        }
        stream.write_all(&answer).await.unwrap();
        drop(stream);
        let why = lane.until_down().await;
        assert!(why.contains("n1-in-1.io") && why.len() < 500, "{why}");
    }
    assert!(lane.heard.iter().all(|o| !matches!(o, Observed::Health(Health::Up))));
    assert!(!lane.heard.contains(&Observed::Inputs(free())));
    drop(listener);
    let (_, _server) = Block::new().serve(&address.to_string()).await;
    lane.until_inputs(free()).await;
    lane.until_up().await;
}
