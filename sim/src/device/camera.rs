//! A camera alone, with the faults that cameras have.

use super::{Place, announce, key};
use crate::faces::accept;
use crate::render::camera::Light;
use crate::render::{empty_scene, write_samples};
use anyhow::{Context as _, Result, bail};
use jpeg_encoder::{ColorType, Encoder};
use lpr_ocr::mjpeg::Writer;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

/// Size of a picture without a scene, pixels.
const PLAIN: (u16, u16) = (1280, 720);

/// What a camera is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    /// The picture (JPEG); a drawn truck where absent.
    picture: Option<PathBuf>,
    /// Time between frames, milliseconds.
    every_ms: u64,
    /// Seed of the drawing.
    seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { picture: None, every_ms: 200, seed: 1 }
    }
}

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    /// Each frame is another one.
    Moving,
    /// The same bytes again and again.
    Frozen,
    Black,
    Burnt,
    /// Bytes that are no picture.
    Noise,
    /// Looks elsewhere.
    Turned,
    /// A bag over the lens, in daylight.
    Covered,
}

struct Pictures {
    scene: Vec<u8>,
    black: Vec<u8>,
    burnt: Vec<u8>,
    elsewhere: Vec<u8>,
    covered: Vec<u8>,
}

pub(super) async fn serve(settings: Settings, place: Place, mut keys: mpsc::Receiver<String>) -> Result<()> {
    let listener = place.tcp_only("a camera")?;
    let pictures = Arc::new(Pictures {
        scene: scene(&settings)?,
        black: plain(2)?,
        burnt: plain(254)?,
        elsewhere: empty(settings.seed.wrapping_add(1)),
        covered: plain(120)?,
    });
    announce("listening", &listener.local_addr()?.to_string());
    let (mood, seen) = watch::channel(Mood::Moving);
    let every = Duration::from_millis(settings.every_ms.max(10));
    tokio::spawn(async move {
        loop {
            let (stream, seen, pictures) = (accept(&listener).await, seen.clone(), pictures.clone());
            tokio::spawn(async move {
                if let Err(error) = stream_to(stream, seen, &pictures, every).await {
                    tracing::debug!(%error, "a viewer left");
                }
            });
        }
    });
    loop {
        match mood_of(key(&mut keys).await.trim()) {
            Ok(new) => drop(mood.send_replace(new)),
            Err(error) => eprintln!("{error:#}"),
        }
    }
}

fn mood_of(word: &str) -> Result<Mood> {
    Ok(match word {
        "moving" => Mood::Moving,
        "frozen" => Mood::Frozen,
        "black" => Mood::Black,
        "burnt" => Mood::Burnt,
        "noise" => Mood::Noise,
        "turned" => Mood::Turned,
        "covered" => Mood::Covered,
        other => bail!("`{other}`: moving, frozen, black, burnt, noise, turned or covered"),
    })
}

fn scene(settings: &Settings) -> Result<Vec<u8>> {
    if let Some(file) = &settings.picture {
        return std::fs::read(file).with_context(|| file.display().to_string());
    }
    let folder = tempfile::tempdir()?;
    write_samples(settings.seed, 1, folder.path())?;
    let files = std::fs::read_dir(folder.path())?.filter_map(|f| f.ok().map(|f| f.path()));
    match files.into_iter().find(|f| f.extension().is_some_and(|e| e == "jpg")) {
        Some(file) => Ok(std::fs::read(file)?),
        None => Ok(empty(settings.seed)),
    }
}

/// An empty lane.
fn empty(seed: u64) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let light = Light::random(&mut rng);
    empty_scene(light, &mut rng).frame(&mut rng).0
}

/// One grey all over.
fn plain(tone: u8) -> Result<Vec<u8>> {
    let pixels = vec![tone; usize::from(PLAIN.0) * usize::from(PLAIN.1)];
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, 80).encode(&pixels, PLAIN.0, PLAIN.1, ColorType::Luma)?;
    Ok(jpeg)
}

async fn stream_to(
    mut stream: TcpStream,
    mood: watch::Receiver<Mood>,
    pictures: &Pictures,
    every: Duration,
) -> std::io::Result<()> {
    crate::faces::camera::request(&mut stream).await?;
    let Some(writer) = Writer::new("varco-frame") else { return Ok(()) };
    stream.write_all(&writer.answer()).await?;
    let mut tick = tokio::time::interval(every);
    for n in 0u64.. {
        tick.tick().await;
        let now = *mood.borrow();
        let frame = match now {
            Mood::Frozen => pictures.scene.clone(),
            Mood::Moving => crate::faces::camera::marked(&pictures.scene, n),
            Mood::Black => crate::faces::camera::marked(&pictures.black, n),
            Mood::Burnt => crate::faces::camera::marked(&pictures.burnt, n),
            Mood::Turned => crate::faces::camera::marked(&pictures.elsewhere, n),
            Mood::Covered => crate::faces::camera::marked(&pictures.covered, n),
            Mood::Noise => n.to_be_bytes().repeat(512),
        };
        stream.write_all(&writer.part(&frame)).await?;
    }
    Ok(())
}
