//! `varco-ocr read`: files to lines.

use crate::cli::ReadArgs;
use crate::engine::Engine;
use crate::line::{self, ErrorLine, FileLine};
use crate::panel::Colour;
use crate::reading::Reading;
use crate::{picture, pool};
use anyhow::Context as _;
use gate_types::observation::{ReadKind, View};
use opencv::core::{Mat, MatTraitConst as _, Point, Scalar, Vector};
use opencv::{imgcodecs, imgproc};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// What one file said.
pub(crate) struct Seen {
    /// Width, pixels.
    pub width: i32,
    /// Height, pixels.
    pub height: i32,
    /// Decoding and reading, milliseconds.
    pub ms: f32,
    /// Best first.
    pub readings: Vec<Reading>,
}

/// Reads all files; 1 where one of them was broken.
pub(crate) fn run(args: &ReadArgs) -> anyhow::Result<ExitCode> {
    let models = crate::models(&args.models)?;
    if let Some(folder) = &args.draw {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let kinds = args.kind.kinds();
    let mut broken = false;
    let mut out = std::io::stdout().lock();
    let count = args.files.len();
    pool::each(
        &models,
        &args.models.region,
        args.effort.effort(),
        (pool::threads(args.threads, count), count),
        |engine, n| one(engine, &args.files[n], &kinds, args.draw.as_deref()),
        |n, seen| {
            let name = args.files[n].display().to_string();
            broken |= seen.is_err();
            let text = match (seen, args.json) {
                (Ok(seen), true) => {
                    let reads = seen.readings.iter().map(|r| line::of(&r.read, r.layout)).collect();
                    let (width, height, ms) = (seen.width, seen.height, seen.ms);
                    serde_json::to_string(&FileLine { file: &name, width, height, ms, reads })?
                }
                (Err(error), true) => {
                    serde_json::to_string(&ErrorLine { file: &name, error: format!("{error:#}") })?
                }
                (Ok(seen), false) if seen.readings.is_empty() => format!("{name}: nothing read"),
                (Ok(seen), false) => {
                    seen.readings.iter().map(|r| line::plain(&name, r)).collect::<Vec<_>>().join("\n")
                }
                (Err(error), false) => format!("{name}: error: {error:#}"),
            };
            writeln!(out, "{text}").context("stdout")
        },
    )?;
    Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Reads one file.
pub(crate) fn one(
    engine: &mut Engine,
    path: &Path,
    kinds: &[ReadKind],
    draw: Option<&Path>,
) -> anyhow::Result<Seen> {
    let bytes = picture::load(path)?;
    let started = Instant::now();
    let grey = picture::grey(&bytes)?;
    let readings = engine.read_colour(&grey, &Colour::File(&bytes), kinds, View::Front)?;
    let ms = (started.elapsed().as_secs_f32() * 10_000.0).round() / 10.0;
    let size = grey.size()?;
    if let Some(folder) = draw {
        let mut image = picture::colour(&bytes)?;
        drawn(&mut image, &readings)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned() + ".jpg";
        let target = folder.join(name);
        anyhow::ensure!(imgcodecs::imwrite_def(&target, &image)?, "{}: cannot be written", target.display());
    }
    Ok(Seen { width: size.width, height: size.height, ms, readings })
}

/// Draws the readings into a colour picture.
pub(crate) fn drawn(image: &mut Mat, readings: &[Reading]) -> opencv::Result<()> {
    let size = image.size()?;
    let thick = (size.width / 600).clamp(1, 8);
    for r in readings {
        let colour = match r.read.kind {
            ReadKind::Plate => Scalar::new(0.0, 220.0, 0.0, 0.0),
            ReadKind::Container => Scalar::new(255.0, 160.0, 0.0, 0.0),
            ReadKind::Adr | ReadKind::Seal => Scalar::new(0.0, 140.0, 255.0, 0.0),
        };
        let points: Vector<Point> = r.quad.0.iter().map(|p| Point::new(p.0 as i32, p.1 as i32)).collect();
        imgproc::polylines(image, &points, true, colour, thick, imgproc::LINE_AA, 0)?;
        let text = format!("{} {:.2}", r.read.text, r.read.confidence);
        let at = Point::new(r.read.at.x.max(0.0) as i32, (r.read.at.y - 6.0).max(20.0) as i32);
        let scale = f64::from(size.width) / 1600.0 + 0.2;
        write_at(image, &text, at, scale, colour, thick)?;
    }
    Ok(())
}

/// Writes a text into a picture.
pub(crate) fn write_at(
    image: &mut Mat,
    text: &str,
    at: Point,
    scale: f64,
    colour: Scalar,
    thick: i32,
) -> opencv::Result<()> {
    let font = imgproc::FONT_HERSHEY_SIMPLEX;
    imgproc::put_text(image, text, at, font, scale, colour, thick, imgproc::LINE_AA, false)
}
