//! The sign driver against a sign of its own wire format.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use barrier_io::sign::{ACK, Decoder};
use barrier_io::{SignCommand, SignDriver};
use device::{Backoff, Clock, DeviceLink, Endpoint, Health, Observation, Observed, Tap, supervise};
use gate_types::DeviceId;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const LIMIT: Duration = Duration::from_secs(20);

struct Lane {
    commands: mpsc::Sender<SignCommand>,
    observations: mpsc::Receiver<Observation>,
}

impl Lane {
    fn start(address: SocketAddr) -> Self {
        let (send, observations) = mpsc::channel(64);
        let (commands, receive) = mpsc::channel(8);
        let link = DeviceLink {
            id: DeviceId::new("n1-in-1.sign").unwrap(),
            clock: Clock::start(),
            observations: send,
            commands: receive,
            tap: Tap::off(),
        };
        let endpoint = Endpoint::parse(&format!("tcp://{address}")).unwrap();
        tokio::spawn(supervise(SignDriver::new(endpoint, 4, 20), link, Backoff::default()));
        Self { commands, observations }
    }
    async fn show(&self, line: &str) {
        self.commands.send(SignCommand::Show { lines: vec![line.to_owned()] }).await.unwrap();
    }
    async fn health(&mut self) -> Health {
        match tokio::time::timeout(LIMIT, self.observations.recv()).await.unwrap().unwrap().what {
            Observed::Health(health) => health,
            other => panic!("{other:?}"),
        }
    }
    async fn down(&mut self) -> String {
        match self.health().await {
            Health::Down { why } => why,
            other => panic!("{other:?}"),
        }
    }
}

/// The sign's end of one connection.
struct Sign {
    stream: TcpStream,
    decoder: Decoder,
}

impl Sign {
    async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = tokio::time::timeout(LIMIT, listener.accept()).await.unwrap().unwrap();
        Self { stream, decoder: Decoder::new() }
    }
    /// The next text, acknowledged with `answer`.
    async fn text(&mut self, answer: &[u8]) -> Vec<String> {
        let mut bytes = [0u8; 512];
        loop {
            let n = tokio::time::timeout(LIMIT, self.stream.read(&mut bytes)).await.unwrap().unwrap();
            assert_ne!(n, 0, "the driver closed");
            if let Some(text) = self.decoder.push(&bytes[..n]).into_iter().next() {
                self.stream.write_all(answer).await.unwrap();
                return text.unwrap();
            }
        }
    }
    async fn until(&mut self, line: &str) {
        for _ in 0..20 {
            if self.text(&[ACK]).await == vec![line.to_owned()] {
                return;
            }
        }
        panic!("`{line}` was not shown");
    }
}

#[tokio::test]
async fn the_text_is_shown_and_repeated() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut lane = Lane::start(listener.local_addr().unwrap());
    let mut sign = Sign::accept(&listener).await;
    assert_eq!(sign.text(&[ACK]).await, Vec::<String>::new(), "blank before the first text");
    assert_eq!(lane.health().await, Health::Up);
    lane.show("PROSEGUIRE").await;
    sign.until("PROSEGUIRE").await;
    assert_eq!(sign.text(&[ACK]).await, vec!["PROSEGUIRE".to_owned()], "the heartbeat repeats it");
}

#[tokio::test]
async fn after_a_loss_the_latest_text_is_shown_and_no_older_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut lane = Lane::start(listener.local_addr().unwrap());
    let mut sign = Sign::accept(&listener).await;
    lane.show("AVANTI").await;
    sign.until("AVANTI").await;
    assert_eq!(lane.health().await, Health::Up);
    drop(sign);
    assert!(lane.down().await.contains("n1-in-1.sign"));
    lane.show("CORSIA CHIUSA").await;
    let mut sign = Sign::accept(&listener).await;
    assert_eq!(sign.text(&[ACK]).await, vec!["CORSIA CHIUSA".to_owned()]);
    assert_eq!(lane.health().await, Health::Up);
}

#[tokio::test]
async fn silence_and_rubbish_are_faults_that_heal() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut lane = Lane::start(listener.local_addr().unwrap());
    let mut silent = Sign::accept(&listener).await;
    silent.text(&[]).await;
    let why = lane.down().await;
    assert!(why.contains("no ACK"), "{why}");
    let mut wrong = Sign::accept(&listener).await;
    wrong.text(b"HTTP/1.1 400 Bad").await;
    let mut good = Sign::accept(&listener).await;
    good.text(&[ACK]).await;
    assert_eq!(lane.health().await, Health::Up, "one report a loss, and the healing");
}
