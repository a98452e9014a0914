//! Publication on a real socket: what the CONNECT says, one event in flight, nothing acknowledged in the
//! journal before the broker's PubAck, and nothing lost with the connection.

use config::MqttConfig;
use device::Clock;
use gate_controller::board::{Board, NodeFault};
use gate_controller::ledger::Ledger;
use gate_controller::metrics::Meter;
use gate_controller::mqtt::{self, BrokerClient};
use gate_types::api::GateEvent;
use gate_types::entry::EntryBody;
use gate_types::fault::FaultKind;
use gate_types::{NodeId, PortId};
use journal::Journal;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

/// The broker's end of one connection.
struct Peer(TcpStream);

/// A PUBLISH as it came.
struct Published {
    header: u8,
    topic: String,
    id: u16,
    payload: Vec<u8>,
}

impl Peer {
    async fn accept(listener: &TcpListener) -> Self {
        let accepted =
            timeout(Duration::from_secs(10), listener.accept()).await.expect("a connection in 10 s");
        Self(accepted.unwrap().0)
    }
    async fn packet(&mut self) -> (u8, Vec<u8>) {
        let read = async {
            let header = self.0.read_u8().await.unwrap();
            let (mut length, mut shift) = (0_usize, 0);
            loop {
                let byte = self.0.read_u8().await.unwrap();
                length |= usize::from(byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            let mut body = vec![0; length];
            self.0.read_exact(&mut body).await.unwrap();
            (header, body)
        };
        timeout(Duration::from_secs(10), read).await.expect("a packet in 10 s")
    }
    async fn published(&mut self) -> Published {
        let (header, body) = self.packet().await;
        assert_eq!(header >> 4, 3, "a PUBLISH and not {header:#x}");
        let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
        let topic = String::from_utf8(body[2..2 + length].to_vec()).unwrap();
        let id = u16::from_be_bytes([body[2 + length], body[3 + length]]);
        Published { header, topic, id, payload: body[4 + length..].to_vec() }
    }
    async fn acknowledge(&mut self, id: u16) {
        let [high, low] = id.to_be_bytes();
        self.0.write_all(&[0x40, 2, high, low]).await.unwrap();
    }
    async fn welcome(&mut self) -> Vec<u8> {
        let (header, connect) = self.packet().await;
        assert_eq!(header, 0x10);
        self.0.write_all(&[0x20, 2, 0, 0]).await.unwrap();
        connect
    }
}

#[tokio::test]
async fn events_are_acknowledged_only_by_the_broker_and_survive_a_lost_connection() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(&folder.path().join("journal.db")).unwrap();
    let ledger = Ledger::new(journal, Clock::start(), Arc::new(Meter::default()));
    for n in 0..2 {
        let body = EntryBody::DaemonStarted { version: n.to_string(), config_sha256: String::new() };
        ledger.append_node(body).await.unwrap();
    }
    let (port, node) = (PortId::new("ITBRI").unwrap(), NodeId::new("3").unwrap());
    let (board, _) = Board::new([]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap().port();
    let config = MqttConfig { host: "127.0.0.1".into(), port: at, commands: false };
    let (client, events) = BrokerClient::new(&config, &port, &node).unwrap();
    let (connected, is_connected) = watch::channel(false);
    let down = NodeFault::new(board.clone(), ledger.clone(), FaultKind::BrokerDown, "broker");
    tokio::spawn(mqtt::drive(events, client.clone(), down, connected));
    tokio::spawn(mqtt::publish(ledger.clone(), client, port, node, is_connected));

    let mut peer = Peer::accept(&listener).await;
    let connect = peer.welcome().await;
    assert_eq!(&connect[..7], b"\0\x04MQTT\x04");
    // Will, will QoS 1, will retained; neither clean session nor user name nor password.
    assert_eq!(connect[7], 0x04 | 0x08 | 0x20);
    assert_eq!(u16::from_be_bytes([connect[8], connect[9]]), 10);
    let text = String::from_utf8_lossy(&connect[10..]).into_owned();
    assert!(
        text.contains("varco-ITBRI-3") && text.contains("gate/ITBRI/3/status") && text.ends_with("offline")
    );

    let (mut online, mut first) = (None, None);
    while online.is_none() || first.is_none() {
        let message = peer.published().await;
        match message.topic.as_str() {
            "gate/ITBRI/3/status" => {
                assert_eq!((message.header, message.payload.as_slice()), (0x33, b"online".as_slice()));
                peer.acknowledge(message.id).await;
                online = Some(());
            }
            "gate/ITBRI/3/evt/daemon_started" => {
                assert_eq!(message.header, 0x32);
                let event: GateEvent = serde_json::from_slice(&message.payload).unwrap();
                assert_eq!(event.seq.0, 1, "one event in flight, the oldest first");
                first = Some(());
            }
            other => panic!("unexpected topic {other}"),
        }
    }
    assert_eq!(ledger.stats().await.unwrap().published, 0, "nothing is acknowledged without a PubAck");
    drop(peer);

    // The broker forgot everything; the journal did not.
    let mut peer = Peer::accept(&listener).await;
    peer.welcome().await;
    let mut seen = Vec::new();
    while ledger.stats().await.unwrap().published < 4 {
        let message = peer.published().await;
        peer.acknowledge(message.id).await;
        if message.topic.contains("/evt/") {
            let event: GateEvent = serde_json::from_slice(&message.payload).unwrap();
            seen.push((event.seq.0, event.entry.body.kind()));
            if seen.len() == 4 {
                wait_until_published(&ledger, 4).await;
            }
        }
    }
    let expected = [(1, "daemon_started"), (2, "daemon_started"), (3, "fault_raised"), (4, "fault_cleared")];
    assert_eq!(seen, expected);
    assert!(board.faults().is_empty());
}

/// The acknowledgement reaches the journal shortly after the PubAck is on the wire.
async fn wait_until_published(ledger: &Ledger, wanted: u64) {
    let reached = async {
        while ledger.stats().await.unwrap().published < wanted {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), reached).await.expect("acknowledged in 10 s");
}
