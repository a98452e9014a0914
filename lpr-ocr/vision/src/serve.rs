//! `varco-ocr serve`: the worker of one camera. Main thread: requests; one thread that takes the camera's
//! frames; one that decodes and reads them.

mod camera;
mod reading;
mod scene;
mod turns;

use crate::ModelArgs;
use crate::capture::{self, Pixels};
use anyhow::Context as _;
use camera::Camera;
use lpr_ocr::protocol::{self, CameraState, Decoder, FromWorker, ToWorker};
use scene::Keeper;
use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use turns::Turns;

/// What all threads share.
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Rings when there may be something to read.
    bell: Condvar,
    out: Mutex<std::io::Stdout>,
    started: Instant,
    /// When the frame in work was taken up, ms since start plus 1; 0 when idle.
    busy_since: AtomicU64,
}

/// What changes.
#[derive(Default)]
struct State {
    on: bool,
    round: u32,
    /// No vehicle is in the lane.
    empty: bool,
    /// Known from `open` on.
    camera: Option<Camera>,
}

impl Shared {
    fn new() -> Self {
        Self {
            state: Mutex::default(),
            bell: Condvar::new(),
            out: Mutex::new(std::io::stdout()),
            started: Instant::now(),
            busy_since: AtomicU64::new(0),
        }
    }
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
    fn busy_ms(&self) -> u64 {
        match self.busy_since.load(Ordering::Relaxed) {
            0 => 0,
            since => self.now_ms().saturating_sub(since - 1),
        }
    }
    /// Sends one message; ends the process where the daemon is gone.
    fn send(&self, message: &FromWorker, blob: &[u8]) {
        let bytes = match protocol::encode(message, blob) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!(%error, "a message was not sent");
                return;
            }
        };
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        if out.write_all(&bytes).and_then(|()| out.flush()).is_err() {
            std::process::exit(0);
        }
    }
    /// A new frame.
    pub(crate) fn frame(&self, pixels: Pixels) {
        let mut state = self.lock();
        let on = state.on;
        if let Some(camera) = &mut state.camera {
            camera.frame(pixels, on);
            self.tell(camera);
        }
        drop(state);
        self.bell.notify_one();
    }
    /// The camera's link is up, or down for a reason.
    pub(crate) fn link(&self, down: Option<String>) {
        if let Some(camera) = &mut self.lock().camera {
            camera.link(down);
            self.tell(camera);
        }
    }
    /// What is wrong with the camera's pictures.
    fn picture_fault(&self, fault: Option<String>) {
        if let Some(camera) = &mut self.lock().camera {
            camera.picture_fault = fault;
            self.tell(camera);
        }
    }
    fn tell(&self, camera: &mut Camera) {
        if let Some((state, why)) = camera.news() {
            let camera = &camera.spec.id;
            match state {
                CameraState::Up => tracing::info!(%camera, "camera up"),
                CameraState::Down | CameraState::Degraded => tracing::warn!(%camera, ?state, why, "camera"),
            }
            self.send(&FromWorker::CameraHealth { state, why }, &[]);
        }
    }
}

/// Serves until stdin ends.
pub(crate) fn run(args: &ModelArgs) -> anyhow::Result<ExitCode> {
    // A panic anywhere ends the process: the daemon starts another.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        hook(info);
        std::process::exit(101);
    }));
    let mut engine = Some(crate::engine(args, false)?);
    let shared = Arc::new(Shared::new());
    let models = engine.as_ref().map_or(String::new(), |e| e.models().to_owned());
    shared.send(&FromWorker::Ready { version: protocol::VERSION, models }, &[]);
    let mut decoder = Decoder::new();
    let mut piece = vec![0u8; 16 << 10];
    let mut stdin = std::io::stdin().lock();
    loop {
        let n = stdin.read(&mut piece).context("stdin")?;
        if n == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        decoder.push(&piece[..n]);
        while let Some((message, _)) = decoder.take::<ToWorker>().context("stdin")? {
            match message {
                ToWorker::Open { camera, turns, scene } => {
                    let Some(engine) = engine.take() else {
                        tracing::warn!("a camera was opened before; ignored");
                        continue;
                    };
                    let endpoint = camera.endpoint.clone();
                    shared.lock().camera = Some(Camera::new(camera));
                    capture::start(&shared, &endpoint).context("camera thread")?;
                    reading::start(&shared, engine, Turns::open(turns.as_deref()), Keeper::open(scene))
                        .context("reading thread")?;
                }
                ToWorker::Observe { on, round, empty } => {
                    let mut state = shared.lock();
                    let fresh = on && (!state.on || state.round != round);
                    (state.on, state.round, state.empty) = (on, round, empty && !on);
                    if fresh {
                        state.camera.iter_mut().for_each(Camera::new_round);
                    }
                    drop(state);
                    shared.bell.notify_one();
                }
                ToWorker::Ping { nonce } => {
                    shared.send(&FromWorker::Pong { nonce, busy_ms: shared.busy_ms() }, &[]);
                }
            }
        }
    }
}
