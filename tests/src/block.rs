//! A PLC block of one lane as a Modbus TCP server: loops that the test switches, an arm that takes time,
//! a life counter. The register layout is that of `config/points/neutral.toml`.

use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio_modbus::prelude::*;
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::{Server, accept_tcp_connection};

/// The arm's travel, lower to upper end.
const TRAVEL: Duration = Duration::from_millis(300);

struct State {
    approach: bool,
    under: bool,
    /// Where the arm was (0 down, 1 up) at `since`, and where it goes.
    from: f64,
    to: f64,
    since: Instant,
    stuck: bool,
    coils: [bool; 16],
    raises: u32,
    lowers: u32,
    started: Instant,
    frozen_life: Option<u16>,
    writes: Vec<(Instant, u16, bool)>,
}

impl State {
    fn arm(&self) -> f64 {
        if self.stuck {
            return self.from;
        }
        let step = self.since.elapsed().as_secs_f64() / TRAVEL.as_secs_f64();
        if self.to > self.from { (self.from + step).min(self.to) } else { (self.from - step).max(self.to) }
    }
    fn travel(&mut self, to: f64) {
        self.from = self.arm();
        self.to = to;
        self.since = Instant::now();
    }
    fn life(&self) -> u16 {
        self.frozen_life.unwrap_or((self.started.elapsed().as_millis() / 100 % 65_536) as u16)
    }
    fn registers(&self) -> [u16; 2] {
        let arm = self.arm();
        let mut bits = 0b1110_0100; // curtain, key, fire, fault: active low, none active
        bits |= u16::from(!self.approach);
        bits |= u16::from(!self.under) << 1;
        bits |= u16::from(arm >= 1.0) << 3;
        bits |= u16::from(arm <= 0.0) << 4;
        [bits, self.life()]
    }
    fn write(&mut self, coil: u16, on: bool) {
        let Some(slot) = self.coils.get_mut(usize::from(coil)) else { return };
        let rising = on && !*slot;
        *slot = on;
        self.writes.push((Instant::now(), coil, on));
        match (coil, rising) {
            (0, true) => {
                self.raises += 1;
                self.travel(1.0);
            }
            (1, true) => {
                self.lowers += 1;
                self.travel(0.0);
            }
            _ => {}
        }
    }
}

/// The block and its handle.
#[derive(Clone)]
pub struct Block {
    state: Arc<Mutex<State>>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Service for Block {
    type Request = Request<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Response, ExceptionCode>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        let mut state = self.state.lock().unwrap();
        ready(match request {
            Request::ReadInputRegisters(start, count) if start + count <= 2 => {
                let all = state.registers();
                Ok(Response::ReadInputRegisters(all[usize::from(start)..usize::from(start + count)].to_vec()))
            }
            Request::ReadCoils(start, count) if start + count <= 16 => {
                Ok(Response::ReadCoils(state.coils[usize::from(start)..usize::from(start + count)].to_vec()))
            }
            Request::WriteSingleCoil(coil, on) => {
                state.write(coil, on);
                Ok(Response::WriteSingleCoil(coil, on))
            }
            Request::WriteMultipleCoils(start, values) => {
                for (n, on) in values.iter().enumerate() {
                    state.write(start + n as u16, *on);
                }
                Ok(Response::WriteMultipleCoils(start, values.len() as u16))
            }
            _ => Err(ExceptionCode::IllegalFunction),
        })
    }
}

impl Block {
    /// Starts a block with the arm down and nobody there.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let now = Instant::now();
        let state = State {
            approach: false,
            under: false,
            from: 0.0,
            to: 0.0,
            since: now,
            stuck: false,
            coils: [false; 16],
            raises: 0,
            lowers: 0,
            started: now,
            frozen_life: None,
            writes: Vec::new(),
        };
        let block = Self { state: Arc::new(Mutex::new(state)), address: listener.local_addr().unwrap() };
        let service = block.clone();
        tokio::spawn(async move {
            let server = Server::new(listener);
            let connected = |stream, peer| {
                let service = service.clone();
                async move { accept_tcp_connection(stream, peer, move |_| Ok(Some(service.clone()))) }
            };
            let _ = server.serve(&connected, |error| eprintln!("block: {error}")).await;
        });
        block
    }
    /// Its endpoint for a node file.
    pub fn endpoint(&self) -> String {
        format!("modbus://{}?unit=1", self.address)
    }
    /// Switches the loops.
    pub fn loops(&self, approach: bool, under: bool) {
        let mut state = self.state.lock().unwrap();
        state.approach = approach;
        state.under = under;
    }
    /// The arm no longer moves.
    pub fn stick(&self, stuck: bool) {
        let mut state = self.state.lock().unwrap();
        state.from = state.arm();
        state.since = Instant::now();
        state.stuck = stuck;
    }
    /// The block's own watchdog: without its master it drops every output, as couplers do.
    pub fn drop_outputs(&self) {
        self.state.lock().unwrap().coils = [false; 16];
    }
    /// The block's program stands still: the life counter no longer counts.
    pub fn freeze(&self, frozen: bool) {
        let mut state = self.state.lock().unwrap();
        state.frozen_life = frozen.then(|| state.life());
    }
    /// Where the arm is: 0 down, 1 up.
    pub fn arm(&self) -> f64 {
        self.state.lock().unwrap().arm()
    }
    /// Raise pulses seen.
    pub fn raises(&self) -> u32 {
        self.state.lock().unwrap().raises
    }
    /// Lower permissions seen.
    pub fn lowers(&self) -> u32 {
        self.state.lock().unwrap().lowers
    }
}
