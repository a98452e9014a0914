//! The whole port: trucks come, queue, pass, change their papers and leave.

use super::arm::ArmAct;
use super::bay::Bay;
use super::lane::{Drive, Event, Lane};
use super::ledger::{ArmRecord, Ending, Ledger, TrueVisit};
use super::plan::{self, When};
use super::roads::Roads;
use super::truck::{Papers, Place, Story, Truck};
use config::{NodeConfig, Site};
use gate_types::mission::{LegRef, Process};
use gate_types::{LaneId, MissionId};
use rand::seq::IndexedRandom as _;
use rand::{Rng, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Driving times of the site file are this much shorter in the demo.
pub const TIME_SCALE: f64 = 0.022;

/// How long a driver still waits once the demo ends, seconds.
const LAST_WAIT_S: f64 = 9.0;

/// Something that people of the port do at central's API.
#[derive(Debug, Clone)]
pub enum Errand {
    /// Announce a truck.
    Announce(u32),
    /// Change its papers.
    Papers(u32, MissionId, Papers),
}

/// How lively the port is.
#[derive(Debug, Clone, Copy)]
pub struct Liveliness {
    /// Trucks in the port at most.
    pub trucks: usize,
    /// Least seconds between two new trucks.
    pub spawn_every_s: f64,
}

/// The port.
#[derive(Debug)]
pub struct Port {
    /// The roads.
    pub roads: Roads,
    /// The lanes in the order of the node files.
    pub lanes: Vec<Lane>,
    /// Trucks in the port.
    pub trucks: BTreeMap<u32, Truck>,
    /// What happened.
    pub ledger: Ledger,
    /// World seconds.
    pub now_s: f64,
    processes: Vec<Process>,
    rng: ChaCha8Rng,
    next_truck: u32,
    next_spawn_s: f64,
    lively: Liveliness,
    deck: Vec<Story>,
    due: Vec<(f64, u32, usize)>,
    closing: bool,
}

impl Port {
    /// An empty port with the lanes of these nodes.
    pub fn new(site: &Site, nodes: &[NodeConfig], seed: u64, lively: Liveliness) -> Self {
        let mut lanes = Vec::new();
        for (n, lane) in nodes.iter().flat_map(|c| c.lanes.iter().map(move |l| (c, l))).enumerate() {
            let (id, seed) = (lane.1.id.clone(), seed.wrapping_mul(1_000_003).wrapping_add(n as u64));
            let bay = if lane.1.exit_io.is_some() { Bay::lock(id, seed) } else { Bay::new(id, seed) };
            lanes.push(Lane::new(lane.0.node.clone(), lane.1.direction, lane.1.scale.is_some(), bay));
        }
        Self {
            roads: Roads::new(site, TIME_SCALE),
            lanes,
            trucks: BTreeMap::new(),
            ledger: Ledger::default(),
            now_s: 0.0,
            processes: site.processes.clone(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            next_truck: 1,
            next_spawn_s: 0.0,
            lively,
            deck: Vec::new(),
            due: Vec::new(),
            closing: false,
        }
    }
    /// The bays, for the faces.
    pub fn bays(&self) -> Vec<Arc<Bay>> {
        self.lanes.iter().map(|l| l.bay.clone()).collect()
    }
    /// A process by name.
    pub fn process(&self, name: &str) -> Option<&Process> {
        self.processes.iter().find(|p| p.id.as_str() == name)
    }
    /// Trucks that are already under way when the world starts.
    pub fn populate(&mut self, count: usize) -> Vec<Errand> {
        (0..count).filter_map(|_| self.spawn(true)).collect()
    }
    /// Special stories come in a fixed share, in shuffled order.
    fn story(&mut self) -> Story {
        if self.deck.is_empty() {
            self.deck = vec![Story::Plain; 26];
            self.deck.extend([Story::LateRelease; 4]);
            self.deck.extend([Story::Held, Story::WrongWeight, Story::Unknown, Story::Unknown]);
        }
        let at = self.rng.random_range(0..self.deck.len());
        self.deck.swap_remove(at)
    }
    fn spawn(&mut self, under_way: bool) -> Option<Errand> {
        let story = self.story();
        let mut rng = ChaCha8Rng::seed_from_u64(self.rng.random());
        let process = self.processes.choose(&mut rng)?.clone();
        let path = plan::choose(&process, &mut rng)?;
        let plan = plan::plan(&process, path, story == Story::LateRelease, &mut rng);
        // The processes of container ships carry containers, those of ferries trailers.
        let container = process.name.to_lowercase().contains("container");
        let start = match story {
            Story::Plain | Story::LateRelease if under_way => rng.random_range(0..plan.legs.len()),
            Story::Plain | Story::LateRelease | Story::Held | Story::WrongWeight | Story::Unknown => 0,
        };
        let id = self.next_truck;
        self.next_truck += 1;
        let mut truck = Truck::new(id, rng.random(), process.id.clone(), container, plan, story, start);
        if !under_way {
            truck.attempts = 0;
        }
        let unknown = story == Story::Unknown;
        self.trucks.insert(id, truck);
        if unknown {
            self.set_out(id);
            None
        } else {
            Some(Errand::Announce(id))
        }
    }
    /// Central knows the truck now; it sets out.
    pub fn announced(&mut self, id: u32, mission: MissionId) {
        if let Some(truck) = self.trucks.get_mut(&id) {
            truck.mission = Some(mission);
            self.set_out(id);
        }
    }
    fn set_out(&mut self, id: u32) {
        let jitter = self.rng.random_range(0.0..1.5);
        let Some(truck) = self.trucks.get_mut(&id) else { return };
        let Some(leg) = truck.plan.legs.get(truck.next) else { return };
        let from = match truck.next.checked_sub(1).and_then(|n| truck.plan.legs.get(n)) {
            Some(before) => before.node.to_string(),
            None => Roads::end_before(leg.direction).to_owned(),
        };
        let (mut along, drive_s) = self.roads.way(&from, leg.node.as_str());
        if along.len() < 2 {
            along.push(leg.node.to_string());
        }
        // Before the world's first second trucks are found anywhere on their way.
        let driven_s = if self.now_s == 0.0 { drive_s * self.rng.random_range(0.2..1.0) } else { 0.0 };
        let from_s = self.now_s - driven_s;
        truck.place = Place::Road { along, from_s, to_s: from_s + drive_s + jitter };
    }
    /// No new truck comes, none drives up to an arm any more, drivers before a closed arm turn back soon.
    pub fn close(&mut self) {
        self.closing = true;
        let now = self.now_s;
        for lane in &mut self.lanes {
            lane.queue.clear();
            let Some(inside) = &mut lane.inside else { continue };
            let stood_s = match inside.drive {
                Drive::Standing(since) => now - since,
                Drive::Approaching
                | Drive::Going
                | Drive::Reversing
                | Drive::Enclosed(_)
                | Drive::Leaving
                | Drive::BackingOut => 0.0,
            };
            inside.patience_s = inside.patience_s.min(stood_s + LAST_WAIT_S);
        }
    }
    /// No truck is in any lane, and every arm is down.
    pub fn is_empty(&self) -> bool {
        self.lanes.iter().all(|l| l.inside.is_none() && l.arm.is_down() && l.exit.is_none_or(|e| e.is_down()))
    }
    /// Lets `dt` seconds pass.
    pub fn tick(&mut self, dt: f64, wall_ms: i64) -> Vec<Errand> {
        self.now_s += dt;
        let mut errands = self.due_errands();
        if !self.closing && self.now_s >= self.next_spawn_s && self.trucks.len() < self.lively.trucks {
            self.next_spawn_s = self.now_s + self.lively.spawn_every_s * self.rng.random_range(0.6..1.4);
            errands.extend(self.spawn(false));
        }
        self.arrive();
        for at in 0..self.lanes.len() {
            self.let_in(at);
            let open = self.lanes[at].visit();
            for event in self.lanes[at].step(self.now_s, dt) {
                self.happened(at, open, event, wall_ms);
            }
        }
        self.trucks.retain(|_, t| t.place != Place::Gone);
        errands
    }
    fn arrive(&mut self) {
        let now = self.now_s;
        let arrived: Vec<u32> = self
            .trucks
            .values()
            .filter(|t| match &t.place {
                Place::Road { to_s, .. } => *to_s <= now,
                Place::Parked { until_s, .. } => *until_s <= now,
                Place::Waiting | Place::Lane(_) | Place::Gone => false,
            })
            .map(|t| t.id)
            .collect();
        for id in arrived {
            let Some(truck) = self.trucks.get(&id) else { continue };
            let place = match truck.plan.legs.get(truck.next) {
                None => Place::Gone,
                Some(_) if self.closing => Place::Gone,
                Some(leg) => match self.shortest(leg) {
                    Some(at) => {
                        self.lanes[at].queue.push_back(id);
                        Place::Lane(at)
                    }
                    None => Place::Gone,
                },
            };
            if let Some(truck) = self.trucks.get_mut(&id) {
                truck.place = place;
            }
        }
    }
    fn shortest(&self, leg: &LegRef) -> Option<usize> {
        let load = |l: &Lane| l.queue.len() + usize::from(l.inside.is_some());
        let fits = |l: &Lane| l.node == leg.node && l.direction == leg.direction;
        (0..self.lanes.len()).filter(|i| fits(&self.lanes[*i])).min_by_key(|i| load(&self.lanes[*i]))
    }
    fn let_in(&mut self, at: usize) {
        if self.closing || !self.lanes[at].is_free() {
            return;
        }
        let Some(id) = self.lanes[at].queue.pop_front() else { return };
        if let Some(truck) = self.trucks.get_mut(&id) {
            truck.attempts += 1;
            let (card, patience_s) = (truck.card.clone(), truck.patience_s());
            self.lanes[at].enter(id, card, patience_s);
        }
    }
    fn happened(&mut self, at: usize, open: Option<u64>, event: Event, wall_ms: i64) {
        let lane = self.lanes[at].id.clone();
        match event {
            Event::Came(number) => self.open_visit(at, number, wall_ms),
            Event::Stands => {
                let inside = self.lanes[at].inside.as_ref().map(|i| i.truck);
                if let Some(truck) = inside.and_then(|id| self.trucks.get(&id)) {
                    let (id, next) = (truck.id, truck.next);
                    self.schedule(id, |w| matches!(w, When::Standing(leg, _) if leg == next));
                }
            }
            Event::BothUp => *self.ledger.both_up.entry(lane.to_string()).or_default() += 1,
            Event::Arm(act) | Event::ExitArm(act) => {
                let exit = matches!(event, Event::ExitArm(_));
                // What moves when a truck has just left belongs to its visit.
                let visit = open.or_else(|| self.last_visit(&lane));
                let visit = if act == ArmAct::RaisePulse { open } else { visit };
                self.ledger.arms.push(ArmRecord { lane, at_ms: wall_ms, act, visit, exit });
            }
            Event::Passed(id) => {
                self.end_visit(&lane, Ending::Passed, wall_ms);
                self.after_pass(id);
            }
            Event::TurnedBack(id) => {
                self.end_visit(&lane, Ending::TurnedBack, wall_ms);
                self.after_turn(id);
            }
        }
    }
    fn last_visit(&self, lane: &LaneId) -> Option<u64> {
        self.ledger.visits.iter().rev().find(|v| v.lane == *lane).map(|v| v.number)
    }
    fn open_visit(&mut self, at: usize, number: u64, wall_ms: i64) {
        let lane = &self.lanes[at];
        let Some(truck) = lane.inside.as_ref().and_then(|i| self.trucks.get(&i.truck)) else { return };
        let look = &truck.card.look;
        self.ledger.visits.push(TrueVisit {
            lane: lane.id.clone(),
            number,
            truck: truck.id,
            story: truck.story,
            mission: truck.mission.clone(),
            tractor_plate: look.front.text(),
            trailer_plate: look.rear.text(),
            container: look.unit.as_ref().map(|u| u.code.clone()),
            tag: truck.card.tag.clone(),
            gross_kg: truck.card.gross_kg,
            weighed: lane.weighed,
            came_ms: wall_ms,
            ending: None,
            left_ms: None,
        });
    }
    fn end_visit(&mut self, lane: &LaneId, ending: Ending, wall_ms: i64) {
        if let Some(v) = self.ledger.visits.iter_mut().rev().find(|v| v.lane == *lane && v.ending.is_none()) {
            v.ending = Some(ending);
            v.left_ms = Some(wall_ms);
        }
    }
    fn after_pass(&mut self, id: u32) {
        let now = self.now_s;
        let Some(truck) = self.trucks.get_mut(&id) else { return };
        let passed = truck.next;
        let leg = truck.plan.legs[passed].clone();
        truck.next += 1;
        truck.attempts = 0;
        let next = truck.plan.legs.get(truck.next).cloned();
        self.schedule(id, |w| matches!(w, When::Passed(leg, _) if leg == passed));
        match next {
            // In and out of the same node: it waits there.
            Some(next) if next.node == leg.node => {
                let until_s = now + self.rng.random_range(4.0..8.0);
                if let Some(truck) = self.trucks.get_mut(&id) {
                    truck.place = Place::Parked { node: leg.node.to_string(), until_s };
                }
            }
            Some(_) => self.set_out(id),
            None => {
                let (along, drive_s) = self.roads.way(leg.node.as_str(), Roads::end_behind(leg.direction));
                if let Some(truck) = self.trucks.get_mut(&id) {
                    truck.finished = true;
                    truck.place = Place::Road { along, from_s: now, to_s: now + drive_s };
                    *self.ledger.finished.entry(truck.process.to_string()).or_default() += 1;
                }
            }
        }
    }
    fn after_turn(&mut self, id: u32) {
        let now = self.now_s;
        let Some(truck) = self.trucks.get_mut(&id) else { return };
        let Some(leg) = truck.plan.legs.get(truck.next).cloned() else { return };
        let again =
            matches!(truck.story, Story::Plain | Story::LateRelease) && truck.attempts < 3 && !self.closing;
        if !again && matches!(truck.story, Story::Plain | Story::LateRelease) && !self.closing {
            self.ledger.gave_up += 1;
        }
        // It drives a round and comes again, or leaves for good.
        let end = Roads::end_before(leg.direction);
        let (mut along, drive_s) = self.roads.way(leg.node.as_str(), end);
        if again {
            along = vec![leg.node.to_string(), end.to_owned(), leg.node.to_string()];
        } else {
            truck.next = truck.plan.legs.len();
        }
        truck.place = Place::Road { along, from_s: now, to_s: now + drive_s.max(2.0) };
    }
    fn schedule(&mut self, id: u32, fits: impl Fn(When) -> bool) {
        let Some(truck) = self.trucks.get(&id) else { return };
        let known = truck.mission.is_some() && truck.story != Story::Held;
        for (n, due) in truck.plan.changes.iter().enumerate() {
            let (When::Passed(_, s) | When::Standing(_, s)) = due.when;
            let already = self.due.iter().any(|(_, t, m)| *t == id && *m == n);
            if known && fits(due.when) && !already {
                self.due.push((self.now_s + s, id, n));
            }
        }
    }
    fn due_errands(&mut self) -> Vec<Errand> {
        let now = self.now_s;
        let (ripe, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.due).into_iter().partition(|d| d.0 <= now);
        self.due = later;
        let mut errands = Vec::new();
        for (_, id, n) in ripe {
            let Some(truck) = self.trucks.get_mut(&id) else { continue };
            if let (Some(due), Some(mission)) = (truck.plan.changes.get(n).copied(), truck.mission.clone()) {
                truck.papers.apply(&due.change);
                errands.push(Errand::Papers(id, mission, truck.papers.clone()));
            }
        }
        errands
    }
}
