//! `varco-ocr watch`: a camera or a folder in, one line per object that has left.

use crate::capture::{self, Pixels, Sink};
use crate::cli::WatchArgs;
use crate::engine::{Effort, Engine};
use crate::line::{self, ReadLine};
use crate::panel::Colour;
use crate::picture;
use crate::track::{Left, Tracks};
use anyhow::Context as _;
use gate_types::observation::{PixelBox, ReadKind, View};
use opencv::core::Mat;
use opencv::imgproc;
use serde::Serialize;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often objects are looked through without a frame.
const TICK: Duration = Duration::from_millis(200);

/// A frame and its name.
type Named = (Pixels, Arc<str>);

#[derive(Serialize)]
struct LeftLine<'a> {
    object: u64,
    #[serde(flatten)]
    read: ReadLine<'a>,
    first_ms: u64,
    last_ms: u64,
    frames: u32,
    best_frames: Vec<FrameLine<'a>>,
}

#[derive(Serialize)]
struct FrameLine<'a> {
    frame: &'a str,
    at_ms: u64,
    confidence: f32,
    #[serde(rename = "box")]
    at: PixelBox,
    saved: Option<String>,
}

/// The newest frame of a camera; older ones that nobody took are dropped. Pictures of a folder all wait
/// for their turn.
#[derive(Default)]
struct Newest {
    slot: Mutex<Option<Pixels>>,
    /// Rings when a frame came.
    came: Condvar,
    /// Rings when a frame was taken.
    taken: Condvar,
    /// Whether no frame is dropped.
    every: bool,
}

impl Sink for Newest {
    fn frame(&self, pixels: Pixels) {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        if self.every {
            slot = self.taken.wait_while(slot, |s| s.is_some()).unwrap_or_else(PoisonError::into_inner);
        }
        *slot = Some(pixels);
        drop(slot);
        self.came.notify_one();
    }
    fn link(&self, down: Option<String>) {
        if let Some(why) = down {
            tracing::warn!("{why}");
        }
    }
}

impl Newest {
    fn take(&self) -> Option<Pixels> {
        let slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = self.came.wait_timeout_while(slot, TICK, |s| s.is_none());
        let frame = wait.unwrap_or_else(PoisonError::into_inner).0.take();
        self.taken.notify_one();
        frame
    }
}

/// Watches until the folder or the number of frames is through; a camera for ever.
pub(crate) fn run(args: &WatchArgs) -> anyhow::Result<ExitCode> {
    let effort = Effort { crops: args.crops, ..Effort::LANE };
    let mut watch = Watch {
        engine: crate::engine_of(&crate::models(&args.models)?, &args.models.region, effort)?,
        kinds: args.kind.kinds(),
        tracks: Tracks::new(args.gone_ms),
        save: args.save.as_deref(),
    };
    if let Some(folder) = &args.save {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let most = if args.frames == 0 { u64::MAX } else { args.frames };
    if args.url.contains("://") {
        camera(&mut watch, &args.url, most)?;
    } else {
        folder(&mut watch, Path::new(&args.url), most, args.frame_ms)?;
    }
    let left = watch.tracks.end();
    watch.tell(&left)?;
    Ok(ExitCode::SUCCESS)
}

struct Watch<'a> {
    engine: Engine,
    kinds: Vec<ReadKind>,
    tracks: Tracks<Named>,
    save: Option<&'a Path>,
}

fn camera(watch: &mut Watch<'_>, url: &str, most: u64) -> anyhow::Result<()> {
    let newest = Arc::new(Newest { every: url.starts_with("dir://"), ..Newest::default() });
    capture::start(&newest, url).context("camera thread")?;
    let started = Instant::now();
    let mut count = 0;
    while count < most {
        let frame = newest.take();
        let now_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if let Some(pixels) = frame {
            count += 1;
            watch.frame(now_ms, (pixels, format!("{count}").into()));
        }
        let left = watch.tracks.left(now_ms);
        watch.tell(&left)?;
    }
    Ok(())
}

fn folder(watch: &mut Watch<'_>, folder: &Path, most: u64, frame_ms: u64) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("{}: a URL or a folder is expected", folder.display()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|e| e.ok().map(|e| e.path()))
        .filter(|p| p.is_file() && capture::is_picture(p))
        .collect();
    files.sort();
    let mut now_ms = 0;
    for file in files.into_iter().take(usize::try_from(most).unwrap_or(usize::MAX)) {
        match picture::load(&file) {
            Ok(bytes) => {
                let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                watch.frame(now_ms, (Pixels::File(bytes.into()), name.into()));
            }
            Err(error) => tracing::warn!("{}: {error}", file.display()),
        }
        let left = watch.tracks.left(now_ms);
        watch.tell(&left)?;
        now_ms += frame_ms;
    }
    Ok(())
}

impl Watch<'_> {
    /// Reads one frame; one that cannot be read is left out.
    fn frame(&mut self, now_ms: u64, frame: Named) {
        let readings = match &frame.0 {
            Pixels::File(bytes) => self.read_file(bytes),
            Pixels::Raw(mat) => self.read_mat(mat),
        };
        match readings {
            Ok(readings) => self.tracks.add(now_ms, &frame, &readings),
            Err(error) => tracing::warn!(frame = %frame.1, "left out: {error:#}"),
        }
    }
    fn read_file(&mut self, bytes: &[u8]) -> anyhow::Result<Vec<crate::reading::Reading>> {
        let grey = picture::grey(bytes)?;
        self.engine.read_colour(&grey, &Colour::File(bytes), &self.kinds, View::Front)
    }
    fn read_mat(&mut self, mat: &Mat) -> anyhow::Result<Vec<crate::reading::Reading>> {
        let mut grey = Mat::default();
        imgproc::cvt_color_def(mat, &mut grey, imgproc::COLOR_BGR2GRAY)?;
        self.engine.read_colour(&grey, &Colour::Frame(mat), &self.kinds, View::Front)
    }
    /// Prints the objects that left and saves their best frames.
    fn tell(&self, left: &[Left<Named>]) -> anyhow::Result<()> {
        for l in left {
            let mut best_frames = Vec::new();
            for (n, b) in l.best.iter().enumerate() {
                let (pixels, name) = &b.frame;
                let saved = match self.save {
                    Some(folder) => {
                        Some(save(pixels, &folder.join(format!("object-{}-{}", l.number, n + 1)))?)
                    }
                    None => None,
                };
                let (confidence, at) = (line::rounded(b.confidence), line::box_of(&b.at));
                best_frames.push(FrameLine { frame: name, at_ms: b.at_ms, confidence, at, saved });
            }
            let line = LeftLine {
                object: l.number,
                read: line::of(&l.read, l.layout),
                first_ms: l.first_ms,
                last_ms: l.last_ms,
                frames: l.frames,
                best_frames,
            };
            let mut out = std::io::stdout().lock();
            writeln!(out, "{}", serde_json::to_string(&line)?)
                .and_then(|()| out.flush())
                .context("stdout")?;
        }
        Ok(())
    }
}

/// Writes a frame as it came (or as JPEG) and gives its path.
fn save(pixels: &Pixels, stem: &Path) -> anyhow::Result<String> {
    let encoded;
    let (bytes, ending) = match pixels {
        Pixels::File(bytes) => (bytes.as_ref(), picture::ending(bytes)),
        Pixels::Raw(mat) => {
            encoded = picture::jpeg(mat, 90)?;
            (encoded.as_slice(), "jpg")
        }
    };
    let path = stem.with_extension(ending);
    std::fs::write(&path, bytes).with_context(|| path.display().to_string())?;
    Ok(path.display().to_string())
}
