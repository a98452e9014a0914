//! The driver of one badge reader: sets the line up, asks for news ten times a second (a reader that is not asked
//! falls out of its session), hands badges on.

use crate::panel::{Order, Panel, Told};
use crate::{Badge, Framer, Key};
use device::{DeviceLink, Driver, DriverError, Endpoint, Health, Line, Stopped, Way, connect_line};
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// `osdp:///dev/ttyUSB0?baud=9600&address=0&key=FILE` or `osdp://HOST:PORT?address=0&key=FILE`.
pub const SCHEME: &str = "osdp";
/// `key=none`: an unsecured line, told as degraded.
pub const PLAIN: &str = "none";
/// `key=install`: the key printed in the standard.
const INSTALL: &str = "install";

/// Time between questions.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// Longest wait for an answer (clause 5.7 gives a reader 200 ms), and for the line to take a command.
const ANSWER: Duration = Duration::from_millis(300);
/// How often a question is asked before the reader counts as gone.
const TRIES: u32 = 3;
/// Busy answers in a row.
const MOST_BUSY: u32 = 20;

/// What a reader is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadgeCommand {
    /// Sound once.
    Beep,
}

/// The driver.
#[derive(Debug)]
pub struct BadgeDriver {
    endpoint: Endpoint,
    shown: mpsc::Sender<Badge>,
}

enum End {
    Stopped,
    Lost(String),
    Protocol(String),
}

impl From<Stopped> for End {
    fn from(_: Stopped) -> Self {
        End::Stopped
    }
}

impl BadgeDriver {
    /// A driver that hands badges to `shown`.
    pub fn new(endpoint: Endpoint, shown: mpsc::Sender<Badge>) -> Self {
        Self { endpoint, shown }
    }

    fn settings(&self) -> Result<(u8, Key), End> {
        let address = self.endpoint.query.get("address").map_or("0", String::as_str);
        let address = address
            .parse::<u8>()
            .ok()
            .filter(|a| *a <= 126)
            .ok_or_else(|| End::Protocol(format!("address=`{address}`: 0 to 126")))?;
        let key = match self.endpoint.query.get("key").map(String::as_str) {
            None => return Err(End::Protocol("key=FILE is missing (or key=install, key=none)".into())),
            Some(PLAIN) => Key::None,
            Some(INSTALL) => Key::Install,
            Some(file) => Key::load(Path::new(file)).map_err(|e| End::Protocol(e.to_string()))?,
        };
        Ok((address, key))
    }

    async fn serve(&mut self, link: &mut DeviceLink<BadgeCommand>) -> Result<(), End> {
        let (address, key) = self.settings()?;
        let line = connect_line(&self.endpoint)
            .await
            .map_err(|e| End::Lost(format!("no connection: {e}; check power, cable and address")))?;
        let mut challenge = [0; 8];
        getrandom::fill(&mut challenge).map_err(|e| End::Lost(format!("random numbers: {e}")))?;
        let mut panel = Panel::new(address, key, challenge).map_err(|e| End::Protocol(e.to_string()))?;
        let mut talk = Talk { line, framer: Framer::new(), piece: [0; 512] };
        let mut order = None;
        let mut ready = false;
        loop {
            let asked = Instant::now();
            match talk.exchange(link, &mut panel, order.take().filter(|_| ready)).await? {
                Told::Nothing | Told::Busy => {}
                Told::Reader { identity } => tracing::info!(device = %link.id, identity, "badge reader"),
                Told::Ready => {
                    ready = true;
                    link.health(well(key)).await?;
                }
                Told::Badge(badge) => self.shown.send(badge).await.map_err(|_| End::Stopped)?,
                Told::Local(None) => link.health(well(key)).await?,
                Told::Local(Some(what)) => {
                    link.health(Health::Degraded { why: format!("the reader says that {what}") }).await?;
                }
            }
            if !ready {
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep_until(asked + ASK_EVERY) => {}
                command = link.commands.recv() => match command {
                    None => return Ok(()),
                    Some(BadgeCommand::Beep) => order = Some(Order::Beep),
                },
            }
        }
    }
}

/// How a reader is that works.
fn well(key: Key) -> Health {
    let why = match key {
        Key::Own(_) => return Health::Up,
        Key::None => "the line is not secured: badges can be read and forged on it; give the reader a key",
        Key::Install => "the line is secured with the key printed in the standard; give the reader its own",
    };
    Health::Degraded { why: why.into() }
}

/// The line and what is left of its bytes.
struct Talk {
    line: Box<dyn Line>,
    framer: Framer,
    piece: [u8; 512],
}

impl Talk {
    /// One question and its answer, asked again where none comes.
    async fn exchange(
        &mut self,
        link: &DeviceLink<BadgeCommand>,
        panel: &mut Panel,
        order: Option<Order>,
    ) -> Result<Told, End> {
        let question = panel.ask(order).map_err(|e| End::Protocol(e.to_string()))?;
        let (mut tries, mut busy) = (0, 0);
        while tries < TRIES {
            tries += 1;
            self.framer.silence();
            let until = Instant::now() + ANSWER;
            link.tap.bytes(link.id.as_str(), Way::Tx, &question);
            let lost = |e: std::io::Error| End::Lost(format!("the line broke: {e}"));
            match timeout_at(until, self.line.write_all(&question)).await {
                Ok(written) => written.map_err(lost)?,
                Err(_) => continue,
            }
            let Some(answer) = self.frame(link, until).await? else { continue };
            match panel.answer(&answer) {
                Ok(Told::Busy) if busy < MOST_BUSY => {
                    busy += 1;
                    tries -= 1;
                    tokio::time::sleep_until(until).await;
                }
                Ok(told) => return Ok(told),
                Err(error) => return Err(End::Protocol(error.to_string())),
            }
        }
        Err(End::Lost(format!("no answer to {TRIES} questions; check power, address, baud rate and wiring")))
    }

    /// The next whole frame until a moment.
    async fn frame(
        &mut self,
        link: &DeviceLink<BadgeCommand>,
        until: Instant,
    ) -> Result<Option<Vec<u8>>, End> {
        loop {
            let Ok(read) = timeout_at(until, self.line.read(&mut self.piece)).await else { return Ok(None) };
            let n = match read {
                Ok(0) => {
                    return Err(End::Lost("the line is gone (end of file); check adapter and cable".into()));
                }
                Ok(n) => n,
                Err(e) => return Err(End::Lost(format!("the line broke: {e}"))),
            };
            let bytes = self.piece.get(..n).unwrap_or_default();
            link.tap.bytes(link.id.as_str(), Way::Rx, bytes);
            // A line of two wires may echo the question; it is no answer.
            let mut frames = self.framer.push(bytes).into_iter();
            if let Some(answer) = frames.find(|f| f.get(1).is_some_and(|a| a & osdp::REPLY_FLAG != 0)) {
                return Ok(Some(answer));
            }
        }
    }
}

impl Driver for BadgeDriver {
    type Command = BadgeCommand;

    async fn run(&mut self, link: &mut DeviceLink<BadgeCommand>) -> Result<Stopped, DriverError> {
        let end = self.serve(link).await;
        let place =
            if self.endpoint.host.is_empty() { self.endpoint.path.clone() } else { self.endpoint.address() };
        let (device, endpoint) = (link.id.to_string(), format!("{SCHEME}://{place}"));
        match end {
            Ok(()) | Err(End::Stopped) => Ok(Stopped),
            Err(End::Lost(what)) => Err(DriverError::Link { device, endpoint, what }),
            Err(End::Protocol(what)) => Err(DriverError::Protocol { device, endpoint, what }),
        }
    }
}
