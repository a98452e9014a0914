//! A remote I/O block behind a real Modbus TCP server, and the lane's end of a driver.

#![allow(dead_code, reason = "each test binary uses a part")]

use barrier_io::{IoCommand, IoDriver, PointMap};
use device::{Backoff, Clock, DeviceLink, Endpoint, Health, Observation, Observed, Tap, supervise};
use gate_types::DeviceId;
use gate_types::observation::{LaneInputs, Level};
use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::{Server, accept_tcp_connection};
use tokio_modbus::{ExceptionCode, Request, Response};

pub(crate) const LIMIT: Duration = Duration::from_secs(20);

pub(crate) fn map() -> PointMap {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../config/points/neutral.toml");
    PointMap::load(&path).unwrap()
}

/// Both loops free, the arm down, nothing else active.
pub(crate) fn free() -> LaneInputs {
    LaneInputs {
        loop_approach: Level::Off,
        loop_under: Level::Off,
        curtain: Level::Off,
        limit_up: Level::Off,
        limit_down: Level::On,
        local_key: Level::Off,
        fire: Level::Off,
        barrier_fault: Level::Off,
        ..LaneInputs::default()
    }
}

/// What the block saw, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write { coil: u16, on: bool },
}

pub(crate) struct State {
    pub(crate) inputs: LaneInputs,
    pub(crate) coils: BTreeMap<u16, bool>,
    pub(crate) life: u16,
    pub(crate) frozen: bool,
    pub(crate) refuse_writes_to: Option<u16>,
    /// This output never comes on.
    pub(crate) stuck_off: Option<u16>,
    pub(crate) seen: Vec<(Access, Instant)>,
}

/// The block. A read takes its picture at once and answers when the gate is open: a stalled server's late
/// answers carry the old picture.
#[derive(Clone)]
pub(crate) struct Block {
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) open: Arc<watch::Sender<bool>>,
}

impl Block {
    pub(crate) fn new() -> Self {
        let state = State {
            inputs: free(),
            coils: BTreeMap::new(),
            life: 0,
            frozen: false,
            refuse_writes_to: None,
            stuck_off: None,
            seen: Vec::new(),
        };
        Self { state: Arc::new(Mutex::new(state)), open: Arc::new(watch::Sender::new(true)) }
    }
    pub(crate) fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }
    pub(crate) fn writes(&self) -> Vec<(u16, bool)> {
        let state = self.state.lock().unwrap();
        let writes = state.seen.iter().filter_map(|(access, _)| match access {
            Access::Read => None,
            Access::Write { coil, on } => Some((*coil, *on)),
        });
        writes.collect()
    }
    /// Writes but for the heartbeat's.
    pub(crate) fn deeds(&self) -> Vec<(u16, bool)> {
        let heartbeat = map().outputs.heartbeat;
        self.writes().into_iter().filter(|(coil, _)| *coil != heartbeat).collect()
    }
    /// Serves on `address` until the handle is aborted, connections included.
    pub(crate) async fn serve(&self, address: &str) -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind(address).await.unwrap();
        let bound = listener.local_addr().unwrap();
        let block = self.clone();
        let task = tokio::spawn(async move {
            let on_connected = |stream, from| {
                let block = block.clone();
                async move { accept_tcp_connection(stream, from, move |_| Ok(Some(block.clone()))) }
            };
            let _ended = Server::new(listener).serve(&on_connected, |_| {}).await;
        });
        (bound, task)
    }
}

impl Service for Block {
    type Request = Request<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Pin<Box<dyn Future<Output = Result<Response, ExceptionCode>> + Send>>;

    fn call(&self, request: Request<'static>) -> Self::Future {
        let mut state = self.state.lock().unwrap();
        let answer = match request {
            Request::ReadInputRegisters(start, count) => {
                if !state.frozen {
                    state.life = state.life.wrapping_add(1);
                }
                state.seen.push((Access::Read, Instant::now()));
                let words = map().encode(&state.inputs, state.life);
                words
                    .get(usize::from(start)..usize::from(start + count))
                    .map_or(Err(ExceptionCode::IllegalDataAddress), |w| {
                        Ok(Response::ReadInputRegisters(w.to_vec()))
                    })
            }
            Request::ReadCoils(start, count) => {
                let read = |n| state.coils.get(&(start + n)).copied().unwrap_or_default();
                let stuck = state.stuck_off;
                Ok(Response::ReadCoils((0..count).map(|n| read(n) && stuck != Some(start + n)).collect()))
            }
            Request::WriteSingleCoil(coil, on) => {
                state.seen.push((Access::Write { coil, on }, Instant::now()));
                if state.refuse_writes_to == Some(coil) {
                    Err(ExceptionCode::ServerDeviceFailure)
                } else {
                    state.coils.insert(coil, on);
                    Ok(Response::WriteSingleCoil(coil, on))
                }
            }
            _ => Err(ExceptionCode::IllegalFunction),
        };
        drop(state);
        let mut open = self.open.subscribe();
        Box::pin(async move {
            let _opened = open.wait_for(|o| *o).await;
            answer
        })
    }
}

/// The lane's end: a supervised driver with everything that it said.
pub(crate) struct Lane {
    pub(crate) commands: mpsc::Sender<IoCommand>,
    pub(crate) observations: mpsc::Receiver<Observation>,
    pub(crate) heard: Vec<Observed>,
}

impl Lane {
    pub(crate) fn start(address: SocketAddr) -> Self {
        Self::start_at(&format!("modbus://{address}?unit=1"))
    }
    pub(crate) fn start_at(endpoint: &str) -> Self {
        let (send, observations) = mpsc::channel(64);
        let (commands, receive) = mpsc::channel(8);
        let link = DeviceLink {
            id: DeviceId::new("n1-in-1.io").unwrap(),
            clock: Clock::start(),
            observations: send,
            commands: receive,
            tap: Tap::off(),
        };
        let endpoint = Endpoint::parse(endpoint).unwrap();
        let driver = IoDriver::new(endpoint, map(), 20);
        tokio::spawn(supervise(driver, link, Backoff { first_ms: 50, longest_ms: 200 }));
        Self { commands, observations, heard: Vec::new() }
    }
    /// Waits for an observation that fits.
    pub(crate) async fn until(&mut self, what: &str, fits: impl Fn(&Observed) -> bool) -> Observed {
        let found = tokio::time::timeout(LIMIT, async {
            loop {
                let observed = self.observations.recv().await.expect("the driver ended").what;
                self.heard.push(observed.clone());
                if fits(&observed) {
                    return observed;
                }
            }
        });
        found.await.unwrap_or_else(|_| panic!("{what} did not come; heard {:?}", self.heard))
    }
    pub(crate) async fn until_inputs(&mut self, inputs: LaneInputs) {
        self.until("these inputs", |o| *o == Observed::Inputs(inputs)).await;
    }
    pub(crate) async fn until_up(&mut self) {
        self.until("up", |o| *o == Observed::Health(Health::Up)).await;
    }
    pub(crate) async fn until_down(&mut self) -> String {
        match self.until("down", |o| matches!(o, Observed::Health(Health::Down { .. }))).await {
            Observed::Health(Health::Down { why }) => why,
            other => panic!("{other:?}"),
        }
    }
    pub(crate) async fn raise(&self) -> Result<Result<barrier_io::Left, String>, oneshot::error::RecvError> {
        let (done, answer) = oneshot::channel();
        self.commands.send(IoCommand::Raise { done }).await.unwrap();
        tokio::time::timeout(LIMIT, answer).await.unwrap()
    }
}

/// Waits until a condition holds.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < end, "{what} did not come");
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
