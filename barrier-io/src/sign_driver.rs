//! The driver of a text sign: the last text, repeated as heartbeat, each one acknowledged.

use crate::sign::{self, ACK};
use crate::sign_template::SignTemplate;
use device::{Backoff, DeviceLink, Driver, DriverError, Endpoint, Health, Line, Stopped, Way, connect_line};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep_until, timeout};

/// Longest wait for an acknowledgement, milliseconds.
const ACK_MS: u64 = 1_000;

/// What a lane asks of its sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignCommand {
    /// Show these lines from now on.
    Show {
        /// Lines from the top; surplus lines and characters are cut.
        lines: Vec<String>,
    },
}

/// The driver. A sign's text is a state, not a deed: the driver stays in its run over lost links, so that
/// the text that a new link shows is always the lane's latest and never an older one. The loss of a sign
/// is reported and never holds the lane up.
#[derive(Debug)]
pub struct SignDriver {
    endpoint: Endpoint,
    lines: u8,
    columns: u8,
    /// Another maker's frame in place of the own one.
    template: Option<SignTemplate>,
    /// The lane's latest text; the sign is kept blank before the first.
    wanted: Option<Vec<String>>,
}

enum End {
    Stopped,
    Lost(String),
}

impl SignDriver {
    /// A driver for `tcp://HOST:PORT` (or a serial endpoint) of a sign with `lines` by `columns` characters.
    pub fn new(endpoint: Endpoint, lines: u8, columns: u8) -> Self {
        Self { endpoint, lines, columns, template: None, wanted: None }
    }
    /// Speaks as another maker's sign wants it.
    #[must_use]
    pub fn speaking(mut self, template: Option<SignTemplate>) -> Self {
        self.template = template;
        self
    }

    /// Takes the latest text; `Err` when the lane dropped the sign.
    fn take(&mut self, command: Option<SignCommand>) -> Result<(), End> {
        match command {
            None => Err(End::Stopped),
            Some(SignCommand::Show { lines }) => {
                self.wanted = Some(lines);
                Ok(())
            }
        }
    }

    async fn connect(&mut self, link: &mut DeviceLink<SignCommand>) -> Result<Box<dyn Line>, End> {
        let endpoint = self.endpoint.clone();
        let connecting = connect_line(&endpoint);
        tokio::pin!(connecting);
        loop {
            tokio::select! {
                line = &mut connecting => {
                    return line.map_err(|e| End::Lost(format!("no connection: {e}; check power, cable and address")));
                }
                command = link.commands.recv() => self.take(command)?,
            }
        }
    }

    /// Serves one link until it breaks. `up` is set once a text was acknowledged.
    async fn serve(&mut self, link: &mut DeviceLink<SignCommand>, up: &mut bool) -> Result<(), End> {
        let mut line = self.connect(link).await?;
        loop {
            let sent_at = Instant::now();
            let text = self.wanted.clone().unwrap_or_default();
            self.send(&mut line, link, &text).await?;
            if !*up {
                *up = true;
                link.health(Health::Up).await.map_err(|Stopped| End::Stopped)?;
            }
            let repeat_ms = self.template.as_ref().map_or(sign::REPEAT_MS, |t| t.repeat_ms);
            let repeat = sent_at + Duration::from_millis(repeat_ms);
            tokio::select! {
                command = link.commands.recv() => self.take(command)?,
                () = sleep_until(repeat) => {}
            }
            // Only the latest of several texts is worth showing.
            while let Ok(command) = link.commands.try_recv() {
                self.take(Some(command))?;
            }
        }
    }

    async fn send(
        &self,
        line: &mut Box<dyn Line>,
        link: &DeviceLink<SignCommand>,
        text: &[String],
    ) -> Result<(), End> {
        let (frame, ack) = match &self.template {
            None => (sign::encode(text, self.lines, self.columns), vec![ACK]),
            Some(template) => (template.encode(text, self.lines, self.columns), template.ack()),
        };
        link.tap.bytes(link.id.as_str(), Way::Tx, &frame);
        let exchange = async {
            line.write_all(&frame).await?;
            line.flush().await?;
            let mut answer = [0u8; 16];
            let n = if ack.is_empty() { 0 } else { line.read(&mut answer).await? };
            Ok::<_, std::io::Error>(answer.get(..n).unwrap_or_default().to_vec())
        };
        let answer = timeout(Duration::from_millis(ACK_MS), exchange)
            .await
            .map_err(|_| End::Lost(format!("no ACK (06) within {ACK_MS} ms; check that the sign runs")))?
            .map_err(|e| End::Lost(format!("the connection broke: {e}")))?;
        link.tap.bytes(link.id.as_str(), Way::Rx, &answer);
        match answer.as_slice() {
            got if got == ack => Ok(()),
            [] => Err(End::Lost("the sign closed the connection".to_owned())),
            other => {
                let hex: String = other.iter().map(|b| format!("{b:02x}")).collect();
                Err(End::Lost(format!(
                    "expected {}, got {hex}; check that a sign answers at this address",
                    if ack == [ACK] { "ACK (06)".to_owned() } else { format!("{ack:02x?}") }
                )))
            }
        }
    }

    /// Waits and keeps the lane's texts.
    async fn wait(&mut self, link: &mut DeviceLink<SignCommand>, wait_ms: u64) -> Result<(), End> {
        let deadline = Instant::now() + Duration::from_millis(wait_ms);
        loop {
            tokio::select! {
                () = sleep_until(deadline) => return Ok(()),
                command = link.commands.recv() => self.take(command)?,
            }
        }
    }
}

impl Driver for SignDriver {
    type Command = SignCommand;

    async fn run(&mut self, link: &mut DeviceLink<SignCommand>) -> Result<Stopped, DriverError> {
        let backoff = Backoff::default();
        let mut wait_ms = backoff.first_ms;
        let mut reported = false;
        loop {
            let mut up = false;
            let what = match self.serve(link, &mut up).await {
                Ok(()) | Err(End::Stopped) => return Ok(Stopped),
                Err(End::Lost(what)) => what,
            };
            if up {
                wait_ms = backoff.first_ms;
                reported = false;
            }
            if !reported {
                reported = true;
                let endpoint = format!("{}://{}", self.endpoint.scheme, self.endpoint.address());
                let why = DriverError::Link { device: link.id.to_string(), endpoint, what }.to_string();
                tracing::warn!(device = %link.id, why, "sign lost");
                if link.health(Health::Down { why }).await.is_err() {
                    return Ok(Stopped);
                }
            }
            match self.wait(link, wait_ms).await {
                Ok(()) => {}
                Err(End::Stopped | End::Lost(_)) => return Ok(Stopped),
            }
            wait_ms = (wait_ms * 2).min(backoff.longest_ms);
        }
    }
}
