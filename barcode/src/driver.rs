//! The driver of a reader on a line. A code is a text; whether it is a gate pass of this port is told at once,
//! with the reason where it is not. A pass is handed on once.

use crate::line::{Decoder, LineError};
use device::{DeviceLink, Driver, DriverError, Endpoint, Health, Line, Stopped, Way, connect_line};
use ed25519_dalek::VerifyingKey;
use gate_types::gate_pass::{self, GatePass, PassRefusal};
use gate_types::{NodeId, PortId};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

/// The same code again within this is the same showing.
const SAME: Duration = Duration::from_secs(3);
/// Noise within this leaves the reader degraded.
const NOISY: Duration = Duration::from_secs(10);

/// Whose passes count here.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// Central's key.
    pub key: VerifyingKey,
    /// The port.
    pub port: PortId,
    /// This gate's node.
    pub node: NodeId,
}

/// What a reader saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// A pass that holds; whether it was used before is for whoever keeps the names.
    Pass(Box<GatePass>),
    /// A pass that does not hold.
    Refused(PassRefusal),
    /// Some other code.
    Other(String),
}

/// Nothing is asked of a reader: it reads by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarcodeCommand {}

/// The driver for `tcp://HOST:PORT?protocol=barcode` or `serial:///dev/...?protocol=barcode&baud=9600`.
#[derive(Debug)]
pub struct BarcodeDriver {
    endpoint: Endpoint,
    issuer: Issuer,
    shown: mpsc::Sender<Shown>,
    last: Option<(String, Instant)>,
}

enum End {
    Stopped,
    Lost(String),
}

impl From<Stopped> for End {
    fn from(_: Stopped) -> Self {
        End::Stopped
    }
}

impl BarcodeDriver {
    /// A driver that hands what it saw to `shown`.
    pub fn new(endpoint: Endpoint, issuer: Issuer, shown: mpsc::Sender<Shown>) -> Self {
        Self { endpoint, issuer, shown, last: None }
    }

    async fn serve(&mut self, link: &mut DeviceLink<BarcodeCommand>) -> Result<(), End> {
        let mut line = connect_line(&self.endpoint)
            .await
            .map_err(|e| End::Lost(format!("no connection: {e}; check power, cable and address")))?;
        link.health(Health::Up).await?;
        let (mut decoder, mut piece) = (Decoder::new(), [0u8; 1024]);
        let mut noise: Option<Instant> = None;
        loop {
            let n = tokio::select! {
                read = read(&mut line, &mut piece, noise) => read?,
                command = link.commands.recv() => match command {
                    None => return Ok(()),
                    Some(never) => match never {},
                },
            };
            let bytes = piece.get(..n).unwrap_or_default();
            link.tap.bytes(link.id.as_str(), Way::Rx, bytes);
            for told in decoder.push(bytes) {
                match told {
                    Ok(text) => self.told(link, &text).await?,
                    Err(LineError::NoRead) => {}
                    Err(error @ (LineError::Long | LineError::NotText)) => {
                        if noise.replace(Instant::now()).is_none() {
                            link.health(Health::Degraded { why: error.to_string() }).await?;
                        }
                    }
                }
            }
            if noise.is_some_and(|at| at.elapsed() > NOISY) {
                noise = None;
                link.health(Health::Up).await?;
            }
        }
    }

    async fn told(&mut self, link: &DeviceLink<BarcodeCommand>, text: &str) -> Result<(), End> {
        let now = Instant::now();
        let again = self.last.as_ref().is_some_and(|(last, at)| last == text && now - *at < SAME);
        self.last = Some((text.to_owned(), now));
        if again {
            return Ok(());
        }
        let Issuer { key, port, node } = &self.issuer;
        let shown = match gate_pass::read(key, port, node, link.clock.now().wall_ms.0, text) {
            Ok(pass) => Shown::Pass(Box::new(pass)),
            Err(refusal) if refusal.is_pass() => Shown::Refused(refusal),
            Err(_) => Shown::Other(text.to_owned()),
        };
        self.shown.send(shown).await.map_err(|_| End::Stopped)
    }
}

/// Waits for bytes; for a noisy line no longer than it is called noisy, and then for none (0 is an end).
async fn read(line: &mut Box<dyn Line>, piece: &mut [u8], noise: Option<Instant>) -> Result<usize, End> {
    let lost = |e: std::io::Error| End::Lost(format!("the line broke: {e}"));
    let read = async {
        match line.read(piece).await.map_err(lost)? {
            0 => Err(End::Lost("the line is gone (end of file); check adapter and cable".to_owned())),
            n => Ok(n),
        }
    };
    match noise {
        None => read.await,
        Some(_) => timeout(NOISY, read).await.unwrap_or(Ok(0)),
    }
}

impl Driver for BarcodeDriver {
    type Command = BarcodeCommand;

    async fn run(&mut self, link: &mut DeviceLink<BarcodeCommand>) -> Result<Stopped, DriverError> {
        match self.serve(link).await {
            Ok(()) | Err(End::Stopped) => Ok(Stopped),
            Err(End::Lost(what)) => {
                let place = if self.endpoint.host.is_empty() {
                    self.endpoint.path.clone()
                } else {
                    self.endpoint.address()
                };
                let endpoint = format!("{}://{place}", self.endpoint.scheme);
                Err(DriverError::Link { device: link.id.to_string(), endpoint, what })
            }
        }
    }
}
