//! Commands from the broker, over a connection of their own: a session that keeps nothing, so that nothing
//! old is delivered late, and whose loss or flooding costs the events nothing.

use crate::mqtt::{CONNECT_S, FIRST_WAIT_MS, KEEP_ALIVE_S, LONGEST_WAIT_MS};
use crate::remote::{Arrived, Remote};
use anyhow::{Context as _, Result};
use config::MqttConfig;
use gate_types::{NodeId, PortId, topic};
use journal::JournalError;
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, NetworkOptions, Packet, PublishOptions, QoS,
};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// Largest message both ways, bytes; a command is below 2 KB.
const MAX_PACKET: usize = 16 * 1024;
/// Commands that may wait; more are dropped, and their senders get no reply.
const WAITING: usize = 16;

/// The connection, not yet driven.
pub struct CommandLine {
    client: AsyncClient,
    events: EventLoop,
    filter: String,
}

impl CommandLine {
    /// Prepares the connection.
    pub fn new(config: &MqttConfig, port: &PortId, node: &NodeId) -> Result<Self> {
        let mut options = MqttOptions::new(
            format!("varco-{port}-{node}-commands"),
            rumqttc::Broker::tcp(config.host.clone(), config.port),
        );
        options.set_keep_alive(KEEP_ALIVE_S);
        options.set_clean_session(true);
        options.set_max_packet_size(MAX_PACKET, MAX_PACKET);
        let (client, mut events) =
            AsyncClient::builder(options).capacity(WAITING).try_build().context("mqtt: options")?;
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        network.set_connection_timeout(CONNECT_S);
        events.set_network_options(network);
        Ok(Self { client, events, filter: topic::all_commands(port, node) })
    }
}

/// Takes commands until the journal fails.
pub async fn serve(line: CommandLine, mut remote: Remote) -> Result<(), JournalError> {
    let CommandLine { client, events, filter } = line;
    let (inbox, mut arrived) = mpsc::channel(WAITING);
    let replies = client.clone();
    let obeying = async {
        while let Some(message) = arrived.recv().await {
            let Some((topic, reply)) = remote.obey(&message).await? else { continue };
            let Ok(payload) = serde_json::to_vec(&reply) else { continue };
            let options = PublishOptions::new(QoS::AtLeastOnce);
            if let Err(error) = replies.try_publish(topic, payload, options) {
                tracing::debug!(%error, "a reply could not be sent");
            }
        }
        Ok(())
    };
    tokio::select! {
        ended = obeying => ended,
        () = drive(events, client.clone(), filter, inbox) => Ok(()),
    }
}

/// Connects for ever, subscribes at every connection, takes messages in.
async fn drive(mut events: EventLoop, client: AsyncClient, filter: String, inbox: mpsc::Sender<Arrived>) {
    let mut wait_ms = FIRST_WAIT_MS;
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                wait_ms = FIRST_WAIT_MS;
                if let Err(error) = client.try_subscribe(filter.clone(), QoS::AtLeastOnce) {
                    tracing::warn!(%error, "commands are asked for at the next connection");
                }
            }
            Ok(Event::Incoming(Packet::Publish(message))) => {
                let arrived = Arrived {
                    topic: String::from_utf8_lossy(&message.topic).into_owned(),
                    payload: message.payload.to_vec(),
                    retained: message.retain,
                };
                if inbox.try_send(arrived).is_err() {
                    tracing::warn!("a command is dropped: more than {WAITING} wait");
                }
            }
            Ok(Event::Incoming(_) | Event::Outgoing(_)) => {}
            Err(ConnectionError::RequestsDone) => return,
            Err(error) => {
                tracing::debug!(%error, wait_ms, "no commands from the broker");
                sleep(Duration::from_millis(wait_ms)).await;
                wait_ms = (wait_ms * 2).min(LONGEST_WAIT_MS);
            }
        }
    }
}
