//! Cameras that push: one small HTTP listener for all of a gate's, and a driver for each that hands its shots
//! to the lane as any camera's readings.

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use device::{Clock, DeviceLink, Driver, DriverError, Health, Observed, Stopped};
use gate_types::endpoint::Endpoint;
use gate_types::observation::View;
use lpr_ocr::{CameraCommand, Evidence, FrameStore};
use lpr_push::auth::{Asked, Credentials, Guard, Scheme};
use lpr_push::{Form, MOST_BODY, Shot};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, timeout};

/// The scheme of these cameras' endpoints.
pub const SCHEME: &str = "push";
/// Bodies that are taken in at once, over all cameras.
const BODIES: usize = 4;
/// Longest time for one body.
const BODY: Duration = Duration::from_secs(10);
/// Shots that may wait for a driver.
const WAITING: usize = 8;
/// A shot from before the vehicle stood on the loop still counts for this long: the camera sees it earlier.
const EARLIER: Duration = Duration::from_secs(3);
/// Events that are remembered: cameras send them again.
const EVENTS: usize = 32;

/// A camera as its endpoint describes it: `push:///PATH?form=hikvision|milesight|json&auth=digest|basic&
/// user=NAME&password_file=FILE`.
#[derive(Debug)]
pub struct PushCamera {
    /// The path of its requests.
    pub path: String,
    form: Form,
    credentials: Credentials,
    to_driver: mpsc::Sender<Told>,
}

/// What the listener tells a driver.
#[derive(Debug)]
enum Told {
    Shot(Box<Shot>),
    Refused(String),
}

/// The driver of one pushing camera.
#[derive(Debug)]
pub struct PushDriver {
    view: View,
    frames: FrameStore,
    told: mpsc::Receiver<Told>,
    on: bool,
    events: VecDeque<String>,
    early: Option<(Instant, Box<Shot>)>,
}

/// Camera and driver of an endpoint. The password is read from its file, relative to `beside`.
pub fn camera(endpoint: &Endpoint, beside: &Path, view: View) -> Result<(PushCamera, PushDriver)> {
    let value = |key: &str| endpoint.query.get(key).map(String::as_str);
    let form = value("form").and_then(Form::of).context("endpoint: form=hikvision, milesight or json")?;
    let scheme = match value("auth") {
        None | Some("digest") => Scheme::Digest,
        Some("basic") => Scheme::Basic,
        Some(other) => anyhow::bail!("endpoint: auth=`{other}`; write digest or basic"),
    };
    let user = value("user").context("endpoint: user=NAME is missing")?.to_owned();
    let file = beside.join(value("password_file").context("endpoint: password_file=FILE is missing")?);
    let password = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    anyhow::ensure!(!password.is_empty(), "{}: empty; put the camera's password there", file.display());
    anyhow::ensure!(endpoint.path.len() > 1, "endpoint: no path; write push:///PATH?form=...");
    let (to_driver, told) = mpsc::channel(WAITING);
    let camera = PushCamera {
        path: endpoint.path.clone(),
        form,
        credentials: Credentials { scheme, user, password },
        to_driver,
    };
    let frames = FrameStore::new();
    let driver = PushDriver { view, frames, told, on: false, events: VecDeque::new(), early: None };
    Ok((camera, driver))
}

impl Driver for PushDriver {
    type Command = CameraCommand;

    async fn run(&mut self, link: &mut DeviceLink<CameraCommand>) -> Result<Stopped, DriverError> {
        match self.serve(link).await {
            Ok(()) | Err(Stopped) => Ok(Stopped),
        }
    }
}

impl PushDriver {
    /// Keeps evidence frames in `frames`.
    #[must_use]
    pub fn keeping(mut self, frames: FrameStore) -> Self {
        self.frames = frames;
        self
    }

    async fn serve(&mut self, link: &mut DeviceLink<CameraCommand>) -> Result<(), Stopped> {
        // It speaks when it has something to say: nothing heard is nothing wrong.
        link.health(Health::Up).await?;
        let mut well = true;
        loop {
            // What was pushed before a command is older than it.
            tokio::select! {
                biased;
                told = self.told.recv() => match told {
                    // The listener ended; the daemon ends as well.
                    None => return Ok(()),
                    Some(Told::Refused(why)) => {
                        well = false;
                        link.health(Health::Degraded { why }).await?;
                    }
                    Some(Told::Shot(shot)) => {
                        if !std::mem::replace(&mut well, true) {
                            link.health(Health::Up).await?;
                        }
                        self.shot(link, shot).await?;
                    }
                },
                command = link.commands.recv() => match command {
                    None => return Ok(()),
                    Some(CameraCommand::Rest) => (self.on, self.early) = (false, None),
                    // The next vehicle's shot may be here already.
                    Some(CameraCommand::Empty) => self.on = false,
                    Some(CameraCommand::Observe) => {
                        self.on = true;
                        let early = self.early.take().filter(|(at, _)| at.elapsed() < EARLIER);
                        if let Some((_, shot)) = early {
                            self.say(link, &shot).await?;
                        }
                    }
                },
            }
        }
    }

    async fn shot(&mut self, link: &DeviceLink<CameraCommand>, shot: Box<Shot>) -> Result<(), Stopped> {
        if self.events.contains(&shot.event) {
            return Ok(());
        }
        self.events.push_back(shot.event.clone());
        if self.events.len() > EVENTS {
            self.events.pop_front();
        }
        if self.on {
            return self.say(link, &shot).await;
        }
        self.early = Some((Instant::now(), shot));
        Ok(())
    }

    async fn say(&self, link: &DeviceLink<CameraCommand>, shot: &Shot) -> Result<(), Stopped> {
        let mut sha256 = String::new();
        if let Some(jpeg) = shot.pictures.first() {
            let told = hex::encode(Sha256::digest(jpeg));
            let evidence =
                Evidence { jpeg: jpeg.as_slice().into(), sha256: told.clone(), stamp: link.clock.now() };
            if self.frames.put(&link.id, evidence) {
                sha256 = told;
            }
        }
        match shot.read(self.view, &sha256) {
            Some(read) => link.observe(Observed::Read(read)).await,
            None => Ok(()),
        }
    }
}

/// The listener's state.
struct Listener {
    cameras: BTreeMap<String, PushCamera>,
    guard: Guard,
    clock: Clock,
    room: Semaphore,
}

/// Serves the cameras' requests until it is dropped.
pub async fn serve(listener: TcpListener, cameras: Vec<PushCamera>, clock: Clock) -> Result<()> {
    axum::serve(listener, router(cameras, clock)?).await.context("push cameras")
}

fn router(cameras: Vec<PushCamera>, clock: Clock) -> Result<Router> {
    let mut secret = [0u8; 32];
    getrandom::fill(&mut secret).map_err(|e| anyhow::anyhow!("random secret: {e}"))?;
    let listener = Listener {
        cameras: cameras.into_iter().map(|c| (c.path.clone(), c)).collect(),
        guard: Guard::new(secret),
        clock,
        room: Semaphore::new(BODIES),
    };
    Ok(Router::new().fallback(pushed).with_state(Arc::new(listener)))
}

async fn pushed(State(listener): State<Arc<Listener>>, request: Request) -> Response {
    let Ok(_room) = listener.room.try_acquire() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let (head, body) = request.into_parts();
    // The body is taken before it is known whose it is: firmware that is cut off in it never sees the 401.
    let Ok(Ok(body)) = timeout(BODY, to_bytes(body, MOST_BODY)).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let Some(camera) = listener.cameras.get(head.uri.path()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let text = |name| head.headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    let now_ms = listener.clock.now().wall_ms.0;
    let asked = Asked {
        method: head.method.as_str(),
        target: head.uri.path_and_query().map_or("", |p| p.as_str()),
        authorization: text(header::AUTHORIZATION),
        now_ms,
    };
    if let Err(denied) = listener.guard.check(&camera.credentials, &asked) {
        let mut response = StatusCode::UNAUTHORIZED.into_response();
        for challenge in listener.guard.challenges(camera.credentials.scheme, now_ms, denied.stale) {
            if let Ok(value) = HeaderValue::from_str(&challenge) {
                response.headers_mut().append(header::WWW_AUTHENTICATE, value);
            }
        }
        return response;
    }
    let content_type = text(header::CONTENT_TYPE).unwrap_or_default();
    let told = match lpr_push::read(camera.form, content_type, &body) {
        Ok(None) => return StatusCode::OK.into_response(),
        Ok(Some(shot)) => Told::Shot(Box::new(shot)),
        Err(error) => Told::Refused(format!(
            "{}: a body is refused: {error}; check form= and the camera's settings",
            camera.path
        )),
    };
    let refused = matches!(told, Told::Refused(_));
    if camera.to_driver.try_send(told).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if refused { StatusCode::BAD_REQUEST.into_response() } else { StatusCode::OK.into_response() }
}
