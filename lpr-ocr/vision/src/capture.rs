//! The camera's thread: connects, takes frames, keeps only the newest, connects again.

use crate::serve::Shared;
use gate_types::endpoint::Endpoint;
use lpr_ocr::mjpeg::Parser;
use opencv::core::{Mat, MatTraitConst as _, Vector};
use opencv::videoio::{self, VideoCapture, VideoCaptureTrait as _, VideoCaptureTraitConst as _};
use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest wait for a connection or for bytes.
const SILENCE: Duration = Duration::from_secs(3);
/// Longest opening of a stream: its decoder looks at some seconds of it before it knows its form.
const OPENING: Duration = Duration::from_secs(10);
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Time between looks into a folder.
const FOLDER_LOOK: Duration = Duration::from_millis(500);

/// A frame as the camera gave it.
#[derive(Clone)]
pub(crate) enum Pixels {
    /// JPEG (or another picture file's) bytes.
    File(Arc<[u8]>),
    /// Decoded by a video stream's decoder; blue, green, red.
    Raw(Arc<Mat>),
}

/// Who takes the frames.
pub(crate) trait Sink: Send + Sync {
    /// A new frame.
    fn frame(&self, pixels: Pixels);
    /// The link is up, or down for a reason.
    fn link(&self, down: Option<String>);
}

impl Sink for Shared {
    fn frame(&self, pixels: Pixels) {
        Self::frame(self, pixels);
    }
    fn link(&self, down: Option<String>) {
        Self::link(self, down);
    }
}

/// Starts the thread.
pub(crate) fn start<S: Sink + 'static>(shared: &Arc<S>, endpoint: &str) -> std::io::Result<()> {
    let (shared, endpoint) = (Arc::clone(shared), endpoint.to_owned());
    std::thread::Builder::new().name("camera".into()).spawn(move || run(shared.as_ref(), &endpoint))?;
    Ok(())
}

fn run(shared: &dyn Sink, endpoint: &str) {
    let mut wait = FIRST_WAIT;
    loop {
        let started = Instant::now();
        let why = match serve(shared, endpoint) {
            Ok(never) => match never {},
            Err(why) => why,
        };
        shared.link(Some(format!("camera at {endpoint}: {why}")));
        if started.elapsed() > LONGEST_WAIT {
            wait = FIRST_WAIT;
        }
        std::thread::sleep(wait);
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

enum Never {}

fn serve(shared: &dyn Sink, text: &str) -> Result<Never, String> {
    let scheme = text.split_once("://").map_or("", |s| s.0).to_ascii_lowercase();
    match scheme.as_str() {
        "mjpeg" | "http" => mjpeg(shared, text),
        "dir" => folder(shared, Path::new(text.get("dir://".len()..).unwrap_or(""))),
        "" => Err("no URL: mjpeg://HOST:PORT/PATH, rtsp://... or dir:///FOLDER expected".into()),
        _ => stream(shared, text),
    }
}

fn mjpeg(shared: &dyn Sink, text: &str) -> Result<Never, String> {
    let endpoint = Endpoint::parse(text).map_err(|e| e.to_string())?;
    let port = if endpoint.port == 0 { 80 } else { endpoint.port };
    let addresses =
        (endpoint.host.as_str(), port).to_socket_addrs().map_err(|e| format!("no address: {e}"))?;
    let mut last = "the name has no address".to_owned();
    let mut connected = None;
    for address in addresses {
        match TcpStream::connect_timeout(&address, SILENCE) {
            Ok(socket) => {
                connected = Some(socket);
                break;
            }
            Err(e) => last = format!("no connection: {e}"),
        }
    }
    let mut socket = connected.ok_or(last)?;
    let say = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => "no bytes for 3 s".to_owned(),
        _ => e.to_string(),
    };
    socket.set_read_timeout(Some(SILENCE)).map_err(say)?;
    socket.set_write_timeout(Some(SILENCE)).map_err(say)?;
    let target =
        text.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or("/");
    // HTTP/1.0: an answer in chunks is not allowed then.
    let request = format!(
        "GET {target} HTTP/1.0\r\nHost: {}\r\nAccept: multipart/x-mixed-replace\r\n\r\n",
        endpoint.host
    );
    socket.write_all(request.as_bytes()).map_err(say)?;
    let mut parser = Parser::new();
    let mut piece = vec![0u8; 64 << 10];
    let mut last_frame = Instant::now();
    loop {
        let got = socket.read(&mut piece).map_err(say)?;
        if got == 0 {
            return Err("the camera closed the connection".into());
        }
        parser.push(&piece[..got]);
        while let Some(part) = parser.take().map_err(|e| e.to_string())? {
            last_frame = Instant::now();
            shared.frame(Pixels::File(part.into()));
        }
        if last_frame.elapsed() > SILENCE * 2 {
            return Err("bytes, but no whole frame for 6 s".into());
        }
    }
}

fn stream(shared: &dyn Sink, text: &str) -> Result<Never, String> {
    let say = |e: opencv::Error| e.message;
    let ms = |limit: Duration| i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    let options = Vector::from_slice(&[
        videoio::CAP_PROP_OPEN_TIMEOUT_MSEC,
        ms(OPENING),
        videoio::CAP_PROP_READ_TIMEOUT_MSEC,
        ms(SILENCE),
    ]);
    let mut capture =
        VideoCapture::from_file_with_params(text, videoio::CAP_FFMPEG, &options).map_err(say)?;
    if !capture.is_opened().map_err(say)? {
        return Err("the stream cannot be opened: check address, port, path and password".into());
    }
    loop {
        let mut mat = Mat::default();
        if !capture.read(&mut mat).map_err(say)? || mat.empty() {
            return Err("the stream ended or was silent for 3 s".into());
        }
        shared.frame(Pixels::Raw(Arc::new(mat)));
    }
}

/// Every new picture of a folder once, by name: cameras that upload stills.
fn folder(shared: &dyn Sink, folder: &Path) -> Result<Never, String> {
    let mut last: Option<PathBuf> = None;
    loop {
        let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let mut files: Vec<PathBuf> =
            entries.filter_map(|e| e.ok().map(|e| e.path())).filter(|p| is_picture(p)).collect();
        files.sort();
        let next = files.into_iter().find(|f| last.as_ref().is_none_or(|l| f > l));
        if let Some(file) = next {
            let bytes = crate::picture::load(&file).map_err(|e| format!("{}: {e}", file.display()))?;
            // A file still being written has no end yet; it is looked at again.
            if crate::picture::check(&bytes).is_ok() {
                shared.frame(Pixels::File(bytes.into()));
                last = Some(file);
                continue;
            }
            if std::fs::metadata(&file)
                .and_then(|m| m.modified())
                .is_ok_and(|t| t.elapsed().is_ok_and(|e| e > SILENCE))
            {
                tracing::warn!(file = %file.display(), "no usable picture, left out");
                last = Some(file);
            }
        }
        shared.link(None);
        std::thread::sleep(FOLDER_LOOK);
    }
}

/// Whether a file's name ends like a picture's.
pub(crate) fn is_picture(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    matches!(ending.as_deref(), Some("jpg" | "jpeg" | "png" | "webp" | "bmp"))
}
