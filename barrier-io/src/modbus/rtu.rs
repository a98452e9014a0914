//! Modbus RTU over a serial line or TCP (device servers in raw mode).
//!
//! Nothing in an RTU answer tells which request it belongs to. Four things keep a late answer from being
//! taken for a fresh one: after any failure the line is closed; a new session first waits for silence on the
//! line; bytes that nobody asked for end the session; and the driver's requests alternate between registers
//! and coils, also across sessions, so that a shifted answer has the wrong function.

use super::line::Tapped;
use super::{Failure, no_answer};
use crate::points::{InputBlock, RegisterKind};
use crate::rtu::{Answer, MOST_FRAME, Request};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout, timeout_at};

/// The line is given up when it does not fall silent for this long, milliseconds.
const NEVER_SILENT_MS: u64 = 10_000;

pub(super) struct Rtu {
    line: Tapped,
    unit: u8,
    request_ms: u64,
}

impl Rtu {
    /// Waits until nothing came for `silence_ms` milliseconds; what came is thrown away.
    pub(super) async fn new(
        line: Tapped,
        unit: u8,
        request_ms: u64,
        silence_ms: u64,
    ) -> Result<Self, Failure> {
        let mut rtu = Self { line, unit, request_ms };
        let given_up = Instant::now() + Duration::from_millis(NEVER_SILENT_MS);
        let mut piece = [0u8; MOST_FRAME];
        loop {
            match timeout(Duration::from_millis(silence_ms), rtu.line.read(&mut piece)).await {
                Err(_) => return Ok(rtu),
                Ok(read) => drop(some(read)?),
            }
            if Instant::now() > given_up {
                return Err(Failure::Protocol(format!(
                    "the line does not fall silent for {silence_ms} ms: another master, or a device that talks by \
                     itself, is on it"
                )));
            }
        }
    }

    pub(super) async fn read(&mut self, block: &InputBlock) -> Result<Vec<u16>, Failure> {
        let (start, count) = (block.start, block.count);
        let request = match block.function {
            RegisterKind::InputRegisters => Request::ReadInputs { start, count },
            RegisterKind::HoldingRegisters => Request::ReadHolding { start, count },
        };
        match self.call(request).await? {
            Answer::Words(words) => Ok(words),
            Answer::Bits(_) | Answer::Wrote { .. } | Answer::Exception(_) => Err(unfit()),
        }
    }

    pub(super) async fn read_coils(&mut self, start: u16, count: u16) -> Result<Vec<bool>, Failure> {
        match self.call(Request::ReadCoils { start, count }).await? {
            Answer::Bits(bits) => Ok(bits),
            Answer::Words(_) | Answer::Wrote { .. } | Answer::Exception(_) => Err(unfit()),
        }
    }

    pub(super) async fn write_coil(&mut self, coil: u16, on: bool) -> Result<(), Failure> {
        match self.call(Request::WriteCoil { coil, on }).await? {
            Answer::Wrote { .. } => Ok(()),
            Answer::Bits(_) | Answer::Words(_) | Answer::Exception(_) => Err(unfit()),
        }
    }

    async fn call(&mut self, request: Request) -> Result<Answer, Failure> {
        self.demand_silence().await?;
        let frame = request.encode(self.unit);
        let until = Instant::now() + Duration::from_millis(self.request_ms);
        let sent = async {
            self.line.write_all(&frame).await?;
            self.line.flush().await
        };
        match timeout_at(until, sent).await {
            Err(_) => return Err(no_answer(self.request_ms)),
            Ok(sent) => sent.map_err(broke)?,
        }
        let (mut got, mut piece) = (Vec::with_capacity(MOST_FRAME), [0u8; MOST_FRAME]);
        loop {
            let n = match timeout_at(until, self.line.read(&mut piece)).await {
                Err(_) => return Err(no_answer(self.request_ms)),
                Ok(read) => some(read)?,
            };
            got.extend_from_slice(piece.get(..n).unwrap_or_default());
            match request.answer(self.unit, &got) {
                Ok(None) => {}
                Ok(Some(Answer::Exception(code))) => {
                    return Err(Failure::Refused(format!("Modbus exception {code}; check the point map")));
                }
                Ok(Some(answer)) => return Ok(answer),
                Err(error) => return Err(Failure::Protocol(error.to_string())),
            }
        }
    }

    /// Bytes that are there before the request cannot be its answer.
    async fn demand_silence(&mut self) -> Result<(), Failure> {
        let mut piece = [0u8; MOST_FRAME];
        match timeout(Duration::ZERO, self.line.read(&mut piece)).await {
            Err(_) => Ok(()),
            Ok(read) => {
                let n = some(read)?;
                Err(Failure::Protocol(format!("{n} bytes came unasked: a late answer or a second master")))
            }
        }
    }
}

/// Nothing read is a lost line (a serial port that was pulled out reads so for ever).
fn some(read: io::Result<usize>) -> Result<usize, Failure> {
    match read {
        Ok(0) => Err(Failure::Link("the line is gone (end of file); check adapter and cable".to_owned())),
        Ok(n) => Ok(n),
        Err(error) => Err(broke(error)),
    }
}

fn broke(error: io::Error) -> Failure {
    Failure::Link(format!("the line broke: {error}"))
}

fn unfit() -> Failure {
    Failure::Protocol("the answer does not fit the request".to_owned())
}
