//! `varco-ocr read`: files to JSON lines.

use crate::engine::{Engine, Reading};
use crate::{ReadArgs, picture};
use anyhow::Context as _;
use gate_types::observation::{CheckDigit, PixelBox, ReadKind, View};
use opencv::core::{MatTraitConst as _, Point, Scalar, Vector};
use opencv::{imgcodecs, imgproc};
use serde::Serialize;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

#[derive(Serialize)]
struct FileLine<'a> {
    file: &'a str,
    width: i32,
    height: i32,
    ms: f32,
    reads: Vec<ReadLine<'a>>,
}

#[derive(Serialize)]
struct ReadLine<'a> {
    kind: ReadKind,
    text: &'a str,
    raw_text: &'a str,
    confidence: f32,
    #[serde(rename = "box")]
    at: PixelBox,
    layout: &'a str,
    region: Option<&'a str>,
    check_digit: CheckDigit,
    type_code: Option<&'a str>,
    alternatives: Vec<AlternativeLine<'a>>,
}

#[derive(Serialize)]
struct AlternativeLine<'a> {
    text: &'a str,
    confidence: f32,
}

#[derive(Serialize)]
struct ErrorLine<'a> {
    file: &'a str,
    error: String,
}

fn rounded(v: f32) -> f32 {
    (v * 10_000.0).round() / 10_000.0
}

fn line(r: &Reading) -> ReadLine<'_> {
    let tenth = |v: f32| (v * 10.0).round() / 10.0;
    let at = r.read.at;
    ReadLine {
        kind: r.read.kind,
        text: &r.read.text,
        raw_text: &r.read.raw_text,
        confidence: rounded(r.read.confidence),
        at: PixelBox { x: tenth(at.x), y: tenth(at.y), w: tenth(at.w), h: tenth(at.h) },
        layout: r.layout,
        region: r.read.region.as_deref(),
        check_digit: r.read.check_digit,
        type_code: r.read.type_code.as_deref(),
        alternatives: r
            .read
            .alternatives
            .iter()
            .filter(|a| a.confidence >= 0.001)
            .map(|a| AlternativeLine { text: &a.text, confidence: rounded(a.confidence) })
            .collect(),
    }
}

/// Reads all files; 1 where one of them was broken.
pub(crate) fn run(args: &ReadArgs) -> anyhow::Result<ExitCode> {
    let mut engine = crate::engine(&args.models, true)?;
    if let Some(folder) = &args.draw {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let kinds = args.kind.kinds();
    let mut broken = false;
    let mut out = std::io::stdout().lock();
    for path in &args.files {
        let name = path.display().to_string();
        let text = match one(&mut engine, path, &kinds, args.draw.as_deref()) {
            Ok((width, height, ms, readings)) => {
                let reads = readings.iter().map(line).collect();
                serde_json::to_string(&FileLine { file: &name, width, height, ms, reads })?
            }
            Err(error) => {
                broken = true;
                serde_json::to_string(&ErrorLine { file: &name, error: format!("{error:#}") })?
            }
        };
        writeln!(out, "{text}")?;
    }
    Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Size, milliseconds (decoding included) and readings of one file.
pub(crate) fn one(
    engine: &mut Engine,
    path: &Path,
    kinds: &[ReadKind],
    draw: Option<&Path>,
) -> anyhow::Result<(i32, i32, f32, Vec<Reading>)> {
    let bytes = picture::load(path)?;
    let started = Instant::now();
    let grey = picture::grey(&bytes)?;
    let readings = engine.read(&grey, kinds, View::Front)?;
    let ms = (started.elapsed().as_secs_f32() * 10_000.0).round() / 10.0;
    let size = grey.size()?;
    if let Some(folder) = draw {
        drawn(&bytes, &readings, path, folder)?;
    }
    Ok((size.width, size.height, ms, readings))
}

fn drawn(bytes: &[u8], readings: &[Reading], path: &Path, folder: &Path) -> anyhow::Result<()> {
    let mut image = picture::colour(bytes)?;
    let size = image.size()?;
    let thick = (size.width / 600).clamp(1, 8);
    for r in readings {
        let colour = match r.read.kind {
            ReadKind::Plate => Scalar::new(0.0, 220.0, 0.0, 0.0),
            ReadKind::Container => Scalar::new(255.0, 160.0, 0.0, 0.0),
            ReadKind::Adr => Scalar::new(0.0, 140.0, 255.0, 0.0),
        };
        let points: Vector<Point> =
            r.quad.0.iter().map(|p| Point::new(p.0 as i32, p.1 as i32)).collect();
        imgproc::polylines(&mut image, &points, true, colour, thick, imgproc::LINE_AA, 0)?;
        let text = format!("{} {:.2}", r.read.text, r.read.confidence);
        let at = Point::new(r.read.at.x.max(0.0) as i32, (r.read.at.y - 6.0).max(20.0) as i32);
        let scale = f64::from(size.width) / 1600.0 + 0.2;
        imgproc::put_text(
            &mut image,
            &text,
            at,
            imgproc::FONT_HERSHEY_SIMPLEX,
            scale,
            colour,
            thick,
            imgproc::LINE_AA,
            false,
        )?;
    }
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned() + ".jpg";
    let target = folder.join(name);
    anyhow::ensure!(imgcodecs::imwrite_def(&target, &image)?, "{}: cannot be written", target.display());
    Ok(())
}
