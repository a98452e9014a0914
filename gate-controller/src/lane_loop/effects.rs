//! What the core wants done: records first and durable, then the raise, then all else in the core's order.

use super::{Answered, LaneLoop};
use crate::central::CallError;
use gate_core::{AnswerFailure, ArmCommand, Cleared, Effect, LightColour, Side, VerifiedAnswer};
use gate_types::PassId;
use gate_types::entry::{Authority, Entry, EntryBody, PassOutcome};
use gate_types::release::ReleaseRequest;
use gate_types::verdict::Instruction;
use journal::JournalError;
use std::time::Instant;

/// An effect that is not a record.
enum Deed {
    Ask(ReleaseRequest),
    PermitLower(Cleared),
    Light(LightColour, Side),
    Show(Instruction, Option<String>),
    Watch(bool),
}

/// The passes of vehicles that left by the side that they came from.
fn gone_back(records: &[Entry]) -> Vec<PassId> {
    let mut passes = Vec::new();
    for entry in records {
        if let EntryBody::PassClosed { summary } = &entry.body
            && summary.outcome == PassOutcome::TurnedBack
        {
            passes.extend(entry.pass.clone());
        }
    }
    passes
}

impl LaneLoop {
    /// Executes everything that the core wants now: one commit for all records of this input, then the
    /// rest. So each effect runs only after every record before it is durable, and a decision with its
    /// raise costs one commit. A raise goes first, because its moment counts and signs and cameras are told
    /// states; all else keeps the core's order. `origin`: when the input that led here arrived; none where
    /// a person's act did, which is not a decision's latency.
    pub(super) async fn execute(&mut self, origin: Option<Instant>) -> Result<(), JournalError> {
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
                Effect::Light(colour, side) => deeds.push(Deed::Light(colour, side)),
                Effect::Show { instruction, language } => deeds.push(Deed::Show(instruction, language)),
                Effect::Watch(on) => deeds.push(Deed::Watch(on)),
            }
        }
        if !records.is_empty() {
            if records.iter().any(|e| matches!(e.body, EntryBody::PassOpened { .. })) {
                self.reads.clear();
            }
            self.spend(&records);
            let gone_back = gone_back(&records);
            self.parts.ledger.append(records).await?;
            for pass in gone_back {
                self.parts.passes.went_back(&pass);
            }
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
                Deed::Light(colour, side) => {
                    self.told.light.insert(side, colour);
                    self.light(colour, side);
                }
                Deed::Show(instruction, language) => self.show(&instruction, language.as_deref()),
                Deed::Watch(on) => {
                    self.told.watch = Some(on);
                    self.watch(on);
                }
            }
        }
        self.tell_empty();
        Ok(())
    }

    /// Tells the other lanes of a permit before the arm moves on it.
    fn spend(&mut self, records: &[Entry]) {
        for entry in records {
            if let EntryBody::Decided { record: Some(record), verdict, .. } = &entry.body {
                if verdict.admits() {
                    self.permit = record.basis.permit().map(str::to_owned);
                }
            } else if let EntryBody::RaiseCommanded { authority: Authority::Decision } = &entry.body
                && let Some(permit) = self.permit.take()
            {
                self.parts.permits.spend(permit);
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
}
