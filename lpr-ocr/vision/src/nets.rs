//! Loading the nets and running them: every size comes from the model card.

use crate::align::{self, Aligned};
use crate::card::{AlignerCard, DetectorCard, Models, NetFile, ReaderCard};
use crate::crop;
use crate::geometry::Quad;
use anyhow::{Context as _, anyhow, bail};
use lpr_ocr::decode::{Found, ObjectClass, Probabilities};
use opencv::core::{CV_8UC1, Mat, MatTraitConst as _, MatTraitConstManual as _, Scalar, Vector};
use opencv::dnn::{self, Net, NetTrait as _};

/// A net, ready to run on one thread.
pub(crate) struct Runner {
    net: Net,
    name: String,
}

impl Runner {
    pub(crate) fn load(file: &NetFile) -> anyhow::Result<Self> {
        let name = file.name.clone();
        let load = || {
            let mut net = dnn::read_net_from_onnx_buffer(&Vector::from_slice(&file.bytes))?;
            net.set_preferable_backend(dnn::DNN_BACKEND_OPENCV)?;
            net.set_preferable_target(dnn::DNN_TARGET_CPU)?;
            opencv::Result::Ok(net)
        };
        let net = load().map_err(|e| {
            anyhow!("{name}: OpenCV DNN cannot load the ONNX file (operator or graph not supported): {}", said(&e))
        })?;
        Ok(Self { net, name })
    }
    /// The output for one input; `wanted` is its shape by the card.
    pub(crate) fn run(&mut self, input: &Mat, wanted: &[i32]) -> anyhow::Result<Vec<f32>> {
        let mut forward = || {
            self.net.set_input(input, "", 1.0, Scalar::all(0.0))?;
            self.net.forward_single_def()
        };
        let out = forward().map_err(|e| {
            let given = input.mat_size().to_vec();
            anyhow!("{}: OpenCV DNN cannot run it on an input of shape {given:?}: {}", self.name, said(&e))
        })?;
        let shape = out.mat_size().to_vec();
        // A dimension of one may be left out.
        let bare = |s: &[i32]| s.iter().copied().filter(|n| *n != 1).collect::<Vec<_>>();
        if bare(&shape) != bare(wanted) {
            bail!("{}: its output has shape {shape:?}, the model card wants {wanted:?}", self.name);
        }
        let values = out.data_typed::<f32>().with_context(|| format!("{}: its output is not float32", self.name))?;
        Ok(values.to_vec())
    }
}

/// What an OpenCV error says, in one line.
fn said(e: &opencv::Error) -> String {
    let text = e.message.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().take(400).collect()
}

/// All nets of one thread.
pub(crate) struct Nets {
    pub(crate) detector: Runner,
    /// The detector for inputs of half the width and height, where it takes them.
    pub(crate) half: Option<Runner>,
    pub(crate) detector_card: DetectorCard,
    aligner: Option<(Runner, AlignerCard)>,
    reader: Runner,
    reader_card: ReaderCard,
    /// Versions and checksums, for the log.
    pub names: String,
}

impl Nets {
    /// Loads all nets and runs each once: what does not fit is told here, not at the first vehicle.
    /// `close_ups`: the detector is made ready for a second look at half the size.
    pub(crate) fn load(models: &Models, close_ups: bool) -> anyhow::Result<Self> {
        let aligner = match &models.aligner {
            Some(card) => Some((Runner::load(&card.net)?, card.clone())),
            None => None,
        };
        let mut nets = Self {
            detector: Runner::load(&models.detector.net)?,
            half: None,
            detector_card: models.detector.clone(),
            aligner,
            reader: Runner::load(&models.reader.net)?,
            reader_card: models.reader.clone(),
            names: models.names(),
        };
        let blank = Mat::new_rows_cols_with_default(64, 96, CV_8UC1, Scalar::all(128.0))?;
        nets.detect(&blank, 0.9, 1.0)?;
        let found =
            Found { class: ObjectClass::Plate, score: 1.0, cx: 48.0, cy: 32.0, w: 60.0, h: 20.0, angle: 0.0 };
        nets.align(&blank, &found)?;
        nets.read(&blank, &Quad::of(&found), false)?;
        if close_ups {
            nets.half = Runner::load(&models.detector.net).ok();
            // A net that takes one size only is used at that size.
            if nets.detect(&blank, 0.9, 0.5).is_err() {
                nets.half = None;
            }
        }
        Ok(nets)
    }
    /// Whether texts are aligned by their corners.
    pub(crate) fn has_aligner(&self) -> bool {
        self.aligner.is_some()
    }
    /// The text in a rough box; `None` without an aligner.
    pub(crate) fn align(&mut self, grey: &Mat, found: &Found) -> anyhow::Result<Option<Aligned>> {
        let Some((runner, card)) = &mut self.aligner else { return Ok(None) };
        let quad = align::view(found);
        let Some(view) = crop::cut(grey, &quad, card.net.width_px, card.net.height_px)? else {
            return Ok(None);
        };
        let flag = if found.class == ObjectClass::CodeColumn { 1.0 } else { 0.0 };
        let input = crop::input(&view, card.net.planes, flag)?;
        let values = runner.run(&input, &[1, 8 + card.kinds.len() as i32])?;
        Ok(align::aligned(&values, &card.kinds, &quad, found))
    }
    /// The reader's output on a quadrangle of the full-resolution frame; `None` for one without an inside.
    pub(crate) fn read(&mut self, grey: &Mat, quad: &Quad, column: bool) -> anyhow::Result<Option<Probabilities>> {
        let card = &self.reader_card;
        let Some(view) = crop::cut(grey, quad, card.net.width_px, card.net.height_px)? else {
            return Ok(None);
        };
        let input = crop::input(&view, card.net.planes, if column { 1.0 } else { 0.0 })?;
        let wanted = [1, card.alphabet.classes() as i32, card.steps as i32];
        let logits = self.reader.run(&input, &wanted)?;
        let read = Probabilities::with_alphabet(&logits, &card.alphabet);
        Ok(Some(read.with_context(|| self.reader.name.clone())?))
    }
}
