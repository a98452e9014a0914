//! A camera on the bench: `mjpeg://HOST:PORT/PATH`, `rtsp://...`, `dir:///FOLDER`, read by a vision worker as
//! in a lane; `bench_kinds=plate,container,adr` tells what is looked for.

use super::device_bench::{Bench, Limits};
use anyhow::{Result, bail};
use device::Endpoint;
use gate_types::DeviceId;
use gate_types::observation::{ReadKind, View};
use lpr_ocr::{CameraCommand, CameraSpec, FrameStore, WorkerDriver, WorkerSpec};
use std::io::Write;
use std::path::Path;

/// What is looked for where nothing is told.
const KINDS: &str = "plate,container,adr";

fn driver(text: &str, kinds: &str) -> Result<WorkerDriver> {
    let kinds = kinds.split(',').map(|kind| match kind {
        "plate" => Ok(ReadKind::Plate),
        "container" => Ok(ReadKind::Container),
        "adr" => Ok(ReadKind::Adr),
        other => bail!("endpoint: bench_kinds: `{other}`: plate, container or adr"),
    });
    let camera = CameraSpec {
        id: DeviceId::new("camera")?,
        endpoint: text.to_owned(),
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
    };
    Ok(WorkerDriver::new(spec, FrameStore::new()))
}

/// The camera's own URL and what is looked for: the setting of the bench is taken out, all else is the
/// camera's.
fn parted(text: &str, endpoint: &Endpoint) -> (String, String) {
    let Some(kinds) = endpoint.query.get("bench_kinds") else { return (text.to_owned(), KINDS.to_owned()) };
    let setting = format!("bench_kinds={kinds}");
    let rest = text.replace(&format!("{setting}&"), "").replace(&format!("?{setting}"), "");
    (rest.replace(&format!("&{setting}"), ""), kinds.clone())
}

/// Reads while it watches: a vehicle is announced at the start.
pub(super) async fn watch(
    text: &str,
    endpoint: &Endpoint,
    limits: &Limits,
    out: &mut impl Write,
) -> Result<bool> {
    let (url, kinds) = parted(text, endpoint);
    let mut bench = Bench::start("camera", driver(&url, &kinds)?, limits)?;
    bench.commands.send(CameraCommand::Observe).await?;
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
            assert_eq!(got, (url.to_owned(), "plate".to_owned()), "{text}");
        }
    }
}
