//! An MQTT broker inside the simulator, so that the demo needs none installed.
//!
//! The broker's library binds its own listener and offers no setting for TCP_NODELAY; in the port a broker
//! sets it (`set_tcp_nodelay` of mosquitto). Its acknowledgements can be late by one delayed ACK therefore;
//! nothing in the gate waits for the broker.

use anyhow::Context as _;
use std::net::{SocketAddr, TcpListener};

/// Starts the broker on a free port of this machine, on threads of its own.
pub fn start() -> anyhow::Result<SocketAddr> {
    // The library binds by itself: the free port is found, given back and taken again at once.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let text = format!(
        r#"
id = 0
[router]
id = 0
max_connections = 200
max_outgoing_packet_count = 200
max_segment_size = 1048576
max_segment_count = 4
[v4.1]
name = "varco-demo"
listen = "{address}"
next_connection_delay_ms = 1
[v4.1.connections]
connection_timeout_ms = 5000
max_payload_size = 262144
max_inflight_count = 200
dynamic_filters = true
"#
    );
    let config: rumqttd::Config = toml::from_str(&text).context("the broker's built-in configuration")?;
    std::thread::Builder::new().name("broker".into()).spawn(move || {
        let mut broker = rumqttd::Broker::new(config);
        if let Err(error) = broker.start() {
            tracing::error!(%error, "the broker ended");
        }
    })?;
    Ok(address)
}
