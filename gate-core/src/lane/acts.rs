//! What an operator does. Every act is recorded, whether it can have an effect now or not.

use super::faults::{clear, part};
use super::state::{Cause, State};
use super::{Lane, restore, state, verdict};
use crate::input::OperatorAct;
use crate::mission::{LegCheck, check};
use crate::policy::plain;
use gate_types::decision::Basis;
use gate_types::entry::{Authority, EntryBody};
use gate_types::fault::FaultKind;
use gate_types::mission::InstructionKind;
use gate_types::verdict::Instruction;

pub(super) fn operated(lane: &mut Lane, name: String, act: OperatorAct, reason: String) {
    let body =
        EntryBody::OperatorAct { name: name.clone(), act: act.name().to_owned(), reason: reason.clone() };
    lane.record(body);
    if name.trim().is_empty() || reason.trim().is_empty() {
        return;
    }
    let next = match act {
        OperatorAct::Admit => admit(lane, name, reason),
        OperatorAct::TurnBack => turn_back(lane, &name, &reason),
        OperatorAct::CloseLane => close(lane),
        OperatorAct::OpenLane => open(lane),
    };
    if let Some(next) = next {
        state::enter(lane, next);
    }
}

/// The vehicle stands before the lowered arm, or the arm did not rise for it.
fn can_be_told(lane: &Lane) -> bool {
    lane.state.deals() || lane.state == State::Faulted { cause: Cause::NotRaised }
}

/// Grants a raise on the operator's own authority; the interlock still has the last word.
fn admit(lane: &mut Lane, name: String, reason: String) -> Option<State> {
    if !can_be_told(lane) {
        return None;
    }
    let until = lane.mono().plus_ms(lane.spec.timers.decision_valid_ms);
    let go = instruction(lane);
    let pass = lane.pass.as_mut()?;
    pass.asked = None;
    pass.go = Some(go.clone());
    if lane.spec.live {
        lane.interlock.grant(pass.id.clone(), until, Authority::Operator { name, reason });
    }
    lane.show(go);
    Some(State::Deciding)
}

/// Where the mission leads from here, as far as it is known.
fn instruction(lane: &Lane) -> Instruction {
    let Some(facts) = lane.pass.as_ref().and_then(|p| p.facts.as_ref()) else {
        return plain(InstructionKind::GoOn);
    };
    let leg = lane.spec.processes.iter().find(|p| p.id == facts.process).map(|process| {
        let (node, way) = (&lane.spec.node, lane.spec.direction);
        check(process, &facts.conditions, facts.status, &facts.progress, node, way)
    });
    match leg {
        Some(LegCheck::Admitted { instruction, next, .. }) => {
            let place =
                facts.report_to.clone().filter(|_| instruction == InstructionKind::ReportToInspection);
            Instruction { kind: instruction, next_node: next.map(|n| n.node), place }
        }
        Some(LegCheck::Refused { .. }) | None => plain(InstructionKind::GoOn),
    }
}

fn turn_back(lane: &mut Lane, name: &str, reason: &str) -> Option<State> {
    if !can_be_told(lane) || lane.pass.is_none() {
        return None;
    }
    lane.interlock.withdraw();
    if let Some(pass) = &mut lane.pass {
        pass.asked = None;
        pass.go = None;
    }
    let basis = Basis::Operator { name: name.to_owned(), reason: reason.to_owned() };
    Some(verdict::take(lane, &basis, lane.mono()))
}

/// A pass under way ends first.
fn close(lane: &mut Lane) -> Option<State> {
    lane.closed = true;
    (lane.state.deals() || lane.state == State::Idle).then_some(State::Closed)
}

/// Opens the lane, and is the reset of arm faults after a person has looked.
fn open(lane: &mut Lane) -> Option<State> {
    lane.closed = false;
    match lane.state {
        State::Closed => Some(restore::resume(lane)),
        State::Faulted { cause: Cause::NotRaised | Cause::NotLowered | Cause::Uncommanded } => {
            let device = part(lane, "arm");
            clear(lane, FaultKind::ArmNotRaised, &device);
            clear(lane, FaultKind::ArmNotLowered, &device);
            clear(lane, FaultKind::ArmMovedUncommanded, &device);
            Some(restore::resume(lane))
        }
        State::Faulted { cause: Cause::Inputs | Cause::Barrier }
        | State::Starting
        | State::Idle
        | State::Identifying { .. }
        | State::Deciding
        | State::Held { .. }
        | State::Referred { .. }
        | State::Raising { .. }
        | State::Passing { .. }
        | State::Clearing
        | State::Lowering { .. }
        | State::Local => None,
    }
}
