//! The LLRP reader of a lane: one client, inventories as told, the tag of the truck that stands there.

use super::{accept, listen};
use crate::world::bay::Bay;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rfid::reader::{Moment, ReaderFace, Sighting};
use rfid::wire::EpcBits;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// A tag in the field answers this often.
const SIGHTING: Duration = Duration::from_millis(150);

/// Serves one reader with `antennas` antennas until the task is dropped; gives its address.
pub async fn start(bay: Arc<Bay>, antennas: u16) -> std::io::Result<SocketAddr> {
    let (listener, address) = listen().await?;
    tokio::spawn(serve(listener, bay, antennas.max(1)));
    Ok(address)
}

async fn serve(listener: TcpListener, bay: Arc<Bay>, antennas: u16) {
    let one = Arc::new(Semaphore::new(1));
    let started = Instant::now();
    loop {
        let mut stream = accept(&listener).await;
        let Ok(permit) = one.clone().try_acquire_owned() else {
            let refusal = ReaderFace::refusal(moment(started));
            tokio::spawn(async move { stream.write_all(&refusal).await });
            continue;
        };
        let bay = bay.clone();
        tokio::spawn(async move {
            if let Err(error) = client(stream, &bay, antennas, started).await {
                tracing::debug!(%error, lane = %bay.lane, "the reader's client left");
            }
            drop(permit);
        });
    }
}

fn moment(started: Instant) -> Moment {
    let utc = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment {
        ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        utc_us: u64::try_from(utc.as_micros()).unwrap_or(u64::MAX),
    }
}

async fn client(mut stream: TcpStream, bay: &Bay, antennas: u16, started: Instant) -> std::io::Result<()> {
    let mut face = ReaderFace::new(antennas);
    let mut rng = ChaCha8Rng::seed_from_u64(bay.seed ^ 0x7ead);
    let mut vehicle = bay.vehicle.subscribe();
    let mut bytes = vec![0; 4096];
    face.connected(moment(started));
    loop {
        while let Some(out) = face.next_output() {
            stream.write_all(&out).await?;
        }
        if face.is_closing() || face.unanswered_keepalives() > 3 {
            return Ok(());
        }
        let epc = tag(&vehicle.borrow_and_update());
        let looks = epc.is_some() && face.is_inventorying();
        let now = moment(started);
        let wait_ms = face.next_deadline_ms().map_or(10_000, |at| at.saturating_sub(now.ms).max(1));
        let wait = Duration::from_millis(wait_ms).min(if looks { SIGHTING } else { Duration::from_secs(10) });
        tokio::select! {
            read = stream.read(&mut bytes) => match read? {
                0 => return Ok(()),
                n => face.receive(&bytes[..n], moment(started)).map_err(std::io::Error::other)?,
            },
            changed = vehicle.changed() => if changed.is_err() { return Ok(()) },
            () = tokio::time::sleep(wait) => {
                if let (true, Some(epc)) = (looks, epc) {
                    let sighting = Sighting { epc, antenna: 1, rssi_dbm: rng.random_range(-58..-44) };
                    face.see(&sighting, moment(started));
                }
            }
        }
        face.tick(moment(started));
    }
}

fn tag(visit: &Option<crate::world::bay::Visit>) -> Option<EpcBits> {
    let epc = visit.as_ref()?.card.tag.as_ref()?;
    EpcBits::of_bytes(&hex::decode(epc).ok()?).ok()
}
