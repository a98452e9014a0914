//! The one place that prints or parses an MQTT topic: `gate/{port}/{node}/{lane}/evt/{kind}`,
//! `gate/{port}/{node}/status`. Levels are names (see [`crate::id`]), so none can hold `/`, `+` or `#`.

use crate::id::{LaneId, NodeId, PortId};

/// Events of a lane: QoS 1, not retained.
pub fn event(port: &PortId, node: &NodeId, lane: &LaneId, kind: &str) -> String {
    format!("gate/{port}/{node}/{lane}/evt/{kind}")
}

/// Events of the node itself, outside any lane.
pub fn node_event(port: &PortId, node: &NodeId, kind: &str) -> String {
    format!("gate/{port}/{node}/evt/{kind}")
}

/// The node's presence: retained, `online` or the last will `offline`.
pub fn status(port: &PortId, node: &NodeId) -> String {
    format!("gate/{port}/{node}/status")
}

/// Subscribes to every event of a port.
pub fn all_events(port: &PortId) -> String {
    format!("gate/{port}/+/+/evt/+")
}
