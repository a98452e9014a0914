//! Effects as lines of a golden story: who does what.

use gate_core::lane::chart::name;
use gate_core::{ArmCommand, Effect, LightColour, Side};
use gate_types::console::LaneState;
use gate_types::entry::{Authority, EntryBody, PassOutcome};
use gate_types::gate_pass::ShownPass;
use gate_types::mission::InstructionKind;
use gate_types::observation::ArmPosition;
use gate_types::verdict::{Instruction, Verdict};

/// One effect as one line, without the lane's name in device names.
pub fn line(effect: &Effect) -> String {
    let told = match effect {
        Effect::Record(entry) => format!("journal: {}", body(&entry.body)),
        Effect::AskRelease(_) => "central: asked for the release".into(),
        Effect::Actuate(cleared) => match cleared.command() {
            ArmCommand::Raise => format!("{}barrier: RAISE", at(cleared.side())),
            ArmCommand::PermitLower => format!("{}barrier: MAY LOWER", at(cleared.side())),
        },
        Effect::Light(LightColour::Red, side) => format!("{}lamp: red", at(*side)),
        Effect::Light(LightColour::Green, side) => format!("{}lamp: green", at(*side)),
        Effect::Show { instruction, language } => {
            let language = language.as_ref().map(|l| format!(" ({l})")).unwrap_or_default();
            format!("sign: {}{language}", instructed(instruction))
        }
        Effect::Watch(true) => "cameras and reader: look".into(),
        Effect::Watch(false) => "cameras and reader: rest".into(),
    };
    told.replace("n1-in-1.", "")
}

fn at(side: Side) -> &'static str {
    match side {
        Side::Entry => "",
        Side::Exit => "exit ",
    }
}

/// A change of state as one line.
pub fn state(now: LaneState) -> String {
    format!("lane: {}", name(now))
}

fn instructed(instruction: &Instruction) -> String {
    let kind = match instruction.kind {
        InstructionKind::Wait => "wait",
        InstructionKind::GoOn => "go on",
        InstructionKind::Finish => "finish",
        InstructionKind::GoToParking => "go to parking",
        InstructionKind::ReportToInspection => "report to inspection",
        InstructionKind::TurnBack => "turn back",
        InstructionKind::CallOperator => "call the operator",
        InstructionKind::LaneClosed => "lane closed",
    };
    let node = instruction.next_node.as_ref().map(|n| format!(", next node {n}")).unwrap_or_default();
    let place = instruction.place.as_ref().map(|p| format!(", at {p}")).unwrap_or_default();
    format!("{kind}{node}{place}")
}

fn judged(verdict: &Verdict) -> String {
    let word = match verdict {
        Verdict::Admit { .. } => "admit",
        Verdict::Hold { .. } => "hold",
        Verdict::Refer { .. } => "refer",
    };
    let reasons: Vec<String> = verdict.reasons().iter().map(|r| words(&format!("{:?}", r.code))).collect();
    let because = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) };
    format!("{word}{because}")
}

/// `ArmNotRaised` as `arm not raised`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}

fn place(arm: ArmPosition) -> &'static str {
    match arm {
        ArmPosition::Up => "up",
        ArmPosition::Down => "down",
        ArmPosition::Between => "between its ends",
        ArmPosition::Contradictory => "at both ends",
        ArmPosition::Unknown => "nowhere known",
    }
}

/// What one entry says.
pub fn entry(entry: &EntryBody) -> String {
    body(entry)
}

fn body(body: &EntryBody) -> String {
    let kind = body.kind().replace('_', " ");
    match body {
        EntryBody::OpticalRead { device, read } => {
            format!("{device} read {} at {:.0} %", read.text, read.confidence * 100.0)
        }
        EntryBody::TagRead { device, tag } => format!("{device} saw tag {}", tag.epc),
        EntryBody::GatePassShown { device, shown } => match shown {
            ShownPass::Valid { mission, .. } => format!("{device} was shown a gate pass of {mission}"),
            ShownPass::Refused { why, .. } => format!("{device} refused a gate pass: {why}"),
        },
        EntryBody::WeightRead { device, weight } => format!("{device} weighed {} kg", weight.gross_kg),
        EntryBody::ReleaseAsked { request } => format!("question {}", request.nonce),
        EntryBody::ReleaseRefused { nonce, why } => format!("no use of the answer to {nonce}: {why}"),
        EntryBody::Decided { verdict, .. } => format!("decided: {}", judged(verdict)),
        EntryBody::RaiseCommanded { authority } => match authority {
            Authority::Decision => "raise commanded, by this decision".into(),
            Authority::Operator { name, .. } => format!("raise commanded, by {name}"),
        },
        EntryBody::PassClosed { summary } => {
            let outcome = match summary.outcome {
                PassOutcome::Passed => "passed",
                PassOutcome::TurnedBack => "turned back",
                PassOutcome::Interrupted => "interrupted",
            };
            let raised = if summary.raised_by.is_some() { "arm raised for it" } else { "no raise" };
            format!("pass closed: {outcome}, {raised}")
        }
        EntryBody::FaultRaised { fault } => {
            format!("FAULT {}, {}", words(&format!("{:?}", fault.kind)), fault.device)
        }
        EntryBody::FaultCleared { fault } => {
            format!("fault over: {}, {}", words(&format!("{:?}", fault.kind)), fault.device)
        }
        EntryBody::OperatorAct { name, act, .. } => format!("{name}: {}", act.replace('_', " ")),
        EntryBody::Corrected { name, slot, value, .. } => {
            format!("{name}: {} is {value}", words(&format!("{slot:?}")))
        }
        EntryBody::ArmMovedUncommanded { arm, exit } => {
            let which = if *exit { "exit " } else { "" };
            format!("{which}arm moved uncommanded, {}", place(*arm))
        }
        EntryBody::LocalHands { key, fire, arm, exit } => {
            let on = |b: bool| if b { "on" } else { "off" };
            let which = if *exit { " at the exit" } else { "" };
            format!("local hands{which}: key {}, fire {}, arm {}", on(*key), on(*fire), place(*arm))
        }
        EntryBody::DaemonStarted { .. }
        | EntryBody::DaemonStopped {}
        | EntryBody::RulesLoaded { .. }
        | EntryBody::Erased { .. }
        | EntryBody::PassOpened { .. }
        | EntryBody::ReleaseAnswered { .. }
        | EntryBody::ArmConfirmedUp {}
        | EntryBody::VehicleUnder {}
        | EntryBody::VehicleLeft {}
        | EntryBody::VehicleWentBack {}
        | EntryBody::VehicleEnclosed {}
        | EntryBody::VehicleSentBack {}
        | EntryBody::LowerPermitted { .. }
        | EntryBody::ArmConfirmedDown {} => kind,
    }
}
