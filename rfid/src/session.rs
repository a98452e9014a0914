//! One connection to a reader: whole messages in and out, one request at a time, nothing unbounded.

use crate::wire::{Deframer, Frame, LlrpStatus, Message, StatusReply};
use device::{DriverError, Endpoint, Line, Tap, Way, connect_line};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout, timeout_at};

/// Messages of the reader that arrive while a response is awaited; more is a reader gone wild.
const MAX_BACKLOG: usize = 1_024;

/// Who the connection belongs to, for errors.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) device: String,
    pub(crate) endpoint: String,
}

impl Place {
    pub(crate) fn link(&self, what: impl Into<String>) -> DriverError {
        DriverError::Link { device: self.device.clone(), endpoint: self.endpoint.clone(), what: what.into() }
    }
    pub(crate) fn protocol(&self, what: impl Into<String>) -> DriverError {
        DriverError::Protocol {
            device: self.device.clone(),
            endpoint: self.endpoint.clone(),
            what: what.into(),
        }
    }
}

pub(crate) struct Session {
    pub(crate) place: Place,
    line: Box<dyn Line>,
    tap: Tap,
    deframer: Deframer,
    frames: VecDeque<Frame>,
    backlog: VecDeque<Message>,
    next_id: u32,
    request_ms: u64,
    heard: Instant,
}

impl Session {
    pub(crate) async fn open(
        place: Place,
        endpoint: &Endpoint,
        tap: Tap,
        request_ms: u64,
    ) -> Result<Self, DriverError> {
        let line = connect_line(endpoint).await.map_err(|e| {
            place.link(format!("no connection ({e}); check the reader's power, address and network"))
        })?;
        Ok(Self {
            place,
            line,
            tap,
            deframer: Deframer::new(),
            frames: VecDeque::new(),
            backlog: VecDeque::new(),
            next_id: 1,
            request_ms,
            heard: Instant::now(),
        })
    }

    /// When the reader was last heard.
    pub(crate) fn heard(&self) -> Instant {
        self.heard
    }

    /// The next message that the reader sends of its own accord. May be dropped while it waits: no
    /// message is lost by that.
    pub(crate) async fn next(&mut self) -> Result<Message, DriverError> {
        match self.backlog.pop_front() {
            Some(message) => Ok(message),
            None => self.receive().await.map(|(_, message)| message),
        }
    }

    async fn receive(&mut self) -> Result<(u32, Message), DriverError> {
        loop {
            while let Some(frame) = self.frames.pop_front() {
                match Message::decode(&frame) {
                    Ok(message) => return Ok((frame.id, message)),
                    // A report or event that cannot be read is lost alone; the stream goes on.
                    Err(error) if matches!(frame.kind, 61 | 63) => {
                        tracing::warn!(device = %self.place.device, kind = frame.kind, %error, "message passed over");
                    }
                    Err(error) => {
                        return Err(self.place.protocol(format!("message of type {}: {error}", frame.kind)));
                    }
                }
            }
            let mut buffer = [0u8; 4096];
            let n =
                self.line.read(&mut buffer).await.map_err(|e| self.place.link(format!("reading: {e}")))?;
            let Some(mut bytes) = buffer.get(..n).filter(|b| !b.is_empty()) else {
                return Err(self.place.link("the reader closed the connection"));
            };
            self.heard = Instant::now();
            self.tap.bytes(&self.place.device, Way::Rx, bytes);
            loop {
                match self.deframer.take(&mut bytes) {
                    Ok(Some(frame)) => self.frames.push_back(frame),
                    Ok(None) => break,
                    Err(error) => return Err(self.place.protocol(error.to_string())),
                }
            }
        }
    }

    async fn send(&mut self, message: &Message) -> Result<u32, DriverError> {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1).max(1);
        let bytes = message.encode(id).map_err(|e| self.place.protocol(e.to_string()))?;
        self.tap.bytes(&self.place.device, Way::Tx, &bytes);
        let writing = self.line.write_all(&bytes);
        match timeout(Duration::from_millis(self.request_ms), writing).await {
            Ok(Ok(())) => Ok(id),
            Ok(Err(error)) => Err(self.place.link(format!("writing: {error}"))),
            Err(_) => Err(self.place.link(format!("the reader took no bytes for {} ms", self.request_ms))),
        }
    }
    /// Answers a KEEPALIVE.
    pub(crate) async fn acknowledge(&mut self) -> Result<(), DriverError> {
        self.send(&Message::KeepaliveAck).await.map(drop)
    }

    /// Sends a request and waits for its response; what else arrives is kept for [`Session::next`].
    pub(crate) async fn request(&mut self, request: &Message, what: &str) -> Result<Message, DriverError> {
        let id = self.send(request).await?;
        let deadline = Instant::now() + Duration::from_millis(self.request_ms);
        loop {
            let received = timeout_at(deadline, self.receive()).await;
            let (got, message) = received.map_err(|_| {
                self.place.link(format!("{what}: no response within {} ms", self.request_ms))
            })??;
            match message {
                Message::Keepalive => self.acknowledge().await?,
                Message::Report(_) | Message::Events(_) => {
                    if self.backlog.len() >= MAX_BACKLOG {
                        self.backlog.pop_front();
                        tracing::warn!(device = %self.place.device, "reports lost: too many during one request");
                    }
                    self.backlog.push_back(message);
                }
                response if got == id => return Ok(response),
                // The response to an earlier request that was given up.
                _late => {}
            }
        }
    }

    /// A request whose response is a status; an error status is an error.
    pub(crate) async fn order(&mut self, request: &Message, what: &str) -> Result<(), DriverError> {
        let status = self.order_status(request, what).await?;
        if status.is_ok() {
            return Ok(());
        }
        Err(self.place.protocol(format!("{what} was refused: status {} {}", status.code, status.text)))
    }
    /// A request whose response is a status, whatever it says.
    pub(crate) async fn order_status(
        &mut self,
        request: &Message,
        what: &str,
    ) -> Result<LlrpStatus, DriverError> {
        match self.request(request, what).await? {
            Message::Status(StatusReply::Error, status) if status.is_ok() => {
                Err(self.place.protocol(format!("{what}: answered with an error message")))
            }
            Message::Status(_, status) => Ok(status),
            other => Err(self.place.protocol(format!("{what}: answered with message type {}", other.kind()))),
        }
    }
}
