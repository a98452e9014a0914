//! The Modbus TCP block of a lane: inputs with a life counter, coils for arm and lamps. The register layout
//! is the point map's.

use super::listen;
use crate::world::bay::{Bay, Pulse};
use barrier_io::PointMap;
use barrier_io::points::RegisterKind;
use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::Server;
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};

/// The heartbeat coil must toggle at least this often, seconds; else the lamps go red.
const HEARTBEAT_S: f64 = 2.0;

struct Block {
    bay: Arc<Bay>,
    map: PointMap,
    started: Instant,
    coils: Mutex<Coils>,
}

struct Coils {
    on: BTreeMap<u16, bool>,
    heart: Option<Instant>,
}

/// Serves one block until the task is dropped; gives its address.
pub async fn start(bay: Arc<Bay>, map: PointMap) -> std::io::Result<SocketAddr> {
    let (listener, address) = listen().await?;
    let coils = Mutex::new(Coils { on: BTreeMap::new(), heart: None });
    let block = Arc::new(Block { bay, map, started: Instant::now(), coils });
    let watched = block.clone();
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
    tokio::spawn(async move {
        let mut every = tokio::time::interval(std::time::Duration::from_millis(500));
        loop {
            every.tick().await;
            watched.watch_heart();
        }
    });
    Ok(address)
}

impl Block {
    fn registers(&self, kind: RegisterKind, address: u16, count: u16) -> Result<Vec<u16>, ExceptionCode> {
        let inputs = &self.map.inputs;
        let end = address.checked_add(count).ok_or(ExceptionCode::IllegalDataAddress)?;
        if kind != inputs.function {
            return Err(ExceptionCode::IllegalFunction);
        }
        if address < inputs.start || end > inputs.start + inputs.count {
            return Err(ExceptionCode::IllegalDataAddress);
        }
        // Ten times a second; wraps, as a 16-bit counter does.
        let life = (self.started.elapsed().as_millis() / 100 % 65_536) as u16;
        let block = self.map.encode(&self.bay.panel().inputs, life);
        let from = usize::from(address - inputs.start);
        Ok(block[from..from + usize::from(count)].to_vec())
    }
    fn write(&self, coil: u16, on: bool) -> Result<(), ExceptionCode> {
        let out = &self.map.outputs;
        if ![out.raise, out.permit_lower, out.lamp_red, out.lamp_green, out.heartbeat].contains(&coil) {
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
