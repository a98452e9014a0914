//! One Modbus TCP connection: requests with a time limit, answers checked against their request.

use crate::points::{InputBlock, RegisterKind};
use device::{Endpoint, Tap, Way};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_modbus::client::{Client as _, Context, tcp};
use tokio_modbus::{Error, Request, Response, Slave};

/// Longest wait for a connection, milliseconds.
const CONNECT_MS: u64 = 3_000;

/// Why a request failed. After [`Failure::Link`] and [`Failure::Protocol`] the session must be dropped:
/// a late answer would be taken for the next one's.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No answer in time, or the connection broke.
    Link(String),
    /// The peer's answer does not fit the request.
    Protocol(String),
    /// The peer refused this one request with an exception code; the session stays usable.
    Refused(String),
}

impl Failure {
    pub(crate) fn text(&self) -> &str {
        match self {
            Failure::Link(text) | Failure::Protocol(text) | Failure::Refused(text) => text,
        }
    }
}

/// A connection with one request in flight at most.
pub(crate) struct Session {
    context: Context,
    request_ms: u64,
    /// When the newest request had left for the wire.
    left: Arc<Mutex<Instant>>,
}

impl Session {
    /// Connects with `TCP_NODELAY`. The unit is the endpoint's `unit`, 1 where absent. An answer that takes
    /// longer than `request_ms` milliseconds is a lost link.
    pub(crate) async fn connect(
        endpoint: &Endpoint,
        device: &str,
        tap: &Tap,
        request_ms: u64,
    ) -> Result<Self, Failure> {
        let unit = match endpoint.query.get("unit") {
            None => 1,
            Some(text) => text
                .parse::<u8>()
                .map_err(|_| Failure::Link(format!("unit `{text}` is not 0 to 255; correct the endpoint")))?,
        };
        let link =
            |e: io::Error| Failure::Link(format!("no connection: {e}; check power, cable and address"));
        let stream = timeout(Duration::from_millis(CONNECT_MS), TcpStream::connect(endpoint.address()))
            .await
            .map_err(|_| {
                Failure::Link(format!("no connection within {CONNECT_MS} ms; check power, cable and address"))
            })?
            .map_err(link)?;
        stream.set_nodelay(true).map_err(link)?;
        let left = Arc::new(Mutex::new(Instant::now()));
        let tapped = Tapped { stream, tap: tap.clone(), device: device.to_owned(), left: left.clone() };
        Ok(Self { context: tcp::attach_slave(tapped, Slave(unit)), request_ms, left })
    }

    /// Reads the whole block with one request.
    pub(crate) async fn read(&mut self, block: &InputBlock) -> Result<Vec<u16>, Failure> {
        let (kind, answer) = match block.function {
            RegisterKind::InputRegisters => {
                ("input", self.call(Request::ReadInputRegisters(block.start, block.count)).await?)
            }
            RegisterKind::HoldingRegisters => {
                ("holding", self.call(Request::ReadHoldingRegisters(block.start, block.count)).await?)
            }
        };
        match answer {
            Response::ReadInputRegisters(words) | Response::ReadHoldingRegisters(words)
                if words.len() == usize::from(block.count) =>
            {
                Ok(words)
            }
            other => Err(Failure::Protocol(cut(&format!(
                "asked for {} {kind} registers from {}, got {other:?}; check the point map",
                block.count, block.start
            )))),
        }
    }

    /// Writes one coil; done when the peer echoed address and value. Gives the moment at which the request
    /// had left for the wire.
    pub(crate) async fn write_coil(&mut self, coil: u16, on: bool) -> Result<Instant, Failure> {
        match self.call(Request::WriteSingleCoil(coil, on)).await? {
            Response::WriteSingleCoil(address, value) if (address, value) == (coil, on) => {
                Ok(*self.left.lock().unwrap_or_else(PoisonError::into_inner))
            }
            other => Err(Failure::Protocol(cut(&format!("wrote coil {coil} {on}, the echo was {other:?}")))),
        }
    }

    // The reader and writer helpers of the crate only assert what is checked here: sizes and echoes.
    async fn call(&mut self, request: Request<'_>) -> Result<Response, Failure> {
        let request_ms = self.request_ms;
        match timeout(Duration::from_millis(request_ms), self.context.call(request)).await {
            Err(_) => {
                Err(Failure::Link(format!("no answer within {request_ms} ms; the connection is dropped")))
            }
            Ok(Err(Error::Transport(e))) if e.kind() == io::ErrorKind::InvalidData => {
                Err(Failure::Protocol(cut(&format!("the answer is no Modbus/TCP: {e}"))))
            }
            Ok(Err(Error::Transport(e))) => Err(Failure::Link(match e.raw_os_error() {
                Some(0) => "the peer closed the connection".to_owned(),
                Some(_) | None => format!("the connection broke: {e}"),
            })),
            Ok(Err(Error::Protocol(e))) => Err(Failure::Protocol(cut(&e.to_string()))),
            Ok(Ok(Err(code))) => {
                Err(Failure::Refused(format!("Modbus exception: {code}; check the point map")))
            }
            Ok(Ok(Ok(response))) => Ok(response),
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}

/// A stream that shows its bytes to the tap and notes when it last took some for the wire.
#[derive(Debug)]
struct Tapped {
    stream: TcpStream,
    tap: Tap,
    device: String,
    left: Arc<Mutex<Instant>>,
}

impl AsyncRead for Tapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if let Some(read) = buf.filled().get(before..).filter(|r| !r.is_empty()) {
            self.tap.bytes(&self.device, Way::Rx, read);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.tap.bytes(&self.device, Way::Tx, buf.get(..written).unwrap_or(buf));
        Poll::Ready(Ok(written))
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
