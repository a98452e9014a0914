//! Golden lane stories: `tests/stories/*.txt`. A line is a comment (`#`), an action, or the effects and
//! the state that follow from it (indented). `UPDATE=1` writes the expectations anew.
//!
//! Actions: `lane live|shadow [weighed]` · `start` · `inputs NAME=on|off|unknown ...` · `arm up|down|between`
//! · `wait MS` · `silence MS` · `plate CAMERA TEXT CONFIDENCE` · `tag EPC` · `weight KG [moving]` ·
//! `answer released|held|pending|refused|inspection|nothing|silent|late` · `operator ACT` ·
//! `written ok|failed` · `health DEVICE up|down|degraded` · `restart`.

use crate::bench::{Bench, line};
use crate::site::spec;
use gate_core::{Input, OperatorAct, VerifiedAnswer};
use gate_types::mission::CustomsStatus;
use gate_types::observation::Level;
use gate_types::release::{Finding, ReleaseAnswer};
use std::path::Path;

fn act(bench: &mut Bench, words: &[&str]) {
    match words {
        ["lane", rest @ ..] => *bench = Bench::new(spec(rest.contains(&"live"), rest.contains(&"weighed"))),
        ["start"] => bench.send_inputs(),
        ["inputs", changes @ ..] => {
            for change in changes {
                let (name, level) = change.split_once('=').unwrap();
                set(bench, name, level);
            }
            bench.send_inputs();
        }
        ["arm", position] => {
            bench.inputs.limit_up = if *position == "up" { Level::On } else { Level::Off };
            bench.inputs.limit_down = if *position == "down" { Level::On } else { Level::Off };
            bench.send_inputs();
        }
        ["wait", ms] => bench.wait(ms.parse().unwrap(), true),
        ["silence", ms] => bench.wait(ms.parse().unwrap(), false),
        ["plate", camera, text, confidence] => bench.plate(camera, text, confidence.parse().unwrap()),
        ["tag", epc] => bench.tag(epc),
        ["weight", kg] => bench.weigh(kg.parse().unwrap(), true),
        ["weight", kg, "moving"] => bench.weigh(kg.parse().unwrap(), false),
        ["answer", what] => answer(bench, what),
        ["operator", act] => bench.operator(match *act {
            "admit" => OperatorAct::Admit,
            "turn_back" => OperatorAct::TurnBack,
            "close" => OperatorAct::CloseLane,
            "open" => OperatorAct::OpenLane,
            other => panic!("no operator act {other}"),
        }),
        ["written", how] => bench.arm_write(*how == "ok"),
        ["health", device, word] => bench.health(device, word),
        ["restart"] => bench.restart(),
        other => panic!("no action {other:?}"),
    }
}

fn set(bench: &mut Bench, name: &str, level: &str) {
    let level = match level {
        "on" => Level::On,
        "off" => Level::Off,
        "unknown" => Level::Unknown,
        other => panic!("no level {other}"),
    };
    let inputs = &mut bench.inputs;
    let input = match name {
        "approach" => &mut inputs.loop_approach,
        "under" => &mut inputs.loop_under,
        "curtain" => &mut inputs.curtain,
        "key" => &mut inputs.local_key,
        "fire" => &mut inputs.fire,
        "fault" => &mut inputs.barrier_fault,
        "limit_up" => &mut inputs.limit_up,
        other => panic!("no input {other}"),
    };
    *input = level;
}

fn answer(bench: &mut Bench, what: &str) {
    let status = match what {
        "released" => CustomsStatus::Released,
        "held" => CustomsStatus::Held,
        "pending" => CustomsStatus::Pending,
        "refused" => CustomsStatus::Refused,
        "inspection" => CustomsStatus::Inspection,
        "nothing" => return bench.answer_with(Finding::Nothing { near: vec![] }),
        "silent" => return bench.answer_silent(),
        "late" => return late(bench),
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

fn play(story: &str) -> String {
    let mut bench = Bench::new(spec(true, false));
    let mut told = String::new();
    let mut state = bench.lane.snapshot().state;
    for text in story.lines().filter(|l| !l.starts_with("    ")) {
        told.push_str(text);
        told.push('\n');
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        act(&mut bench, &text.split_whitespace().collect::<Vec<_>>());
        for effect in bench.out.drain(..) {
            told.push_str(&format!("    {}\n", line(&effect)));
        }
        let now = bench.lane.snapshot().state;
        if now != state {
            state = now;
            told.push_str(&format!("    = {now:?}\n"));
        }
    }
    told
}

#[test]
fn every_story_goes_as_it_is_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let update = std::env::var_os("UPDATE").is_some();
    for file in files {
        let story = std::fs::read_to_string(&file).unwrap();
        let told = play(&story);
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
