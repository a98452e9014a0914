//! Loading the nets and running them: every size comes from the model card.

use crate::align::{self, Aligned};
use crate::card::{AlignerCard, DetectorCard, Models, ReaderCard};
use crate::crop;
use crate::geometry::Quad;
use crate::runner::Runner;
use anyhow::Context as _;
use lpr_ocr::decode::{Found, ObjectClass, Probabilities};
use opencv::core::{CV_8UC1, Mat, Scalar};
use std::time::{Duration, Instant};

/// All nets of one thread.
pub(crate) struct Nets {
    pub(crate) detector: Runner,
    /// Whether the detector takes inputs smaller than the card's.
    pub(crate) any_size: bool,
    pub(crate) detector_card: DetectorCard,
    aligner: Runner,
    aligner_card: AlignerCard,
    reader: Runner,
    reader_card: ReaderCard,
    /// Versions and checksums, for the log.
    pub names: String,
    /// Time spent since it was last taken.
    pub spent: Spent,
}

/// Time spent in each stage.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Spent {
    /// Shrinking and detecting.
    pub detect: Duration,
    /// Cutting views and aligning.
    pub align: Duration,
    /// Cutting crops and reading.
    pub read: Duration,
}

impl Nets {
    /// Loads all nets and runs each once: what does not fit is told here, not at the first vehicle.
    pub(crate) fn load(models: &Models) -> anyhow::Result<Self> {
        let mut nets = Self {
            detector: Runner::load(&models.detector.net)?,
            any_size: false,
            detector_card: models.detector.clone(),
            aligner: Runner::load(&models.aligner.net)?,
            aligner_card: models.aligner.clone(),
            reader: Runner::load(&models.reader.net)?,
            reader_card: models.reader.clone(),
            names: models.names(),
            spent: Spent::default(),
        };
        let blank = Mat::new_rows_cols_with_default(64, 96, CV_8UC1, Scalar::all(128.0))?;
        nets.detect(&blank, 0.9, 1.0)?;
        let found =
            Found { class: ObjectClass::Plate, score: 1.0, cx: 48.0, cy: 32.0, w: 60.0, h: 20.0, angle: 0.0 };
        nets.align(&blank, &found)?;
        nets.read(&blank, &Quad::of(&found), false)?;
        // A net that takes one size only is used at that size.
        nets.any_size = true;
        nets.any_size = nets.detect(&blank, 0.9, 0.5).is_ok();
        Ok(nets)
    }
    /// The text in a rough box; `None` for one without an inside.
    pub(crate) fn align(&mut self, grey: &Mat, found: &Found) -> anyhow::Result<Option<Aligned>> {
        let started = Instant::now();
        let card = &self.aligner_card;
        let quad = align::view(found);
        let Some(view) = crop::cut(grey, &quad, card.net.width_px, card.net.height_px)? else {
            return Ok(None);
        };
        let flag = if found.class == ObjectClass::CodeColumn { 1.0 } else { 0.0 };
        let input = crop::input(&view, card.net.planes, flag)?;
        let values = self.aligner.run(&input, &[1, 8 + card.kinds.len() as i32])?;
        self.spent.align += started.elapsed();
        Ok(align::aligned(&values, &card.kinds, &quad, found))
    }
    /// The reader's output on a quadrangle of the full-resolution frame; `None` for one without an inside.
    pub(crate) fn read(
        &mut self,
        grey: &Mat,
        quad: &Quad,
        column: bool,
    ) -> anyhow::Result<Option<Probabilities>> {
        let started = Instant::now();
        let card = &self.reader_card;
        let Some(view) = crop::cut(grey, quad, card.net.width_px, card.net.height_px)? else {
            return Ok(None);
        };
        let input = crop::input(&view, card.net.planes, if column { 1.0 } else { 0.0 })?;
        let wanted = [1, card.alphabet.classes() as i32, card.steps as i32];
        let logits = self.reader.run(&input, &wanted)?;
        let read = Probabilities::with_alphabet(&logits, &card.alphabet);
        self.spent.read += started.elapsed();
        Ok(Some(read.with_context(|| self.reader.name.clone())?))
    }
}
