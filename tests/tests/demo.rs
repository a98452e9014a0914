//! The whole port, headless: what `make demo` shows, held against the simulator's ground truth.

use serde_json::Value;
use std::process::Command;
use tests::{Stand, binary};

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("not a count: {value}"))
}

#[test]
fn a_minute_of_bari_loses_nothing_and_moves_no_arm_unexplained() {
    let stand = Stand::new();
    let summary = stand.path().join("summary.json");
    let out = Command::new(binary("varco-sim"))
        .args(["demo", "--for", "60s", "--headless", "--seed", "1", "--summary"])
        .arg(&summary)
        .current_dir(tests::root())
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    let text = std::fs::read_to_string(&summary).unwrap_or_else(|e| panic!("no summary ({e}):\n{said}"));
    println!("{text}");
    assert!(out.status.success(), "{said}");
    let s: Value = serde_json::from_str(&text).unwrap();

    assert_eq!(count(&s["seed"]), 1);
    assert!(count(&s["passes"]["completed"]) >= 40, "at least 40 passes in a minute");
    assert!(count(&s["passes"]["admitted"]) > 0);
    for kind in ["held", "referred"] {
        assert!(s["passes"][kind].is_object(), "{kind} by reason");
    }
    let processes = s["missions"]["by_process"].as_object().unwrap();
    assert!(["P1", "P2", "P3", "P4"].iter().all(|p| processes.contains_key(*p)), "{processes:?}");
    assert_eq!(count(&s["arms"]["unexplained"]), 0);
    assert_eq!(count(&s["arms"]["raised"]), count(&s["arms"]["confirmed"]));
    assert_eq!(count(&s["arms"]["raised"]), count(&s["arms"]["lowered"]));
    assert_eq!(count(&s["events"]["lost"]), 0);
    assert_eq!(count(&s["events"]["duplicated"]), 0);
    assert_eq!(count(&s["events"]["recorded"]), count(&s["events"]["acknowledged"]));
    for kind in ["plate", "container", "tag", "weight"] {
        assert!(count(&s["reads"][kind]["right"]) > 0, "no {kind} read right");
        assert_eq!(count(&s["reads"]["tag"]["wrong"]), 0);
    }
    for figure in ["decision_latency_ms", "fsync_ms"] {
        assert!(s[figure]["p50"].as_f64().unwrap() > 0.0 && s[figure]["p99"].is_number(), "{figure}");
    }
}

/// Copies Bari with the one node 1 and two lanes of it; the lane inwards gets a second arm.
fn site_with_a_lock(folder: &std::path::Path) -> std::path::PathBuf {
    let config = tests::root().join("config");
    let site = folder.join("config/sites/bari");
    let copied = Command::new("cp").arg("-r").arg(&config).arg(folder).status().unwrap();
    assert!(copied.success());
    for node in std::fs::read_dir(site.join("nodes")).unwrap().map(|e| e.unwrap().path()) {
        if !node.ends_with("node-1.toml") {
            std::fs::remove_file(node).unwrap();
        }
    }
    let file = site.join("nodes/node-1.toml");
    let mut node: toml::Table = std::fs::read_to_string(&file).unwrap().parse().unwrap();
    let lanes = node["lane"].as_array_mut().unwrap();
    lanes.retain(|lane| ["n1-in-1", "n1-out-1"].contains(&lane["id"].as_str().unwrap()));
    let lock = lanes[0].as_table_mut().unwrap();
    let mut exit = lock["io"].as_table().unwrap().clone();
    exit.insert("id".into(), "n1-in-1.exit".into());
    exit.insert("endpoint".into(), "modbus://10.0.1.99:502?unit=1".into());
    lock.insert("exit_io".into(), exit.into());
    std::fs::write(&file, toml::to_string(&node).unwrap()).unwrap();
    site
}

#[test]
fn trucks_pass_a_two_barrier_lock_one_at_a_time_and_nobody_stays_inside() {
    let stand = Stand::new();
    let summary = stand.path().join("summary.json");
    let site = site_with_a_lock(stand.path());
    let out = Command::new(binary("varco-sim"))
        .args(["demo", "--for", "75s", "--headless", "--seed", "3", "--keep", "--trucks", "8", "--site"])
        .arg(&site)
        .arg("--summary")
        .arg(&summary)
        .current_dir(tests::root())
        .env("TMPDIR", stand.path())
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    let text = std::fs::read_to_string(&summary).unwrap_or_else(|e| panic!("no summary ({e}):\n{said}"));
    assert!(out.status.success(), "{said}\n{text}");
    let s: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(s["disagreements"].as_array().map(Vec::len), Some(0), "{text}");
    assert_eq!(count(&s["arms"]["unexplained"]), 0, "{text}");
    let run = said.lines().find_map(|l| l.split("run folder ").nth(1)).unwrap().trim().to_owned();
    let truth = std::fs::read_to_string(std::path::Path::new(&run).join("truth.json")).unwrap();
    let truth: Value = serde_json::from_str(&truth).unwrap();
    assert_eq!(truth["both_up"], serde_json::json!({}), "never both arms up");
    let of_lock = |list: &Value, holds: &dyn Fn(&Value) -> bool| {
        list.as_array().unwrap().iter().filter(|v| v["lane"] == "n1-in-1" && holds(v)).count()
    };
    let through = of_lock(&truth["visits"], &|v| v["ending"] == "passed");
    let left = of_lock(&truth["arms"], &|a| a["exit"] == true && a["act"] == "reached_up");
    let open = of_lock(&truth["visits"], &|v| v["ending"].is_null());
    println!("{through} through the lock, the exit arm up {left} times, {open} inside at the end\n{text}");
    assert!(through >= 2 && left >= through, "{said}\n{text}");
    assert_eq!(open, 0, "nobody stays inside");
}
