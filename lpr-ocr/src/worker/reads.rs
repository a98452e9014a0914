//! What a worker says of its cameras: health, evidence frames, and readings fused over frames.

use super::WorkerDriver;
use crate::Evidence;
use crate::protocol::{CameraState, FromWorker};
use crate::spec::CameraCommand;
use device::{DeviceLink, Health, Observation, Observed, Stopped};
use gate_types::DeviceId;
use gate_types::observation::OpticalRead;

/// A fused reading is told again when its confidence moved by this much.
const MATERIAL: f32 = 0.01;

impl WorkerDriver {
    /// Takes a message about one camera.
    pub(super) async fn said(
        &mut self,
        link: &DeviceLink<CameraCommand>,
        message: FromWorker,
        blob: &[u8],
    ) -> Result<(), Stopped> {
        match message {
            FromWorker::Read { camera, round, reads, frame_sha256, .. } => {
                let Some(spec) = self.spec.cameras.iter().find(|c| c.id == camera) else { return Ok(()) };
                if !blob.is_empty() && !frame_sha256.is_empty() {
                    let evidence =
                        Evidence { jpeg: blob.into(), sha256: frame_sha256, stamp: link.clock.now() };
                    self.frames.put(&camera, evidence);
                }
                if round != self.round || !self.on {
                    return Ok(());
                }
                let reads: Vec<OpticalRead> = reads
                    .into_iter()
                    .filter(|r| spec.kinds.contains(&r.kind))
                    .map(|r| OpticalRead { view: spec.view, ..r })
                    .collect();
                for read in self.fuse(&camera, &reads) {
                    say(link, &camera, Observed::Read(read)).await?;
                }
                Ok(())
            }
            FromWorker::CameraHealth { camera, state, why } => {
                if !self.spec.cameras.iter().any(|c| c.id == camera) {
                    return Ok(());
                }
                let health = match state {
                    CameraState::Up => Health::Up,
                    CameraState::Down => Health::Down { why },
                    CameraState::Degraded => Health::Degraded { why },
                };
                say(link, &camera, Observed::Health(health)).await
            }
            FromWorker::Ready { .. } | FromWorker::Pong { .. } => Ok(()),
        }
    }

    /// The fused readings of a camera that changed materially by this frame.
    fn fuse(&mut self, camera: &DeviceId, reads: &[OpticalRead]) -> Vec<OpticalRead> {
        let fusion = self.fusions.entry(camera.clone()).or_default();
        fusion.add_frame(reads);
        let told = self.told.entry(camera.clone()).or_default();
        let mut news = Vec::new();
        for read in fusion.fused() {
            match told.iter_mut().find(|t| t.0 == read.kind && t.1 == read.text) {
                Some(t) if (t.2 - read.confidence).abs() < MATERIAL => {}
                Some(t) => {
                    t.2 = read.confidence;
                    news.push(read);
                }
                None => {
                    told.push((read.kind, read.text.clone(), read.confidence));
                    news.push(read);
                }
            }
        }
        news
    }
}

pub(super) async fn say(
    link: &DeviceLink<CameraCommand>,
    camera: &DeviceId,
    what: Observed,
) -> Result<(), Stopped> {
    let observation = Observation { device: camera.clone(), at: link.clock.now(), what };
    link.observations.send(observation).await.map_err(|_| Stopped)
}
