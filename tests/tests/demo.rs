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
