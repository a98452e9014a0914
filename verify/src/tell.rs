//! The proven entries in words.

use gate_types::entry::{Authority, Entry, EntryBody};
use gate_types::verdict::Verdict;

/// One line for one entry.
pub(crate) fn line(entry: &Entry) -> String {
    let what = match &entry.body {
        EntryBody::OpticalRead { device, read } => {
            format!("{device} read {} ({:.0} %)", read.text, read.confidence * 100.0)
        }
        EntryBody::TagRead { device, tag } => format!("{device} saw tag {}", tag.epc),
        EntryBody::WeightRead { device, weight } => format!("{device} weighed {} kg", weight.gross_kg),
        EntryBody::ReleaseAsked { request } => format!("central was asked ({})", request.nonce),
        EntryBody::ReleaseAnswered { .. } => "central answered, signed".to_owned(),
        EntryBody::ReleaseRefused { why, .. } => format!("no usable answer: {why}"),
        EntryBody::Decided { verdict, rules, .. } => format!("decided by {rules}: {}", judged(verdict)),
        EntryBody::RaiseCommanded { authority: Authority::Decision } => "raise, by this decision".to_owned(),
        EntryBody::RaiseCommanded { authority: Authority::Operator { name, reason } } => {
            format!("raise, by {name}: {reason}")
        }
        EntryBody::PassClosed { summary } => format!("pass ended: {:?}", summary.outcome).to_lowercase(),
        EntryBody::FaultRaised { fault } => format!("fault: {}: {}", fault.device, fault.text),
        EntryBody::FaultCleared { fault } => format!("fault cleared: {}", fault.device),
        EntryBody::OperatorAct { name, act, reason } => format!("{name}: {act}: {reason}"),
        EntryBody::ArmMovedUncommanded { arm, .. } => format!("arm moved uncommanded: {arm:?}"),
        other => other.kind().replace('_', " "),
    };
    format!("{} ms  {what}", entry.at.wall_ms.0)
}

fn judged(verdict: &Verdict) -> String {
    let name = match verdict {
        Verdict::Admit { .. } => "admit",
        Verdict::Hold { .. } => "hold",
        Verdict::Refer { .. } => "refer",
    };
    let reasons: Vec<&str> = verdict.reasons().iter().map(|r| r.text.as_str()).collect();
    if reasons.is_empty() { name.to_owned() } else { format!("{name}: {}", reasons.join("; ")) }
}
