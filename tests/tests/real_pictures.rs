//! Real gate pictures through the whole chain: camera wire, vision worker, fusion, central over mutual TLS,
//! verdict, journal, arm. The lane's profile needs the container code alone (B22, T19).
//!
//! The pictures are not part of the project. They are looked for in `$VARCO_PICTURES`, else in
//! `../shared/data/container-gate` beside the checkout: JPEGs and a `truth.csv` (file,text,...).

use gate_types::MissionId;
use gate_types::verdict::{ReasonCode, Verdict};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tests::{ContainerLane, LANE, root, until};

/// Pictures whose code must be read right, resolve to its mission and raise the arm.
const WANTED: usize = 5;
/// Pictures tried at most; a picture that the reader cannot read is referred, which is right too.
const TRIED: usize = 12;

fn pictures() -> Option<PathBuf> {
    let folder = std::env::var_os("VARCO_PICTURES")
        .map_or_else(|| root().join("../shared/data/container-gate"), PathBuf::from);
    folder.join("truth.csv").exists().then_some(folder)
}

/// (file, code) with each code once.
fn truth(folder: &Path) -> Vec<(PathBuf, String)> {
    let text = std::fs::read_to_string(folder.join("truth.csv")).unwrap();
    let mut seen = BTreeSet::new();
    let rows = text.lines().skip(1).filter_map(|line| {
        let mut fields = line.split(',');
        Some((folder.join(fields.next()?), fields.next()?.to_owned()))
    });
    rows.filter(|(_, code)| seen.insert(code.clone())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_container_codes_resolve_to_their_missions_and_raise_the_arm() {
    let Some(folder) = pictures() else {
        eprintln!("######## NO REAL PICTURES: this test proved nothing. Set VARCO_PICTURES. ########");
        return;
    };
    let truth = truth(&folder);
    assert!(truth.len() > TRIED, "too few pictures in {}", folder.display());
    let (known, unknown) = truth.split_at(truth.len() - 4);

    let lane = ContainerLane::start(std::fs::read(&known[0].0).unwrap()).await;
    let mut right = 0;
    let mut tried = 0;
    for (picture, code) in known.iter().take(TRIED) {
        if right == WANTED {
            break;
        }
        tried += 1;
        let mission = lane.central.create(&tests::released_export(code)).await;
        let verdict = drive_up(&lane, picture).await;
        if verdict.admits() {
            let view = lane.gate.lane(LANE).await;
            let facts = view.mission.expect("an Admit names its mission");
            assert_eq!(facts.mission, mission.id, "{code}: admitted as another unit");
            lane.drive_through().await;
            let passed: MissionId = mission.id.clone();
            until("central to advance the mission", 10, || async {
                (!lane.central.mission(&passed).await.passed.is_empty()).then_some(())
            })
            .await;
            right += 1;
        } else {
            println!("{code} in {}: {:?}", picture.display(), verdict.reasons());
            turn_back(&lane).await;
        }
    }
    println!("{right} of {tried} pictures read, resolved and let through");
    assert!(right >= WANTED, "{right} of {tried}");

    // A unit without any mission: the arm stays down and the lane says why.
    let raises = lane.block.raises();
    for (picture, code) in unknown {
        let verdict = drive_up(&lane, picture).await;
        assert!(!verdict.admits(), "{code} has no release");
        let code_given = verdict.reasons()[0].code;
        assert!(
            matches!(code_given, ReasonCode::NoMission | ReasonCode::NoIdentity),
            "{code}: {code_given:?}"
        );
        assert!(!verdict.reasons()[0].text.is_empty());
        turn_back(&lane).await;
        if code_given == ReasonCode::NoMission {
            break;
        }
    }
    assert_eq!(lane.block.raises(), raises, "no arm for a unit without a release");
    assert_eq!(lane.block.arm(), 0.0);
}

async fn drive_up(lane: &ContainerLane, picture: &Path) -> Verdict {
    lane.camera.show(std::fs::read(picture).unwrap());
    lane.block.loops(true, false);
    let view = lane.until("a verdict", 30, |l| l.pass.is_some() && l.verdict.is_some()).await;
    view.verdict.unwrap()
}

async fn turn_back(lane: &ContainerLane) {
    lane.block.loops(false, false);
    lane.until("the pass to end", 20, |l| l.pass.is_none()).await;
}
