//! Holds ARCHITECTURE.md's arrows against what the crates really depend on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn written() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let block = text.split("```arrows\n").nth(1).expect("an ```arrows block").split("```").next().unwrap();
    block
        .lines()
        .map(|line| {
            let (from, to) = line.split_once("->").unwrap_or_else(|| panic!("not an arrow: {line}"));
            (from.trim().to_owned(), to.split_whitespace().map(str::to_owned).collect())
        })
        .collect()
}

fn real() -> BTreeMap<String, BTreeSet<String>> {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let ours = package["dependencies"].as_array().unwrap().iter();
            let ours = ours.filter(|d| d["path"].is_string() && d["kind"] != "dev");
            let name = package["name"].as_str().unwrap().to_owned();
            (name, ours.map(|d| d["name"].as_str().unwrap().to_owned()).collect())
        })
        .collect()
}

#[test]
fn the_arrows_are_those_of_the_architecture() {
    let (written, real) = (written(), real());
    assert_eq!(
        written.keys().collect::<Vec<_>>(),
        real.keys().collect::<Vec<_>>(),
        "packages in ARCHITECTURE.md and in the workspace"
    );
    for (package, allowed) in &written {
        let extra: Vec<_> = real[package].difference(allowed).collect();
        assert!(extra.is_empty(), "{package} depends on {extra:?}, which its arrow does not name");
        let unused: Vec<_> = allowed.difference(&real[package]).collect();
        assert!(unused.is_empty(), "{package}'s arrow names {unused:?}, which it does not use");
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn assert_names_none(crate_name: &str, forbidden: &[&str]) {
    let mut files = Vec::new();
    sources(&root().join(crate_name).join("src"), &mut files);
    assert!(!files.is_empty());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for word in forbidden {
            assert!(!text.contains(word), "{} names {word}", file.display());
        }
    }
}

#[test]
fn the_simulator_uses_codecs_only() {
    assert_names_none(
        "sim",
        &["WorkerDriver", "ReaderDriver", "ScaleDriver", "IoDriver", "SignDriver", "BadgeDriver"],
    );
}

#[test]
fn the_pure_crates_name_no_runtime_clock_socket_or_chance() {
    let outside = [
        "tokio",
        "std::net",
        "std::fs",
        "std::thread",
        "Instant::now",
        "SystemTime::now",
        "rand::",
        "HashMap",
    ];
    assert_names_none("gate-types", &outside);
    assert_names_none("gate-core", &outside);
}
