//! The Modbus TCP block of a lane: inputs with a life counter, coils for arm and lamps. The register layout
//! is the point map's.

use super::listen;
use crate::world::bay::{Bay, Pulse};
use barrier_io::PointMap;
use barrier_io::points::RegisterKind;
use barrier_io::rtu;
use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::Server;
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};

/// The heartbeat coil must toggle at least this often, seconds; else the lamps go red.
const HEARTBEAT_S: f64 = 2.0;

/// One block.
pub struct Block {
    bay: Arc<Bay>,
    map: PointMap,
    started: Instant,
    coils: Mutex<Coils>,
}

struct Coils {
    on: BTreeMap<u16, bool>,
    heart: Option<Instant>,
    frozen_life: Option<u16>,
}

/// Serves one block until the task is dropped; gives its address.
pub async fn start(bay: Arc<Bay>, map: PointMap) -> std::io::Result<SocketAddr> {
    let (listener, address) = listen().await?;
    serve_tcp(Block::start(bay, map), listener);
    Ok(address)
}

/// Serves a block by Modbus TCP until the task is dropped.
pub fn serve_tcp(block: Arc<Block>, listener: TcpListener) {
    tokio::spawn(async move {
        let connected = |stream: tokio::net::TcpStream, _: SocketAddr| {
            let block = block.clone();
            async move {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY could not be set");
                }
                Ok(Some((block, stream)))
            }
        };
        let lost = |error| tracing::debug!(%error, "a Modbus client was lost");
        if let Err(error) = Server::new(listener).serve(&connected, lost).await {
            tracing::error!(%error, "a Modbus block ended");
        }
    });
}

/// Serves a block by Modbus RTU as one unit of a line; returns when the line ends.
pub async fn speak_rtu<L: AsyncRead + AsyncWrite + Unpin>(
    block: Arc<Block>,
    unit: u8,
    mut line: L,
) -> std::io::Result<()> {
    let (mut decoder, mut bytes) = (rtu::Decoder::new(), [0; rtu::MOST_FRAME]);
    loop {
        let read = line.read(&mut bytes);
        // A pause on the line ends a frame that was begun.
        let n = match tokio::time::timeout(std::time::Duration::from_millis(50), read).await {
            Err(_) => {
                decoder.silence();
                continue;
            }
            Ok(read) => read?,
        };
        if n == 0 {
            return Ok(());
        }
        for request in decoder.push(&bytes[..n]) {
            match request {
                Ok((told, request)) if told == unit => {
                    let answer = block.answer_rtu(request).encode(unit, request.function());
                    line.write_all(&answer).await?;
                    line.flush().await?;
                }
                Ok((other, _)) => tracing::debug!(other, "a request for another unit"),
                Err(error) => tracing::debug!(%error, "the block received noise"),
            }
        }
    }
}

impl Block {
    /// A block whose watchdog runs.
    pub fn start(bay: Arc<Bay>, map: PointMap) -> Arc<Self> {
        let coils = Mutex::new(Coils { on: BTreeMap::new(), heart: None, frozen_life: None });
        let block = Arc::new(Self { bay, map, started: Instant::now(), coils });
        let watched = Arc::downgrade(&block);
        tokio::spawn(async move {
            let mut every = tokio::time::interval(std::time::Duration::from_millis(500));
            while let Some(block) = watched.upgrade() {
                block.watch_heart();
                every.tick().await;
            }
        });
        block
    }
    fn answer_rtu(&self, request: rtu::Request) -> rtu::Answer {
        let answered = match request {
            rtu::Request::ReadCoils { start, count } => Ok(rtu::Answer::Bits(self.coils(start, count))),
            rtu::Request::ReadHolding { start, count } => {
                self.registers(RegisterKind::HoldingRegisters, start, count).map(rtu::Answer::Words)
            }
            rtu::Request::ReadInputs { start, count } => {
                self.registers(RegisterKind::InputRegisters, start, count).map(rtu::Answer::Words)
            }
            rtu::Request::WriteCoil { coil, on } => {
                self.write(coil, on).map(|()| rtu::Answer::Wrote { coil, on })
            }
        };
        answered.unwrap_or_else(|code| rtu::Answer::Exception(code.into()))
    }
    fn registers(&self, kind: RegisterKind, address: u16, count: u16) -> Result<Vec<u16>, ExceptionCode> {
        let inputs = &self.map.inputs;
        let end = address.checked_add(count).ok_or(ExceptionCode::IllegalDataAddress)?;
        if kind != inputs.function {
            return Err(ExceptionCode::IllegalFunction);
        }
        if address < inputs.start || end > inputs.start + inputs.count {
            return Err(ExceptionCode::IllegalDataAddress);
        }
        let life = self.frozen_life().unwrap_or_else(|| self.life());
        let block = self.map.encode(&self.bay.panel().inputs, life);
        let from = usize::from(address - inputs.start);
        Ok(block[from..from + usize::from(count)].to_vec())
    }
    /// Ten times a second; wraps, as a 16-bit counter does.
    fn life(&self) -> u16 {
        (self.started.elapsed().as_millis() / 100 % 65_536) as u16
    }
    fn frozen_life(&self) -> Option<u16> {
        self.coils.lock().unwrap_or_else(PoisonError::into_inner).frozen_life
    }
    /// The block's program stands still, or goes on.
    pub fn freeze(&self, frozen: bool) {
        let life = frozen.then(|| self.life());
        self.coils.lock().unwrap_or_else(PoisonError::into_inner).frozen_life = life;
    }
    fn write(&self, coil: u16, on: bool) -> Result<(), ExceptionCode> {
        let out = &self.map.outputs;
        if !out.named().any(|(_, fitted)| fitted == coil) {
            return Err(ExceptionCode::IllegalDataAddress);
        }
        let mut coils = self.coils.lock().unwrap_or_else(PoisonError::into_inner);
        let was = coils.on.insert(coil, on).unwrap_or(false);
        if coil == out.heartbeat && was != on {
            coils.heart = Some(Instant::now());
        }
        let green = coils.on.get(&out.lamp_green).copied().unwrap_or(false)
            && !coils.on.get(&out.lamp_red).copied().unwrap_or(false);
        drop(coils);
        let mut panel = self.bay.panel();
        panel.green = green;
        if on && !was && coil == out.raise {
            panel.pulses.push(Pulse::Raise);
        }
        if on && !was && coil == out.permit_lower {
            panel.pulses.push(Pulse::Lower);
        }
        Ok(())
    }
    fn coils(&self, address: u16, count: u16) -> Vec<bool> {
        let coils = self.coils.lock().unwrap_or_else(PoisonError::into_inner);
        (0..count).map(|n| coils.on.get(&address.wrapping_add(n)).copied().unwrap_or(false)).collect()
    }
    /// A dead heartbeat: the lamps go red, momentary coils fall.
    fn watch_heart(&self) {
        let mut coils = self.coils.lock().unwrap_or_else(PoisonError::into_inner);
        if coils.heart.is_some_and(|at| at.elapsed().as_secs_f64() > HEARTBEAT_S) {
            coils.heart = None;
            coils.on.clear();
            drop(coils);
            self.bay.panel().green = false;
            tracing::debug!(lane = %self.bay.lane, "heartbeat lost: lamps red");
        }
    }
    fn answer(&self, request: Request<'_>) -> Result<Response, ExceptionCode> {
        match request {
            Request::ReadInputRegisters(address, count) => {
                self.registers(RegisterKind::InputRegisters, address, count).map(Response::ReadInputRegisters)
            }
            Request::ReadHoldingRegisters(address, count) => self
                .registers(RegisterKind::HoldingRegisters, address, count)
                .map(Response::ReadHoldingRegisters),
            Request::ReadCoils(address, count) => Ok(Response::ReadCoils(self.coils(address, count))),
            Request::WriteSingleCoil(coil, on) => {
                self.write(coil, on)?;
                Ok(Response::WriteSingleCoil(coil, on))
            }
            Request::WriteMultipleCoils(address, values) => {
                let count = u16::try_from(values.len()).map_err(|_| ExceptionCode::IllegalDataValue)?;
                for (n, on) in (0..count).zip(values.iter()) {
                    self.write(address.wrapping_add(n), *on)?;
                }
                Ok(Response::WriteMultipleCoils(address, count))
            }
            // A block that has these functions only; every other one is answered as such.
            _ => Err(ExceptionCode::IllegalFunction),
        }
    }
}

impl Service for Block {
    type Request = SlaveRequest<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Response, ExceptionCode>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        ready(self.answer(request.request))
    }
}
