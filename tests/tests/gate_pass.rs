//! Gate passes with the built daemon: central signs, a driver shows the code to a reader, the lane counts it once.
#![allow(clippy::unwrap_used, reason = "tests")]

use gate_types::console::LaneView;
use gate_types::gate_pass::PassFault;
use gate_types::identity::Slot;
use gate_types::verdict::ReasonCode;
use tests::{Camera, CodeReader, ContainerLane, LANE, released_export, side_view};

/// The lane of the stories, where the container and a gate pass are needed.
async fn lane(picture: Vec<u8>, reader: &CodeReader) -> ContainerLane {
    let camera = Camera::start(picture).await;
    let endpoint = reader.endpoint();
    ContainerLane::edited(camera, |lane| {
        let identity = lane["identity"].as_table_mut().unwrap();
        identity.insert("slots".into(), toml::Value::from(vec!["itu", "gate_pass"]));
        identity.insert("factors_wanted".into(), 2.into());
        identity.insert("factors_needed".into(), 2.into());
        let mut codes = toml::Table::new();
        codes.insert("id".into(), format!("{LANE}.codes").into());
        codes.insert("endpoint".into(), endpoint.into());
        lane.insert("code_reader".into(), codes.into());
    })
    .await
}

fn refused_for(view: &LaneView, code: ReasonCode) -> bool {
    view.verdict.as_ref().is_some_and(|v| v.reasons().iter().any(|r| r.code == code))
}

fn fault(view: &LaneView) -> Option<PassFault> {
    view.identity.refused_pass.as_ref().map(|p| p.fault)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_pass_counts_once_at_its_gate_and_a_false_one_brings_a_person() {
    let (picture, code) = side_view();
    let reader = CodeReader::start().await;
    let mut lane = lane(picture, &reader).await;
    let mission = lane.central.create(&released_export(&code)).await;
    let (here, elsewhere) =
        (lane.central.gate_pass(&mission.id, "1").await, lane.central.gate_pass(&mission.id, "2").await);

    // Another gate's pass does not count; the right one does, and the arm rises on it.
    lane.block.loops(true, false);
    lane.until("a vehicle", 20, |l| l.pass.is_some()).await;
    reader.show(&elsewhere);
    let view =
        lane.until("the foreign pass refused", 30, |l| refused_for(l, ReasonCode::GatePassForeign)).await;
    assert_eq!((fault(&view), lane.block.raises()), (Some(PassFault::Foreign), 0));
    reader.show(&here);
    let view = lane.admit().await;
    let slot = view.identity.slot(Slot::GatePass).unwrap();
    assert_eq!((slot.candidates[0].value.as_str(), slot.conflict), (mission.id.as_str(), false));
    assert_eq!(slot.candidates[0].support, [format!("{LANE}.codes")]);
    lane.drive_through().await;

    // A copy in the next driver's hand was used, also after the daemon was killed.
    lane.gate = lane.gate.crash_and_restart().await;
    lane.block.loops(true, false);
    lane.until("the next vehicle", 20, |l| l.pass.is_some()).await;
    reader.show(&here);
    let view = lane.until("the used pass refused", 30, |l| refused_for(l, ReasonCode::GatePassUsed)).await;
    assert_eq!((fault(&view), lane.block.raises()), (Some(PassFault::Used), 1));
    lane.block.loops(false, false);
    lane.until("the vehicle gone", 20, |l| l.pass.is_none()).await;

    // So was one that somebody wrote himself.
    lane.block.loops(true, false);
    lane.until("a third vehicle", 20, |l| l.pass.is_some()).await;
    let forged = format!("{}AA", &here[..here.len() - 2]);
    reader.show(&forged);
    let view =
        lane.until("the forged pass refused", 30, |l| refused_for(l, ReasonCode::GatePassForged)).await;
    assert_eq!((fault(&view), lane.block.raises()), (Some(PassFault::Forged), 1));

    lane.gate.process.stop();
    let journal = lane.stand.path().join("state/journal.db");
    assert!(journal::verify(&journal).is_ok());
    let rows = journal::read_all(&journal).unwrap().map(Result::unwrap);
    let shown = rows.filter(|row| row.filed.2 == "gate_pass_shown").count();
    assert_eq!(shown, 4, "each showing is on record");
}
