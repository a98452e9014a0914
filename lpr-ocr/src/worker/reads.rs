//! What a worker says of its camera: health, evidence frames, and readings fused over frames.

use super::WorkerDriver;
use crate::Evidence;
use crate::protocol::{CameraState, FromWorker, MOST_CODES};
use crate::spec::CameraCommand;
use device::{DeviceLink, Health, Observed, Stopped};
use gate_types::gate_pass::MAX_TEXT;
use gate_types::observation::{CodeSeen, OpticalRead};

/// A fused reading is told again when its confidence moved by this much.
const MATERIAL: f32 = 0.01;

impl WorkerDriver {
    /// Takes a message about the camera.
    pub(super) async fn said(
        &mut self,
        link: &DeviceLink<CameraCommand>,
        message: FromWorker,
        blob: &[u8],
    ) -> Result<(), Stopped> {
        match message {
            FromWorker::Read { round, reads, frame_sha256, .. } => {
                let camera = &self.spec.camera;
                if !blob.is_empty() && !frame_sha256.is_empty() {
                    let evidence =
                        Evidence { jpeg: blob.into(), sha256: frame_sha256, stamp: link.clock.now() };
                    self.frames.put(&camera.id, evidence);
                }
                if round != self.round || !self.on {
                    return Ok(());
                }
                let reads: Vec<OpticalRead> = reads
                    .into_iter()
                    .filter(|r| camera.kinds.contains(&r.kind))
                    .map(|r| OpticalRead { view: camera.view, ..r })
                    .collect();
                for read in self.fuse(&reads) {
                    link.observe(Observed::Read(read)).await?;
                }
                Ok(())
            }
            FromWorker::Codes { round, texts } => {
                if round != self.round || !self.on || !self.spec.camera.codes {
                    return Ok(());
                }
                let fits = |text: &String| text.len() <= MAX_TEXT;
                for text in texts.into_iter().take(MOST_CODES).filter(fits) {
                    link.observe(Observed::Code(CodeSeen { text })).await?;
                }
                Ok(())
            }
            FromWorker::CameraHealth { state, why } => {
                link.health(match state {
                    CameraState::Up => Health::Up,
                    CameraState::Down => Health::Down { why },
                    CameraState::Degraded => Health::Degraded { why },
                })
                .await
            }
            FromWorker::Ready { .. } | FromWorker::Pong { .. } => Ok(()),
        }
    }

    /// The fused readings that changed materially by this frame.
    fn fuse(&mut self, reads: &[OpticalRead]) -> Vec<OpticalRead> {
        self.fusion.add_frame(reads);
        let mut news = Vec::new();
        for read in self.fusion.fused() {
            match self.told.iter_mut().find(|t| t.0 == read.kind && t.1 == read.text) {
                Some(t) if (t.2 - read.confidence).abs() < MATERIAL => {}
                Some(t) => {
                    t.2 = read.confidence;
                    news.push(read);
                }
                None => {
                    self.told.push((read.kind, read.text.clone(), read.confidence));
                    news.push(read);
                }
            }
        }
        news
    }
}
