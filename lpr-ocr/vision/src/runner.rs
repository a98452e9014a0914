//! One net on one thread, run by `rten` (measured against OpenCV's DNN in `docs/decisions/0007`).

use crate::card::NetFile;
use anyhow::{Context as _, anyhow, bail};
use opencv::core::{Mat, MatTraitConst as _, MatTraitConstManual as _};
use rten::{Model, NodeId, RunOptions, ThreadPool, ValueView};
use rten_tensor::{Layout as _, Tensor};
use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A net, ready to run on the calling thread.
pub(crate) struct Runner {
    model: Model,
    input: NodeId,
    output: NodeId,
    options: RunOptions,
    /// The stage and its file, for errors.
    pub(crate) name: String,
}

impl Runner {
    /// Reads the ONNX file; an operator that the engine lacks is named in the error.
    pub(crate) fn load(file: &NetFile) -> anyhow::Result<Self> {
        let name = file.name.clone();
        let load = || match &file.bytes {
            Cow::Borrowed(bytes) => Model::load_static_slice(bytes),
            Cow::Owned(bytes) => Model::load(bytes.clone()),
        };
        // A file from outside must end in words, whatever the engine makes of it.
        let model = catch_unwind(AssertUnwindSafe(load))
            .map_err(|_| anyhow!("{name}: the ONNX file is damaged"))?
            .map_err(|e| anyhow!("{name}: the ONNX file cannot be loaded: {e}"))?;
        let one = |ids: &[NodeId], what: &str| match ids {
            [id] => Ok(*id),
            more => bail!("{name}: one {what} is expected, the ONNX file has {}", more.len()),
        };
        let (input, output) = (one(model.input_ids(), "input")?, one(model.output_ids(), "output")?);
        let pool = Arc::new(ThreadPool::with_num_threads(1));
        Ok(Self { model, input, output, options: RunOptions::default().with_thread_pool(Some(pool)), name })
    }

    /// The output for one input; `wanted` is its shape by the card.
    pub(crate) fn run(&mut self, input: &Mat, wanted: &[i32]) -> anyhow::Result<Vec<f32>> {
        let shape: Vec<usize> = input.mat_size().iter().map(|n| usize::try_from(*n).unwrap_or(0)).collect();
        let view = ValueView::from_shape(&shape, input.data_typed::<f32>()?)
            .map_err(|e| anyhow!("{}: input: {e}", self.name))?;
        let run =
            || self.model.run(vec![(self.input, view.into())], &[self.output], Some(self.options.clone()));
        let out = catch_unwind(AssertUnwindSafe(run))
            .map_err(|_| anyhow!("{}: the net cannot run on an input of shape {shape:?}", self.name))?
            .map_err(|e| anyhow!("{}: the net cannot run on an input of shape {shape:?}: {e}", self.name))?;
        let first = out.into_iter().next().with_context(|| format!("{}: it gave no output", self.name))?;
        let tensor: Tensor<f32> =
            first.try_into().map_err(|e| anyhow!("{}: its output is not float32: {e}", self.name))?;
        let shape: Vec<i32> = tensor.shape().iter().map(|n| i32::try_from(*n).unwrap_or(i32::MAX)).collect();
        // A dimension of one may be left out.
        let bare = |s: &[i32]| s.iter().copied().filter(|n| *n != 1).collect::<Vec<_>>();
        if bare(&shape) != bare(wanted) {
            bail!("{}: its output has shape {shape:?}, the model card wants {wanted:?}", self.name);
        }
        Ok(tensor.into_data())
    }
}
