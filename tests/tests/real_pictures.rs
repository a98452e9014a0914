//! Real gate pictures through the whole chain: camera wire, vision worker, fusion, central over mutual TLS,
//! verdict, journal, arm. The lane's profile needs the container code alone (B22, T19).
//!
//! The pictures are not part of the project. They are looked for in `$VARCO_PICTURES`, else in
//! `../shared/data/container-gate` beside the checkout: JPEGs and a `truth.csv` (file,text,...).

use gate_types::MissionId;
use gate_types::verdict::ReasonCode;
use std::collections::BTreeSet;
use std::path::PathBuf;
use tests::{Block, Camera, Central, Gate, NodeFile, Stand, root, until};

const LANE: &str = "n1-in-1";
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
fn truth(folder: &std::path::Path) -> Vec<(PathBuf, String)> {
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

    let stand = Stand::new();
    let central = Central::start(stand.path()).await;
    let block = Block::start().await;
    let camera = Camera::start(std::fs::read(&known[0].0).unwrap()).await;
    let mut file = NodeFile::bari("1", &central, &stand.path().join("state"));
    tests::container_lane(&mut file, LANE, &block, &camera);
    let gate = Gate::start(&central, "1", &file, stand.path()).await;
    gate.lane_until(LANE, "an idle lane without faults", 20, |l| {
        l.state == gate_types::console::LaneState::Idle && l.faults.is_empty()
    })
    .await;

    let mut right = 0;
    let mut tried = 0;
    for (picture, code) in known.iter().take(TRIED) {
        if right == WANTED {
            break;
        }
        tried += 1;
        let mission = central.create(&tests::released_export(code)).await;
        let verdict = drive_up(&gate, &block, &camera, picture).await;
        if verdict.admits() {
            let view = gate.lane(LANE).await;
            let facts = view.mission.expect("an Admit names its mission");
            assert_eq!(facts.mission, mission.id, "{code}: admitted as another unit");
            drive_through(&gate, &block).await;
            let passed: MissionId = mission.id.clone();
            until("central to advance the mission", 10, || async {
                (!central.mission(&passed).await.passed.is_empty()).then_some(())
            })
            .await;
            right += 1;
        } else {
            println!("{code} in {}: {:?}", picture.display(), verdict.reasons());
            turn_back(&gate, &block).await;
        }
    }
    println!("{right} of {tried} pictures read, resolved and let through");
    assert!(right >= WANTED, "{right} of {tried}");

    // A unit without any mission: the arm stays down and the lane says why.
    let raises = block.raises();
    for (picture, code) in unknown {
        let verdict = drive_up(&gate, &block, &camera, picture).await;
        assert!(!verdict.admits(), "{code} has no release");
        let code_given = verdict.reasons()[0].code;
        assert!(
            matches!(code_given, ReasonCode::NoMission | ReasonCode::NoIdentity),
            "{code}: {code_given:?}"
        );
        assert!(!verdict.reasons()[0].text.is_empty());
        turn_back(&gate, &block).await;
        if code_given == ReasonCode::NoMission {
            break;
        }
    }
    assert_eq!(block.raises(), raises, "no arm for a unit without a release");
    assert_eq!(block.arm(), 0.0);
}

async fn drive_up(
    gate: &Gate,
    block: &Block,
    camera: &Camera,
    picture: &std::path::Path,
) -> gate_types::verdict::Verdict {
    camera.show(std::fs::read(picture).unwrap());
    block.loops(true, false);
    let view = gate.lane_until(LANE, "a verdict", 30, |l| l.pass.is_some() && l.verdict.is_some()).await;
    view.verdict.unwrap()
}

async fn drive_through(gate: &Gate, block: &Block) {
    until("the arm to rise", 10, || async { (block.arm() >= 1.0).then_some(()) }).await;
    block.loops(true, true);
    gate.lane_until(LANE, "the vehicle under the arm", 10, |l| l.inputs.loop_under.is_on()).await;
    block.loops(false, true);
    gate.lane_until(LANE, "the first loop free", 10, |l| !l.inputs.loop_approach.is_on()).await;
    assert_eq!(block.arm(), 1.0, "never lowered on a vehicle");
    block.loops(false, false);
    gate.lane_until(LANE, "the pass to end", 20, |l| l.pass.is_none()).await;
    assert_eq!(block.arm(), 0.0);
}

async fn turn_back(gate: &Gate, block: &Block) {
    block.loops(false, false);
    gate.lane_until(LANE, "the pass to end", 20, |l| l.pass.is_none()).await;
}
