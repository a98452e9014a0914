//! The port as the page draws it.

use crate::demo::hub::Hub;
use crate::demo::people::lock;
use crate::faces::sign;
use crate::world::port::Port;
use crate::world::roads::{LAND, QUAY};
use crate::world::truck::{Place, Truck};
use config::MapPoint;
use serde_json::{Value, json};

/// Nodes, roads, processes, lanes: what does not change.
pub(super) fn site(hub: &Hub) -> Value {
    let port = lock(&hub.port);
    let roads: Vec<Value> = hub
        .site
        .roads
        .iter()
        .map(|r| {
            let (a, b) = (port.roads.point(&r.from, &r.to), port.roads.point(&r.to, &r.from));
            json!({ "from": r.from, "to": r.to, "a": [a.x, a.y], "b": [b.x, b.y] })
        })
        .collect();
    let lanes: Vec<Value> = port
        .lanes
        .iter()
        .map(|l| json!({ "id": l.id, "node": l.node, "direction": l.direction, "scale": l.weighed }))
        .collect();
    json!({
        "name": hub.site.name, "port": hub.site.port, "seed": hub.seed,
        "nodes": hub.site.nodes, "roads": roads, "lanes": lanes, "land": LAND, "quay": QUAY,
        "processes": hub.site.processes.iter().map(|p| json!({ "id": p.id, "name": p.name })).collect::<Vec<_>>(),
    })
}

/// What moves.
pub(super) fn world(hub: &Hub) -> Value {
    let port = lock(&hub.port);
    let trucks: Vec<Value> = port
        .trucks
        .values()
        .filter_map(|t| {
            let (at, state) = place(&port, t)?;
            let round = |v: f64| (v * 10.0).round() / 10.0;
            Some(json!([t.id, round(at.x), round(at.y), t.process, state, t.card.look.front.text(), t.story]))
        })
        .collect();
    let lanes: serde_json::Map<String, Value> = port
        .lanes
        .iter()
        .map(|l| {
            let inside = l.inside.as_ref();
            let green = l.bay.panel().green;
            let value = json!({
                "arm": (l.arm.angle * 100.0).round() / 100.0, "queue": l.queue.len(), "green": green,
                "nose": inside.map(|i| (i.nose * 10.0).round() / 10.0), "truck": inside.map(|i| i.truck),
                "sign": sign::shown(&l.bay),
            });
            (l.id.to_string(), value)
        })
        .collect();
    json!({ "t": port.now_s, "trucks": trucks, "lanes": lanes })
}

fn place(port: &Port, truck: &Truck) -> Option<(MapPoint, &'static str)> {
    match &truck.place {
        Place::Waiting | Place::Gone => None,
        Place::Road { along, from_s, to_s } => {
            let share = (port.now_s - from_s) / (to_s - from_s).max(0.1);
            Some((port.roads.along(along, share), "road"))
        }
        Place::Parked { node, .. } => {
            let p = port.roads.point(node, "");
            let n = f64::from(truck.id % 4);
            Some((MapPoint { x: p.x - 30.0 - n * 12.0, y: p.y + 26.0 }, "parked"))
        }
        Place::Lane(at) => {
            let lane = port.lanes.get(*at)?;
            let p = port.roads.point(lane.node.as_str(), "");
            let side = if lane.direction == gate_types::mission::Direction::In { 1.0 } else { -1.0 };
            let nth = lane.id.as_str().ends_with('2');
            let across = side * if nth { 15.0 } else { 8.0 };
            let nose = match lane.queue.iter().position(|id| *id == truck.id) {
                Some(waiting) => -20.0 - 12.0 * waiting as f64,
                None => lane.inside.as_ref().map_or(-14.0, |i| i.nose.max(-14.0)),
            };
            let way = nose.min(20.0) * 1.1 * side;
            // Lanes lie along the way from the land (lower left) to the quays (upper right).
            let (dx, dy) = (0.66, -0.75);
            Some((MapPoint { x: p.x + dx * way - dy * across, y: p.y + dy * way + dx * across }, "lane"))
        }
    }
}

/// One truck with its mission path.
pub(super) fn truck(hub: &Hub, id: u32) -> Option<Value> {
    let port = lock(&hub.port);
    let t = port.trucks.get(&id)?;
    let look = &t.card.look;
    let lane = match &t.place {
        Place::Lane(at) => port.lanes.get(*at).map(|l| l.id.to_string()),
        Place::Waiting | Place::Road { .. } | Place::Parked { .. } | Place::Gone => None,
    };
    Some(json!({
        "id": t.id, "tractor": look.front.text(), "country": look.front.region, "trailer": look.rear.text(),
        "container": look.unit.as_ref().map(|u| &u.code), "tag": t.card.tag, "gross_kg": t.card.gross_kg.round(),
        "process": t.process, "path": t.plan.path, "legs": t.plan.legs, "next": t.next, "story": t.story,
        "mission": t.mission, "status": t.papers.status, "haulier": look.haulier, "lane": lane,
        "finished": t.finished, "language": t.language,
    }))
}
