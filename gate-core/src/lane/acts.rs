//! What an operator does. Every act is recorded, whether it can have an effect now or not.

use super::faults::{clear, part};
use super::state::{Cause, State};
use super::{Lane, intake, lock, restore, state, verdict};
use crate::fusion::entered;
use crate::input::{Correction, OperatorAct};
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

/// What a person says stands on the vehicle: recorded in any case, evidence while the vehicle stands there
/// undecided. What cannot be the value of its slot is nobody's evidence.
pub(super) fn corrected(lane: &mut Lane, correction: Correction) {
    let Correction { name, slot, value, reason } = correction;
    let Some(value) = entered(slot, &value).filter(|_| !name.trim().is_empty() && !reason.trim().is_empty())
    else {
        return;
    };
    lane.record(EntryBody::Corrected { name, slot, value: value.clone(), reason });
    intake::take_entry(lane, slot, value);
}

/// The vehicle stands before the lowered arm, or the arm did not rise for it.
fn can_be_told(lane: &Lane) -> bool {
    lane.state.deals() || lane.state == State::Faulted { cause: Cause::NotRaised }
}

/// As above, or the exit barrier before a vehicle in a lock is at fault: the way back is the other one.
fn can_be_sent_back(lane: &Lane) -> bool {
    can_be_told(lane) || (lock::holds(lane) && lane.state == State::Faulted { cause: Cause::Barrier })
}

/// Grants a raise on the operator's own authority; the interlock still has the last word.
fn admit(lane: &mut Lane, name: String, reason: String) -> Option<State> {
    if !can_be_told(lane) {
        return None;
    }
    let until = lane.mono().plus_ms(lane.spec.timers.decision_valid_ms);
    let go = instruction(lane);
    if lock::holds(lane) {
        lock::grant_onwards(lane, until, &name, &reason);
    }
    let enclosed = lock::holds(lane);
    let pass = lane.pass.as_mut()?;
    pass.asked = None;
    pass.go = Some(go.clone());
    if lane.spec.live && !enclosed {
        lane.here.interlock.grant(pass.id.clone(), until, Authority::Operator { name, reason });
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
    if !can_be_sent_back(lane) || lane.pass.is_none() {
        return None;
    }
    lane.here.interlock.withdraw();
    if let Some(pass) = &mut lane.pass {
        pass.asked = None;
        pass.go = None;
    }
    if lock::holds(lane) {
        return Some(lock::send_back(lane, name, reason));
    }
    let basis = Basis::Operator { name: name.to_owned(), reason: reason.to_owned() };
    Some(verdict::take(lane, &basis, lane.mono()))
}

/// A pass under way ends first; nobody is left between the arms of a lock.
fn close(lane: &mut Lane) -> Option<State> {
    lane.closed = true;
    if lock::holds(lane) {
        return None;
    }
    (lane.state.deals() || lane.state == State::Idle).then_some(State::Closed)
}

/// Opens the lane, and is the reset of arm faults after a person has looked.
fn open(lane: &mut Lane) -> Option<State> {
    lane.closed = false;
    if let Some(other) = &mut lane.other {
        other.put_down = None;
    }
    if let Some(next) = lock::is_empty(lane) {
        return Some(next);
    }
    match lane.state {
        State::Closed => Some(restore::resume(lane)),
        State::Faulted { cause: Cause::NotRaised | Cause::NotLowered | Cause::Uncommanded } => {
            arm_faults_over(lane);
            lock::aside(lane, arm_faults_over);
            Some(restore::resume(lane))
        }
        State::Faulted { cause: Cause::Inputs | Cause::Barrier }
        | State::Starting
        | State::Idle
        | State::Identifying { .. }
        | State::Deciding
        | State::Held { .. }
        | State::Referred { .. }
        | State::Enclosed { .. }
        | State::Raising { .. }
        | State::Passing { .. }
        | State::Clearing
        | State::Lowering { .. }
        | State::Local => None,
    }
}

fn arm_faults_over(lane: &mut Lane) {
    let device = part(lane, "arm");
    clear(lane, FaultKind::ArmNotRaised, &device);
    clear(lane, FaultKind::ArmNotLowered, &device);
    clear(lane, FaultKind::ArmMovedUncommanded, &device);
}
