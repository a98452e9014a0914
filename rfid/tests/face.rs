//! The reader face: every request is answered, ROSpecs live as the standard says, bytes at any split.

use proptest::prelude::*;
use rfid::reader::{Moment, ReaderFace, Sighting};
use rfid::wire::*;

fn at(ms: u64) -> Moment {
    Moment { ms, utc_us: 1_700_000_000_000_000 + ms * 1_000 }
}

fn said(face: &mut ReaderFace) -> Vec<(u32, Message)> {
    let mut deframer = Deframer::new();
    let mut out = Vec::new();
    while let Some(bytes) = face.next_output() {
        let mut rest = bytes.as_slice();
        while let Some(frame) = deframer.take(&mut rest).unwrap() {
            out.push((frame.id, Message::decode(&frame).unwrap()));
        }
    }
    out
}

fn ask(face: &mut ReaderFace, id: u32, message: &Message, now: Moment) -> Vec<(u32, Message)> {
    face.receive(&message.encode(id).unwrap(), now).unwrap();
    said(face)
}

fn sighting(n: u8, antenna: u16) -> Sighting {
    Sighting {
        epc: EpcBits::of_bytes(&[0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, n]).unwrap(),
        antenna,
        rssi_dbm: -50,
        pc: None,
    }
}

#[test]
fn a_rospec_is_added_enabled_started_reported_and_stopped() {
    let mut face = ReaderFace::new(4);
    face.connected(at(0));
    let hello = said(&mut face);
    assert!(matches!(&hello[..], [(_, Message::Events(e))]
        if e.events == [ReaderEvent::ConnectionAttempt(ConnectionStatus::Success)]));
    let spec = RoSpec::on_command(
        7,
        &[1, 2],
        Content(Content::ANTENNA_ID | Content::PEAK_RSSI | Content::SEEN_COUNT),
    );
    let ok = |reply| vec![(5, Message::Status(reply, LlrpStatus::ok()))];
    assert_eq!(ask(&mut face, 5, &Message::AddRoSpec(spec.clone()), at(1)), ok(StatusReply::AddRoSpec));
    let again = ask(&mut face, 5, &Message::AddRoSpec(spec), at(1));
    assert!(matches!(&again[..], [(5, Message::Status(StatusReply::AddRoSpec, s))] if !s.is_ok()));
    let refused = ask(&mut face, 5, &Message::RoSpec(RoSpecAct::Start, 7), at(2));
    assert!(
        matches!(&refused[..], [(5, Message::Status(_, s))] if s.text.contains("disabled")),
        "{refused:?}"
    );
    for act in [RoSpecAct::Enable, RoSpecAct::Start] {
        assert!(!face.see(&sighting(1, 1), at(3)), "nothing is seen before the start");
        assert_eq!(ask(&mut face, 5, &Message::RoSpec(act, 7), at(3)), ok(StatusReply::RoSpec(act)));
    }
    assert!(face.is_inventorying());
    assert!(!face.see(&sighting(1, 3), at(4)), "an antenna that the ROSpec does not name");
    assert!(face.see(&sighting(1, 2), at(4)));
    let Some((_, Message::Report(report))) = said(&mut face).pop() else { panic!() };
    let tag = &report.tags[0];
    assert_eq!(
        (tag.antenna, tag.peak_rssi_dbm, tag.seen_count, tag.first_seen_utc_us),
        (Some(2), Some(-50), Some(1), None)
    );
    assert_eq!(
        ask(&mut face, 5, &Message::RoSpec(RoSpecAct::Stop, 7), at(5)),
        ok(StatusReply::RoSpec(RoSpecAct::Stop))
    );
    assert!(!face.see(&sighting(1, 2), at(6)));
    assert_eq!(
        ask(&mut face, 5, &Message::RoSpec(RoSpecAct::Delete, 0), at(7)),
        ok(StatusReply::RoSpec(RoSpecAct::Delete))
    );
    let none = ask(&mut face, 5, &Message::GetRoSpecs, at(8));
    assert_eq!(none, [(5, Message::RoSpecs { status: LlrpStatus::ok(), specs: vec![] })]);
}

#[test]
fn keepalives_come_at_their_period_and_are_counted_until_answered() {
    let mut face = ReaderFace::new(1);
    face.connected(at(0));
    said(&mut face);
    let settings = ReaderSettings {
        keepalive: Some(KeepaliveSpec::Periodic { period_ms: 5_000 }),
        ..ReaderSettings::default()
    };
    ask(&mut face, 1, &Message::SetConfig(settings), at(100));
    assert_eq!(face.next_deadline_ms(), Some(5_100));
    face.tick(at(5_099));
    assert_eq!(said(&mut face), []);
    face.tick(at(5_100));
    assert!(matches!(&said(&mut face)[..], [(_, Message::Keepalive)]));
    face.tick(at(10_100));
    assert_eq!(face.unanswered_keepalives(), 2);
    ask(&mut face, 9, &Message::KeepaliveAck, at(10_200));
    assert_eq!(face.unanswered_keepalives(), 0);
}

/// A ROSpec as another client writes it: starts at once, ends after 3 s, reports at the end of each
/// inventory, which one tag ends.
#[test]
fn an_immediate_rospec_of_another_client_runs_round_after_round() {
    let mut face = ReaderFace::new(2);
    face.connected(at(0));
    said(&mut face);
    let mut spec = RoSpec::on_command(1, &[0], Content(Content::SEEN_COUNT));
    spec.start = StartTrigger::Immediate;
    (spec.stop, spec.stop_after_ms) = (StopTrigger::Duration, 3_000);
    spec.inventories[0].stop = AiStopTrigger::TagObservation;
    spec.inventories[0].stop_after_ms = 3_000;
    spec.inventories[0].stop_more =
        vec![RawTlv { kind: 185, body: vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0] }];
    if let Some(report) = &mut spec.report {
        report.tags = 0;
    }
    ask(&mut face, 1, &Message::AddRoSpec(spec), at(0));
    ask(&mut face, 1, &Message::RoSpec(RoSpecAct::Enable, 1), at(0));
    assert!(face.is_inventorying());
    assert!(face.see(&sighting(1, 2), at(10)));
    assert!(matches!(&said(&mut face)[..], [(_, Message::Report(r))] if r.tags[0].antenna.is_none()));
    face.tick(at(3_000));
    assert!(face.is_inventorying(), "an immediate ROSpec starts again by itself");
    ask(&mut face, 1, &Message::RoSpec(RoSpecAct::Disable, 0), at(3_100));
    assert!(!face.is_inventorying());
}

#[test]
fn a_second_client_is_refused_and_foreign_versions_and_types_are_answered() {
    let mut rest = &ReaderFace::refusal(at(0))[..];
    let frame = Deframer::new().take(&mut rest).unwrap().unwrap();
    let event = ReaderEvent::ConnectionAttempt(ConnectionStatus::ClientConnectionExists);
    assert_eq!(Message::decode(&frame).unwrap(), Message::Events(ReaderEvents::one(at(0).utc_us, event)));
    let mut face = ReaderFace::new(1);
    face.connected(at(0));
    said(&mut face);
    let newer = Frame { version: 2, kind: 46, id: 3, body: vec![] }.encode().unwrap();
    face.receive(&newer, at(0)).unwrap();
    assert!(matches!(&said(&mut face)[..], [(3, Message::Status(StatusReply::Error, s))] if s.code == 110));
    let custom = ask(&mut face, 4, &Message::Other { kind: 1023, body: vec![0; 5] }, at(0));
    assert!(matches!(&custom[..], [(4, Message::Status(StatusReply::Error, s))] if s.code == 109));
    assert!(face.receive(&[4, 62, 255, 255, 255, 255, 0, 0, 0, 0], at(0)).is_err());
}

proptest! {
    #[test]
    fn any_client_is_survived(
        messages in proptest::collection::vec((0u16..110, proptest::collection::vec(any::<u8>(), 0..60)), 0..20),
        steps in proptest::collection::vec((0u64..4_000, 1u16..4), 0..20),
    ) {
        let mut face = ReaderFace::new(2);
        face.connected(at(0));
        face.receive(&Message::AddRoSpec(RoSpec::on_command(1, &[], Content(0xffff))).encode(1).unwrap(), at(0)).unwrap();
        for (i, (kind, body)) in messages.into_iter().enumerate() {
            let id = u32::try_from(i).unwrap();
            face.receive(&Frame { version: 1, kind, id, body }.encode().unwrap(), at(0)).unwrap();
        }
        let mut now = 0;
        for (step, antenna) in steps {
            now += step;
            face.tick(at(now));
            face.see(&sighting(1, antenna), at(now));
        }
        said(&mut face);
    }
}

#[test]
fn a_container_tag_keeps_its_control_word_where_it_is_asked_for() {
    let code = gate_types::iso6346::ContainerCode::parse("CSQU3054383").unwrap();
    let (epc, pc) = rfid::tag::container_tag(&code, false).unwrap();
    for (memory, uri) in [(Some(0x40), Some("urn:epc:id:bic:CSQU3054383")), (Some(0x80), None), (None, None)]
    {
        let mut face = ReaderFace::new(1);
        face.connected(at(0));
        let mut spec = RoSpec::on_command(1, &[], Content(Content::ANTENNA_ID));
        let selector = memory.map(|bits| RawTlv { kind: 348, body: vec![bits] });
        spec.report.as_mut().unwrap().content_more.extend(selector);
        for message in [
            Message::AddRoSpec(spec),
            Message::RoSpec(RoSpecAct::Enable, 1),
            Message::RoSpec(RoSpecAct::Start, 1),
        ] {
            ask(&mut face, 5, &message, at(0));
        }
        assert!(face.see(&Sighting { epc: epc.clone(), antenna: 1, rssi_dbm: -50, pc: Some(pc) }, at(1)));
        let reports: Vec<_> = said(&mut face)
            .into_iter()
            .filter_map(
                |(_, message)| if let Message::Report(report) = message { Some(report) } else { None },
            )
            .collect();
        let tag = rfid::tag::Tag::read(&reports[0].tags[0], &[]);
        assert_eq!(tag.uri().as_deref(), uri);
    }
}
