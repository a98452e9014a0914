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
use tokio::sync::{Semaphore, watch};

/// A tag in a lane's field answers this often, milliseconds.
const SIGHTING_MS: u64 = 150;

/// A tag that an antenna sees.
#[derive(Debug, Clone, PartialEq)]
pub struct TagInField {
    /// Its EPC.
    pub epc: EpcBits,
    /// The antenna, from 1.
    pub antenna: u16,
    /// Signal strength, dBm; it wavers by some dB.
    pub rssi_dbm: i8,
    /// Its protocol control word; that of an EPC where absent.
    pub pc: Option<u16>,
}

/// What the antennas see.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Field {
    /// The tags.
    pub tags: Vec<TagInField>,
    /// Each answers this often, milliseconds.
    pub every_ms: u64,
}

/// Serves a lane's reader with `antennas` antennas until the task is dropped; gives its address.
pub async fn start(bay: Arc<Bay>, antennas: u16) -> std::io::Result<SocketAddr> {
    let (listener, address) = listen().await?;
    let mut vehicle = bay.vehicle.subscribe();
    let (field, seen) = watch::channel(Field::default());
    tokio::spawn(async move {
        loop {
            let tags = tag(&vehicle.borrow_and_update()).into_iter().collect();
            field.send_replace(Field { tags, every_ms: SIGHTING_MS });
            if vehicle.changed().await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(serve(listener, seen, antennas.max(1)));
    Ok(address)
}

/// Serves one client at a time; a second one is refused as the standard has it.
pub async fn serve(listener: TcpListener, field: watch::Receiver<Field>, antennas: u16) {
    let one = Arc::new(Semaphore::new(1));
    let started = Instant::now();
    loop {
        let mut stream = accept(&listener).await;
        let Ok(permit) = one.clone().try_acquire_owned() else {
            let refusal = ReaderFace::refusal(moment(started));
            tokio::spawn(async move { stream.write_all(&refusal).await });
            continue;
        };
        let field = field.clone();
        tokio::spawn(async move {
            if let Err(error) = client(stream, field, antennas, started).await {
                tracing::debug!(%error, "the reader's client left");
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

async fn client(
    mut stream: TcpStream,
    mut field: watch::Receiver<Field>,
    antennas: u16,
    started: Instant,
) -> std::io::Result<()> {
    let mut face = ReaderFace::new(antennas);
    let mut rng = ChaCha8Rng::seed_from_u64(0x7ead);
    let mut bytes = vec![0; 4096];
    let mut seen_at = tokio::time::Instant::now();
    face.connected(moment(started));
    loop {
        while let Some(out) = face.next_output() {
            stream.write_all(&out).await?;
        }
        if face.is_closing() || face.unanswered_keepalives() > 3 {
            return Ok(());
        }
        let every = Duration::from_millis(field.borrow_and_update().every_ms);
        let looks = !field.borrow().tags.is_empty() && face.is_inventorying();
        let now = moment(started);
        let wait_ms = face.next_deadline_ms().map_or(10_000, |at| at.saturating_sub(now.ms).max(1));
        let next_tick = tokio::time::Instant::now() + Duration::from_millis(wait_ms);
        tokio::select! {
            read = stream.read(&mut bytes) => match read? {
                0 => return Ok(()),
                n => face.receive(&bytes[..n], moment(started)).map_err(std::io::Error::other)?,
            },
            changed = field.changed() => if changed.is_err() { return Ok(()) },
            () = tokio::time::sleep_until(seen_at + every), if looks => {
                seen_at = tokio::time::Instant::now();
                for tag in &field.borrow().tags {
                    let rssi_dbm = tag.rssi_dbm.saturating_add(rng.random_range(-6..7));
                    let (epc, antenna, pc) = (tag.epc.clone(), tag.antenna, tag.pc);
                    face.see(&Sighting { epc, antenna, rssi_dbm, pc }, moment(started));
                }
            }
            () = tokio::time::sleep_until(next_tick) => {}
        }
        face.tick(moment(started));
    }
}

fn tag(visit: &Option<crate::world::bay::Visit>) -> Option<TagInField> {
    let epc = visit.as_ref()?.card.tag.as_ref()?;
    let epc = EpcBits::of_bytes(&hex::decode(epc).ok()?).ok()?;
    Some(TagInField { epc, antenna: 1, rssi_dbm: -51, pc: None })
}
