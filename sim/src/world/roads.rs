//! The road map of the site: ways between points, their driving time, places along them.

use config::{MapPoint, Site};
use gate_types::mission::Direction;
use std::collections::{BTreeMap, BTreeSet};

/// Roads and places.
#[derive(Debug, Clone)]
pub struct Roads {
    points: BTreeMap<String, MapPoint>,
    roads: Vec<(String, String, f64)>,
    scale: f64,
}

/// The open end on the land side.
pub const LAND: &str = "land";
/// The open end on the water side.
pub const QUAY: &str = "quay";

impl Roads {
    /// The roads of a site; `scale` shortens the driving times.
    pub fn new(site: &Site, scale: f64) -> Self {
        let points = site.nodes.iter().map(|n| (n.id.to_string(), n.map)).collect();
        let roads = site.roads.iter().map(|r| (r.from.clone(), r.to.clone(), f64::from(r.drive_s))).collect();
        Self { points, roads, scale }
    }
    /// The quickest way between two points with its scaled driving time, seconds; straight where no road leads.
    pub fn way(&self, from: &str, to: &str) -> (Vec<String>, f64) {
        let mut best: BTreeMap<String, (f64, Vec<String>)> = BTreeMap::new();
        best.insert(from.to_owned(), (0.0, vec![from.to_owned()]));
        let mut done = BTreeSet::new();
        loop {
            let next = best
                .iter()
                .filter(|(name, _)| !done.contains(*name))
                .min_by(|a, b| a.1.0.total_cmp(&b.1.0))
                .map(|(name, (cost, way))| (name.clone(), *cost, way.clone()));
            let Some((name, cost, way)) = next else { break };
            if name == to {
                return (way, (cost * self.scale).max(1.5));
            }
            done.insert(name.clone());
            // The open ends are ends: no way leads through them.
            if name != from && (name == LAND || name == QUAY) {
                continue;
            }
            for (a, b, s) in &self.roads {
                let other = if *a == name {
                    b
                } else if *b == name {
                    a
                } else {
                    continue;
                };
                if best.get(other).is_none_or(|(c, _)| *c > cost + s) {
                    let mut longer = way.clone();
                    longer.push(other.clone());
                    best.insert(other.clone(), (cost + s, longer));
                }
            }
        }
        (vec![from.to_owned(), to.to_owned()], 3.0)
    }
    /// The open end where a leg begins (`In`: land) or ends.
    pub fn end_before(direction: Direction) -> &'static str {
        match direction {
            Direction::In => LAND,
            Direction::Out => QUAY,
        }
    }
    /// The open end behind a leg.
    pub fn end_behind(direction: Direction) -> &'static str {
        match direction {
            Direction::In => QUAY,
            Direction::Out => LAND,
        }
    }
    /// A place on the map; an open end lies beyond its neighbour `beside`.
    pub fn point(&self, name: &str, beside: &str) -> MapPoint {
        if let Some(p) = self.points.get(name) {
            return *p;
        }
        let near = self.points.get(beside).copied().unwrap_or(MapPoint { x: 500.0, y: 500.0 });
        if name == LAND {
            MapPoint { x: near.x - 110.0, y: near.y + 110.0 }
        } else {
            MapPoint { x: near.x + 62.0, y: near.y - 62.0 }
        }
    }
    /// The place after `share` (0..=1) of a way.
    pub fn along(&self, way: &[String], share: f64) -> MapPoint {
        let points: Vec<MapPoint> = way
            .iter()
            .enumerate()
            .map(|(i, name)| {
                let beside = if i == 0 { way.get(1) } else { way.get(i - 1) };
                self.point(name, beside.map_or("", String::as_str))
            })
            .collect();
        let length = |a: &MapPoint, b: &MapPoint| ((a.x - b.x).powi(2) + (a.y - b.y).powi(2)).sqrt();
        let total: f64 = points.windows(2).map(|w| length(&w[0], &w[1])).sum();
        let mut left = total * share.clamp(0.0, 1.0);
        for w in points.windows(2) {
            let l = length(&w[0], &w[1]);
            if left <= l {
                let t = if l > 0.0 { left / l } else { 0.0 };
                return MapPoint { x: w[0].x + (w[1].x - w[0].x) * t, y: w[0].y + (w[1].y - w[0].y) * t };
            }
            left -= l;
        }
        points.last().copied().unwrap_or(MapPoint { x: 0.0, y: 0.0 })
    }
}
