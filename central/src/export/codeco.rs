//! UN/EDIFACT CODECO D.95B (syntax 3, UNOC): the gate-in and gate-out report, one message for each pass.

use super::Movement;
use gate_types::identity::Slot;
use gate_types::mission::Direction;
use time::OffsetDateTime;

/// Who sends to whom: identifications of UNB and NAD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parties {
    /// The sender.
    pub(crate) sender: String,
    /// The recipient.
    pub(crate) recipient: String,
}

/// Segments of one message, from UNH on.
struct Message(Vec<String>);

impl Message {
    /// A segment of elements, each of components; empty ones at the end are left out.
    fn put(&mut self, tag: &str, elements: &[&[&str]]) {
        let words: Vec<String> = elements.iter().map(|components| trimmed(components, ":")).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let rest = joined(&words, "+");
        self.0.push(if rest.is_empty() { tag.to_owned() } else { format!("{tag}+{rest}") });
    }
}

pub(super) fn interchange(movements: &[Movement], parties: &Parties, now: OffsetDateTime) -> Vec<u8> {
    let messages: Vec<Vec<String>> =
        movements.iter().filter(|m| !m.units().is_empty()).map(message).collect();
    let reference = movements.first().map_or_else(|| "0".to_owned(), |m| short(m, "interchange"));
    let date = format!("{:02}{:02}{:02}", now.year() % 100, u8::from(now.month()), now.day());
    let time = format!("{:02}{:02}", now.hour(), now.minute());
    let mut envelope = Message(Vec::new());
    envelope.put(
        "UNB",
        &[&["UNOC", "3"], &[&parties.sender], &[&parties.recipient], &[&date, &time], &[&reference]],
    );
    let mut segments = envelope.0;
    let count = messages.len().to_string();
    segments.extend(messages.into_iter().flatten());
    let mut end = Message(Vec::new());
    end.put("UNZ", &[&[&count], &[&reference]]);
    segments.extend(end.0);
    // UNOC is ISO 8859-1; what it cannot write, a receiver could not read.
    let mut bytes = Vec::new();
    for segment in segments {
        bytes.extend(segment.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')));
        bytes.extend(b"'\n");
    }
    bytes
}

fn message(movement: &Movement) -> Vec<String> {
    let reference = short(movement, "message");
    let mut message = Message(Vec::new());
    message.put("UNH", &[&[&reference], &["CODECO", "D", "95B", "UN", "ITG14"]]);
    let report = match movement.summary.direction {
        Direction::In => "34",
        Direction::Out => "36",
    };
    message.put("BGM", &[&[report], &[&reference], &["9"]]);
    let at = movement.at();
    let stamp = format!(
        "{:04}{:02}{:02}{:02}{:02}",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute()
    );
    let (port, node) = (movement.port.to_string(), movement.event.node.to_string());
    let units = movement.units();
    for unit in &units {
        let full = movement.declared_empty().map_or("", |empty| if empty { "4" } else { "5" });
        message.put("EQD", &[&["CN"], &[unit], &[], &[], &[], &[full]]);
        for mrn in movement.mrns() {
            message.put("RFF", &[&["AAE", mrn]]);
        }
        message.put("DTM", &[&["7", &stamp, "203"]]);
        message.put("LOC", &[&["165", &port, "139", "6"], &[&node, "", "ZZZ"]]);
        if let Some(seal) = movement.read(Slot::Seal) {
            message.put("SEL", &[&[seal]]);
        }
        if let Some(plate) = movement.read(Slot::TractorPlate) {
            // Inland transport (1) by road (3) with a truck (31), identified by its registration.
            message.put("TDT", &[&["1"], &[], &["3"], &["31"], &[], &[], &[], &["", "", "", plate]]);
        }
    }
    message.put("CNT", &[&["16", &units.len().to_string()]]);
    let count = (message.0.len() + 1).to_string();
    message.put("UNT", &[&[&count], &[&reference]]);
    message.0
}

/// Fourteen characters that are the same for the same event (element 0062, an..14).
fn short(movement: &Movement, part: &str) -> String {
    movement.id(part).simple().to_string().chars().take(14).collect::<String>().to_uppercase()
}

/// Components with the release character before what would end them.
fn trimmed(parts: &[&str], separator: &str) -> String {
    let escaped: Vec<String> = parts.iter().map(|part| escape(part)).collect();
    let words: Vec<&str> = escaped.iter().map(String::as_str).collect();
    joined(&words, separator)
}

fn joined(parts: &[&str], separator: &str) -> String {
    let end = parts.iter().rposition(|part| !part.is_empty()).map_or(0, |last| last + 1);
    parts.iter().take(end).copied().collect::<Vec<_>>().join(separator)
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !c.is_control()) {
        if matches!(c, '+' | ':' | '\'' | '?') {
            out.push('?');
        }
        out.push(c);
    }
    out
}
