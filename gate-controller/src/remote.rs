//! Commands from afar: checked, remembered, handed to the lane as a person's act. None of them moves an arm:
//! the lane is told to close or open, or the sign a text; everything else takes a person at the gate.

use crate::board::Board;
use crate::lane_loop::OperatorRequest;
use crate::ledger::Ledger;
use crate::once::Once;
use crate::signs::Room;
use barrier_io::SignCommand;
use ed25519_dalek::VerifyingKey;
use gate_core::OperatorAct;
use gate_types::command::{self, Came, CommandReply, LaneCommand, Refusal, RemoteCommand};
use gate_types::console::LaneState;
use gate_types::entry::{Entry, EntryBody};
use gate_types::{LaneId, NodeId, PortId, topic};
use journal::JournalError;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;

/// A message on a command topic.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: Vec<u8>,
    /// The broker's flag.
    pub retained: bool,
}

/// A lane's sign; weak, so that the sign ends with its lane.
pub type SignWay = (mpsc::WeakSender<SignCommand>, Room);

/// What commands reach.
#[derive(Debug)]
pub struct Remote {
    /// The port.
    pub port: PortId,
    /// The gate.
    pub node: NodeId,
    /// Central's key.
    pub key: VerifyingKey,
    /// The way to each lane.
    pub operators: Arc<HashMap<LaneId, mpsc::Sender<OperatorRequest>>>,
    /// The way to each sign.
    pub signs: HashMap<LaneId, SignWay>,
    /// The lanes as they are.
    pub board: Board,
    /// The record.
    pub ledger: Ledger,
    /// Commands that were done.
    pub done: Once,
}

impl Remote {
    /// Does what arrived, or says why not. `None`: not a command topic of this gate.
    pub async fn obey(&mut self, arrived: &Arrived) -> Result<Option<(String, CommandReply)>, JournalError> {
        let Some((lane, name)) = topic::read_command(&self.port, &self.node, &arrived.topic) else {
            return Ok(None);
        };
        let reply_to = topic::command_reply(&self.port, &self.node, &lane, &name);
        let now_ms = self.ledger.now().wall_ms.0;
        let came = Came {
            port: &self.port,
            node: &self.node,
            lane: &lane,
            name: &name,
            retained: arrived.retained,
            now_ms,
        };
        let reply = match command::read(&self.key, &came, &arrived.payload) {
            Err(refusal) => CommandReply { id: None, done: false, why: refusal.to_string() },
            Ok(told) => {
                let id = Some(told.id.clone());
                match self.done_once(&told, now_ms).await? {
                    Ok(()) => CommandReply { id, done: true, why: String::new() },
                    Err(refusal) => CommandReply { id, done: false, why: refusal.to_string() },
                }
            }
        };
        tracing::info!(%lane, name, done = reply.done, why = reply.why, "command by the broker");
        Ok(Some((reply_to, reply)))
    }

    async fn done_once(
        &mut self,
        told: &LaneCommand,
        now_ms: i64,
    ) -> Result<Result<(), Refusal>, JournalError> {
        if self.done.taken(&told.id) {
            return Ok(Err(Refusal::Repeated));
        }
        if let Err(refusal) = self.possible(told) {
            return Ok(Err(refusal));
        }
        match self.done.take(&told.id, told.expires_at_ms.saturating_add(command::CLOCKS_MS), now_ms) {
            Ok(true) => {}
            Ok(false) => return Ok(Err(Refusal::Repeated)),
            Err(error) => return Ok(Err(Refusal::Not(format!("it cannot be noted as done: {error:#}")))),
        }
        let reason = format!("{} (command {})", told.reason, told.id);
        match &told.command {
            RemoteCommand::CloseLane {} => Ok(self.act(told, OperatorAct::CloseLane, reason)),
            RemoteCommand::OpenLane {} => Ok(self.act(told, OperatorAct::OpenLane, reason)),
            RemoteCommand::ShowText { lines } => {
                let act = told.command.name().to_owned();
                let body = EntryBody::OperatorAct { name: told.by.clone(), act, reason };
                let entry = Entry { lane: Some(told.lane.clone()), pass: None, at: self.ledger.now(), body };
                self.ledger.append(vec![entry]).await?;
                Ok(self.show(&told.lane, lines))
            }
        }
    }

    /// Whether the lane is such that the command can be done; asked before it is noted as done.
    fn possible(&self, told: &LaneCommand) -> Result<(), Refusal> {
        let not = |why: &str| Err(Refusal::Not(why.to_owned()));
        if !self.operators.contains_key(&told.lane) {
            return not("this gate has no such lane");
        }
        match &told.command {
            RemoteCommand::CloseLane {} => Ok(()),
            RemoteCommand::OpenLane {} => {
                let view = self.board.views().into_iter().find(|view| view.lane == told.lane);
                if view.is_some_and(|view| view.state == LaneState::Closed) {
                    return Ok(());
                }
                not("the lane is not closed; a fault or a local hand is reset at the gate, by a person")
            }
            RemoteCommand::ShowText { .. } if self.signs.contains_key(&told.lane) => Ok(()),
            RemoteCommand::ShowText { .. } => not("the lane has no sign"),
        }
    }

    fn act(&self, told: &LaneCommand, act: OperatorAct, reason: String) -> Result<(), Refusal> {
        let request = OperatorRequest { name: told.by.clone(), act: act.into(), reason };
        let busy = || Refusal::Not("the lane has not taken earlier acts yet; send a new command".to_owned());
        let sender = self.operators.get(&told.lane).ok_or_else(busy)?;
        sender.try_send(request).map_err(|_| busy())
    }

    fn show(&self, lane: &LaneId, lines: &[String]) -> Result<(), Refusal> {
        let gone = || Refusal::Not("the sign does not take it now; send a new command".to_owned());
        let (sign, room) = self.signs.get(lane).ok_or_else(gone)?;
        let lines: Vec<String> =
            lines.iter().take(room.lines).map(|l| l.chars().take(room.columns).collect()).collect();
        sign.upgrade().ok_or_else(gone)?.try_send(SignCommand::Show { lines }).map_err(|_| gone())
    }
}
