//! The state chart: which changes of state there are, and when. `docs/lane-states.md` is written from it,
//! and tests hold both to what the automaton really does in golden stories and random sequences.

use gate_types::console::LaneState;
use gate_types::console::LaneState::{
    Clearing, Closed, Deciding, Enclosed, Faulted, Held, Identifying, Idle, Local, Lowering, Passing,
    Raising, Referred, Starting,
};
use std::fmt::Write as _;

/// One change of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// From.
    pub from: LaneState,
    /// To.
    pub to: LaneState,
    /// When, in words.
    pub when: &'static str,
}

const fn to(from: LaneState, to: LaneState, when: &'static str) -> Move {
    Move { from, to, when }
}

/// Every state in the order of a pass, with what it means.
pub const STATES: [(LaneState, &str); 14] = [
    (Starting, "Nothing is commanded before every fitted input has been read (I7)."),
    (Idle, "Nobody there; red."),
    (Identifying, "A vehicle stands on the approach loop; cameras and reader look."),
    (
        Deciding,
        "Central is asked; or the vehicle is admitted and the interlock has not cleared the raise yet.",
    ),
    (Held, "Held; the lane asks again by itself."),
    (Referred, "A person decides. The lane goes on reading and asking, so that he sees the newest facts."),
    (
        Enclosed,
        "Two-barrier lock: between the arms, both down; the vehicle is awaited at the loop before the exit arm, then \
         identified and decided about again for the exit.",
    ),
    (Raising, "The arm has been commanded to rise; its upper limit switch has to prove it."),
    (Passing, "The arm is up for this vehicle; green until it is under the arm."),
    (Clearing, "The vehicle has left; the zone is being proven free (I3)."),
    (Lowering, "Lowering is permitted; the barrier's own controller lowers."),
    (
        Faulted,
        "Inputs unknown, barrier at fault, or an arm that does not do what it was told, or moves untold.",
    ),
    (Local, "The key switch or the fire input has the barrier; the daemon watches and records (I11)."),
    (Closed, "Closed by an operator, or after a fire until a person opens the lane."),
];

/// From every state but `Starting`, before anything else: `Faulted` and `Local` among them.
pub const ALWAYS: [(LaneState, &str); 2] = [
    (Faulted, "inputs unknown, limit switches contradict, barrier fault, or the arm moves uncommanded"),
    (Local, "key switch or fire input"),
];

/// Every other change of state.
pub const MOVES: &[Move] = &[
    to(Starting, Idle, "inputs read, arm down, nobody was on the way"),
    to(
        Starting,
        Identifying,
        "inputs read, arm down, a pass was open and its vehicle stands there: read anew",
    ),
    to(
        Starting,
        Referred,
        "two-barrier lock: inputs read, a vehicle that was sent back is still between the arms",
    ),
    to(
        Starting,
        Enclosed,
        "two-barrier lock: inputs read, a pass was open and its vehicle is between the arms",
    ),
    to(Starting, Raising, "inputs read, a pass was open and the arm is on its way"),
    to(Starting, Passing, "inputs read, a pass was open and the arm is up for it"),
    to(
        Starting,
        Clearing,
        "inputs read, the arm is not down and nobody is meant to pass, or the pass is over",
    ),
    to(Starting, Lowering, "inputs read, the arm was being lowered"),
    to(Starting, Closed, "inputs read, an operator has closed the lane meanwhile"),
    to(Starting, Local, "inputs read, the key switch or the fire input has the lane"),
    to(Starting, Faulted, "inputs read, limit switches contradict or the barrier reports a fault"),
    to(Idle, Identifying, "a vehicle is on the approach loop for presence_ms, arm down: a pass opens"),
    to(Idle, Enclosed, "two-barrier lock: somebody whom no pass is open for stands between the arms"),
    to(Idle, Closed, "an operator closes the lane"),
    to(Identifying, Deciding, "enough is read, or reading time is over: central is asked"),
    to(Identifying, Referred, "reading time is over and nothing is read"),
    to(Identifying, Idle, "the vehicle has turned back"),
    to(Identifying, Raising, "shadow lane: another controller raises the arm"),
    to(Identifying, Closed, "an operator closes the lane"),
    to(Deciding, Held, "hold, or central is silent"),
    to(Deciding, Referred, "refer, or an operator turns the vehicle back"),
    to(
        Deciding,
        Raising,
        "admitted and cleared by the interlock: one raise; or a raise given up moves the arm late",
    ),
    to(
        Deciding,
        Enclosed,
        "two-barrier lock: two vehicles are in it, and the operator's word was not used in time",
    ),
    to(Deciding, Idle, "the vehicle has turned back"),
    to(Deciding, Closed, "an operator closes the lane"),
    to(Held, Deciding, "central admits, or an operator does"),
    to(Held, Referred, "central refers, or an operator turns the vehicle back"),
    to(Held, Idle, "the vehicle has turned back"),
    to(Held, Raising, "shadow lane: another controller raises the arm"),
    to(Held, Closed, "an operator closes the lane"),
    to(Referred, Deciding, "an operator admits, or only reading was wrong and it is right now"),
    to(Referred, Held, "only reading was wrong; central holds"),
    to(Referred, Enclosed, "two-barrier lock: a vehicle that went on without a raise is between the arms"),
    to(Referred, Clearing, "two-barrier lock: the exit arm was left open: it is lowered first"),
    to(Referred, Idle, "the vehicle has turned back"),
    to(Referred, Raising, "shadow lane: another controller raises the arm"),
    to(Referred, Closed, "an operator closes the lane"),
    to(Enclosed, Identifying, "the vehicle is on the loop before the exit arm"),
    to(Enclosed, Deciding, "an operator lets the vehicle out, onwards or back"),
    to(Enclosed, Clearing, "the exit arm was left open: it is lowered first"),
    to(Enclosed, Idle, "an operator who has looked opens the lane, and no sensor sees anybody"),
    to(Raising, Passing, "the upper limit switch proves the arm up"),
    to(Raising, Deciding, "the raise provably did not move the arm: given up once, central is asked anew"),
    to(Raising, Idle, "shadow lane: the arm is down again and the vehicle gone"),
    to(
        Raising,
        Identifying,
        "the same after a restart: read anew; shadow lane: down again, the vehicle still there",
    ),
    to(Raising, Closed, "shadow lane: the arm is down again and the lane is closed"),
    to(Passing, Clearing, "the vehicle has left the loop under the arm, or has not gone through at all"),
    to(Passing, Idle, "shadow lane: the arm is down again"),
    to(Passing, Identifying, "shadow lane: the arm is down again, the vehicle still there"),
    to(Passing, Closed, "shadow lane: the arm is down again and the lane is closed"),
    to(Clearing, Lowering, "the zone is proven free for clear_ms: lowering is permitted"),
    to(Clearing, Passing, "the vehicle comes under the arm after all"),
    to(Clearing, Enclosed, "two-barrier lock: the arm is down and the vehicle is between the arms"),
    to(
        Clearing,
        Referred,
        "two-barrier lock: the entry arm is down behind or before a vehicle that was sent back",
    ),
    to(Clearing, Idle, "the arm is down: the pass ends"),
    to(Clearing, Identifying, "the arm is down, the vehicle was never let through and still stands there"),
    to(Clearing, Closed, "the arm is down and the lane is closed"),
    to(Lowering, Clearing, "somebody is in the zone: it has to be proven free anew"),
    to(Lowering, Enclosed, "two-barrier lock: the arm is down and the vehicle is between the arms"),
    to(
        Lowering,
        Referred,
        "two-barrier lock: the entry arm is down behind or before a vehicle that was sent back",
    ),
    to(Lowering, Idle, "the lower limit switch proves the arm down: the pass ends"),
    to(Lowering, Identifying, "the arm is down, the vehicle was never let through and still stands there"),
    to(Lowering, Closed, "the arm is down and the lane is closed"),
    to(Faulted, Idle, "the sensors prove that it is over, nobody is there"),
    to(Faulted, Identifying, "it is over, a vehicle stands before the lowered arm: read anew"),
    to(Faulted, Deciding, "the arm did not rise, and an operator admits"),
    to(Faulted, Referred, "it is over, the vehicle was told to turn back and still stands there"),
    to(Faulted, Enclosed, "two-barrier lock: it is over, the vehicle is between the arms"),
    to(Faulted, Raising, "it is over, the arm is on its way for the open pass"),
    to(Faulted, Passing, "it is over, the arm is up for the open pass"),
    to(Faulted, Clearing, "it is over, the arm is not down and nobody is meant to pass"),
    to(Faulted, Lowering, "it is over, the arm was being lowered"),
    to(Faulted, Closed, "it is over, and the lane is closed"),
    to(Local, Idle, "given back, arm down, nobody there"),
    to(Local, Identifying, "given back, a vehicle stands before the lowered arm: read anew"),
    to(Local, Referred, "given back, the vehicle was told to turn back and still stands there"),
    to(Local, Enclosed, "two-barrier lock: given back, the vehicle is between the arms"),
    to(Local, Raising, "given back, the arm is on its way for the open pass"),
    to(Local, Passing, "given back, the arm is up for the open pass"),
    to(Local, Clearing, "given back, the arm is not down and nobody is meant to pass"),
    to(Local, Lowering, "given back, the arm was being lowered"),
    to(Local, Closed, "given back after a fire, or the lane is closed"),
    to(Closed, Enclosed, "two-barrier lock: the vehicle before the closed entry arm went in"),
    to(Closed, Idle, "an operator opens the lane"),
    to(Closed, Identifying, "an operator opens the lane, a vehicle stands before the lowered arm: read anew"),
    to(
        Closed,
        Referred,
        "an operator opens the lane, the vehicle was told to turn back and still stands there",
    ),
    to(Closed, Raising, "an operator opens the lane, the arm is on its way for the open pass"),
    to(Closed, Passing, "an operator opens the lane, the arm is up for the open pass"),
    to(Closed, Lowering, "an operator opens the lane, the arm was being lowered"),
    to(Closed, Clearing, "an operator opens the lane and the arm is not down"),
];

/// The chart has this change of state.
pub fn allows(from: LaneState, to: LaneState) -> bool {
    let always = from != LaneState::Starting && ALWAYS.iter().any(|(state, _)| *state == to);
    always || MOVES.iter().any(|m| m.from == from && m.to == to)
}

/// A state's name as the console and the journal write it.
pub fn name(state: LaneState) -> &'static str {
    match state {
        Starting => "starting",
        Idle => "idle",
        Identifying => "identifying",
        Deciding => "deciding",
        Held => "held",
        Referred => "referred",
        Enclosed => "enclosed",
        Raising => "raising",
        Passing => "passing",
        Clearing => "clearing",
        Lowering => "lowering",
        Faulted => "faulted",
        Local => "local",
        Closed => "closed",
    }
}

/// The chart as `docs/lane-states.md`: a Mermaid diagram and tables.
pub fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    page.push_str(
        "\n## Chart\n\n```mermaid\nstateDiagram-v2\n    [*] --> starting\n    state \"at work\" as work {\n",
    );
    let at_work = |state: LaneState| state != Starting && ALWAYS.iter().all(|(s, _)| *s != state);
    let line = |page: &mut String, indent: &str, m: &Move| {
        let _ = writeln!(page, "{indent}{} --> {}", name(m.from), name(m.to));
    };
    for m in MOVES.iter().filter(|m| at_work(m.from) && at_work(m.to)) {
        line(&mut page, "        ", m);
    }
    page.push_str("    }\n");
    for (state, _) in ALWAYS {
        let _ = writeln!(page, "    work --> {}", name(state));
    }
    page.push_str("    faulted --> local\n    local --> faulted\n");
    for m in MOVES.iter().filter(|m| !(at_work(m.from) && at_work(m.to))) {
        line(&mut page, "    ", m);
    }
    page.push_str("```\n\n## States\n\n| State | Meaning |\n|---|---|\n");
    for (state, meaning) in STATES {
        let _ = writeln!(page, "| `{}` | {meaning} |", name(state));
    }
    page.push_str("\n## Changes of state\n\n| From | To | When |\n|---|---|---|\n");
    for (state, when) in ALWAYS {
        let _ = writeln!(page, "| any but `starting` | `{}` | {when} |", name(state));
    }
    for m in MOVES {
        let _ = writeln!(page, "| `{}` | `{}` | {} |", name(m.from), name(m.to), m.when);
    }
    page
}

const INTRODUCTION: &str = "\
# States of a lane

Written from `gate-core/src/lane/chart.rs` by the test `the_page_is_the_chart` (`UPDATE=1` writes it anew).
A change of state that is not here fails every test of the lane; the test
`every_move_of_the_chart_happens` finds every one of them in the golden stories or in random sequences.
Only the interlock makes commands; the states say when it is asked.
";
