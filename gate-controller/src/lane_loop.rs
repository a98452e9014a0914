//! One lane's event loop: inputs in a fixed order of priority, effects in the core's order but for a raise,
//! which goes first, and nothing after a record before it is durable.

mod effects;
mod told;
mod view;

use crate::arm::Arm;
use crate::board::ViewSender;
use crate::central::Central;
use crate::ledger::Ledger;
use crate::passes::PassDesk;
use crate::permits::SheetRoom;
use crate::signs::SignTexts;
use crate::wiring::{CodeLink, LaneLinks};
use barcode::Shown;
use device::{Clock, Health, Observation, Observed};
use gate_core::{AnswerFailure, Correction, Input, Lane, OperatorAct, VerifiedAnswer};
use gate_types::DeviceId;
use gate_types::gate_pass::ShownPass;
use gate_types::identity::Slot;
use gate_types::observation::OpticalRead;
use journal::JournalError;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;
use told::Told;

/// Outcomes of questions that may wait for the loop.
const ANSWERS: usize = 16;
/// Observations in a row before an operator gets a turn.
const OBSERVATIONS_IN_A_ROW: u32 = 32;
/// Shortest wait for a timer that is still due after it was served, milliseconds.
const TIMER_FLOOR_MS: u64 = 5;

/// A person's act from the console, checked there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorRequest {
    /// Who.
    pub name: String,
    /// What.
    pub act: Requested,
    /// Why.
    pub reason: String,
}

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requested {
    /// An act.
    Act(OperatorAct),
    /// What stands on the vehicle, canonical.
    Correct {
        /// Which fact.
        slot: Slot,
        /// What stands there.
        value: String,
    },
}

impl From<OperatorAct> for Requested {
    fn from(act: OperatorAct) -> Self {
        Requested::Act(act)
    }
}

/// What came of a question.
struct Answered {
    nonce: String,
    answer: Result<VerifiedAnswer, AnswerFailure>,
    arrived: Instant,
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
    /// Gate passes.
    pub passes: PassDesk,
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
    /// The code reader.
    codes: Option<CodeLink>,
}

/// Runs a lane until `stop` turns true (`Ok`) or the journal fails (`Err`: nothing moves any more).
/// Arm and lamps stay as they are; the barrier's own controller watches the I/O heartbeat.
pub async fn run(mut parts: LaneParts, mut stop: watch::Receiver<bool>) -> Result<(), JournalError> {
    let (asked, mut answers) = mpsc::channel(ANSWERS);
    let exit_io = parts.links.exit_io.as_ref().map(|(_, io)| io.clone());
    let (arm, mut written) = Arm::new(parts.links.io.clone(), exit_io, parts.ledger.clone());
    let cameras = parts.links.cameras.iter().map(|(camera, _)| camera.to_string()).collect();
    let codes = parts.links.codes.take();
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
        codes,
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
            Some((device, shown)) = next_code(&mut lane.codes) => {
                in_a_row += 1;
                lane.shown(device, &shown).await?;
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
    /// What was shown to the code reader. Nobody's pass is bound while nobody stands there.
    async fn shown(&mut self, device: DeviceId, shown: &Shown) -> Result<(), JournalError> {
        let Some(pass) = self.parts.lane.pass() else { return Ok(()) };
        let judged = self.parts.passes.judge(shown, pass, self.parts.clock.now().wall_ms.0);
        self.judged(device, judged).await
    }
    async fn judged(&mut self, device: DeviceId, shown: Option<ShownPass>) -> Result<(), JournalError> {
        let Some(shown) = shown else { return Ok(()) };
        self.handle(Input::PassShown { device, shown }, Some(Instant::now())).await
    }
    async fn observed(&mut self, observation: Observation) -> Result<(), JournalError> {
        let origin = Instant::now();
        let mut up = None;
        match &observation.what {
            Observed::Read(read) => self.remember(observation.device.as_str(), read),
            Observed::Code(code) => {
                let Some(pass) = self.parts.lane.pass() else { return Ok(()) };
                let now_ms = self.parts.clock.now().wall_ms.0;
                let judged = self.parts.passes.look(&code.text, pass, now_ms);
                return self.judged(observation.device.clone(), judged).await;
            }
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
        let input = match act {
            Requested::Act(act) => Input::Operator { name, act, reason },
            Requested::Correct { slot, value } => Input::Corrected(Correction { name, slot, value, reason }),
        };
        self.handle(input, None).await
    }
    async fn handle(&mut self, input: Input, origin: Option<Instant>) -> Result<(), JournalError> {
        self.parts.lane.handle(input, self.parts.clock.now());
        self.execute(origin).await
    }
}

/// The next code; never one where there is no reader, or its driver has ended.
async fn next_code(codes: &mut Option<CodeLink>) -> Option<(DeviceId, Shown)> {
    let link = codes.as_mut()?;
    let shown = link.shown.recv().await?;
    Some((link.id.clone(), shown))
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
