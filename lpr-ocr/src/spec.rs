//! What a worker is told: its program, its camera, what to look for.

use gate_types::DeviceId;
use gate_types::observation::{ReadKind, View};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One camera of a lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameraSpec {
    /// Device name.
    pub id: DeviceId,
    /// `mjpeg://HOST:PORT/PATH`, `rtsp://...` or `dir:///FOLDER`.
    pub endpoint: String,
    /// The side of the vehicle that it sees.
    pub view: View,
    /// What is looked for on its frames.
    pub kinds: Vec<ReadKind>,
    /// Codes (QR) are looked for as well.
    #[serde(default)]
    pub codes: bool,
}

/// One camera's vision worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerSpec {
    /// The program, `varco-ocr`; started as `COMMAND serve [--models DIR] [--region A,B]`.
    pub command: PathBuf,
    /// A folder with other models than the built-in ones.
    pub models: Option<PathBuf>,
    /// Countries or groups that plates are expected from; empty: all around Europe.
    pub regions: Vec<String>,
    /// The camera.
    pub camera: CameraSpec,
    /// A file whose lock is the turn to read a frame, common to the workers of a lane; none: no turns.
    pub turns: Option<PathBuf>,
    /// The file of the scene that the camera was set up for: learned from the resting lane where it is not
    /// there; none: learned, not kept.
    pub scene: Option<PathBuf>,
}

/// What the lane asks of a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameraCommand {
    /// A vehicle stands in the lane: read it. Given again, everything is read anew.
    Observe,
    /// Nothing more is to be read: rest. A vehicle may still stand there.
    Rest,
    /// No vehicle is in the lane: rest, and look whether the camera still sees its scene.
    Empty,
}
