//! The one thread that decodes and reads.

use super::Shared;
use super::scene::Keeper;
use super::turns::Turns;
use crate::capture::Pixels;
use crate::engine::Engine;
use crate::measures::Measures;
use crate::picture;
use anyhow::Context as _;
use gate_types::observation::{OpticalRead, ReadKind, View};
use lpr_ocr::MOST_FRAME_BYTES;
use lpr_ocr::protocol::FromWorker;
use opencv::core::{Mat, MatTraitConst as _, MatTraitConstManual as _};
use opencv::imgproc;
use sha2::{Digest as _, Sha256};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Time between looks at the pictures of a resting lane.
const SUPERVISE: Duration = Duration::from_millis(1_500);
/// The same while a frame showed another scene than the one learned.
const DOUBTFUL: Duration = Duration::from_millis(300);

/// Starts the thread.
pub(super) fn start(
    shared: &Arc<Shared>,
    engine: Engine,
    turns: Turns,
    scene: Keeper,
) -> std::io::Result<()> {
    let shared = Arc::clone(shared);
    std::thread::Builder::new().name("reading".into()).spawn(move || run(&shared, engine, &turns, scene))?;
    Ok(())
}

struct Job {
    pixels: Pixels,
    kinds: Vec<ReadKind>,
    view: View,
    round: u32,
}

enum Work {
    /// The newest frame is worth reading.
    Read,
    /// The newest frame is searched for codes, for a round.
    Search(Pixels, u32),
    /// The newest frame is only looked at; true: the lane is empty.
    Measure(Pixels, bool),
}

fn run(shared: &Shared, mut engine: Engine, turns: &Turns, mut scene: Keeper) {
    let mut supervise_at = Instant::now() + SUPERVISE;
    loop {
        match next(shared, &mut supervise_at) {
            Work::Read => {
                let _turn = turns.take();
                // Chosen with the turn in hand: a frame may have come meanwhile, or the vehicle may have gone.
                let Some(job) = job(shared) else { continue };
                shared.busy_since.store(shared.now_ms() + 1, Ordering::Relaxed);
                if let Err(error) = read(shared, &mut engine, &mut scene, &job) {
                    shared.picture_fault(Some(format!("a frame cannot be read: {error:#}")));
                }
                shared.busy_since.store(0, Ordering::Relaxed);
            }
            Work::Search(pixels, round) => {
                shared.busy_since.store(shared.now_ms() + 1, Ordering::Relaxed);
                if let Err(error) = search(shared, &pixels, round) {
                    tracing::warn!(error = format!("{error:#}"), "a frame was not searched for codes");
                }
                shared.busy_since.store(0, Ordering::Relaxed);
            }
            Work::Measure(pixels, resting) => {
                let looked = small(&pixels).and_then(|grey| look(&grey, &mut scene, resting));
                let (fault, doubtful) = looked
                    .unwrap_or_else(|error| (Some(format!("a frame cannot be decoded: {error:#}")), false));
                shared.picture_fault(fault);
                if doubtful {
                    supervise_at = Instant::now() + DOUBTFUL;
                }
            }
        }
    }
}

/// Waits for work.
fn next(shared: &Shared, supervise_at: &mut Instant) -> Work {
    let mut state = shared.lock();
    loop {
        let now = Instant::now();
        let mut wake_at = *supervise_at;
        let (on, round, empty) = (state.on, state.round, state.empty);
        if let Some(camera) = &mut state.camera {
            match camera.due().filter(|_| on) {
                Some(at) if at <= now => return Work::Read,
                Some(at) => wake_at = wake_at.min(at),
                None => {}
            }
            match camera.search_due().filter(|_| on) {
                Some(at) if at <= now => {
                    if let Some(pixels) = camera.take_for_search() {
                        return Work::Search(pixels, round);
                    }
                }
                Some(at) => wake_at = wake_at.min(at),
                None => {}
            }
            if *supervise_at <= now {
                *supervise_at = now + SUPERVISE;
                if let Some(pixels) = camera.take_for_measures() {
                    return Work::Measure(pixels, empty);
                }
                wake_at = *supervise_at;
            }
        }
        let wait = wake_at.saturating_duration_since(now).max(Duration::from_millis(1));
        state = shared.bell.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// The newest frame as a job, where it is worth reading.
fn job(shared: &Shared) -> Option<Job> {
    let mut state = shared.lock();
    let (on, round) = (state.on, state.round);
    let camera = state.camera.as_mut().filter(|camera| on && camera.due().is_some())?;
    let pixels = camera.take()?;
    Some(Job { pixels, kinds: camera.spec.kinds.clone(), view: camera.spec.view, round })
}

fn read(shared: &Shared, engine: &mut Engine, scene: &mut Keeper, job: &Job) -> anyhow::Result<()> {
    let started = Instant::now();
    let grey = grey(&job.pixels)?;
    let readings = engine.read(&grey, &job.kinds, job.view)?;
    let ms = started.elapsed().as_secs_f32() * 1_000.0;
    let evidence = evidence(&job.pixels, &grey)?;
    let frame_sha256 =
        if evidence.is_empty() { String::new() } else { hex::encode(Sha256::digest(&evidence)) };
    let reads: Vec<OpticalRead> = readings
        .into_iter()
        .take(16)
        .map(|r| OpticalRead { frame_sha256: frame_sha256.clone(), ..r.read })
        .collect();
    shared.picture_fault(look(&grey, scene, false)?.0);
    {
        let mut state = shared.lock();
        let same_round = state.round == job.round;
        if let Some(camera) = state.camera.as_mut().filter(|_| same_round) {
            camera.was_read(&reads);
        }
    }
    let side = |n: i32| u32::try_from(n).unwrap_or(0);
    let message = FromWorker::Read {
        round: job.round,
        reads,
        frame_sha256,
        width: side(grey.cols()),
        height: side(grey.rows()),
        ms,
    };
    shared.send(&message, &evidence);
    Ok(())
}

/// Tells the codes of a frame that this round has not seen.
fn search(shared: &Shared, pixels: &Pixels, round: u32) -> anyhow::Result<()> {
    let grey = grey(pixels)?;
    let width = usize::try_from(grey.cols()).unwrap_or(0);
    let texts = barcode::picture::codes(width, grey.data_bytes().context("a frame's pixels")?);
    let new = {
        let mut state = shared.lock();
        let same_round = state.round == round;
        state.camera.as_mut().filter(|_| same_round).map(|camera| camera.found(texts))
    };
    if let Some(texts) = new.filter(|texts| !texts.is_empty()) {
        shared.send(&FromWorker::Codes { round, texts }, &[]);
    }
    Ok(())
}

fn grey(pixels: &Pixels) -> anyhow::Result<Mat> {
    match pixels {
        Pixels::File(bytes) => Ok(picture::grey(bytes)?),
        Pixels::Raw(mat) => {
            let mut out = Mat::default();
            imgproc::cvt_color_def(mat.as_ref(), &mut out, imgproc::COLOR_BGR2GRAY)?;
            Ok(out)
        }
    }
}

/// A frame as small as measures need it.
fn small(pixels: &Pixels) -> anyhow::Result<Mat> {
    match pixels {
        Pixels::File(bytes) => Ok(picture::grey_eighth(bytes)?),
        Pixels::Raw(_) => grey(pixels),
    }
}

/// What is wrong with a frame, and whether the next one is wanted soon. A black or burnt frame says nothing
/// of its scene.
fn look(grey: &Mat, scene: &mut Keeper, resting: bool) -> anyhow::Result<(Option<String>, bool)> {
    if let Some(fault) = Measures::of(grey)?.fault() {
        return Ok((Some(fault.to_owned()), false));
    }
    let look = scene.look(grey, resting)?;
    Ok((look.fault, look.doubtful))
}

/// The frame as the camera gave it, or encoded anew where it is no JPEG or above the limit.
fn evidence(pixels: &Pixels, grey: &Mat) -> anyhow::Result<Vec<u8>> {
    let colour;
    let mat = match pixels {
        Pixels::File(bytes) if bytes.len() <= MOST_FRAME_BYTES && bytes.starts_with(&[0xff, 0xd8]) => {
            return Ok(bytes.to_vec());
        }
        Pixels::File(bytes) => {
            colour = picture::colour(bytes)?;
            &colour
        }
        Pixels::Raw(mat) => mat.as_ref(),
    };
    for (mat, quality) in [(mat, 85), (mat, 60), (grey, 40)] {
        let bytes = picture::jpeg(mat, quality)?;
        if bytes.len() <= MOST_FRAME_BYTES {
            return Ok(bytes);
        }
    }
    Ok(Vec::new())
}
