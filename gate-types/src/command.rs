//! Commands to a lane that travel by the broker: few, signed by central, short-lived, each done once. None of
//! them moves an arm, and no broker can make one up, keep one back for later or send one twice.

use crate::id::{LaneId, NodeId, PortId};
use crate::jws::{self, JwsError};
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

/// What a command's body says that it is, so that nothing else that central signs passes for one.
pub const COMMAND_TYPE: &str = "varco-command/1";
/// Longest validity, milliseconds.
pub const MAX_COMMAND_MS: i64 = 300_000;
/// So far the clocks of central and gate may differ, milliseconds.
pub const CLOCKS_MS: i64 = 30_000;
/// Longest id, name, reason, bytes.
const MAX_TEXT: usize = 256;
/// Most lines of a text, and bytes of one.
const MAX_LINES: usize = 8;

/// What a lane may be told from afar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum RemoteCommand {
    /// Close the lane after the pass under way.
    CloseLane {},
    /// Open a lane that was closed. It resets no fault: that takes a person at the gate.
    OpenLane {},
    /// Show this on the driver's sign until the lane's next instruction.
    ShowText {
        /// From the top.
        lines: Vec<String>,
    },
}

impl RemoteCommand {
    /// The name in the topic.
    pub fn name(&self) -> &'static str {
        match self {
            RemoteCommand::CloseLane {} => "close_lane",
            RemoteCommand::OpenLane {} => "open_lane",
            RemoteCommand::ShowText { .. } => "show_text",
        }
    }
}

/// The body that central signs (compact JWS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneCommand {
    /// [`COMMAND_TYPE`].
    pub typ: String,
    /// Its name; each is done at most once.
    pub id: String,
    /// The port.
    pub port: PortId,
    /// The gate.
    pub node: NodeId,
    /// The lane.
    pub lane: LaneId,
    /// Central's clock when it signed, milliseconds since 1970.
    pub issued_at_ms: i64,
    /// It ends at this moment, at most [`MAX_COMMAND_MS`] later.
    pub expires_at_ms: i64,
    /// Who gave it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What.
    pub command: RemoteCommand,
}

/// Why a command is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The broker kept it: nobody knows for how long.
    #[error("it is retained; commands are published without the retain flag")]
    Retained,
    /// Not signed by central, or not a command.
    #[error("{0}")]
    Unsigned(#[from] JwsError),
    /// Central signed it as something else.
    #[error("its body is no command of this version (`{COMMAND_TYPE}`)")]
    Type,
    /// For another port, gate, lane or name than its topic's.
    #[error("it is signed for {0}, which is not where it came")]
    Elsewhere(String),
    /// Its time is over.
    #[error("it expired {0} ms ago")]
    Expired(i64),
    /// Valid for too long, or issued in the future.
    #[error(
        "its times are not usable: issued at {issued_at_ms}, expires at {expires_at_ms}, now {now_ms}; check both clocks"
    )]
    Times {
        /// As signed.
        issued_at_ms: i64,
        /// As signed.
        expires_at_ms: i64,
        /// The gate's clock.
        now_ms: i64,
    },
    /// Empty or too long.
    #[error("{0} is empty or too long")]
    Text(&'static str),
    /// Done already.
    #[error("it was done already")]
    Repeated,
    /// The gate cannot do it now.
    #[error("{0}")]
    Not(String),
}

/// What became of a command, published beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandReply {
    /// The command's id; absent where it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// It was handed to the lane.
    pub done: bool,
    /// Why not; empty where it was.
    #[serde(default)]
    pub why: String,
}

/// Where and how a payload came.
#[derive(Debug, Clone, Copy)]
pub struct Came<'a> {
    /// This gate's port.
    pub port: &'a PortId,
    /// This gate.
    pub node: &'a NodeId,
    /// The topic's lane.
    pub lane: &'a LaneId,
    /// The topic's name.
    pub name: &'a str,
    /// The broker says that it is a retained message.
    pub retained: bool,
    /// The gate's wall clock, milliseconds since 1970.
    pub now_ms: i64,
}

/// Everything that can be told of a command without memory. Whether it was done before is the gate's to know.
pub fn read(key: &VerifyingKey, came: &Came<'_>, payload: &[u8]) -> Result<LaneCommand, Refusal> {
    if came.retained {
        return Err(Refusal::Retained);
    }
    let text = std::str::from_utf8(payload).map_err(|_| JwsError::Malformed("not text"))?;
    let told: LaneCommand = jws::verify(key, text.trim())?;
    if told.typ != COMMAND_TYPE {
        return Err(Refusal::Type);
    }
    let here = (came.port, came.node, came.lane, came.name);
    if (&told.port, &told.node, &told.lane, told.command.name()) != here {
        let place = format!("{}/{}/{}/{}", told.port, told.node, told.lane, told.command.name());
        return Err(Refusal::Elsewhere(place));
    }
    let LaneCommand { issued_at_ms, expires_at_ms, .. } = told;
    let usable = issued_at_ms <= came.now_ms.saturating_add(CLOCKS_MS)
        && issued_at_ms < expires_at_ms
        && expires_at_ms.saturating_sub(issued_at_ms) <= MAX_COMMAND_MS;
    if !usable {
        return Err(Refusal::Times { issued_at_ms, expires_at_ms, now_ms: came.now_ms });
    }
    if came.now_ms >= expires_at_ms {
        return Err(Refusal::Expired(came.now_ms.saturating_sub(expires_at_ms)));
    }
    for (what, text) in [("id", &told.id), ("by", &told.by), ("reason", &told.reason)] {
        if text.trim().is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control) {
            return Err(Refusal::Text(what));
        }
    }
    if let RemoteCommand::ShowText { lines } = &told.command
        && (lines.is_empty() || lines.len() > MAX_LINES || lines.iter().any(|l| l.len() > MAX_TEXT))
    {
        return Err(Refusal::Text("text"));
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;

    const NOW: i64 = 1_800_000_000_000;

    fn command() -> LaneCommand {
        LaneCommand {
            typ: COMMAND_TYPE.into(),
            id: "c-1".into(),
            port: PortId::new("ITBRI").unwrap(),
            node: NodeId::new("1").unwrap(),
            lane: LaneId::new("n1-in-1").unwrap(),
            issued_at_ms: NOW,
            expires_at_ms: NOW + 60_000,
            by: "officer".into(),
            reason: "works".into(),
            command: RemoteCommand::CloseLane {},
        }
    }

    fn told(command: &LaneCommand, change: impl Fn(&mut Came<'_>)) -> Result<LaneCommand, Refusal> {
        let key = SigningKey::from_bytes(&[7; 32]);
        let (port, node, lane) =
            (PortId::new("ITBRI").unwrap(), NodeId::new("1").unwrap(), LaneId::new("n1-in-1").unwrap());
        let mut came =
            Came { port: &port, node: &node, lane: &lane, name: "close_lane", retained: false, now_ms: NOW };
        change(&mut came);
        read(&key.verifying_key(), &came, jws::sign(&key, command).unwrap().as_bytes())
    }

    #[test]
    fn a_fresh_command_for_this_lane_is_read() {
        assert_eq!(told(&command(), |_| {}), Ok(command()));
    }

    #[test]
    fn every_other_one_is_refused_for_its_own_reason() {
        assert_eq!(told(&command(), |c| c.retained = true), Err(Refusal::Retained));
        assert_eq!(told(&command(), |c| c.now_ms = NOW + 60_000), Err(Refusal::Expired(0)));
        assert!(matches!(told(&command(), |c| c.now_ms = NOW - 31_000), Err(Refusal::Times { .. })));
        let long = LaneCommand { expires_at_ms: NOW + MAX_COMMAND_MS + 1, ..command() };
        assert!(matches!(told(&long, |_| {}), Err(Refusal::Times { .. })));
        assert!(matches!(told(&command(), |c| c.name = "open_lane"), Err(Refusal::Elsewhere(_))));
        let other = LaneCommand { lane: LaneId::new("n1-in-2").unwrap(), ..command() };
        assert!(matches!(told(&other, |_| {}), Err(Refusal::Elsewhere(_))));
        let permit = LaneCommand { typ: "varco-pass/1".into(), ..command() };
        assert_eq!(told(&permit, |_| {}), Err(Refusal::Type));
        let nobody = LaneCommand { by: " ".into(), ..command() };
        assert_eq!(told(&nobody, |_| {}), Err(Refusal::Text("by")));
        let key = SigningKey::from_bytes(&[8; 32]).verifying_key();
        let (port, node, lane) = (command().port, command().node, command().lane);
        let came =
            Came { port: &port, node: &node, lane: &lane, name: "close_lane", retained: false, now_ms: NOW };
        for junk in [&b"{}"[..], b"", b"\xff\xfe", b"a.b.c", b"open"] {
            assert!(matches!(read(&key, &came, junk), Err(Refusal::Unsigned(_))), "{junk:?}");
        }
        let signed = jws::sign(&SigningKey::from_bytes(&[7; 32]), &command()).unwrap();
        assert!(matches!(read(&key, &came, signed.as_bytes()), Err(Refusal::Unsigned(JwsError::Signature))));
    }
}
