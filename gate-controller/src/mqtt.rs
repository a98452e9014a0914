//! Events to the MQTT broker, for those who want to listen: QoS 1, one in flight, acknowledged in the
//! journal only on the broker's PubAck. This connection subscribes to nothing; the few commands from afar,
//! none of which moves an arm, have one of their own ([`commands`]).

pub mod commands;

use crate::board::NodeFault;
use crate::ledger::Ledger;
use anyhow::{Context as _, Result};
use config::MqttConfig;
use gate_types::api::GateEvent;
use gate_types::{BootEpoch, EntrySeq, NodeId, PortId, topic};
use journal::{JournalError, Sink};
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, LastWill, MqttOptions, NetworkOptions, Packet,
};
use rumqttc::{PublishOptions, QoS};
use std::future::Future;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// Keep-alive, seconds.
pub(crate) const KEEP_ALIVE_S: u16 = 10;
/// Longest wait for a connection, seconds.
pub(crate) const CONNECT_S: u64 = 5;
/// Largest message both ways, bytes: a closed pass with its identity and mission.
const MAX_PACKET: usize = 256 * 1024;
/// Rows read from the journal at once; they go out one by one.
const BATCH: usize = 64;
/// First and longest wait between connections, milliseconds.
pub(crate) const FIRST_WAIT_MS: u64 = 250;
pub(crate) const LONGEST_WAIT_MS: u64 = 10_000;
/// How long the farewell may take at a stop, milliseconds.
const FAREWELL_MS: u64 = 1_000;

/// Publishes and returns when the broker holds the message.
pub trait Publisher: Send + Sync + 'static {
    /// One message with QoS 1. The error says why the broker does not hold it yet.
    fn publish(&self, topic: String, payload: Vec<u8>) -> impl Future<Output = Result<(), String>> + Send;
}

/// [`Publisher`] over rumqttc.
#[derive(Debug, Clone)]
pub struct BrokerClient {
    client: AsyncClient,
    status_topic: String,
}

impl BrokerClient {
    /// A client and the loop that must be driven by [`drive`].
    pub fn new(config: &MqttConfig, port: &PortId, node: &NodeId) -> Result<(Self, EventLoop)> {
        let status_topic = topic::status(port, node);
        let mut options = MqttOptions::new(
            format!("varco-{port}-{node}"),
            rumqttc::Broker::tcp(config.host.clone(), config.port),
        );
        options.set_keep_alive(KEEP_ALIVE_S);
        options.set_clean_session(false);
        options.set_max_packet_size(MAX_PACKET, MAX_PACKET);
        options.set_inflight(2);
        options.set_last_will(LastWill::new(&status_topic, "offline", QoS::AtLeastOnce, true));
        let (client, mut events) =
            AsyncClient::builder(options).capacity(4).try_build().context("mqtt: options")?;
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        network.set_connection_timeout(CONNECT_S);
        events.set_network_options(network);
        Ok((Self { client, status_topic }, events))
    }
    /// Says `offline` and disconnects in order, within a second.
    pub async fn farewell(&self) {
        let options = PublishOptions::new(QoS::AtLeastOnce).retained();
        let said = async {
            if let Ok(notice) =
                self.client.publish_tracked(self.status_topic.clone(), "offline", options).await
            {
                let _ = notice.wait_completion_async().await;
            }
            let _ = self.client.disconnect().await;
        };
        if tokio::time::timeout(Duration::from_millis(FAREWELL_MS), said).await.is_err() {
            tracing::debug!("the broker did not take the farewell in time; its last will says offline");
        }
    }
}

impl Publisher for BrokerClient {
    async fn publish(&self, topic: String, payload: Vec<u8>) -> Result<(), String> {
        let options = PublishOptions::new(QoS::AtLeastOnce);
        let notice = self.client.publish_tracked(topic, payload, options).await.map_err(|e| e.to_string())?;
        notice.wait_completion_async().await.map_err(|e| e.to_string())
    }
}

/// Drives the connection for ever: connects, says `online`, waits with bounded back-off after a loss.
/// `connected` tells whether the broker answers.
pub async fn drive(
    mut events: EventLoop,
    broker: BrokerClient,
    down: NodeFault,
    connected: watch::Sender<bool>,
) -> Result<(), JournalError> {
    let mut wait_ms = FIRST_WAIT_MS;
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                wait_ms = FIRST_WAIT_MS;
                let options = PublishOptions::new(QoS::AtLeastOnce).retained();
                if let Err(error) = broker.client.try_publish(broker.status_topic.clone(), "online", options)
                {
                    tracing::debug!(%error, "presence is told at the next connection");
                }
                connected.send_replace(true);
                down.clear().await?;
            }
            Ok(Event::Incoming(_) | Event::Outgoing(_)) => {}
            Err(ConnectionError::RequestsDone) => return Ok(()),
            Err(error) => {
                connected.send_replace(false);
                down.raise(format!("events wait in the journal: {error}; check the broker and mqtt.host"))
                    .await?;
                sleep(Duration::from_millis(wait_ms)).await;
                wait_ms = (wait_ms * 2).min(LONGEST_WAIT_MS);
            }
        }
    }
}

/// Publishes the journal's events in order until the journal fails.
pub async fn publish<P: Publisher>(
    ledger: Ledger,
    publisher: P,
    port: PortId,
    node: NodeId,
    mut connected: watch::Receiver<bool>,
) -> Result<(), JournalError> {
    loop {
        // A row is handed to the client only while the broker answers, so that nothing piles up there.
        if connected.wait_for(|up| *up).await.is_err() {
            return Ok(());
        }
        let events = ledger.unsent(Sink::Broker, BATCH).await?;
        if events.is_empty() {
            ledger.appended(Sink::Broker).await;
            continue;
        }
        let mut held: Vec<(BootEpoch, EntrySeq)> = Vec::with_capacity(events.len());
        for event in &events {
            let Ok(payload) = serde_json::to_vec(event) else {
                tracing::error!(seq = event.seq.0, "an event is not JSON; it stays in the journal");
                continue;
            };
            match publisher.publish(topic_of(&port, &node, event), payload).await {
                Ok(()) => held.push((event.epoch, event.seq)),
                Err(why) => {
                    tracing::debug!(seq = event.seq.0, why, "not published; it is sent again");
                    sleep(Duration::from_millis(FIRST_WAIT_MS)).await;
                    break;
                }
            }
        }
        ledger.acknowledge(Sink::Broker, &held).await?;
    }
}

/// The one topic of an event.
fn topic_of(port: &PortId, node: &NodeId, event: &GateEvent) -> String {
    let kind = event.entry.body.kind();
    match &event.entry.lane {
        Some(lane) => topic::event(port, node, lane, kind),
        None => topic::node_event(port, node, kind),
    }
}
