//! A process made ready for following: its paths as one tree, with places as small numbers.

use gate_types::NodeId;
use gate_types::mission::{
    Condition, Direction, LegRef, LegRule, MissionConditions, MissionPath, PathKind, Process,
};
use std::sync::Arc;

/// What the follower weighs and waits by; a site may set each of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Habits {
    /// A leg is late after its usual driving time times this ...
    pub late_factor: f64,
    /// ... and this much more, milliseconds.
    pub late_slack_ms: i64,
    /// Late by this much more, milliseconds, it is lost.
    pub lost_after_ms: i64,
    /// How long a vehicle may stay in a parking, milliseconds.
    pub stay_ms: i64,
    /// No vehicle drives a leg in less than its usual time times this.
    pub fastest_factor: f64,
    /// By how much the clocks of two gates may differ, milliseconds.
    pub clocks_ms: i64,
    /// Share of vehicles whose identity a node reads, where the node itself has no figure (0..1).
    pub read_rate: f64,
    /// Share of missions that leave their path on purpose or by mistake, at one node (0..1).
    pub deviations: f64,
    /// Share of missions whose identity somebody else carries too, at one node (0..1).
    pub clones: f64,
    /// A weight may drift by this share of the first one (0..1) ...
    pub weight_share: f64,
    /// ... or by this much, kilograms, whichever is more: two scales, fuel, the driver.
    pub weight_kg: f64,
}

impl Default for Habits {
    /// Habits of a port about which nothing is known: reads of 97 %, one deviation in 500, one clone in 20,000.
    fn default() -> Self {
        Self {
            late_factor: 3.0,
            late_slack_ms: 900_000,
            lost_after_ms: 5_400_000,
            stay_ms: 86_400_000,
            fastest_factor: 0.35,
            clocks_ms: 2_000,
            read_rate: 0.97,
            deviations: 0.002,
            clones: 0.00005,
            weight_share: 0.02,
            weight_kg: 300.0,
        }
    }
}

/// One control point as the follower knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct PortNode {
    /// Its name.
    pub id: NodeId,
    /// Vehicles wait here: no leg behind it is late, the stay is bounded instead.
    pub parking: bool,
    /// Share of vehicles whose identity it reads (0..1), where measured.
    pub read_rate: Option<f64>,
}

/// The control points of a port and the usual driving times between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Port {
    nodes: Vec<PortNode>,
    roads: Vec<(u16, u16, i64)>,
    usual_ms: Vec<i64>,
    /// What to weigh and wait by.
    pub habits: Habits,
}

/// No road joins the two points.
const FAR: i64 = i64::MAX / 4;

impl Port {
    /// From the nodes and the roads, each driven both ways in the given time (milliseconds). Roads to names
    /// that are no node (the open ends of the port) are left out.
    pub fn new<'a>(
        nodes: Vec<PortNode>,
        roads: impl IntoIterator<Item = (&'a str, &'a str, i64)>,
        habits: Habits,
    ) -> Self {
        let at = |id: &str| {
            nodes.iter().position(|node| node.id.as_str() == id).and_then(|k| u16::try_from(k).ok())
        };
        let roads: Vec<(u16, u16, i64)> =
            roads.into_iter().filter_map(|(a, b, ms)| Some((at(a)?, at(b)?, ms.clamp(0, FAR)))).collect();
        let usual_ms = shortest(nodes.len(), &roads, None);
        Self { nodes, roads, usual_ms, habits }
    }

    /// The number of a node.
    pub fn number(&self, id: &NodeId) -> Option<u16> {
        self.nodes.iter().position(|n| n.id == *id).and_then(|k| u16::try_from(k).ok())
    }
    pub(super) fn node(&self, number: u16) -> Option<&PortNode> {
        self.nodes.get(usize::from(number))
    }
    /// Usual driving time between two nodes, milliseconds; none where no road joins them.
    pub fn usual_ms(&self, from: u16, to: u16) -> Option<i64> {
        let at = usize::from(from) * self.nodes.len() + usize::from(to);
        self.usual_ms.get(at).copied().filter(|ms| *ms < FAR)
    }
    /// Usual time of the shortest way that does not touch `without`; none where there is none.
    pub(super) fn around_ms(&self, from: u16, to: u16, without: u16) -> Option<i64> {
        let all = shortest(self.nodes.len(), &self.roads, Some(without));
        Some(cell(&all, usize::from(from) * self.nodes.len() + usize::from(to))).filter(|ms| *ms < FAR)
    }
    /// The share of vehicles that a node identifies.
    pub(super) fn read_rate(&self, number: u16) -> f64 {
        let measured = self.node(number).and_then(|n| n.read_rate);
        measured.unwrap_or(self.habits.read_rate).clamp(0.5, 0.999)
    }
}

/// Shortest times between all nodes (Floyd and Warshall), with one node closed.
fn shortest(n: usize, roads: &[(u16, u16, i64)], closed: Option<u16>) -> Vec<i64> {
    let mut ms = vec![FAR; n * n];
    for (a, b, road) in roads.iter().filter(|(a, b, _)| Some(*a) != closed && Some(*b) != closed) {
        for at in [usize::from(*a) * n + usize::from(*b), usize::from(*b) * n + usize::from(*a)] {
            if let Some(cell) = ms.get_mut(at) {
                *cell = (*cell).min(*road);
            }
        }
    }
    for k in 0..n {
        for a in 0..n {
            for b in 0..n {
                let by_k = if a == b { 0 } else { cell(&ms, a * n + k) + cell(&ms, k * n + b) };
                if let Some(cell) = ms.get_mut(a * n + b) {
                    *cell = (*cell).min(by_k);
                }
            }
        }
    }
    ms
}

fn cell(cells: &[i64], at: usize) -> i64 {
    cells.get(at).copied().unwrap_or(FAR)
}

/// A node and direction of one process, as a small number: even is in, odd is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place(pub(super) u8);

impl Place {
    pub(super) fn bit(self) -> u128 {
        1u128 << self.0
    }
    pub(super) fn opposite(self) -> Self {
        Self(self.0 ^ 1)
    }
    fn stop(self) -> usize {
        usize::from(self.0 / 2)
    }
    pub(super) fn is_in(self) -> bool {
        self.direction() == Direction::In
    }
    pub(super) fn direction(self) -> Direction {
        if self.0.is_multiple_of(2) { Direction::In } else { Direction::Out }
    }
}

/// The conditions of a mission as bits; what a leg asks for is compared with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    bits: u8,
    berth: Option<u16>,
}

const PERMISSION: u8 = 1;
const TICKET: u8 = 2;
const DECLARED: u8 = 4;
const EXCEPTION: u8 = 8;

/// One point of the tree: a leg after those above it.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    pub(super) place: Place,
    leg: String,
    must: u8,
    must_not: u8,
    berth_here: bool,
    /// A path may end here (B11).
    pub(super) last: bool,
    pub(super) children: Vec<u8>,
}

/// Why a process cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Too large for the small numbers.
    #[error("process {process}: {what} more than {most}; split the process")]
    TooLarge {
        /// The process.
        process: String,
        /// What there is too much of.
        what: &'static str,
        /// The most that can be followed.
        most: usize,
    },
    /// A path names a node that the port does not have.
    #[error(
        "process {process}: its paths name node {node}, which the port does not have; add the node or mend the leg"
    )]
    NoSuchNode {
        /// The process.
        process: String,
        /// The node.
        node: String,
    },
}

/// A process made ready: the root is branch 0 and stands before the departure.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) process: Process,
    pub(super) port: Arc<Port>,
    stops: Vec<(NodeId, u16)>,
    transparent: Vec<u16>,
    pub(super) tree: Vec<Branch>,
}

impl Plan {
    /// Compiles a process of this port.
    ///
    /// # Errors
    /// More than 60 nodes or 250 legs in the tree of paths, or a node that the port does not have.
    pub fn new(process: &Process, port: Arc<Port>) -> Result<Self, PlanError> {
        let name = || process.id.to_string();
        let mut stops: Vec<(NodeId, u16)> = Vec::new();
        for rule in process.paths.iter().flat_map(|path| process.legs_of(path)) {
            if stops.iter().any(|(id, _)| *id == rule.node) {
                continue;
            }
            let number = port
                .number(&rule.node)
                .ok_or_else(|| PlanError::NoSuchNode { process: name(), node: rule.node.to_string() })?;
            stops.push((rule.node.clone(), number));
        }
        if stops.len() > 60 {
            return Err(PlanError::TooLarge { process: name(), what: "nodes", most: 60 });
        }
        let root = Branch {
            place: Place(127),
            leg: String::new(),
            must: 0,
            must_not: 0,
            berth_here: false,
            last: false,
            children: Vec::new(),
        };
        let transparent = process.transparent.iter().filter_map(|id| port.number(id)).collect();
        let mut plan = Self { process: process.clone(), port, stops, transparent, tree: vec![root] };
        for path in &process.paths {
            plan.plant(path)?;
        }
        Ok(plan)
    }

    fn plant(&mut self, path: &MissionPath) -> Result<(), PlanError> {
        let mut at = 0usize;
        let exceptional = path.kind == PathKind::Exceptional;
        for name in &path.legs {
            let Some(rule) = self.process.legs.get(name) else { continue };
            let known = self
                .tree
                .get(at)
                .into_iter()
                .flat_map(|b| &b.children)
                .copied()
                .find(|c| self.tree.get(usize::from(*c)).is_some_and(|b| b.leg == *name));
            if let Some(child) = known {
                at = usize::from(child);
                if let Some(branch) = self.tree.get_mut(at).filter(|_| !exceptional) {
                    let own = self
                        .process
                        .legs
                        .get(name)
                        .is_some_and(|r| r.requires.contains(&Condition::ExceptionAuthorised));
                    branch.must &= if own { u8::MAX } else { !EXCEPTION };
                }
                continue;
            }
            let too_large =
                || PlanError::TooLarge { process: self.process.id.to_string(), what: "legs", most: 250 };
            let number = u8::try_from(self.tree.len()).ok().filter(|n| *n < 250).ok_or_else(too_large)?;
            let Some(place) = self.place_of(&rule.node, rule.direction) else { continue };
            let mut branch = Branch {
                place,
                leg: name.clone(),
                must: if exceptional { EXCEPTION } else { 0 },
                must_not: 0,
                berth_here: false,
                last: false,
                children: Vec::new(),
            };
            for condition in &rule.requires {
                match condition {
                    Condition::AccessPermission => branch.must |= PERMISSION,
                    Condition::NoAccessPermission => branch.must_not |= PERMISSION,
                    Condition::BoardingTicket => branch.must |= TICKET,
                    Condition::NoBoardingTicket => branch.must_not |= TICKET,
                    Condition::Declaration => branch.must |= DECLARED,
                    Condition::BerthHere => branch.berth_here = true,
                    Condition::ExceptionAuthorised => branch.must |= EXCEPTION,
                }
            }
            self.tree.push(branch);
            if let Some(parent) = self.tree.get_mut(at) {
                parent.children.push(number);
            }
            at = usize::from(number);
        }
        if at > 0
            && let Some(end) = self.tree.get_mut(at)
        {
            end.last = true;
        }
        Ok(())
    }

    /// The process.
    pub fn process(&self) -> &Process {
        &self.process
    }
    /// The port.
    pub fn port(&self) -> &Port {
        &self.port
    }
    /// The conditions that hold, as bits.
    pub fn held(&self, facts: &MissionConditions) -> Held {
        let mut bits = 0;
        for (holds, bit) in [
            (facts.access_permission, PERMISSION),
            (facts.boarding_ticket, TICKET),
            (facts.declaration.is_some_and(|d| self.process.declarations.contains(&d)), DECLARED),
            (facts.exception.is_some(), EXCEPTION),
        ] {
            bits |= if holds { bit } else { 0 };
        }
        Held { bits, berth: facts.berth.as_ref().and_then(|id| self.port.number(id)) }
    }
    pub(super) fn place_of(&self, node: &NodeId, direction: Direction) -> Option<Place> {
        let at = self.stops.iter().position(|(id, _)| id == node)?;
        let odd = match direction {
            Direction::In => 0,
            Direction::Out => 1,
        };
        u8::try_from(2 * at + odd).ok().map(Place)
    }
    /// The port's number of a place's node.
    pub(super) fn node_of(&self, place: Place) -> Option<u16> {
        self.stops.get(place.stop()).map(|(_, number)| *number)
    }
    pub(super) fn leg_ref(&self, place: Place) -> Option<LegRef> {
        let (node, _) = self.stops.get(place.stop())?;
        Some(LegRef { node: node.clone(), direction: place.direction() })
    }
    pub(super) fn is_transparent(&self, node: u16) -> bool {
        self.transparent.contains(&node)
    }
    pub(super) fn branch(&self, at: u8) -> Option<&Branch> {
        self.tree.get(usize::from(at))
    }
    /// The name of a branch's leg.
    pub(super) fn leg_name(&self, at: u8) -> Option<&str> {
        self.branch(at).map(|b| b.leg.as_str())
    }
    /// The rule of a branch's leg.
    pub(super) fn rule(&self, at: u8) -> Option<&LegRule> {
        self.process.legs.get(self.leg_name(at)?)
    }
    /// The branch is on exceptional paths alone, or its leg asks for an exception (B33).
    pub(super) fn asks_exception(&self, at: u8) -> bool {
        self.branch(at).is_some_and(|b| b.must & EXCEPTION != 0)
    }
    pub(super) fn children(&self, at: u8) -> impl Iterator<Item = (u8, &Branch)> {
        self.branch(at).into_iter().flat_map(|b| &b.children).filter_map(|c| self.branch(*c).map(|b| (*c, b)))
    }
    /// Do a leg's conditions hold?
    pub(super) fn met(&self, branch: &Branch, held: Held) -> bool {
        held.bits & branch.must == branch.must
            && held.bits & branch.must_not == 0
            && (!branch.berth_here || (held.berth.is_some() && held.berth == self.node_of(branch.place)))
    }
}
