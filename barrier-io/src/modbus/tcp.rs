//! Modbus TCP by `tokio-modbus`: every answer carries its request's transaction number.

use super::line::Tapped;
use super::{Failure, cut, no_answer};
use crate::points::{InputBlock, RegisterKind};
use std::io;
use std::time::Duration;
use tokio::time::timeout;
use tokio_modbus::client::{Client as _, Context, tcp};
use tokio_modbus::{Error, Request, Response, Slave};

pub(super) struct Tcp {
    context: Context,
    request_ms: u64,
}

impl Tcp {
    pub(super) fn new(line: Tapped, unit: u8, request_ms: u64) -> Self {
        Self { context: tcp::attach_slave(line, Slave(unit)), request_ms }
    }

    pub(super) async fn read(&mut self, block: &InputBlock) -> Result<Vec<u16>, Failure> {
        let request = match block.function {
            RegisterKind::InputRegisters => Request::ReadInputRegisters(block.start, block.count),
            RegisterKind::HoldingRegisters => Request::ReadHoldingRegisters(block.start, block.count),
        };
        match self.call(request).await? {
            Response::ReadInputRegisters(words) | Response::ReadHoldingRegisters(words) => Ok(words),
            other => Err(Failure::Protocol(cut(&format!("asked for registers, got {other:?}")))),
        }
    }

    pub(super) async fn read_coils(&mut self, start: u16, count: u16) -> Result<Vec<bool>, Failure> {
        match self.call(Request::ReadCoils(start, count)).await? {
            // Padded to whole bytes.
            Response::ReadCoils(mut bits) if bits.len() >= usize::from(count) => {
                bits.truncate(usize::from(count));
                Ok(bits)
            }
            other => {
                Err(Failure::Protocol(cut(&format!("asked for {count} coils from {start}, got {other:?}"))))
            }
        }
    }

    pub(super) async fn write_coil(&mut self, coil: u16, on: bool) -> Result<(), Failure> {
        match self.call(Request::WriteSingleCoil(coil, on)).await? {
            Response::WriteSingleCoil(address, value) if (address, value) == (coil, on) => Ok(()),
            other => Err(Failure::Protocol(cut(&format!("wrote coil {coil} {on}, the echo was {other:?}")))),
        }
    }

    // The reader and writer helpers of the crate only assert what is checked here: sizes and echoes.
    async fn call(&mut self, request: Request<'_>) -> Result<Response, Failure> {
        match timeout(Duration::from_millis(self.request_ms), self.context.call(request)).await {
            Err(_) => Err(no_answer(self.request_ms)),
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
