//! One Modbus connection: requests with a time limit, answers checked against their request.

mod line;
mod rtu;
mod tcp;

use crate::points::InputBlock;
use device::{Endpoint, Tap, connect_line};
use line::{LeftAt, Tapped};
use rtu::Rtu;
use std::time::Instant;
use tcp::Tcp;

/// The scheme of RTU frames, over a serial port (`modbus-rtu:///dev/...`) or TCP (`modbus-rtu://HOST:PORT`).
pub const RTU_SCHEME: &str = "modbus-rtu";
/// A new RTU session waits for this many times of the time limit of a request without a byte on the line.
const SILENCE_TIMES: u64 = 3;
/// At least this long, milliseconds.
const SILENCE_LEAST_MS: u64 = 600;

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
    wire: Wire,
    left: LeftAt,
}

enum Wire {
    Tcp(Tcp),
    Rtu(Rtu),
}

impl Session {
    /// Connects. The unit is the endpoint's `unit`, 1 where absent. An answer that takes longer than
    /// `request_ms` milliseconds is a lost link.
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
        let is_rtu = endpoint.scheme == RTU_SCHEME;
        let line = connect_line(&wire_of(endpoint)).await.map_err(|e| {
            Failure::Link(format!("no connection: {e}; check power, cable, address and settings"))
        })?;
        let left = LeftAt::now();
        let tapped = Tapped { line, tap: tap.clone(), device: device.to_owned(), left: left.clone() };
        let wire = if is_rtu {
            let silence_ms = (SILENCE_TIMES * request_ms).max(SILENCE_LEAST_MS);
            Wire::Rtu(Rtu::new(tapped, unit, request_ms, silence_ms).await?)
        } else {
            Wire::Tcp(Tcp::new(tapped, unit, request_ms))
        };
        Ok(Self { wire, left })
    }

    /// Reads the whole block with one request.
    pub(crate) async fn read(&mut self, block: &InputBlock) -> Result<Vec<u16>, Failure> {
        let words = match &mut self.wire {
            Wire::Tcp(tcp) => tcp.read(block).await?,
            Wire::Rtu(rtu) => rtu.read(block).await?,
        };
        if words.len() == usize::from(block.count) {
            return Ok(words);
        }
        Err(Failure::Protocol(format!(
            "asked for {} registers from {}, got {}; check the point map",
            block.count,
            block.start,
            words.len()
        )))
    }

    /// Reads coils back.
    pub(crate) async fn read_coils(&mut self, start: u16, count: u16) -> Result<Vec<bool>, Failure> {
        match &mut self.wire {
            Wire::Tcp(tcp) => tcp.read_coils(start, count).await,
            Wire::Rtu(rtu) => rtu.read_coils(start, count).await,
        }
    }

    /// Writes one coil; done when the peer echoed address and value. Gives the moment at which the request
    /// had left for the wire.
    pub(crate) async fn write_coil(&mut self, coil: u16, on: bool) -> Result<Instant, Failure> {
        match &mut self.wire {
            Wire::Tcp(tcp) => tcp.write_coil(coil, on).await?,
            Wire::Rtu(rtu) => rtu.write_coil(coil, on).await?,
        }
        Ok(self.left.get())
    }
}

/// RTU without a host is a serial port, by the standard's own settings where the endpoint says nothing:
/// 19,200 baud, even parity (MODBUS over Serial Line V1.02, clause 2.5.1).
fn wire_of(endpoint: &Endpoint) -> Endpoint {
    let mut wire = endpoint.clone();
    if endpoint.scheme == RTU_SCHEME && endpoint.host.is_empty() {
        wire.scheme = "serial".to_owned();
        for (key, value) in [("baud", "19200"), ("parity", "even")] {
            wire.query.entry(key.to_owned()).or_insert_with(|| value.to_owned());
        }
    }
    wire
}

fn no_answer(request_ms: u64) -> Failure {
    Failure::Link(format!("no answer within {request_ms} ms; the connection is dropped"))
}

fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}
