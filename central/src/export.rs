//! One pass through a gate in the words of other systems (T73-T85): EPCIS 2.0, UN/EDIFACT CODECO, and an event after
//! DCSA's track and trace. Which of our facts goes where stands in `docs/wire/exports.md`. Nothing is invented: a fact
//! that a pass does not have is left out.

mod codeco;
mod dcsa;
mod epcis;

use crate::store::{MissionRecord, StoredEvent};
use gate_types::PortId;
use gate_types::entry::{EntryBody, PassOutcome, PassSummary};
use gate_types::identity::Slot;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use uuid::{Builder, Uuid};

pub(crate) use codeco::Parties;

/// Below this probability a reading is not told to others.
const TOLD: f64 = 0.9;

/// The words to tell it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dialect {
    /// GS1 EPCIS 2.0, one document of JSON-LD.
    Epcis,
    /// UN/EDIFACT CODECO D.95B, one interchange.
    Codeco,
    /// Equipment events after DCSA's track and trace, a list of JSON.
    Dcsa,
}

impl Dialect {
    /// The media type of an answer.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Epcis => "application/ld+json",
            Self::Codeco => "application/EDIFACT; charset=iso-8859-1",
            Self::Dcsa => "application/json",
        }
    }
}

/// One vehicle that went through a gate.
#[derive(Debug)]
pub(crate) struct Movement {
    port: PortId,
    event: StoredEvent,
    summary: PassSummary,
    mission: Option<MissionRecord>,
}

impl Movement {
    /// The movement that an event tells of; none where nobody went through.
    pub(crate) fn of(port: &PortId, event: StoredEvent, mission: Option<MissionRecord>) -> Option<Self> {
        let EntryBody::PassClosed { summary } = &event.event.entry.body else { return None };
        match summary.outcome {
            PassOutcome::Passed => {}
            PassOutcome::TurnedBack | PassOutcome::Interrupted => return None,
        }
        let summary = summary.as_ref().clone();
        Some(Self { port: port.clone(), event, summary, mission })
    }

    /// The same event always has the same id, so that whoever gets it twice can tell: version 8 of RFC 9562, from
    /// the event's key.
    fn id(&self, part: &str) -> Uuid {
        let key = &self.event.event;
        let text = format!("{}/{}/{}/{}/{part}", self.port, self.event.node, key.epoch.0, key.seq.0);
        let digest = Sha256::digest(text.as_bytes());
        let mut bytes = [0u8; 16];
        for (byte, from) in bytes.iter_mut().zip(digest) {
            *byte = from;
        }
        Builder::from_custom_bytes(bytes).into_uuid()
    }

    fn at(&self) -> OffsetDateTime {
        moment(self.event.event.entry.at.wall_ms.0)
    }
    fn recorded(&self) -> OffsetDateTime {
        moment(self.event.received_ms)
    }
    fn lane(&self) -> &str {
        self.event.event.entry.lane.as_ref().map_or("", |lane| lane.as_str())
    }

    /// What a slot was read as, where that is sure enough to be told.
    fn read(&self, slot: Slot) -> Option<&str> {
        let evidence = self.summary.identity.slot(slot)?;
        let best = evidence.candidates.first()?;
        (best.probability >= TOLD && !evidence.conflict && !evidence.blind).then_some(best.value.as_str())
    }
    /// The load units, each once.
    fn units(&self) -> Vec<&str> {
        let mut units: Vec<&str> =
            [Slot::Itu, Slot::Itu2].into_iter().filter_map(|slot| self.read(slot)).collect();
        units.dedup();
        units
    }
    fn declared_empty(&self) -> Option<bool> {
        self.summary.mission.as_ref().and_then(|m| m.circumstances.declared_empty)
    }
    fn mrns(&self) -> &[String] {
        self.mission.as_ref().map_or(&[], |m| m.mrns.as_slice())
    }
}

/// All movements in one answer.
pub(crate) fn told(
    dialect: Dialect,
    movements: &[Movement],
    parties: &Parties,
    now_ms: i64,
) -> Result<Vec<u8>, serde_json::Error> {
    match dialect {
        Dialect::Epcis => serde_json::to_vec_pretty(&epcis::document(movements, moment(now_ms))),
        Dialect::Codeco => Ok(codeco::interchange(movements, parties, moment(now_ms))),
        Dialect::Dcsa => serde_json::to_vec_pretty(&dcsa::events(movements)),
    }
}

/// Milliseconds since 1970 as a moment; what no calendar holds is its beginning.
fn moment(ms: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// "2026-06-12T08:30:00.000Z".
fn iso(at: OffsetDateTime) -> String {
    let date = format!("{:04}-{:02}-{:02}", at.year(), u8::from(at.month()), at.day());
    format!("{date}T{:02}:{:02}:{:02}.{:03}Z", at.hour(), at.minute(), at.second(), at.millisecond())
}
