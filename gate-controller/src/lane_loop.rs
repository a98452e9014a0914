//! One lane's event loop: inputs in a fixed order of priority, effects in the core's order but for a raise,
//! which goes first, and nothing after a record before it is durable.

use crate::arm::Arm;
use crate::board::ViewSender;
use crate::central::{CallError, Central};
use crate::ledger::Ledger;
use crate::permits::SheetRoom;
use crate::signs::SignTexts;
use crate::wiring::LaneLinks;
use barrier_io::{IoCommand, Light, SignCommand};
use device::{Clock, Health, Observation, Observed};
use gate_core::{
    AnswerFailure, ArmCommand, Cleared, Effect, Input, Lane, LightColour, OperatorAct, VerifiedAnswer,
};
use gate_types::DeviceId;
use gate_types::console::LaneView;
use gate_types::decision::Basis;
use gate_types::entry::{Authority, Entry, EntryBody};
use gate_types::observation::OpticalRead;
use gate_types::release::ReleaseRequest;
use gate_types::verdict::Instruction;
use journal::JournalError;
use lpr_ocr::CameraCommand;
use rfid::ReaderCommand;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;

/// Outcomes of questions that may wait for the loop.
const ANSWERS: usize = 16;
/// Observations in a row before an operator gets a turn.
const OBSERVATIONS_IN_A_ROW: u32 = 32;
/// Shortest time between two views of a lane, milliseconds: at most ten a second.
const VIEW_MS: u64 = 100;
/// Reads shown for one camera: one of each kind.
const READS_SHOWN: usize = 4;
/// Shortest wait for a timer that is still due after it was served, milliseconds.
const TIMER_FLOOR_MS: u64 = 5;

/// A person's act from the console, checked there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorRequest {
    /// Who.
    pub name: String,
    /// What.
    pub act: OperatorAct,
    /// Why.
    pub reason: String,
}

/// What came of a question.
struct Answered {
    nonce: String,
    answer: Result<VerifiedAnswer, AnswerFailure>,
    arrived: Instant,
}

/// An effect that is not a record.
enum Deed {
    Ask(ReleaseRequest),
    PermitLower(Cleared),
    Light(LightColour),
    Show(Instruction, Option<String>),
    Watch(bool),
}

/// What the lane's devices were last told, for telling them again after a lost link.
#[derive(Debug, Default)]
struct Told {
    watch: Option<bool>,
    light: Option<LightColour>,
    sign: Vec<String>,
    /// Cameras that were lost since they were last told; commands meant for them may be gone.
    cameras_lost: BTreeSet<DeviceId>,
}

/// What a lane's loop is made of.
pub struct LaneParts {
    /// The automaton.
    pub lane: Lane,
    /// The daemon's clock.
    pub clock: Clock,
    /// The devices.
    pub links: LaneLinks,
    /// The record.
    pub ledger: Ledger,
    /// Central.
    pub central: Central,
    /// Sign texts.
    pub signs: Arc<SignTexts>,
    /// The console's view.
    pub view: ViewSender,
    /// Acts of people.
    pub operator: mpsc::Receiver<OperatorRequest>,
    /// Permits in advance.
    pub permits: SheetRoom,
}

/// The loop's state.
struct LaneLoop {
    parts: LaneParts,
    arm: Arm,
    answers: mpsc::Sender<Answered>,
    told: Told,
    reads: BTreeMap<String, Vec<OpticalRead>>,
    cameras: Vec<String>,
    view_stale: bool,
    view_due: tokio::time::Instant,
    /// The permit that the last recorded Admit rests on.
    permit: Option<String>,
}

/// Runs a lane until `stop` turns true (`Ok`) or the journal fails (`Err`: nothing moves any more).
/// Arm and lamps stay as they are; the barrier's own controller watches the I/O heartbeat.
pub async fn run(parts: LaneParts, mut stop: watch::Receiver<bool>) -> Result<(), JournalError> {
    let (asked, mut answers) = mpsc::channel(ANSWERS);
    let (arm, mut written) = Arm::new(parts.links.io.clone(), parts.ledger.clone());
    let cameras = parts.links.cameras.iter().map(|(camera, _)| camera.to_string()).collect();
    let mut lane = LaneLoop {
        parts,
        arm,
        answers: asked,
        told: Told::default(),
        reads: BTreeMap::new(),
        cameras,
        view_stale: true,
        view_due: tokio::time::Instant::now(),
        permit: None,
    };
    let mut sheet = lane.parts.permits.watch();
    // Its time begins here: inputs that are never read are a fault from now on (I8).
    lane.parts.lane.tick(lane.parts.clock.now());
    lane.execute(None).await?;
    let mut in_a_row = 0;
    let mut timer_floor = tokio::time::Instant::now();
    loop {
        if in_a_row >= OBSERVATIONS_IN_A_ROW {
            in_a_row = 0;
            if let Ok(request) = lane.parts.operator.try_recv() {
                lane.operator(request).await?;
            }
        }
        let deadline = lane.parts.lane.next_deadline().map(|at| lane.parts.clock.instant_of(at));
        let timer = deadline.map(|at| tokio::time::Instant::from_std(at).max(timer_floor));
        // Effects of the last input are done here. Then, in this order, one input a turn:
        tokio::select! {
            biased;
            // 0. The end. (`Err` means that the daemon's main task is gone: the end as well.)
            () = stopped(&mut stop) => return Ok(()),
            // 1. Time: a deadline that has passed must not wait behind traffic.
            () = sleep_until(timer.unwrap_or_else(tokio::time::Instant::now)), if timer.is_some() => {
                let due = deadline.unwrap_or_else(Instant::now);
                lane.parts.lane.tick(lane.parts.clock.now());
                timer_floor = tokio::time::Instant::now() + Duration::from_millis(TIMER_FLOOR_MS);
                lane.execute(Some(due)).await?;
            }
            // 2. What became of commands and questions.
            Some(write) = written.recv() => {
                let input = Input::ArmWrite { ok: write.ok, why: write.why };
                lane.handle(input, Some(Instant::now())).await?;
            }
            Some(answer) = answers.recv() => lane.answered(answer).await?,
            // A room that is gone gives no more sheets.
            Ok(()) = sheet.changed() => {
                let input = Input::Permits(sheet.borrow_and_update().clone());
                lane.handle(input, None).await?;
            }
            // 3. What devices say.
            Some(observation) = lane.parts.links.observations.recv() => {
                in_a_row += 1;
                lane.observed(observation).await?;
            }
            // 4. What people ask.
            Some(request) = lane.parts.operator.recv() => {
                in_a_row = 0;
                lane.operator(request).await?;
            }
            // 5. What people see.
            () = sleep_until(lane.view_due), if lane.view_stale => lane.publish(),
        }
    }
}

impl LaneLoop {
    async fn answered(&mut self, outcome: Answered) -> Result<(), JournalError> {
        let Answered { nonce, answer, arrived } = outcome;
        self.handle(Input::Answer { nonce, answer }, Some(arrived)).await
    }
    async fn observed(&mut self, observation: Observation) -> Result<(), JournalError> {
        let origin = Instant::now();
        let mut up = None;
        match &observation.what {
            Observed::Read(read) => self.remember(observation.device.as_str(), read),
            Observed::Health(Health::Up) => up = Some(observation.device.clone()),
            Observed::Health(Health::Down { .. }) => self.lost(&observation.device),
            Observed::Health(Health::Degraded { .. })
            | Observed::Inputs(_)
            | Observed::Tag(_)
            | Observed::Weight(_) => {}
        }
        self.handle(Input::Observed(observation), Some(origin)).await?;
        if let Some(device) = up {
            self.tell_again(&device);
        }
        Ok(())
    }
    async fn operator(&mut self, request: OperatorRequest) -> Result<(), JournalError> {
        let OperatorRequest { name, act, reason } = request;
        self.handle(Input::Operator { name, act, reason }, None).await
    }
    async fn handle(&mut self, input: Input, origin: Option<Instant>) -> Result<(), JournalError> {
        self.parts.lane.handle(input, self.parts.clock.now());
        self.execute(origin).await
    }

    /// Executes everything that the core wants now: one commit for all records of this input, then the
    /// rest. So each effect runs only after every record before it is durable, and a decision with its
    /// raise costs one commit. A raise goes first, because its moment counts and signs and cameras are told
    /// states; all else keeps the core's order. `origin`: when the input that led here arrived; none where
    /// a person's act did, which is not a decision's latency.
    async fn execute(&mut self, origin: Option<Instant>) -> Result<(), JournalError> {
        self.view_stale = true;
        let cleared_at = Instant::now();
        let mut records = Vec::new();
        let mut raise = None;
        let mut deeds = Vec::new();
        while let Some(effect) = self.parts.lane.next_effect() {
            match effect {
                Effect::Record(entry) => records.push(entry),
                Effect::AskRelease(request) => deeds.push(Deed::Ask(request)),
                Effect::Actuate(cleared) => match cleared.command() {
                    ArmCommand::Raise => raise = Some(cleared),
                    ArmCommand::PermitLower => deeds.push(Deed::PermitLower(cleared)),
                },
                Effect::Light(colour) => deeds.push(Deed::Light(colour)),
                Effect::Show { instruction, language } => deeds.push(Deed::Show(instruction, language)),
                Effect::Watch(on) => deeds.push(Deed::Watch(on)),
            }
        }
        if !records.is_empty() {
            if records.iter().any(|e| matches!(e.body, EntryBody::PassOpened { .. })) {
                self.reads.clear();
            }
            self.spend(&records);
            self.parts.ledger.append(records).await?;
        }
        if let Some(cleared) = raise {
            self.arm.command(&cleared, cleared_at, origin);
            // The driver takes it before anything else is told.
            tokio::task::yield_now().await;
        }
        for deed in deeds {
            match deed {
                Deed::Ask(request) => self.ask(request),
                Deed::PermitLower(cleared) => self.arm.command(&cleared, cleared_at, origin),
                Deed::Light(colour) => {
                    self.told.light = Some(colour);
                    self.light(colour);
                }
                Deed::Show(instruction, language) => self.show(&instruction, language.as_deref()),
                Deed::Watch(on) => {
                    self.told.watch = Some(on);
                    self.watch(on);
                }
            }
        }
        Ok(())
    }

    /// Tells the other lanes of a permit before the arm moves on it.
    fn spend(&mut self, records: &[Entry]) {
        for entry in records {
            match &entry.body {
                EntryBody::Decided { record: Some(record), verdict, .. } if verdict.admits() => {
                    self.permit = match &record.basis {
                        Basis::Permit { permit, .. } => Some(permit.clone()),
                        Basis::Mission { .. }
                        | Basis::Ambiguous { .. }
                        | Basis::Nothing { .. }
                        | Basis::PermitRefused { .. }
                        | Basis::Silent { .. }
                        | Basis::NotUsable { .. }
                        | Basis::Unread { .. }
                        | Basis::Operator { .. } => None,
                    };
                }
                EntryBody::RaiseCommanded { authority: Authority::Decision } => {
                    if let Some(permit) = self.permit.take() {
                        self.parts.permits.spend(permit);
                    }
                }
                _ => {}
            }
        }
    }
    fn ask(&self, request: ReleaseRequest) {
        let central = self.parts.central.clone();
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let nonce = request.nonce.clone();
            let (answer, arrived) = match central.release(&request).await {
                Ok(released) => {
                    let answer = VerifiedAnswer { answer: released.answer, signed: released.signed };
                    (Ok(answer), released.arrived)
                }
                Err(error) => {
                    tracing::info!(pass = %request.pass, %error, "no release");
                    let failure = match &error {
                        CallError::Silent { .. } => AnswerFailure::Silent(error.to_string()),
                        CallError::NotUsable { .. } => AnswerFailure::NotUsable(error.to_string()),
                    };
                    (Err(failure), Instant::now())
                }
            };
            // The loop is gone only when the daemon stops.
            let _ = answers.send(Answered { nonce, answer, arrived }).await;
        });
    }
    fn light(&self, colour: LightColour) {
        let light = match colour {
            LightColour::Red => Light::Red,
            LightColour::Green => Light::Green,
        };
        sent(&self.parts.links.names.io, self.parts.links.io.try_send(IoCommand::Light(light)));
    }
    fn watch(&self, on: bool) {
        for (camera, commands) in &self.parts.links.cameras {
            watch_camera(camera, commands, on);
        }
        self.watch_reader(on);
    }
    fn watch_reader(&self, on: bool) {
        if let (Some(reader), Some(name)) = (&self.parts.links.reader, &self.parts.links.names.reader) {
            let command = if on { ReaderCommand::Start } else { ReaderCommand::Stop };
            sent(name, reader.try_send(command));
        }
    }
    fn show(&mut self, instruction: &Instruction, language: Option<&str>) {
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
    fn tell_again(&mut self, device: &DeviceId) {
        let names = &self.parts.links.names;
        if names.io == *device {
            if let Some(colour) = self.told.light {
                self.light(colour);
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
            && let Some(on) = self.told.watch
            && let Some((camera, commands)) = self.parts.links.cameras.iter().find(|(id, _)| id == device)
        {
            watch_camera(camera, commands, on);
        }
    }
    /// A camera that was lost is told anew what to do when it is back; one whose picture was merely
    /// unusable still knows, and to observe anew would be to read anew.
    fn lost(&mut self, device: &DeviceId) {
        if self.parts.links.cameras.iter().any(|(camera, _)| camera == device) {
            self.told.cameras_lost.insert(device.clone());
        }
    }

    fn remember(&mut self, camera: &str, read: &OpticalRead) {
        let reads = self.reads.entry(camera.to_owned()).or_default();
        if let Some(shown) = reads.iter_mut().find(|r| r.kind == read.kind) {
            *shown = read.clone();
        } else if reads.len() < READS_SHOWN {
            reads.push(read.clone());
        }
    }
    fn publish(&mut self) {
        self.view_stale = false;
        self.view_due = tokio::time::Instant::now() + Duration::from_millis(VIEW_MS);
        let view = LaneView {
            reads: self.reads.clone(),
            sign: self.told.sign.clone(),
            cameras: self.cameras.clone(),
            ..self.parts.lane.snapshot()
        };
        self.parts.view.send_if_modified(|shown| {
            let changed = shown.as_deref() != Some(&view);
            if changed {
                *shown = Some(Arc::new(view));
            }
            changed
        });
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
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
