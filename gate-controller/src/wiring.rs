//! From configuration to running drivers and lane specifications: the one exhaustive mapping.

use crate::caught::Caught;
use crate::passes::PassDesk;
use crate::push::{self, PushCamera, PushDriver};
use crate::signs::Room;
use barcode::{BarcodeCommand, BarcodeDriver, Shown};
use barrier_io::{IoCommand, IoDriver, PointMap, SignCommand, SignDriver, SignTemplate};
use config::{CameraConfig, IoConfig, LaneConfig, LaneMode, Loaded, OcrConfig};
use device::{Backoff, Clock, DeviceLink, Driver, Endpoint, Observation, Tap, supervise};
use gate_core::policy::Issued;
use gate_core::{CameraSpec, IdentityRule, LaneDevices, LaneSpec, LaneTimers, WeightRule};
use gate_types::confusion::ConfusionTable;
use gate_types::mission::Process;
use gate_types::{BootEpoch, DeviceId};
use journal::Opened;
use lpr_ocr::{CameraCommand, FrameStore, WorkerDriver, WorkerSpec};
use rfid::{ReaderCommand, ReaderDriver};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;
use weighbridge::{ScaleCommand, ScaleDriver};

/// Statements of all devices of a lane that may wait for it.
const OBSERVATIONS: usize = 256;
/// Codes that may wait for a lane.
const CODES: usize = 16;
/// Commands that may wait for a driver.
const COMMANDS: usize = 16;

/// A lane with its devices described and checked, before anything connects.
#[derive(Debug)]
pub struct LanePlan {
    config: LaneConfig,
    io: (Endpoint, PointMap),
    /// The exit arm of a two-barrier lock.
    exit_io: Option<(Endpoint, PointMap)>,
    sign: Option<(Endpoint, Option<SignTemplate>)>,
    reader: Option<Endpoint>,
    scale: Option<Endpoint>,
    code_reader: Option<Endpoint>,
    cameras: Vec<CameraPlan>,
    /// What misreading costs, for each camera in order.
    confusions: Vec<Option<ConfusionTable>>,
}

/// What a lane holds of its running devices. A driver stops when its command channel is dropped.
#[derive(Debug)]
pub struct LaneLinks {
    /// Statements of all devices.
    pub observations: mpsc::Receiver<Observation>,
    /// The remote I/O.
    pub io: mpsc::Sender<IoCommand>,
    /// The remote I/O of the exit arm of a two-barrier lock.
    pub exit_io: Option<(DeviceId, mpsc::Sender<IoCommand>)>,
    /// The reader.
    pub reader: Option<mpsc::Sender<ReaderCommand>>,
    /// The cameras in the order of the node file, each read by a worker of its own or by itself.
    pub cameras: Vec<(DeviceId, mpsc::Sender<CameraCommand>)>,
    /// Those of them that push, for the gate's listener.
    pub pushing: Vec<PushCamera>,
    /// The sign and its room.
    pub sign: Option<(mpsc::Sender<SignCommand>, Room)>,
    /// The scale; held so that its driver lives.
    pub scale: Option<mpsc::Sender<ScaleCommand>>,
    /// What drivers show to the code reader, with its name.
    pub codes: Option<CodeLink>,
    /// Names for a restart of their state after a lost link.
    pub names: LaneNames,
}

/// A running code reader.
#[derive(Debug)]
pub struct CodeLink {
    /// Its name.
    pub id: DeviceId,
    /// What was shown to it.
    pub shown: mpsc::Receiver<Shown>,
    /// Held so that its driver lives.
    pub commands: mpsc::Sender<BarcodeCommand>,
}

/// The device names of a lane.
#[derive(Debug, Clone)]
pub struct LaneNames {
    /// The remote I/O.
    pub io: DeviceId,
    /// The reader.
    pub reader: Option<DeviceId>,
    /// The sign.
    pub sign: Option<DeviceId>,
}

/// Starts a task with a name for the log; the daemon stops when one of them panics. A driver's panic does
/// not come so far: it costs its own device.
pub trait Spawn {
    /// Starts it.
    fn spawn(&mut self, name: String, task: impl Future<Output = ()> + Send + 'static);
}

/// Checks every endpoint and point map of a node; all problems at once.
pub fn plan(loaded: &Loaded) -> Result<Vec<LanePlan>, Vec<String>> {
    let mut problems = Vec::new();
    let mut plans = Vec::new();
    for lane in &loaded.node.lanes {
        match plan_lane(lane, loaded.node.ocr.as_ref(), &loaded.node.state_dir, &loaded.folder) {
            Ok(plan) => plans.push(plan),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(plans) } else { Err(problems) }
}

fn plan_lane(
    lane: &LaneConfig,
    ocr: Option<&OcrConfig>,
    state_dir: &Path,
    folder: &Path,
) -> Result<LanePlan, Vec<String>> {
    let mut problems = Vec::new();
    let mut endpoint = |device: &DeviceId, text: &str| match Endpoint::parse(text) {
        Ok(endpoint) => Some(files_below(endpoint, folder)),
        Err(error) => {
            problems.push(format!("lane {}: device {device}: {error}", lane.id));
            None
        }
    };
    let io = endpoint(&lane.io.id, &lane.io.endpoint);
    let exit = lane.exit_io.as_ref().map(|io| endpoint(&io.id, &io.endpoint));
    let sign = lane.sign.as_ref().map(|s| endpoint(&s.id, &s.endpoint));
    let reader = lane.reader.as_ref().map(|r| endpoint(&r.id, &r.endpoint));
    let scale = lane.scale.as_ref().map(|s| {
        let mut endpoint = endpoint(&s.id, &s.endpoint)?;
        if let Some(day) = &s.verified_until {
            endpoint.query.insert("verified_until".to_owned(), day.clone());
        }
        Some(endpoint)
    });
    let code_reader = lane.code_reader.as_ref().map(|r| endpoint(&r.id, &r.endpoint));
    let template = sign.as_ref().and_then(Option::as_ref).and_then(|s| s.query.get("template"));
    let template = template.map(|file| SignTemplate::load(Path::new(file)));
    let template = template.transpose().unwrap_or_else(|error| {
        problems.push(format!("lane {}: sign: {error}", lane.id));
        None
    });
    let mut points_of = |io: &IoConfig| match PointMap::load(&io.points) {
        Ok(points) => Some(points),
        Err(error) => {
            problems.push(format!("lane {}: device {}: {error}", lane.id, io.id));
            None
        }
    };
    let points = points_of(&lane.io);
    let exit_points = lane.exit_io.as_ref().and_then(&mut points_of);
    let confusions = lane.cameras.iter().map(|camera| {
        let file = camera.confusions.as_ref()?;
        let text = std::fs::read_to_string(file).map_err(|error| vec![error.to_string()]);
        match text.and_then(|text| ConfusionTable::parse(&text)) {
            Ok(table) => Some(table),
            Err(wrong) => {
                let (lane, wrong) = (&lane.id, wrong.join("; "));
                problems.push(format!("lane {lane}: device {}: {}: {wrong}", camera.id, file.display()));
                None
            }
        }
    });
    let confusions: Vec<Option<ConfusionTable>> = confusions.collect();
    let turns = state_dir.join(format!("{}.turns", lane.id));
    let mut cameras = Vec::new();
    for camera in &lane.cameras {
        match camera_plan(camera, ocr, &turns, state_dir) {
            Ok(plan) => cameras.push(plan),
            Err(why) => problems.push(format!("lane {}: device {}: {why}", lane.id, camera.id)),
        }
    }
    match (io, points) {
        (Some(io), Some(points)) if problems.is_empty() => Ok(LanePlan {
            config: lane.clone(),
            io: (io, points),
            exit_io: exit.flatten().zip(exit_points),
            sign: sign.flatten().map(|endpoint| (endpoint, template)),
            reader: reader.flatten(),
            scale: scale.flatten(),
            code_reader: code_reader.flatten(),
            cameras,
            confusions,
        }),
        (_, _) => Err(problems),
    }
}

/// Files that an endpoint names lie below the node file's folder, as the others that it names.
fn files_below(mut endpoint: Endpoint, folder: &Path) -> Endpoint {
    for key in ["registers", "template"] {
        if let Some(file) = endpoint.query.get_mut(key) {
            *file = folder.join(&*file).display().to_string();
        }
    }
    endpoint
}

/// How a camera is read.
#[derive(Debug)]
enum CameraPlan {
    /// By a vision worker.
    Worker(WorkerSpec),
    /// By itself: it pushes.
    Push(DeviceId, PushCamera, PushDriver),
}

fn camera_plan(
    camera: &CameraConfig,
    ocr: Option<&OcrConfig>,
    turns: &Path,
    state_dir: &Path,
) -> Result<CameraPlan, String> {
    let endpoint = Endpoint::parse(&camera.endpoint).map_err(|e| e.to_string())?;
    if endpoint.scheme == push::SCHEME {
        let told = push::camera(&endpoint, state_dir, camera.view).map_err(|e| format!("{e:#}"))?;
        return Ok(CameraPlan::Push(camera.id.clone(), told.0, told.1));
    }
    let ocr = ocr.ok_or("it is read by a worker and the node file has no [ocr]; add it")?;
    let scene = state_dir.join("scenes").join(format!("{}.scene", camera.id));
    Ok(CameraPlan::Worker(worker_spec(camera, ocr, turns, scene)))
}

fn worker_spec(camera: &CameraConfig, ocr: &OcrConfig, turns: &Path, scene: PathBuf) -> WorkerSpec {
    WorkerSpec {
        command: worker_program(&ocr.command),
        models: ocr.models.clone(),
        regions: ocr.regions.clone(),
        camera: lpr_ocr::CameraSpec {
            id: camera.id.clone(),
            endpoint: camera.endpoint.clone(),
            view: camera.view,
            kinds: camera.kinds.clone(),
            codes: camera.codes,
        },
        turns: Some(turns.to_path_buf()),
        scene: Some(scene),
    }
}

/// Where the worker's program is.
pub(crate) fn worker_program(command: &Path) -> PathBuf {
    program(command, std::env::current_exe().ok().as_deref())
}

/// A bare program name is looked for beside the daemon first, then on the path.
fn program(command: &Path, daemon: Option<&Path>) -> PathBuf {
    if command.components().count() > 1 {
        return command.to_path_buf();
    }
    let beside = daemon.and_then(Path::parent).map(|folder| folder.join(command));
    beside.filter(|file| file.is_file()).unwrap_or_else(|| command.to_path_buf())
}

impl LanePlan {
    /// The lane's part of the node file.
    pub fn config(&self) -> &LaneConfig {
        &self.config
    }
    /// What the lane's automaton needs to know.
    pub fn spec(&self, loaded: &Loaded, processes: Arc<Vec<Process>>, opened: &Opened) -> LaneSpec {
        let lane = &self.config;
        let (acting, beside) = loaded.rules.of_lane(&loaded.node.node, &lane.id);
        LaneSpec {
            port: loaded.site.port.clone(),
            node: loaded.node.node.clone(),
            lane: lane.id.clone(),
            direction: lane.direction,
            live: match lane.mode {
                LaneMode::Live | LaneMode::Advisory => true,
                LaneMode::Shadow => false,
            },
            advisory: match lane.mode {
                LaneMode::Advisory => true,
                LaneMode::Live | LaneMode::Shadow => false,
            },
            acting: Arc::new(Issued::new(acting)),
            beside: Arc::new(beside.into_iter().map(Issued::new).collect()),
            identity: identity_rule(&lane.identity),
            weight: lane
                .weight
                .as_ref()
                .map(|rule| weight_rule(rule, lane.scale.as_ref().map_or(0.0, |s| s.interval_kg))),
            timers: timers(&lane.timers),
            ask_again_ms: loaded.node.central.ask_again_ms,
            devices: LaneDevices {
                io: lane.io.id.clone(),
                exit_io: lane.exit_io.as_ref().map(|io| io.id.clone()),
                cameras: lane
                    .cameras
                    .iter()
                    .zip(&self.confusions)
                    .map(|(c, confusions)| CameraSpec {
                        id: c.id.clone(),
                        view: c.view,
                        kinds: c.kinds.clone(),
                        codes: c.codes,
                        confusions: confusions.clone(),
                    })
                    .collect(),
                reader: lane.reader.as_ref().map(|r| r.id.clone()),
                scale: lane.scale.as_ref().map(|s| s.id.clone()),
                scale_inside: lane.scale.as_ref().is_some_and(|s| s.inside_lock),
                code_reader: lane.code_reader.as_ref().map(|r| r.id.clone()),
            },
            processes,
            epoch: BootEpoch(opened.epoch.0),
            next_pass: opened.last_pass.get(&lane.id).copied().unwrap_or_default().max(opened.pass_floor) + 1,
        }
    }
    /// Starts the drivers, each supervised.
    pub fn start(
        self,
        clock: Clock,
        frames: FrameStore,
        passes: &PassDesk,
        tasks: &mut impl Spawn,
    ) -> LaneLinks {
        let lane = self.config;
        let (observations, seen) = mpsc::channel(OBSERVATIONS);
        let mut starter = Starter { clock, observations, tasks };
        let (endpoint, points) = self.io;
        let driver = IoDriver::new(endpoint, points, lane.io.poll_ms).answering_within(lane.io.timeout_ms);
        let io = starter.start(lane.io.id.clone(), driver);
        let exit_io = lane.exit_io.as_ref().zip(self.exit_io).map(|(exit, (endpoint, points))| {
            let driver = IoDriver::new(endpoint, points, exit.poll_ms).answering_within(exit.timeout_ms);
            (exit.id.clone(), starter.start(exit.id.clone(), driver))
        });
        let reader = lane.reader.as_ref().zip(self.reader).map(|(r, endpoint)| {
            starter.start(r.id.clone(), ReaderDriver::new(endpoint, r.antennas.clone(), r.rssi_min_dbm))
        });
        let scale = lane.scale.as_ref().zip(self.scale).map(|(s, endpoint)| {
            starter.start(s.id.clone(), ScaleDriver::new(endpoint, s.capacity_kg, s.interval_kg))
        });
        let sign = lane.sign.as_ref().zip(self.sign).map(|(s, (endpoint, template))| {
            let room = Room { lines: usize::from(s.lines), columns: usize::from(s.columns) };
            (
                starter.start(s.id.clone(), SignDriver::new(endpoint, s.lines, s.columns).speaking(template)),
                room,
            )
        });
        let codes = lane.code_reader.as_ref().zip(self.code_reader).map(|(r, endpoint)| {
            let (saw, shown) = mpsc::channel(CODES);
            let driver = BarcodeDriver::new(endpoint, passes.issuer().clone(), saw);
            CodeLink { id: r.id.clone(), shown, commands: starter.start(r.id.clone(), driver) }
        });
        let names = LaneNames {
            io: lane.io.id.clone(),
            reader: lane.reader.as_ref().map(|r| r.id.clone()),
            sign: lane.sign.as_ref().map(|s| s.id.clone()),
        };
        let (mut cameras, mut pushing) = (Vec::new(), Vec::new());
        for plan in self.cameras {
            cameras.push(match plan {
                CameraPlan::Worker(spec) => {
                    let id = spec.camera.id.clone();
                    (id.clone(), starter.start(id, WorkerDriver::new(spec, frames.clone())))
                }
                CameraPlan::Push(id, camera, driver) => {
                    pushing.push(camera);
                    (id.clone(), starter.start(id, driver.keeping(frames.clone())))
                }
            });
        }
        LaneLinks { observations: seen, io, exit_io, reader, cameras, pushing, sign, scale, codes, names }
    }
}

struct Starter<'a, S> {
    clock: Clock,
    observations: mpsc::Sender<Observation>,
    tasks: &'a mut S,
}

impl<S: Spawn> Starter<'_, S> {
    fn start<D: Driver>(&mut self, id: DeviceId, driver: D) -> mpsc::Sender<D::Command> {
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let name = format!("device {id}");
        let link = DeviceLink {
            id,
            clock: self.clock,
            observations: self.observations.clone(),
            commands: receiver,
            tap: Tap::off(),
        };
        self.tasks.spawn(name, supervise(Caught(driver), link, Backoff::default()));
        commands
    }
}

fn identity_rule(rule: &config::IdentityRule) -> IdentityRule {
    let config::IdentityRule { slots, factors_wanted, factors_needed, read_threshold } = rule;
    IdentityRule {
        slots: slots.clone(),
        factors_wanted: *factors_wanted,
        factors_needed: *factors_needed,
        read_threshold: *read_threshold,
    }
}

fn weight_rule(rule: &config::WeightRule, interval_kg: f64) -> WeightRule {
    let config::WeightRule { required, tolerance_share, tolerance_kg } = *rule;
    WeightRule { required, tolerance_share, tolerance_kg, interval_kg }
}

fn timers(timers: &config::LaneTimers) -> LaneTimers {
    let config::LaneTimers {
        presence_ms,
        identify_ms,
        inputs_stale_ms,
        decision_valid_ms,
        raise_ms,
        lower_ms,
        clear_ms,
        pass_ms,
        between_loops_ms,
        trailer_gap_ms,
        loop_stuck_ms,
    } = *timers;
    LaneTimers {
        presence_ms,
        identify_ms,
        inputs_stale_ms,
        decision_valid_ms,
        raise_ms,
        lower_ms,
        clear_ms,
        pass_ms,
        between_loops_ms,
        trailer_gap_ms,
        loop_stuck_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worker_is_found_beside_the_daemon_first() {
        let folder = tempfile::tempdir().unwrap();
        let daemon = folder.path().join("varco-gate");
        let worker = folder.path().join("varco-ocr");
        assert_eq!(program(Path::new("varco-ocr"), Some(&daemon)), Path::new("varco-ocr"));
        std::fs::write(&worker, "").unwrap();
        assert_eq!(program(Path::new("varco-ocr"), Some(&daemon)), worker);
        assert_eq!(program(Path::new("/opt/x/varco-ocr"), Some(&daemon)), Path::new("/opt/x/varco-ocr"));
    }
}
