//! The sign driver against a sign of its own wire format.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use barrier_io::sign::{ACK, Decoder};
use barrier_io::{SignCommand, SignDriver, SignTemplate};
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

/// Another maker's sign: its own frame, and an answer of its own or none.
#[tokio::test]
async fn a_sign_of_another_maker_speaks_by_a_template() {
    for ack in ["41 43 4b", ""] {
        let text = format!(
            "name = 'x'\nprefix = '02'\nbetween = '0d'\nsuffix = '0d 0a'\nencoding = 'ascii'\nchecksum = 'none'\n\
             ack = '{ack}'\nrepeat_ms = 200"
        );
        let template = SignTemplate::parse(&text).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Endpoint::parse(&format!("tcp://{}", listener.local_addr().unwrap())).unwrap();
        let (send, mut observations) = mpsc::channel(64);
        let (commands, receive) = mpsc::channel(8);
        let id = DeviceId::new("n1-in-1.sign").unwrap();
        let link =
            DeviceLink { id, clock: Clock::start(), observations: send, commands: receive, tap: Tap::off() };
        let driver = SignDriver::new(endpoint, 2, 16).speaking(Some(template));
        tokio::spawn(supervise(driver, link, Backoff::default()));
        commands.send(SignCommand::Show { lines: vec!["GO".into(), "LANE 2".into()] }).await.unwrap();
        let (mut sign, _) = listener.accept().await.unwrap();
        let (mut held, mut piece, mut beats) = (Vec::new(), [0u8; 64], 0);
        while beats < 3 {
            let n = tokio::time::timeout(LIMIT, sign.read(&mut piece)).await.unwrap().unwrap();
            held.extend_from_slice(&piece[..n]);
            if held.ends_with(b"\r\n") {
                if held.ends_with(b"\x02GO\rLANE 2\r\n") {
                    beats += 1;
                }
                held.clear();
                if !ack.is_empty() {
                    sign.write_all(b"ACK").await.unwrap();
                }
            }
        }
        let up = tokio::time::timeout(LIMIT, observations.recv()).await.unwrap().unwrap();
        assert_eq!(up.what, Observed::Health(Health::Up), "ack `{ack}`");
    }
}
