//! Two processes on one database behind no balancer: whichever is asked, the answer is the same.

use crate::harness::{Central, Gate, ON_POSTGRES, Place, central_in, facts, mission, plate, site_file};
use gate_types::api::{EVENT_COUNTS, EventCounts, MissionView, STREAM};
use gate_types::mission::Direction;
use gate_types::release::Finding;
use serde_json::json;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::{Child, Command};

/// The built program on the same database with the same keys, and a way to speak to it.
async fn process(place: &Arc<Place>, number: usize) -> (Child, Central) {
    let ready = place.folder.path().join(format!("ready-{number}.json"));
    let child = Command::new(env!("CARGO_BIN_EXE_varco-central"))
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--gate-listen",
            "127.0.0.1:0",
            "--database",
            &place.url(),
        ])
        .arg("--state")
        .arg(place.folder.path())
        .arg("--config")
        .arg(site_file())
        .arg("--ready-file")
        .arg(&ready)
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    let wait = async {
        while !ready.exists() {
            tick.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap();
    let addresses: serde_json::Value = serde_json::from_slice(&std::fs::read(&ready).unwrap()).unwrap();
    let address = |name: &str| addresses[name].as_str().unwrap().parse().unwrap();
    (child, Central::beside(Arc::clone(place), address("listen"), address("gate_listen")))
}

/// The same gate, at the other process.
fn at<'a>(central: &'a Central, gate: &Gate<'_>) -> Gate<'a> {
    Gate { central, client: gate.client.clone(), answer: gate.answer.clone(), node: gate.node.clone() }
}

#[tokio::test]
async fn two_processes_on_one_postgresql_are_one_central() {
    let place = Arc::new(ON_POSTGRES.sync_scope(true, Place::new));
    let ((_a, a), (_b, b)) = tokio::join!(process(&place, 1), process(&place, 2));
    // Missions created at both at once have numbers of their own, and one key makes one mission.
    let both = [&a, &b];
    let jobs = (0..20).map(|n| {
        let central = both[n % 2];
        async move { central.create(&mission(&format!("m{n}"), &format!("AB{n:03}CD"))).await }
    });
    let made: Vec<MissionView> = futures::future::join_all(jobs).await;
    let mut ids: Vec<&str> = made.iter().map(|m| m.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), ids[0], ids[19]), (20, "M-000001", "M-000020"), "no gap, no double");
    let same = serde_json::to_value(mission("same", "ZZ999ZZ")).unwrap();
    let posts = both.iter().flat_map(|c| [c, c, c]).map(|c| c.post("/api/v1/missions", &same).send());
    let answers = futures::future::join_all(posts).await;
    let statuses: Vec<u16> = answers.iter().map(|r| r.as_ref().unwrap().status().as_u16()).collect();
    assert_eq!(statuses.iter().filter(|s| **s == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|s| [200, 201].contains(s)), "{statuses:?}");

    // A gate enrolled at one is known at the other; an event sent to both is stored once.
    let one = a.gate("1").await;
    let one_at_b = at(&b, &one);
    let known = facts(one_at_b.ask(plate("AB000CD"), 1).await);
    let mut stream = b.get(STREAM).send().await.unwrap();
    let passed = one.passed(1, 100_000, Direction::In, Some(known));
    let (at_a, at_b) =
        tokio::join!(one.send(std::slice::from_ref(&passed)), one_at_b.send(std::slice::from_ref(&passed)));
    assert_eq!(at_a.duplicates + at_b.duplicates, 1);
    let counts: EventCounts = b.read(EVENT_COUNTS).await;
    assert_eq!((counts.stored, counts.duplicated, counts.redelivered), (1, 0, 1));
    // The other process's stream tells what the first did.
    let id = known_id(&made, "AB000CD");
    let mut heard = String::new();
    let hear = async {
        while !heard.contains(&format!("\"id\":\"{id}\"")) {
            heard.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
        }
    };
    tokio::time::timeout(Duration::from_secs(20), hear).await.unwrap();
    assert_eq!(a.mission(&id).await, b.mission(&id).await);
    assert_eq!(b.mission(&id).await.passed.len(), 1);

    // Passes of one mission that arrive at both at once are both in its progress.
    let two = a.gate("2").await;
    let two_at_b = at(&b, &two);
    for n in 1..6_u64 {
        let plate_no = format!("AB{n:03}CD");
        let known = facts(one.ask(plate(&plate_no), 10 + n).await);
        let first = one.passed(10 + n, 1_000_000, Direction::In, Some(known.clone()));
        let second = two.passed(10 + n, 1_900_000, Direction::In, Some(known));
        tokio::join!(one.send(std::slice::from_ref(&first)), two_at_b.send(std::slice::from_ref(&second)));
        let id = known_id(&made, &plate_no);
        let stored = place.cluster.as_ref().unwrap().psql(&format!(
            "SELECT count(*) FROM passes p JOIN missions m ON m.no = p.mission_no WHERE m.id = '{id}'"
        ));
        assert_eq!(stored, "2");
        let (at_a, at_b) = (a.mission(&id).await, b.mission(&id).await);
        assert_eq!(at_a, at_b);
        // Followed anew in peace, the mission is where the race left it.
        let change = json!({ "by": "test" });
        assert!(b.patch(&id, &change).send().await.unwrap().status().is_success());
        assert_eq!(a.mission(&id).await.passed, at_a.passed);
        assert!(!at_a.passed.is_empty(), "{at_a:?}");
    }
    // A change with the version of before is refused, wherever it was made meanwhile.
    let id = known_id(&made, "AB010CD");
    let change = json!({ "status": "pending", "by": "officer Rossi" });
    let patches = [&a, &b].map(|c| c.patch(&id, &change).header("if-match", "\"1\"").send());
    let statuses: Vec<u16> =
        futures::future::join_all(patches).await.into_iter().map(|r| r.unwrap().status().as_u16()).collect();
    assert!(statuses.contains(&200) && statuses.contains(&412), "{statuses:?}");
    assert!(matches!(one_at_b.ask(plate("XX000XX"), 99).await, Finding::Nothing { .. }));
    drop(_a);
    assert!(
        matches!(one_at_b.ask(plate("AB011CD"), 100).await, Finding::Mission { .. }),
        "one alone goes on"
    );
}

fn known_id(made: &[MissionView], plate: &str) -> String {
    let of = made.iter().find(|m| m.expected.tractor_plate.as_deref() == Some(plate));
    of.unwrap().id.to_string()
}

#[tokio::test]
async fn other_keys_on_the_same_database_are_refused() {
    let place = Arc::new(ON_POSTGRES.sync_scope(true, Place::new));
    let first = central_in(Arc::clone(&place)).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let serve = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_varco-central"));
        command
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--gate-listen",
                "127.0.0.1:0",
                "--database",
                &place.url(),
            ])
            .arg("--state")
            .arg(elsewhere.path())
            .arg("--config")
            .arg(site_file())
            .kill_on_drop(true);
        command
    };
    let refused = serve().output().await.unwrap();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("--new-keys"), "{told}");
    drop(first);
}
