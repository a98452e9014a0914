//! The reference scene of the camera: kept in a file, learned while the lane rests, learned anew when the
//! file is taken away.

use lpr_ocr::scene::{HEIGHT, Scene, SceneState, SceneWatch, WIDTH};
use opencv::core::{Mat, MatTraitConstManual as _, Size};
use opencv::imgproc;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// A reference that follows the light is written no more often than this.
const WRITE_EVERY: Duration = Duration::from_secs(600);
/// Largest file looked at, bytes.
const MOST_BYTES: u64 = 1 << 16;

/// What a frame said.
pub(super) struct Look {
    /// What is wrong, and what to do.
    pub(super) fault: Option<String>,
    /// The next frame is wanted soon.
    pub(super) doubtful: bool,
}

/// One camera's scene and its file.
pub(super) struct Keeper {
    file: Option<PathBuf>,
    /// The file's time as it was read or written last.
    stamp: Option<SystemTime>,
    written: Option<Instant>,
    watch: SceneWatch,
    started: Instant,
}

impl Keeper {
    /// With the reference in this file, where there is one.
    pub(super) fn open(file: Option<PathBuf>) -> Self {
        let watch = SceneWatch::default();
        let mut keeper = Self { file, stamp: None, written: None, watch, started: Instant::now() };
        keeper.heed_file();
        keeper
    }
    /// Takes a grey frame of any size. `resting`: no vehicle is announced.
    pub(super) fn look(&mut self, grey: &Mat, resting: bool) -> opencv::Result<Look> {
        self.heed_file();
        let mut small = Mat::default();
        let size = Size::new(WIDTH as i32, HEIGHT as i32);
        imgproc::resize(grey, &mut small, size, 0.0, 0.0, imgproc::INTER_AREA)?;
        let Some(scene) = Scene::of(small.data_bytes()?) else {
            return Ok(Look { fault: None, doubtful: false });
        };
        let now_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let state = self.watch.frame(now_ms, &scene, resting);
        self.keep();
        let redo = match &self.file {
            Some(file) => format!("; is it meant so, remove {}", file.display()),
            None => String::new(),
        };
        let fault = match state {
            SceneState::Unknown | SceneState::Right | SceneState::Doubtful => None,
            SceneState::Other => Some(format!(
                "the scene is not the one learned: the camera was turned or moved, or something stands before it{redo}"
            )),
            SceneState::Nothing => Some(
                "the picture shows nothing of its scene: the lens is covered, dirty or out of focus, or there is fog"
                    .to_owned(),
            ),
        };
        Ok(Look { fault, doubtful: state == SceneState::Doubtful })
    }

    /// A file that was exchanged is taken, one that was removed is learned anew.
    fn heed_file(&mut self) {
        let Some(file) = &self.file else { return };
        let time = std::fs::metadata(file).ok().filter(|m| m.len() <= MOST_BYTES);
        let time = time.and_then(|m| m.modified().ok());
        if time == self.stamp {
            return;
        }
        self.stamp = time;
        let bytes = time.and_then(|_| std::fs::read(file).ok());
        self.watch = match bytes.map(|b| Scene::from_bytes(&b)) {
            Some(Ok(scene)) => SceneWatch::with(Some(scene)),
            Some(Err(error)) => {
                tracing::warn!(file = %file.display(), %error, "the scene is learned anew");
                SceneWatch::default()
            }
            None => SceneWatch::default(),
        };
        self.written = None;
    }

    fn keep(&mut self) {
        let Some(file) = &self.file else { return };
        if self.written.is_some_and(|at| at.elapsed() < WRITE_EVERY) {
            return;
        }
        let Some(scene) = self.watch.take_changed() else { return };
        let kept = write(file, &scene.to_bytes());
        if let Err(error) = &kept {
            tracing::warn!(file = %file.display(), %error, "the scene is not kept");
        }
        self.written = Some(Instant::now());
        self.stamp = kept.ok();
    }
}

/// Writes beside and renames, so that a half file is never read.
fn write(file: &Path, bytes: &[u8]) -> std::io::Result<SystemTime> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let beside = file.with_extension("new");
    std::fs::write(&beside, bytes)?;
    std::fs::rename(&beside, file)?;
    std::fs::metadata(file)?.modified()
}
