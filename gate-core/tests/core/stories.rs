//! Golden lane stories: `tests/stories/*.txt`, in the words of a port.
//!
//! A line is a remark (`#`), something that happens (a sentence), or what the gate does about it
//! (indented: who, and what). `UPDATE=1` writes the indented lines anew; then read what has changed.
//! `tests/stories/README.md` tells the sentences.

use crate::bench::Bench;
use crate::site::{lock_spec, spec};
use crate::tell;
use gate_core::spec::WeightRule;
use gate_core::{Input, OperatorAct, VerifiedAnswer};
use gate_types::MissionId;
use gate_types::console::LaneState;
use gate_types::gate_pass::{PassFault, ShownPass};
use gate_types::identity::Slot;
use gate_types::mission::CustomsStatus;
use gate_types::observation::{Level, TagRole};
use gate_types::release::{Finding, ReleaseAnswer};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Half a period of a chattering loop, milliseconds.
const CHATTER_MS: u64 = 150;

fn lane(traits: &str) -> Bench {
    if traits.contains("two arms") {
        let (mut lock, weighed) = (lock_spec(), spec(true, traits.contains("weighed")));
        lock.weight = weighed.weight.map(|rule| WeightRule { required: false, ..rule });
        lock.devices.scale = weighed.devices.scale;
        lock.devices.scale_inside = traits.contains("inside");
        return Bench::new(lock);
    }
    let mut bench = Bench::new(spec(!traits.contains("shadow"), traits.contains("weighed")));
    if traits.contains("gate passes") {
        let mut spec = bench.spec.clone();
        spec.identity.slots.push(Slot::GatePass);
        bench = Bench::new(spec);
    }
    if traits.contains("platform edges") {
        (bench.inputs.platform_before, bench.inputs.platform_behind) = (Level::Off, Level::Off);
    }
    if traits.contains("without a curtain") {
        bench.inputs.curtain = Level::NotFitted;
    }
    bench
}

/// What happens: one sentence, without its full stop.
fn act(bench: &mut Bench, sentence: &str) {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    match words.as_slice() {
        ["A", "live" | "shadow", "lane" | "lane,", ..] => *bench = lane(sentence),
        ["The", "daemon", "starts"] | ["The", "inputs", "are", "read"] => bench.send_inputs(),
        ["The", "daemon", "starts", "anew"] => bench.restart(),
        ["Arm", "at", "its", "upper", "end"] => arm(bench, Level::On, Level::Off),
        ["Arm", "at", "its", "lower", "end"] => arm(bench, Level::Off, Level::On),
        ["Arm", "on", "its", "way"] => arm(bench, Level::Off, Level::Off),
        ["Arm", "at", "both", "ends"] => arm(bench, Level::On, Level::On),
        ["Exit", "arm", "at", "its", "upper", "end"] => exit_arm(bench, Level::On, Level::Off),
        ["Exit", "arm", "at", "its", "lower", "end"] => exit_arm(bench, Level::Off, Level::On),
        ["Exit", "arm", "on", "its", "way"] => exit_arm(bench, Level::Off, Level::Off),
        [loop_, "loop", "chatters", "for", time, "s"] => {
            let turns = seconds(time, "s") / (2 * CHATTER_MS);
            for _ in 0..turns {
                for level in ["on", "off"] {
                    inputs(bench, &format!("{loop_} loop {level}"));
                    bench.wait(CHATTER_MS, true);
                }
            }
        }
        [time, unit, "pass"] => bench.wait(seconds(time, unit), true),
        [time, unit, "pass", "in", "silence"] => bench.wait(seconds(time, unit), false),
        [camera, "camera", "reads", text, "at", percent, "%"] => {
            let confidence = percent.parse::<f32>().unwrap() / 100.0;
            bench.plate(&camera.to_lowercase(), text, confidence);
        }
        [camera, "camera", "reads", "container", code, "at", percent, "%"] => {
            bench.container(&camera.to_lowercase(), code, percent.parse::<f32>().unwrap() / 100.0);
        }
        ["Reader", "sees", "tag", epc] => bench.tag(epc),
        ["Reader", "sees", "the", "tag", "of", "container", code] => {
            bench.tag_of(TagRole::Container, "dc20d3455cf0d74c", Some(&format!("urn:epc:id:bic:{code}")));
        }
        ["Driver", "shows", "a", "gate", "pass", "of", mission] => bench.pass_shown(ShownPass::Valid {
            id: format!("pass of {mission}"),
            mission: MissionId::new(*mission).unwrap(),
            expires_at_ms: i64::MAX,
        }),
        ["Driver", "shows", "a" | "an", what, "gate", "pass"] => bench.pass_shown(refused(what)),
        ["Scale", "shows", kg, "kg"] => bench.weigh(kg.parse().unwrap(), true),
        ["Scale", "shows", kg, "kg,", "moving"] => bench.weigh(kg.parse().unwrap(), false),
        ["Central", "answers:", what @ ..] => answer(bench, &what.join(" ")),
        ["Central", "is", "silent"] => bench.answer_silent(),
        ["A", "late", "answer", "comes"] => late(bench),
        ["Operator", "admits"] => bench.operator(OperatorAct::Admit),
        ["Operator", "turns", "it", "back"] => bench.operator(OperatorAct::TurnBack),
        ["Operator", "closes", "the", "lane"] => bench.operator(OperatorAct::CloseLane),
        ["Operator", "opens", "the", "lane"] => bench.operator(OperatorAct::OpenLane),
        ["The", "command", "is", "acknowledged"] => bench.arm_write(true),
        ["The", "command", "is", "not", "acknowledged"] => bench.arm_write(false),
        [device @ .., "goes", "down"] => health(bench, device, "down"),
        [device @ .., "comes", "up"] => health(bench, device, "up"),
        [device @ .., "is", "degraded"] => health(bench, device, "degraded"),
        _ => inputs(bench, sentence),
    }
}

fn seconds(number: &str, unit: &str) -> u64 {
    let factor = match unit {
        "s" => 1_000.0,
        "ms" => 1.0,
        "min" => 60_000.0,
        other => panic!("no unit {other}"),
    };
    (number.parse::<f64>().unwrap() * factor) as u64
}

fn arm(bench: &mut Bench, up: Level, down: Level) {
    (bench.inputs.limit_up, bench.inputs.limit_down) = (up, down);
    bench.send_inputs();
}

fn exit_arm(bench: &mut Bench, up: Level, down: Level) {
    (bench.exit.limit_up, bench.exit.limit_down) = (up, down);
    bench.send_inputs();
}

fn health(bench: &mut Bench, device: &[&str], word: &str) {
    let name = match device.join(" ").as_str() {
        "Front camera" => "front",
        "Rear camera" => "rear",
        "Side camera" => "side",
        "Remote I/O" => "io",
        "Exit remote I/O" => "exit",
        "Reader" => "reader",
        "Scale" => "scale",
        other => panic!("no device {other}"),
    };
    bench.health(name, word);
}

fn refused(what: &str) -> ShownPass {
    let fault = match what {
        "forged" => PassFault::Forged,
        "foreign" => PassFault::Foreign,
        "expired" => PassFault::Expired,
        "used" => PassFault::Used,
        other => panic!("no such pass: {other}"),
    };
    ShownPass::Refused { fault, why: format!("it is {what}") }
}

/// `Arm loop on, approach loop off`: one new image of the inputs.
fn inputs(bench: &mut Bench, sentence: &str) {
    for change in sentence.to_lowercase().split(", ") {
        let (name, level) = change.rsplit_once(' ').unwrap_or_else(|| panic!("no sentence: {sentence}"));
        let level = match level {
            "on" => Level::On,
            "off" => Level::Off,
            "unknown" => Level::Unknown,
            other => panic!("no level {other} in: {sentence}"),
        };
        let (name, inputs) = match name.strip_prefix("exit ") {
            Some(name) => (name, &mut bench.exit),
            None if name == "inside loop" => ("approach loop", &mut bench.exit),
            None => (name, &mut bench.inputs),
        };
        *match name {
            "approach loop" => &mut inputs.loop_approach,
            "arm loop" => &mut inputs.loop_under,
            "curtain" => &mut inputs.curtain,
            "key switch" => &mut inputs.local_key,
            "fire input" => &mut inputs.fire,
            "barrier fault" => &mut inputs.barrier_fault,
            "platform before" => &mut inputs.platform_before,
            "platform behind" => &mut inputs.platform_behind,
            "upper limit switch" => &mut inputs.limit_up,
            "lower limit switch" => &mut inputs.limit_down,
            other => panic!("no input {other} in: {sentence}"),
        } = level;
    }
    bench.send_inputs();
}

fn answer(bench: &mut Bench, what: &str) {
    let status = match what {
        "released" => CustomsStatus::Released,
        "held" => CustomsStatus::Held,
        "pending" => CustomsStatus::Pending,
        "refused" => CustomsStatus::Refused,
        "inspection" => CustomsStatus::Inspection,
        "no mission known" => return bench.answer_with(Finding::Nothing { near: vec![] }),
        other => panic!("no answer {other}"),
    };
    bench.answer_mission(|f| f.status = status);
}

/// An answer to a question that nobody asked, signed or not.
fn late(bench: &mut Bench) {
    let pass = bench.entries.iter().rev().find_map(|e| e.pass.clone()).unwrap();
    let answer = ReleaseAnswer {
        nonce: "n1-in-1:0/0/0".into(),
        node: bench.spec.node.clone(),
        pass,
        signed_at_ms: 0,
        valid_ms: 10_000,
        finding: Finding::Nothing { near: vec![] },
    };
    let verified = VerifiedAnswer { answer: answer.clone(), signed: "a.b.c".into() };
    bench.input(Input::Answer { nonce: answer.nonce, answer: Ok(verified) });
}

fn play(story: &str, moves: &mut BTreeSet<(LaneState, LaneState)>) -> String {
    let mut bench = lane("live");
    let mut told = String::new();
    let mut state = bench.lane.snapshot().state;
    for text in story.lines().filter(|l| !l.starts_with("    ")) {
        told.push_str(text);
        told.push('\n');
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        moves.append(&mut bench.moves);
        act(&mut bench, text.strip_suffix('.').unwrap_or_else(|| panic!("no full stop: {text}")));
        for deed in bench.out.drain(..) {
            told.push_str(&format!("    {}\n", tell::line(&deed.effect)));
        }
        let now = bench.lane.snapshot().state;
        if now != state {
            state = now;
            told.push_str(&format!("    {}\n", tell::state(now)));
        }
    }
    moves.append(&mut bench.moves);
    told
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories");
    let all = std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path());
    let mut files: Vec<_> = all.filter(|f| f.extension().is_some_and(|e| e == "txt")).collect();
    files.sort();
    assert!(files.len() >= 30, "{} stories", files.len());
    files
}

/// Every change of state that happens in a story.
pub fn moves() -> BTreeSet<(LaneState, LaneState)> {
    let mut moves = BTreeSet::new();
    for file in files() {
        play(&std::fs::read_to_string(file).unwrap(), &mut moves);
    }
    moves
}

#[test]
fn every_story_goes_as_it_is_told() {
    let update = std::env::var_os("UPDATE").is_some();
    for file in files() {
        let story = std::fs::read_to_string(&file).unwrap();
        let told = play(&story, &mut BTreeSet::new());
        if update {
            std::fs::write(&file, &told).unwrap();
        } else if let Some((n, (found, want))) =
            told.lines().zip(story.lines()).enumerate().find(|(_, (a, b))| a != b)
        {
            panic!("{}:{}: told `{want}`, found `{found}`", file.display(), n + 1);
        } else {
            assert_eq!(told, story, "{}", file.display());
        }
    }
}
