//! The two nets on OpenCV DNN: loading with checksums, and running them on frames and crops.

use anyhow::{Context as _, bail};
use lpr_ocr::decode::beam::Probabilities;
use lpr_ocr::decode::boxes::{self, Found, FrameScale, MapShape, ObjectClass};
use opencv::core::{
    BORDER_REPLICATE, CV_32F, Mat, MatTraitConst as _, MatTraitConstManual as _, MatTraitManual as _, Scalar,
    Size, Vector,
};
use opencv::dnn::{self, Net, NetTrait as _};
use opencv::imgproc;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::path::Path;

const CROP_W: i32 = 192;
const CROP_H: i32 = 48;
const INPUT_W: i32 = 960;
const INPUT_H: i32 = 544;

#[derive(Deserialize)]
struct Card {
    version: String,
    reader: Model,
    detector: Model,
}

#[derive(Deserialize)]
struct Model {
    file: String,
    sha256: String,
}

/// Both nets, ready to run on one thread.
pub(crate) struct Nets {
    detector: Net,
    reader: Net,
    /// Versions and checksums, for the log.
    pub names: String,
}

/// How much of the picture around a box goes into a crop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Margin {
    /// At every edge, part of the box's short side.
    pub edge: f32,
    /// At both ends, part of its long side.
    pub ends: f32,
}

impl Nets {
    /// The built-in models.
    pub(crate) fn built_in() -> anyhow::Result<Self> {
        const CARD: &str = include_str!("../../models/models.toml");
        let card: Card = toml::from_str(CARD).context("built-in models.toml")?;
        let reader = include_bytes!("../../models/reader.onnx");
        let detector = include_bytes!("../../models/detector.onnx");
        Self::load(&card, reader, detector).context("built-in models")
    }
    /// The models of a folder with `models.toml`.
    pub(crate) fn from_folder(folder: &Path) -> anyhow::Result<Self> {
        let at = |name: &str| folder.join(name);
        let read = |name: &str| {
            let plain = Path::new(name).components().count() == 1;
            anyhow::ensure!(plain, "models.toml names `{name}`: a file name without a folder is expected");
            std::fs::read(at(name)).with_context(|| at(name).display().to_string())
        };
        let text = std::fs::read_to_string(at("models.toml"))
            .with_context(|| format!("{}: a model folder needs models.toml", at("models.toml").display()))?;
        let card: Card = toml::from_str(&text).with_context(|| at("models.toml").display().to_string())?;
        let (reader, detector) = (read(&card.reader.file)?, read(&card.detector.file)?);
        Self::load(&card, &reader, &detector).with_context(|| format!("models in {}", folder.display()))
    }

    fn load(card: &Card, reader: &[u8], detector: &[u8]) -> anyhow::Result<Self> {
        for (what, model, bytes) in [("reader", &card.reader, reader), ("detector", &card.detector, detector)]
        {
            let found = hex::encode(Sha256::digest(bytes));
            if found != model.sha256 {
                bail!(
                    "{what} {}: checksum {found}, models.toml says `{}`; export the model again or take the shipped files",
                    model.file,
                    model.sha256
                );
            }
        }
        let net = |what: &str, bytes: &[u8]| {
            let mut net = dnn::read_net_from_onnx_buffer(&Vector::from_slice(bytes))
                .with_context(|| format!("{what}: OpenCV DNN cannot read the ONNX file"))?;
            net.set_preferable_backend(dnn::DNN_BACKEND_OPENCV)?;
            net.set_preferable_target(dnn::DNN_TARGET_CPU)?;
            anyhow::Ok(net)
        };
        let names = format!(
            "{} (reader {:.8}, detector {:.8})",
            card.version, card.reader.sha256, card.detector.sha256
        );
        let mut nets = Self { detector: net("detector", detector)?, reader: net("reader", reader)?, names };
        // One run each: shapes that do not fit are told here, not at the first vehicle.
        let blank = Mat::new_rows_cols_with_default(64, 96, opencv::core::CV_8UC1, Scalar::all(128.0))?;
        nets.detect(&blank, 0.5, 1.0).context("detector: trial run")?;
        let whole =
            Found { class: ObjectClass::Plate, score: 1.0, cx: 48.0, cy: 32.0, w: 90.0, h: 20.0, angle: 0.0 };
        nets.read(&blank, &whole, Margin { edge: 0.1, ends: 0.0 }).context("reader: trial run")?;
        Ok(nets)
    }

    /// Objects on a grey frame, best first; the frame fills `part` (0..=1) of the net's input.
    pub(crate) fn detect(&mut self, grey: &Mat, threshold: f32, part: f32) -> anyhow::Result<Vec<Found>> {
        let size = grey.size()?;
        let fitting = FrameScale::fit(size.width, size.height, INPUT_W, INPUT_H);
        let scale = FrameScale { factor: fitting.factor * part };
        let fit = |n: i32, most: i32| ((n as f32 * scale.factor).round() as i32).clamp(1, most);
        let small_size = Size::new(fit(size.width, INPUT_W), fit(size.height, INPUT_H));
        let how = if scale.factor < 1.0 { imgproc::INTER_AREA } else { imgproc::INTER_LINEAR };
        let mut small = Mat::default();
        imgproc::resize(grey, &mut small, small_size, 0.0, 0.0, how)?;
        let mut input = Mat::new_nd_with_default(&[1, 1, INPUT_H, INPUT_W], CV_32F, Scalar::all(0.0))?;
        let values = input.data_typed_mut::<f32>()?;
        for row in 0..small_size.height {
            let at = (row * INPUT_W) as usize;
            for (to, from) in values[at..].iter_mut().zip(small.at_row::<u8>(row)?) {
                *to = (f32::from(*from) - 127.5) / 64.0;
            }
        }
        let maps = run(&mut self.detector, &input, "frame")?;
        Ok(boxes::decode(&maps, MapShape::SHIPPED, threshold, scale)?)
    }

    /// The reader's output on one object of the full-resolution grey frame.
    pub(crate) fn read(
        &mut self,
        grey: &Mat,
        found: &Found,
        margin: Margin,
    ) -> anyhow::Result<Probabilities> {
        let crop = crop(grey, found, margin)?;
        let pixels = crop.data_typed::<u8>()?;
        let n = pixels.len() as f32;
        let mean = pixels.iter().map(|p| f32::from(*p)).sum::<f32>() / n;
        let deviation = (pixels.iter().map(|p| (f32::from(*p) - mean).powi(2)).sum::<f32>() / n).sqrt();
        let mut input = Mat::new_nd_with_default(&[1, 2, CROP_H, CROP_W], CV_32F, Scalar::all(0.0))?;
        let (first, second) = input.data_typed_mut::<f32>()?.split_at_mut(pixels.len());
        for (to, from) in first.iter_mut().zip(pixels) {
            *to = (f32::from(*from) - mean) / (deviation + 4.0);
        }
        second.fill(if found.class == ObjectClass::CodeColumn { 1.0 } else { 0.0 });
        let logits = run(&mut self.reader, &input, "crop")?;
        Ok(Probabilities::from_logits(&logits)?)
    }
}

fn run(net: &mut Net, input: &Mat, name: &str) -> anyhow::Result<Vec<f32>> {
    net.set_input(input, name, 1.0, Scalar::all(0.0))?;
    let out = net.forward_single_def()?;
    Ok(out.data_typed::<f32>()?.to_vec())
}

/// The 192 x 48 crop of an oriented box: sampled at up to 12 times the size, then averaged down.
fn crop(grey: &Mat, found: &Found, margin: Margin) -> anyhow::Result<Mat> {
    let edge = margin.edge * found.w.min(found.h);
    let w = (found.w * (1.0 + 2.0 * margin.ends) + 2.0 * edge).clamp(4.0, 20_000.0);
    let h = (found.h + 2.0 * edge).clamp(2.0, 20_000.0);
    let over = (w / CROP_W as f32).max(h / CROP_H as f32).round().clamp(1.0, 12.0);
    let (s, c) = found.angle.sin_cos();
    let (ux, uy) = (c * w / (CROP_W as f32 * over), s * w / (CROP_W as f32 * over));
    let (vx, vy) = (-s * h / (CROP_H as f32 * over), c * h / (CROP_H as f32 * over));
    let ox = found.cx - c * w / 2.0 + s * h / 2.0 + (ux + vx) / 2.0 - 0.5;
    let oy = found.cy - s * w / 2.0 - c * h / 2.0 + (uy + vy) / 2.0 - 0.5;
    let map = [ux, vx, ox, uy, vy, oy].map(f64::from);
    let map = Mat::new_rows_cols_with_data(2, 3, &map)?;
    let size = Size::new(CROP_W * over as i32, CROP_H * over as i32);
    let mut view = Mat::default();
    let how = imgproc::INTER_LINEAR | imgproc::WARP_INVERSE_MAP;
    imgproc::warp_affine(grey, &mut view, &map, size, how, BORDER_REPLICATE, Scalar::default())?;
    if over <= 1.0 {
        return Ok(view);
    }
    let mut out = Mat::default();
    imgproc::resize(&view, &mut out, Size::new(CROP_W, CROP_H), 0.0, 0.0, imgproc::INTER_AREA)?;
    Ok(out)
}
