//! The LLRP codec against bytes of independent encoders, and against arbitrary bytes.
//!
//! The golden messages were captured from other LLRP implementations (readers' emulators and clients)
//! and read by an independent dissector; none was made with this codec.

use proptest::prelude::*;
use rfid::wire::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks_exact(2).map(|p| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap()).collect()
}

fn frames(deframer: &mut Deframer, bytes: &[u8]) -> Result<Vec<Frame>, WireError> {
    let mut rest = bytes;
    let mut out = Vec::new();
    while let Some(frame) = deframer.take(&mut rest)? {
        out.push(frame);
    }
    assert!(rest.is_empty());
    Ok(out)
}

/// Decodes one message and proves that the encoder gives the same bytes back.
fn one(text: &str) -> (u32, Message) {
    let bytes = hex(text);
    let frame = frames(&mut Deframer::new(), &bytes).unwrap().remove(0);
    let message = Message::decode(&frame).unwrap();
    assert_eq!(message.encode(frame.id).unwrap(), bytes, "{message:?}");
    (frame.id, message)
}

#[test]
fn connection_event_and_keepalives() {
    let (id, message) = one("043f 00000020 00000001  00f6 0016 0080 000c 000660d6032fc0e8 0100 0006 0000");
    let event = ReaderEvent::ConnectionAttempt(ConnectionStatus::Success);
    assert_eq!((id, &message), (1, &Message::Events(ReaderEvents::one(0x0006_60d6_032f_c0e8, event))));
    assert_eq!(one("043e 0000000a 0000004d"), (0x4d, Message::Keepalive));
    assert_eq!(one("0448 0000000a 00000005"), (5, Message::KeepaliveAck));
}

#[test]
fn keepalive_is_asked_for_as_other_clients_do() {
    let (id, message) = one("0403 00000014 40000000 00 00dc 0009 01 00001388");
    assert_eq!(id, 0x4000_0000);
    let Message::SetConfig(settings) = message else { panic!("{message:?}") };
    assert_eq!(settings.keepalive, Some(KeepaliveSpec::Periodic { period_ms: 5_000 }));
}

#[test]
fn a_report_of_two_tags() {
    let bytes = hex("043d 00000054 00000384  00f0 002b 8d 30340242201d8840000003e8 81 0001 86 cd
        82 000660d60379be50 84 000660d60379be50 88 0003
        00f0 001f 00f1 0016 0080 3074257bf7194e4000001a8512345678 81 0002 86 c2");
    let frame = frames(&mut Deframer::new(), &bytes).unwrap().remove(0);
    let Message::Report(report) = Message::decode(&frame).unwrap() else { panic!() };
    assert_eq!((report.tags.len(), report.dropped), (2, 0));
    let first = &report.tags[0];
    assert_eq!(first.epc.hex(), "30340242201d8840000003e8");
    assert_eq!((first.antenna, first.peak_rssi_dbm, first.seen_count), (Some(1), Some(-51), Some(3)));
    assert_eq!(first.first_seen_utc_us, Some(0x0006_60d6_0379_be50));
    let second = &report.tags[1];
    assert_eq!((second.epc.bits(), second.antenna, second.peak_rssi_dbm), (128, Some(2), Some(-62)));
    assert_eq!(Message::Report(report).encode(0x384).unwrap(), bytes);
}

#[test]
fn an_inventory_of_another_client() {
    let (_, message) = one("0414 00000080 0000000a  00b1 0076 00000001 00 00
        00b2 0012 00b3 0005 01 00b6 0009 01 00000bb8
        00b7 0048 0001 0000 00b8 0019 03 00000bb8 00b9 0010 00 00 0001 0000 0000 00000000
        00ba 0027 0001 01 00de 0020 0000 00e0 000a 0001 0001 0002 014a 0010 00 0150 000b 80 0004 00000000
        00ed 0012 01 0000 00ee 000b 0980 015c 0005 00");
    let Message::AddRoSpec(spec) = message else { panic!("{message:?}") };
    assert_eq!((spec.id, spec.state, spec.start), (1, RoSpecState::Disabled, StartTrigger::Immediate));
    assert_eq!((spec.stop, spec.stop_after_ms), (StopTrigger::Duration, 3_000));
    assert_eq!(spec.inventories[0].antennas, [0]);
    assert_eq!(spec.inventories[0].stop, AiStopTrigger::TagObservation);
    let content = spec.report.unwrap().content;
    assert!(
        content.has(Content::SEEN_COUNT)
            && content.has(Content::LAST_SEEN)
            && !content.has(Content::ANTENNA_ID)
    );
}

#[test]
fn hostile_lengths_are_refused_before_the_body() {
    let mut deframer = Deframer::new();
    assert_eq!(
        frames(&mut deframer, &hex("043e ffffffff 00000001")),
        Err(WireError::TooLong { length: u32::MAX })
    );
    assert!(deframer.held_bytes() <= HEADER_BYTES);
    assert_eq!(
        frames(&mut Deframer::new(), &hex("043e 00000009 00000001")),
        Err(WireError::TooShort { length: 9 })
    );
    // A parameter that reaches past its message, and one shorter than its own header.
    for body in ["00f6 00ff 0000", "00f6 0003"] {
        let body = hex(body);
        let frame = Frame { version: 1, kind: 63, id: 1, body };
        assert!(matches!(Message::decode(&frame), Err(WireError::BadLength { kind: 246, .. })));
    }
}

#[test]
fn unknown_tlvs_are_skipped_and_an_unknown_tv_drops_its_tag_alone() {
    // Tag 1 carries a vendor's TLV (1023) before its antenna; tag 2 an undefined TV 99; tag 3 no EPC.
    let body = hex("00f0 0020 8d 30340242201d8840000003e8 03ff 000c 0000651a 00000001 81 0007
        00f0 0014 8d 30340242201d8840000003e9 e3 00 00
        00f0 0007 81 0001
        00f0 0011 8d 30340242201d8840000003ea");
    let Ok(Message::Report(report)) = Message::decode(&Frame { version: 1, kind: 61, id: 9, body }) else {
        panic!()
    };
    let seen: Vec<_> = report.tags.iter().map(|t| (t.epc.hex(), t.antenna)).collect();
    assert_eq!(
        seen,
        [("30340242201d8840000003e8".to_owned(), Some(7)), ("30340242201d8840000003ea".to_owned(), None)]
    );
    assert_eq!(report.dropped, 2);
}

fn tag() -> impl Strategy<Value = TagReport> {
    let opt16 = || proptest::option::of(any::<u16>());
    let opt64 = || proptest::option::of(any::<u64>());
    let opt32 = || proptest::option::of(any::<u32>());
    (
        proptest::collection::vec(any::<u8>(), 1..=62),
        (opt32(), opt16(), opt16(), opt16(), proptest::option::of(any::<i8>()), opt16()),
        (opt64(), opt64(), opt64(), opt64(), opt16(), opt16(), opt16(), opt32()),
    )
        .prop_map(|(epc, a, b)| TagReport {
            rospec_id: a.0,
            spec_index: a.1,
            inventory_spec_id: a.2,
            antenna: a.3,
            peak_rssi_dbm: a.4,
            channel: a.5,
            first_seen_utc_us: b.0,
            first_seen_uptime_us: b.1,
            last_seen_utc_us: b.2,
            last_seen_uptime_us: b.3,
            seen_count: b.4,
            crc: b.5,
            pc: b.6,
            access_spec_id: b.7,
            ..TagReport::of(EpcBits::of_bytes(&epc).unwrap())
        })
}

fn message() -> impl Strategy<Value = Message> {
    let status = (any::<u16>(), ".{0,20}").prop_map(|(code, text)| LlrpStatus { code, text });
    let raws = proptest::collection::vec(
        (512u16..1024, proptest::collection::vec(any::<u8>(), 0..9))
            .prop_map(|(kind, body)| RawTlv { kind, body }),
        0..3,
    );
    let acts = prop_oneof![
        Just(RoSpecAct::Delete),
        Just(RoSpecAct::Start),
        Just(RoSpecAct::Stop),
        Just(RoSpecAct::Enable),
        Just(RoSpecAct::Disable)
    ];
    let replies = prop_oneof![
        Just(StatusReply::CloseConnection),
        Just(StatusReply::SetReaderConfig),
        Just(StatusReply::AddRoSpec),
        acts.clone().prop_map(StatusReply::RoSpec),
        Just(StatusReply::DeleteAccessSpec),
        Just(StatusReply::Error)
    ];
    let spec = (any::<u32>(), proptest::collection::vec(any::<u16>(), 0..5), any::<u16>())
        .prop_map(|(id, antennas, bits)| RoSpec::on_command(id, &antennas, Content(bits)));
    let event = prop_oneof![
        Just(ReaderEvent::ConnectionClose),
        Just(ReaderEvent::ConnectionAttempt(ConnectionStatus::ClientConnectionExists)),
        any::<u16>()
            .prop_map(|antenna| ReaderEvent::Antenna { change: AntennaChange::Disconnected, antenna }),
        (any::<u32>(), any::<u32>()).prop_map(|(id, by)| ReaderEvent::RoSpec {
            moment: RoSpecMoment::Ended,
            id,
            by
        }),
        ".{0,20}".prop_map(ReaderEvent::Exception),
        any::<u8>().prop_map(ReaderEvent::BufferWarning),
        Just(ReaderEvent::BufferOverflow),
    ];
    let settings = (
        any::<bool>(),
        proptest::option::of(any::<u32>()),
        proptest::option::of(any::<bool>()),
        raws.clone(),
    )
        .prop_map(|(reset, period, hold, more)| ReaderSettings {
            reset,
            events: vec![(event_type::ANTENNA, true), (event_type::ROSPEC, false)],
            keepalive: period.map(|period_ms| KeepaliveSpec::Periodic { period_ms }),
            hold,
            more,
        });
    prop_oneof![
        any::<u8>().prop_map(|requested| Message::GetCapabilities { requested }),
        (status.clone(), 0u16..9).prop_map(|(status, n)| Message::Capabilities {
            status,
            capabilities: Capabilities::of_plain_reader(n)
        }),
        (status.clone(), raws).prop_map(|(status, parts)| Message::Config { status, parts }),
        settings.prop_map(Message::SetConfig),
        spec.clone().prop_map(Message::AddRoSpec),
        (acts, any::<u32>()).prop_map(|(act, id)| Message::RoSpec(act, id)),
        (status.clone(), proptest::collection::vec(spec, 0..3))
            .prop_map(|(status, specs)| Message::RoSpecs { status, specs }),
        (replies, status).prop_map(|(reply, status)| Message::Status(reply, status)),
        proptest::collection::vec(tag(), 0..5).prop_map(|tags| Message::Report(Report { tags, dropped: 0 })),
        (any::<u64>(), event).prop_map(|(at, event)| Message::Events(ReaderEvents::one(at, event))),
        Just(Message::Keepalive),
        Just(Message::KeepaliveAck),
        Just(Message::CloseConnection),
        Just(Message::GetReport),
        Just(Message::GetRoSpecs),
        Just(Message::EnableEventsAndReports),
        any::<u32>().prop_map(Message::DeleteAccessSpec),
    ]
}

proptest! {
    #[test]
    fn messages_survive_any_split(
        messages in proptest::collection::vec((any::<u32>(), message()), 1..5),
        cuts in proptest::collection::vec(1usize..40, 0..30),
    ) {
        let mut stream = Vec::new();
        for (id, message) in &messages {
            stream.extend(message.encode(*id).unwrap());
        }
        let mut deframer = Deframer::new();
        let mut got = Vec::new();
        let mut rest = stream.as_slice();
        for cut in cuts.into_iter().chain(std::iter::once(usize::MAX)) {
            let (now, later) = rest.split_at(cut.min(rest.len()));
            rest = later;
            for frame in frames(&mut deframer, now).unwrap() {
                got.push((frame.id, Message::decode(&frame).unwrap()));
            }
        }
        prop_assert_eq!(got, messages);
    }

    #[test]
    fn arbitrary_bytes_are_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..300) {
        let (a, b) = bytes.split_at(at.min(bytes.len()));
        let mut deframer = Deframer::new();
        let parts = frames(&mut deframer, a).and_then(|mut x| { x.extend(frames(&mut deframer, b)?); Ok(x) });
        prop_assert_eq!(frames(&mut Deframer::new(), &bytes), parts);
    }

    /// Every type of message with an arbitrary body, and real messages with one byte changed.
    #[test]
    fn arbitrary_bodies_are_harmless(
        kind in prop_oneof![Just(61u16), Just(63), Just(20), Just(3), Just(11), Just(36), Just(30), 0u16..1024],
        body in proptest::collection::vec(any::<u8>(), 0..120),
        real in message(), at in any::<prop::sample::Index>(), flip in 1u8..=255,
    ) {
        let _ = Message::decode(&Frame { version: 1, kind, id: 1, body });
        let mut bytes = real.encode(1).unwrap();
        let body_at = HEADER_BYTES;
        if bytes.len() > body_at {
            let n = at.index(bytes.len() - body_at);
            bytes[body_at + n] ^= flip;
        }
        for frame in frames(&mut Deframer::new(), &bytes).unwrap() {
            if let Ok(message) = Message::decode(&frame) {
                let _ = message.encode(1);
            }
        }
    }
}
