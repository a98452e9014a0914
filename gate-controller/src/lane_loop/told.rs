//! What the lane's devices are told, and told again after a lost link: lamps, sign and watching are states;
//! arm commands are moments and never repeated.

use super::LaneLoop;
use barrier_io::{IoCommand, Light, SignCommand};
use gate_core::{LightColour, Side};
use gate_types::DeviceId;
use gate_types::verdict::Instruction;
use lpr_ocr::CameraCommand;
use rfid::ReaderCommand;
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc;

/// What the lane's devices were last told, for telling them again after a lost link.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) watch: Option<bool>,
    /// Whether the cameras know that no vehicle is in the lane.
    pub(super) empty: bool,
    /// The lamps at each arm.
    pub(super) light: BTreeMap<Side, LightColour>,
    pub(super) sign: Vec<String>,
    /// Cameras that were lost since they were last told; commands meant for them may be gone.
    cameras_lost: BTreeSet<DeviceId>,
}

impl LaneLoop {
    pub(super) fn light(&self, colour: LightColour, side: Side) {
        let light = match colour {
            LightColour::Red => Light::Red,
            LightColour::Green => Light::Green,
        };
        let links = &self.parts.links;
        let (name, io) = match (side, &links.exit_io) {
            (Side::Exit, Some((name, io))) => (name, io),
            (Side::Entry | Side::Exit, _) => (&links.names.io, &links.io),
        };
        sent(name, io.try_send(IoCommand::Light(light)));
    }
    pub(super) fn watch(&self, on: bool) {
        for (camera, commands) in &self.parts.links.cameras {
            watch_camera(camera, commands, on);
        }
        self.watch_reader(on);
    }
    /// Tells the cameras when the lane becomes empty, and when it is not any more.
    pub(super) fn tell_empty(&mut self) {
        let empty = self.parts.lane.pass().is_none();
        if empty == self.told.empty {
            return;
        }
        self.told.empty = empty;
        let command = match (empty, self.told.watch) {
            (true, _) => CameraCommand::Empty,
            (false, Some(true)) => return,
            (false, Some(false) | None) => CameraCommand::Rest,
        };
        for (camera, commands) in &self.parts.links.cameras {
            sent(camera, commands.try_send(command));
        }
    }
    fn watch_reader(&self, on: bool) {
        if let (Some(reader), Some(name)) = (&self.parts.links.reader, &self.parts.links.names.reader) {
            let command = if on { ReaderCommand::Start } else { ReaderCommand::Stop };
            sent(name, reader.try_send(command));
        }
    }
    pub(super) fn show(&mut self, instruction: &Instruction, language: Option<&str>) {
        if let Some((_, room)) = &self.parts.links.sign {
            self.told.sign = self.parts.signs.lines(instruction, language, *room);
            self.send_sign();
        }
    }
    fn send_sign(&self) {
        if let (Some((sign, _)), Some(name)) = (&self.parts.links.sign, &self.parts.links.names.sign) {
            sent(name, sign.try_send(SignCommand::Show { lines: self.told.sign.clone() }));
        }
    }
    /// A device that came back knows nothing of what it was told before: lamp, sign and watching are
    /// states and are told again; arm commands are moments and never are.
    pub(super) fn tell_again(&mut self, device: &DeviceId) {
        let names = &self.parts.links.names;
        let exit = self.parts.links.exit_io.as_ref().is_some_and(|(name, _)| name == device);
        if names.io == *device || exit {
            let side = if exit { Side::Exit } else { Side::Entry };
            if let Some(colour) = self.told.light.get(&side) {
                self.light(*colour, side);
            }
        } else if names.sign.as_ref() == Some(device) {
            if !self.told.sign.is_empty() {
                self.send_sign();
            }
        } else if names.reader.as_ref() == Some(device) {
            if let Some(on) = self.told.watch {
                self.watch_reader(on);
            }
        } else if self.told.cameras_lost.remove(device)
            && let Some((camera, commands)) = self.parts.links.cameras.iter().find(|(id, _)| id == device)
        {
            if self.told.empty {
                sent(camera, commands.try_send(CameraCommand::Empty));
            } else if let Some(on) = self.told.watch {
                watch_camera(camera, commands, on);
            }
        }
    }
    /// A camera that was lost is told anew what to do when it is back; one whose picture was merely
    /// unusable still knows, and to observe anew would be to read anew.
    pub(super) fn lost(&mut self, device: &DeviceId) {
        if self.parts.links.cameras.iter().any(|(camera, _)| camera == device) {
            self.told.cameras_lost.insert(device.clone());
        }
    }
}

fn watch_camera(camera: &DeviceId, commands: &mpsc::Sender<CameraCommand>, on: bool) {
    let command = if on { CameraCommand::Observe } else { CameraCommand::Rest };
    sent(camera, commands.try_send(command));
}

fn sent<T>(device: &DeviceId, result: Result<(), mpsc::error::TrySendError<T>>) {
    if let Err(error) = result {
        tracing::warn!(%device, %error, "command not taken by the driver");
    }
}
