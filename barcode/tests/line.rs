//! Telegrams of readers, in any pieces; a gate pass from signature to code and back.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use barcode::line::{Decoder, LineError, MOST_TEXT, encode};
use barcode::{BarcodeDriver, Issuer, Shown};
use device::{Backoff, Clock, DeviceLink, Endpoint, Health, Observed, Tap, supervise};
use ed25519_dalek::SigningKey;
use gate_types::gate_pass::{self, GatePass, PASS_TYPE, PassRefusal};
use gate_types::{DeviceId, MissionId, NodeId, PortId};
use proptest::prelude::*;
use std::process::Command;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

fn all(bytes: &[u8]) -> Vec<Result<String, LineError>> {
    Decoder::new().push(bytes)
}

#[test]
fn telegrams_as_readers_are_set_at_the_factory() {
    let wanted = || vec![Ok("ABC-123".to_owned())];
    for bytes in [
        &b"ABC-123\r\n"[..],
        b"ABC-123\r",
        b"ABC-123\n",
        b"\x02ABC-123\x03",
        b"]Q1ABC-123\r\n",
        b"\r\nABC-123\r\n\r\n",
    ] {
        assert_eq!(all(bytes), wanted(), "{}", String::from_utf8_lossy(bytes));
    }
    for bytes in [&b"NoRead\r\n"[..], b"?\r", b"\x02NR\x03"] {
        assert_eq!(all(bytes), vec![Err(LineError::NoRead)]);
    }
    assert_eq!(all(b"half\x02ABC-123\x03"), wanted(), "a telegram begins anew");
    assert_eq!(all(b"\xff\xfe\r"), vec![Err(LineError::NotText)]);
    let mut flood = vec![b'x'; 3 * MOST_TEXT];
    flood.extend(b"\r\nABC-123\r\n");
    assert_eq!(all(&flood), vec![Err(LineError::Long), Ok("ABC-123".to_owned())]);
}

proptest! {
    #[test]
    fn texts_come_back_in_any_pieces(
        texts in prop::collection::vec("[A-Za-z0-9.:_-]{3,60}", 1..6),
        cuts in prop::collection::vec(1usize..20, 1..20),
    ) {
        let wire: Vec<u8> = texts.iter().flat_map(|t| encode(t)).collect();
        let (mut decoder, mut rest, mut n, mut got) = (Decoder::new(), &wire[..], 0, Vec::new());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(cuts[n % cuts.len()].min(rest.len()));
            got.extend(decoder.push(piece).into_iter().flatten());
            (rest, n) = (after, n + 1);
        }
        let wanted: Vec<String> = texts.into_iter().filter(|t| !["NoRead", "NOREAD", "ERROR"].contains(&t.as_str())).collect();
        prop_assert_eq!(got, wanted);
    }

    #[test]
    fn any_bytes_end_in_texts_or_errors(bytes in prop::collection::vec(any::<u8>(), 0..8_000)) {
        for text in all(&bytes).into_iter().flatten() {
            prop_assert!(text.len() <= MOST_TEXT);
        }
    }
}

fn issuer(key: &SigningKey) -> Issuer {
    Issuer { key: key.verifying_key(), port: PortId::new("ITBRI").unwrap(), node: NodeId::new("1").unwrap() }
}

/// A reader that shows codes drawn by an independent generator: what qrencode holds is what was signed.
#[tokio::test]
async fn a_pass_is_told_from_a_forged_one_an_old_one_and_any_other_code() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let clock = Clock::start();
    let now_ms = clock.now().wall_ms.0;
    let pass = |id: &str, expires_at_ms| GatePass {
        typ: PASS_TYPE.into(),
        id: id.into(),
        issuer: PortId::new("ITBRI").unwrap(),
        node: NodeId::new("1").unwrap(),
        issued_at_ms: now_ms - 10_000,
        expires_at_ms,
        mission: MissionId::new("M-000001").unwrap(),
    };
    let good = gate_pass::write(&key, &pass("p-1", now_ms + 60_000)).unwrap();
    let old = gate_pass::write(&key, &pass("p-2", now_ms - 1)).unwrap();
    let forged = gate_pass::write(&SigningKey::from_bytes(&[8; 32]), &pass("p-3", now_ms + 60_000)).unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("tcp://{}?protocol=barcode", listener.local_addr().unwrap());
    let (shown, mut seen) = mpsc::channel(8);
    let driver = BarcodeDriver::new(Endpoint::parse(&endpoint).unwrap(), issuer(&key), shown);
    let (observations, mut health) = mpsc::channel(8);
    let (_commands, receiver) = mpsc::channel(1);
    let id = DeviceId::new("n1-in-1.codes").unwrap();
    let link = DeviceLink { id, clock, observations, commands: receiver, tap: Tap::off() };
    tokio::spawn(supervise(driver, link, Backoff { first_ms: 20, longest_ms: 50 }));
    let (mut reader, _) = listener.accept().await.unwrap();
    let limit = Duration::from_secs(10);
    let up = tokio::time::timeout(limit, health.recv()).await.unwrap().unwrap();
    assert_eq!(up.what, Observed::Health(Health::Up));
    for text in [&good, &good, &old, &forged, &"https://example.org".to_owned()] {
        reader.write_all(&encode(text)).await.unwrap();
    }
    let mut got = Vec::new();
    while got.len() < 4 {
        got.push(tokio::time::timeout(limit, seen.recv()).await.unwrap().unwrap());
    }
    assert_eq!(got[0], Shown::Pass(Box::new(pass("p-1", now_ms + 60_000))), "shown twice, told once");
    assert!(matches!(got[1], Shown::Refused(PassRefusal::Expired(_))));
    assert!(matches!(got[2], Shown::Refused(PassRefusal::Unsigned(_))));
    assert_eq!(got[3], Shown::Other("https://example.org".to_owned()));
    // The line breaks and comes back.
    drop(reader);
    let (mut reader, _) = listener.accept().await.unwrap();
    reader.write_all(&encode("again")).await.unwrap();
    let again = tokio::time::timeout(limit, seen.recv()).await.unwrap().unwrap();
    assert_eq!(again, Shown::Other("again".to_owned()));
}

/// The text fits a code that a telephone shows; drawn by Debian's qrencode.
#[test]
fn a_pass_fits_a_code_of_a_size_that_readers_read() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let pass = GatePass {
        typ: PASS_TYPE.into(),
        id: "01939c2e-7e3b-7a60-8c77-0f4c1a2b3c4d".into(),
        issuer: PortId::new("ITBRI").unwrap(),
        node: NodeId::new("1").unwrap(),
        issued_at_ms: 1_800_000_000_000,
        expires_at_ms: 1_800_003_600_000,
        mission: MissionId::new("M-000001").unwrap(),
    };
    let text = gate_pass::write(&key, &pass).unwrap();
    let drawn =
        Command::new("qrencode").args(["-l", "M", "-t", "ASCII", "-m", "0", "-o", "-", &text]).output();
    let drawn = drawn.expect("qrencode is missing: run scripts/peers.sh");
    let modules = String::from_utf8(drawn.stdout).unwrap().lines().count();
    println!("{} bytes, {modules} modules a side", text.len());
    // Version 20 has 97 modules a side; the smallest phone shows it with 4 pixels a module.
    assert!((21..=97).contains(&modules), "{modules} modules");
}
