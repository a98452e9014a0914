//! An MJPEG camera: idle picture once a second from a cache, lively while a truck stands there. Pictures
//! are made only when somebody looks, and once for all who look.

use super::{accept, listen};
use crate::render::camera::Light;
use crate::render::{Prepared, empty_scene, truck_at};
use crate::world::bay::{Bay, Visit};
use gate_types::observation::View;
use lpr_ocr::mjpeg::Writer;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Time between idle frames.
const IDLE: Duration = Duration::from_millis(1000);
/// Time between frames while something moves or has just come to stand.
const LIVELY: Duration = Duration::from_millis(250);
/// A camera with motion detection slows down when the picture stood still this long.
const CALM_AFTER: Duration = Duration::from_millis(3500);
/// Largest request head that is read.
const MOST_HEAD: usize = 8192;

struct Studio {
    rng: ChaCha8Rng,
    empty: Option<(Light, Arc<Vec<u8>>)>,
    visit: Option<(u64, Prepared)>,
    last: Option<(Instant, Option<u64>, Arc<Vec<u8>>)>,
}

struct Camera {
    bay: Arc<Bay>,
    view: View,
    salt: u64,
    studio: Mutex<Studio>,
}

/// Serves one camera until the task is dropped; gives its address.
pub async fn start(bay: Arc<Bay>, view: View) -> std::io::Result<SocketAddr> {
    let (listener, address) = listen().await?;
    let salt = bay.seed.wrapping_mul(31).wrapping_add(view as u64);
    let studio = Studio { rng: ChaCha8Rng::seed_from_u64(salt), empty: None, visit: None, last: None };
    let camera = Arc::new(Camera { bay, view, salt, studio: Mutex::new(studio) });
    tokio::spawn(serve(listener, camera));
    Ok(address)
}

async fn serve(listener: TcpListener, camera: Arc<Camera>) {
    loop {
        let stream = accept(&listener).await;
        let camera = camera.clone();
        tokio::spawn(async move {
            if let Err(error) = watch(stream, camera).await {
                tracing::debug!(%error, "a viewer left");
            }
        });
    }
}

async fn watch(mut stream: TcpStream, camera: Arc<Camera>) -> std::io::Result<()> {
    request(&mut stream).await?;
    let Some(writer) = Writer::new("varco-frame") else { return Ok(()) };
    stream.write_all(&writer.answer()).await?;
    let mut vehicle = camera.bay.vehicle.subscribe();
    loop {
        let visit = vehicle.borrow_and_update().clone();
        let lively = visit.as_ref().is_some_and(|v| !v.standing || v.since.elapsed() < CALM_AFTER);
        let pace = if lively { LIVELY } else { IDLE };
        let maker = camera.clone();
        let frame = tokio::task::spawn_blocking(move || maker.frame(visit.as_ref(), pace)).await;
        let frame = frame.map_err(std::io::Error::other)?;
        stream.write_all(&writer.part(&frame)).await?;
        tokio::select! {
            () = tokio::time::sleep(pace) => {}
            changed = vehicle.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
            }
        }
    }
}

/// Reads a viewer's request, whatever it asks for.
pub(crate) async fn request(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|w| w == b"\r\n\r\n") {
        if head.len() > MOST_HEAD || stream.read_buf(&mut head).await? == 0 {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
    }
    Ok(())
}

impl Camera {
    /// A frame of now; one made within half the pace is shared.
    fn frame(&self, visit: Option<&Visit>, pace: Duration) -> Arc<Vec<u8>> {
        let mut studio = self.studio.lock().unwrap_or_else(PoisonError::into_inner);
        let number = visit.map(|v| v.number);
        if let Some((at, of, jpeg)) = &studio.last
            && *of == number
            && at.elapsed() < pace / 2
        {
            return jpeg.clone();
        }
        let jpeg = match visit {
            None => self.idle(&mut studio),
            Some(visit) => {
                self.prepare(&mut studio, visit);
                let Studio { visit, rng, .. } = &mut *studio;
                match visit {
                    Some((_, prepared)) => Arc::new(prepared.frame(rng).0),
                    None => self.idle(&mut studio),
                }
            }
        };
        studio.last = Some((Instant::now(), number, jpeg.clone()));
        jpeg
    }
    fn prepare(&self, studio: &mut Studio, visit: &Visit) {
        if studio.visit.as_ref().is_some_and(|(n, _)| *n == visit.number) {
            return;
        }
        let mut light = ChaCha8Rng::seed_from_u64(self.bay.seed ^ visit.card.seed);
        let light = Light::random(&mut light);
        let mut rng = ChaCha8Rng::seed_from_u64(self.salt ^ visit.card.seed);
        studio.visit =
            Some((visit.number, truck_at(self.salt, &visit.card.look, self.view, light, &mut rng)));
    }
    /// The empty lane: a frozen picture would be a fault, so the cached one is exposed anew each time it is
    /// older than some seconds.
    fn idle(&self, studio: &mut Studio) -> Arc<Vec<u8>> {
        studio.visit = None;
        let Studio { empty, rng, .. } = studio;
        let (light, cached) = empty.get_or_insert_with(|| {
            let light = Light::random(&mut ChaCha8Rng::seed_from_u64(self.salt));
            let scene = empty_scene(light, &mut ChaCha8Rng::seed_from_u64(self.salt));
            (light, Arc::new(scene.frame(rng).0))
        });
        let _ = light;
        Arc::new(stamped(cached, rng))
    }
}

/// The same JPEG with a comment segment of its own (ITU-T T.81, B.2.4.5), as cameras write their clock.
fn stamped(jpeg: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    use rand::Rng as _;
    marked(jpeg, rng.random::<u64>())
}

/// The same JPEG with this number in a comment.
pub(crate) fn marked(jpeg: &[u8], number: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(jpeg.len() + 20);
    out.extend_from_slice(&jpeg[..2.min(jpeg.len())]);
    out.extend_from_slice(&[0xff, 0xfe, 0x00, 0x12]);
    out.extend_from_slice(format!("{number:016x}").as_bytes());
    out.extend_from_slice(jpeg.get(2..).unwrap_or_default());
    out
}
