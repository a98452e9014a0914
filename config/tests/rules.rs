//! Rule files: which set acts where, and what is refused between sets, lanes and instruments (T22).

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use config::{Problems, load_node, load_rules, load_site};
use gate_types::rules::{CheckKind, RuleMode, RuleSet};
use gate_types::{LaneId, NodeId};
use std::path::{Path, PathBuf};

fn bari() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sites/bari")
}

/// A copy of Bari whose site file names the given rule files.
fn site_with(rules: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let points = folder.path().join("points");
    std::fs::create_dir_all(folder.path().join("sites/bari/nodes")).unwrap();
    std::fs::create_dir_all(&points).unwrap();
    for entry in std::fs::read_dir(bari().join("../../points")).unwrap() {
        let from = entry.unwrap().path();
        std::fs::copy(&from, points.join(from.file_name().unwrap())).unwrap();
    }
    let node = std::fs::read_to_string(bari().join("nodes/node-1.toml")).unwrap();
    std::fs::write(folder.path().join("sites/bari/nodes/node-1.toml"), node).unwrap();
    let names: Vec<String> = rules.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let site = std::fs::read_to_string(bari().join("site.toml")).unwrap().replace(
        "rules = [\"rules/gates.toml\", \"rules/weight-trial.toml\"]",
        &format!("rules = [{}]", names.join(", ")),
    );
    std::fs::write(folder.path().join("sites/bari/site.toml"), site).unwrap();
    for (name, text) in rules {
        std::fs::write(folder.path().join("sites/bari").join(name), text).unwrap();
    }
    folder
}

fn gates() -> String {
    std::fs::read_to_string(bari().join("rules/gates.toml")).unwrap()
}

fn problems(folder: &Path) -> Vec<String> {
    let Problems(list) =
        load_node(&folder.join("sites/bari/nodes/node-1.toml")).err().unwrap_or(Problems(vec![]));
    list.iter().map(ToString::to_string).collect()
}

#[test]
fn bari_s_own_set_acts_and_the_trial_is_beside_it() {
    let loaded = load_node(&bari().join("nodes/node-1.toml")).unwrap_or_else(|p| panic!("{p}"));
    let (acting, beside) = loaded.rules.of_lane(&NodeId::new("1").unwrap(), &LaneId::new("n1-in-1").unwrap());
    assert_eq!((acting.id.as_str(), acting.mode), ("bari-gates", RuleMode::Live));
    assert_eq!(beside.len(), 1);
    let (acting, beside) = loaded.rules.of_lane(&NodeId::new("3").unwrap(), &LaneId::new("n3-in-1").unwrap());
    assert!(acting.id == "bari-gates" && beside.is_empty());
    let built_in = RuleSet::built_in();
    for kind in CheckKind::ALL {
        let (ours, theirs) = (acting.check(kind), built_in.check(kind));
        assert_eq!(ours.map(|c| c.on_fail), theirs.map(|c| c.on_fail), "{kind:?} as built in");
    }
}

#[test]
fn no_rule_file_leaves_the_built_in_set() {
    let folder = site_with(&[]);
    let loaded =
        load_node(&folder.path().join("sites/bari/nodes/node-1.toml")).unwrap_or_else(|p| panic!("{p}"));
    let (acting, beside) = loaded.rules.of_lane(&loaded.node.node, &loaded.node.lanes[0].id);
    assert_eq!(acting, RuleSet::built_in());
    assert!(beside.is_empty());
}

#[test]
fn two_sets_that_act_in_one_lane_are_a_conflict() {
    let narrow = gates().replace("bari-gates", "other").replace(
        "profile = \"standard\"",
        "profile = \"standard\"\n[scope]\nnodes = [\"1\"]\nlanes = [\"n1-in-1\"]",
    );
    let folder = site_with(&[("a.toml", gates()), ("b.toml", narrow.clone())]);
    let told = problems(folder.path());
    assert!(told.iter().any(|p| p.contains("b.toml: scope: acts at lane n1-in-1, and so does")), "{told:?}");
    let shadow = narrow.replace("mode = \"live\"", "mode = \"shadow\"");
    let folder = site_with(&[("a.toml", gates()), ("b.toml", shadow)]);
    assert_eq!(problems(folder.path()), Vec::<String>::new());
    let same = site_with(&[("a.toml", gates()), ("b.toml", gates().replace("\"live\"", "\"shadow\""))]);
    assert!(problems(same.path()).iter().any(|p| p.contains("could not tell them apart")));
}

#[test]
fn unknown_places_and_instruments_without_use_are_told_together() {
    let cut = |text: &str, kind: &str| {
        let at = text.find(&format!("kind = \"{kind}\"")).unwrap();
        let begin = text[..at].rfind("[[check]]").unwrap();
        let end = text[at..].find("[[check]]").map_or(text.len(), |n| at + n);
        format!("{}{}", &text[..begin], &text[end..])
    };
    let text = cut(&cut(&gates(), "weight"), "customs_status")
        .replace("profile = \"standard\"", "profile = \"standard\"\n[scope]\nnodes = [\"1\", \"99\"]");
    let stranger = gates().replace("bari-gates", "other").replace(
        "mode = \"live\"\nprofile = \"standard\"",
        "mode = \"shadow\"\n[scope]\nnodes = [\"1\"]\nlanes = [\"n9-in-1\"]",
    );
    let folder = site_with(&[("a.toml", text), ("b.toml", stranger), ("c.toml", "id = 1\n".into())]);
    let told = problems(folder.path()).join("\n");
    for part in [
        "a.toml: check: `customs_status` is missing",
        "a.toml: scope.nodes: the site has no node `99`",
        "a.toml: check: no check uses the scale of lane n1-in-1",
        "b.toml: scope.lanes: node 1 has no lane `n9-in-1`",
        "c.toml: line 1",
    ] {
        assert!(told.contains(part), "{part} is not told:\n{told}");
    }
}

#[test]
fn a_demanded_check_needs_its_instrument() {
    let plain = "kind = \"adr\"\non_fail = \"refer\"";
    let text = gates().replace(plain, &format!("{plain}\nrequired = true"));
    let folder = site_with(&[("a.toml", text)]);
    let told = problems(folder.path());
    assert!(told.iter().any(|p| p.contains("has no camera that reads panels")), "{told:?}");
}

#[test]
fn a_rule_file_is_checked_by_itself_too() {
    let set = load_rules(&bari().join("rules/gates.toml")).unwrap();
    assert_eq!(set.version, 1);
    assert!(load_site(&bari().join("site.toml")).is_ok());
}
