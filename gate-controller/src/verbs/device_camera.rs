//! A camera on the bench: `mjpeg://HOST:PORT/PATH`, `rtsp://...`, `dir:///FOLDER`, read by a vision worker as
//! in a lane; `bench_kinds=plate,container,adr` (or `none`) tells what is looked for, `scene=FILE` where the scene
//! that the camera was set up for is kept.

use super::device_bench::{Bench, LOOK, Limits};
use anyhow::{Context as _, Result, bail};
use device::Endpoint;
use gate_types::DeviceId;
use gate_types::observation::{ReadKind, View};
use lpr_ocr::{CameraCommand, CameraSpec, FrameStore, WorkerDriver, WorkerSpec};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// What is looked for where nothing is told.
const KINDS: &str = "plate,container,adr";

/// The resting lane is learned within this.
const LEARNED_WITHIN: Duration = Duration::from_secs(30);

/// What the bench takes out of a camera's URL.
#[derive(Debug, PartialEq, Eq)]
struct Parted {
    /// The camera's own URL.
    url: String,
    kinds: String,
    scene: Option<PathBuf>,
}

fn driver(parted: &Parted) -> Result<WorkerDriver> {
    let kinds = parted.kinds.split(',').filter(|kind| *kind != "none").map(|kind| match kind {
        "plate" => Ok(ReadKind::Plate),
        "container" => Ok(ReadKind::Container),
        "adr" => Ok(ReadKind::Adr),
        other => bail!("endpoint: bench_kinds: `{other}`: plate, container, adr or none"),
    });
    let camera = CameraSpec {
        id: DeviceId::new("camera")?,
        endpoint: parted.url.clone(),
        view: View::Front,
        kinds: kinds.collect::<Result<_>>()?,
        codes: true,
    };
    let spec = WorkerSpec {
        command: crate::wiring::worker_program(Path::new("varco-ocr")),
        models: None,
        regions: Vec::new(),
        camera,
        turns: None,
        scene: parted.scene.clone(),
    };
    Ok(WorkerDriver::new(spec, FrameStore::new()))
}

/// The settings of the bench are taken out of the URL, all else is the camera's.
fn parted(text: &str, endpoint: &Endpoint) -> Parted {
    let mut url = text.to_owned();
    let mut taken = |key: &str| {
        let value = endpoint.query.get(key)?;
        let setting = format!("{key}={value}");
        url = url.replace(&format!("{setting}&"), "").replace(&format!("?{setting}"), "");
        url = url.replace(&format!("&{setting}"), "");
        Some(value.clone())
    };
    let (kinds, scene) = (taken("bench_kinds"), taken("scene"));
    Parted { url, kinds: kinds.unwrap_or_else(|| KINDS.to_owned()), scene: scene.map(PathBuf::from) }
}

/// `scene` learns the resting lane anew and keeps it in `scene=FILE`.
pub(super) async fn test(
    text: &str,
    endpoint: &Endpoint,
    acts: &[String],
    limits: &Limits,
    out: &mut impl Write,
) -> Result<bool> {
    if let Some(other) = acts.iter().find(|act| *act != "scene") {
        bail!("`{other}`: a camera is told scene");
    }
    let parted = parted(text, endpoint);
    let file = parted.scene.clone().context("endpoint: scene=FILE is missing: where is the scene kept?")?;
    if file.exists() {
        std::fs::remove_file(&file).with_context(|| file.display().to_string())?;
    }
    let mut bench = Bench::start("camera", driver(&parted)?, limits)?;
    bench.commands.send(CameraCommand::Empty).await?;
    bench.up(out).await?;
    let until = Instant::now() + limits.for_time.unwrap_or(LEARNED_WITHIN);
    while !file.exists() && Instant::now() < until {
        bench.watch(&Limits { for_time: Some(LOOK), count: Some(1), ..*limits }, out).await?;
    }
    bench.stop().await;
    let learned = file.exists();
    writeln!(out, "{}", serde_json::json!({ "scene": file, "learned": learned }))?;
    Ok(learned)
}

/// Reads while it watches: a vehicle is announced at the start, unless nothing is looked for.
pub(super) async fn watch(
    text: &str,
    endpoint: &Endpoint,
    limits: &Limits,
    out: &mut impl Write,
) -> Result<bool> {
    let parted = parted(text, endpoint);
    let mut bench = Bench::start("camera", driver(&parted)?, limits)?;
    let first = if parted.kinds == "none" { CameraCommand::Empty } else { CameraCommand::Observe };
    bench.commands.send(first).await?;
    let up = bench.watch(limits, out).await;
    bench.stop().await;
    up
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bench_takes_its_own_setting_and_leaves_the_camera_s() {
        for (text, url) in [
            ("mjpeg://h:1/a?bench_kinds=plate", "mjpeg://h:1/a"),
            ("mjpeg://h:1/a?bench_kinds=plate&q=1", "mjpeg://h:1/a?q=1"),
            ("mjpeg://h:1/a?q=1&bench_kinds=plate", "mjpeg://h:1/a?q=1"),
        ] {
            let got = parted(text, &Endpoint::parse(text).unwrap());
            assert_eq!((got.url.as_str(), got.kinds.as_str(), got.scene), (url, "plate", None), "{text}");
        }
        let text = "mjpeg://h:1/a?bench_kinds=none&scene=/tmp/s.scene&q=1";
        let got = parted(text, &Endpoint::parse(text).unwrap());
        assert_eq!((got.url.as_str(), got.scene), ("mjpeg://h:1/a?q=1", Some(PathBuf::from("/tmp/s.scene"))));
    }
}
