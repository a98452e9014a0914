//! The one place that prints or parses an MQTT topic: `gate/{port}/{node}/{lane}/evt/{kind}`,
//! `gate/{port}/{node}/status`, `gate/{port}/{node}/{lane}/cmd/{name}` and its `/reply`. Levels are names (see [`crate::id`]), so none can hold `/`, `+` or `#`.

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

/// A signed command to a lane ([`crate::command`]): QoS 1, never retained.
pub fn command(port: &PortId, node: &NodeId, lane: &LaneId, name: &str) -> String {
    format!("gate/{port}/{node}/{lane}/cmd/{name}")
}

/// What became of it.
pub fn command_reply(port: &PortId, node: &NodeId, lane: &LaneId, name: &str) -> String {
    format!("gate/{port}/{node}/{lane}/cmd/{name}/reply")
}

/// Subscribes to every command of a node.
pub fn all_commands(port: &PortId, node: &NodeId) -> String {
    format!("gate/{port}/{node}/+/cmd/+")
}

/// Lane and name of a command's topic; `None` where it is none of this node's.
pub fn read_command(port: &PortId, node: &NodeId, topic: &str) -> Option<(LaneId, String)> {
    let rest = topic.strip_prefix(&format!("gate/{port}/{node}/"))?;
    let mut levels = rest.split('/');
    let (lane, word, name) = (levels.next()?, levels.next()?, levels.next()?);
    if word != "cmd" || name.is_empty() || levels.next().is_some() {
        return None;
    }
    Some((LaneId::new(lane).ok()?, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_found_by_its_own_topic_only() {
        let (port, node) = (PortId::new("ITBRI").unwrap(), NodeId::new("1").unwrap());
        let lane = LaneId::new("n1-in-1").unwrap();
        let topic = command(&port, &node, &lane, "close_lane");
        assert_eq!(topic, "gate/ITBRI/1/n1-in-1/cmd/close_lane");
        assert_eq!(read_command(&port, &node, &topic), Some((lane.clone(), "close_lane".to_owned())));
        let reply = command_reply(&port, &node, &lane, "close_lane");
        for other in [
            &reply,
            "gate/ITBRI/2/n1-in-1/cmd/close_lane",
            "gate/ITBRI/1/n1-in-1/evt/x",
            "gate/ITBRI/1/cmd/x",
            "",
        ] {
            assert_eq!(read_command(&port, &node, other), None, "{other}");
        }
    }
}
