//! One physical lane: a truck drives over the first loop, stands, waits for arm and light, drives under the
//! arm over the second loop, or turns back. In a two-barrier lock it then stands before the exit arm, and
//! leaves by it or back by the entry.

use super::arm::{Arm, ArmAct};
use super::bay::{Bay, Pulse, Visit};
use super::truck::Card;
use gate_types::mission::Direction;
use gate_types::observation::Level;
use gate_types::{LaneId, NodeId};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// Length of a truck, metres.
pub const TRUCK_M: f64 = 13.0;
/// Nose at the place where the next truck waits; the stop line is 0, the arm is at 2.
pub const WAIT_M: f64 = -14.0;
const APPROACH: (f64, f64) = (-9.0, -1.0);
const UNDER: (f64, f64) = (2.0, 6.0);
/// The stop line before the exit arm of a lock, its loop, and the loop under the exit arm.
const INSIDE_STOP_M: f64 = 21.0;
const INSIDE: (f64, f64) = (12.0, 20.0);
const EXIT_UNDER: (f64, f64) = (23.0, 27.0);
const ACCEL: f64 = 4.0;
const TOP_SPEED: f64 = 9.0;

/// What a truck before the arm does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Drive {
    /// Rolls to the stop line.
    Approaching,
    /// Stands since world seconds.
    Standing(f64),
    /// Drives under the arm.
    Going,
    /// Backs out.
    Reversing,
    /// Stands between the arms of a lock; true once the entry arm was down behind it.
    Enclosed(bool),
    /// Drives under the exit arm of a lock.
    Leaving,
    /// Backs out of a lock by the entry arm.
    BackingOut,
}

/// The truck in the lane.
#[derive(Debug, Clone)]
pub struct Inside {
    /// Its number in the world.
    pub truck: u32,
    /// What devices sense.
    pub card: Arc<Card>,
    /// Nose, metres from the stop line.
    pub nose: f64,
    /// Speed, metres a second.
    pub speed: f64,
    /// What it does.
    pub drive: Drive,
    /// The driver waits this long, seconds.
    pub patience_s: f64,
    /// The visit's number, once it is on the first loop.
    pub visit: Option<u64>,
}

/// What happened in a tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// A truck came onto the first loop: visit number.
    Came(u64),
    /// It stands.
    Stands,
    /// It drove through.
    Passed(u32),
    /// It backed out.
    TurnedBack(u32),
    /// The arm did something.
    Arm(ArmAct),
    /// The exit arm of a lock did something.
    ExitArm(ArmAct),
    /// Both arms of a lock are off their lower ends.
    BothUp,
}

/// A lane.
#[derive(Debug)]
pub struct Lane {
    /// Its name.
    pub id: LaneId,
    /// Its node.
    pub node: NodeId,
    /// Its direction.
    pub direction: Direction,
    /// It has a scale.
    pub weighed: bool,
    /// Trucks that wait behind, in order.
    pub queue: VecDeque<u32>,
    /// The truck in the lane.
    pub inside: Option<Inside>,
    /// The arm.
    pub arm: Arm,
    /// The exit arm of a two-barrier lock.
    pub exit: Option<Arm>,
    /// Both arms of a lock are off their lower ends now.
    both_up: bool,
    /// Where the devices sense.
    pub bay: Arc<Bay>,
    visits: u64,
}

impl Lane {
    /// An empty lane.
    pub fn new(node: NodeId, direction: Direction, weighed: bool, bay: Arc<Bay>) -> Self {
        Self {
            id: bay.lane.clone(),
            node,
            direction,
            weighed,
            queue: VecDeque::new(),
            inside: None,
            arm: Arm::default(),
            exit: bay.exit.as_ref().map(|_| Arm::default()),
            both_up: false,
            bay,
            visits: 0,
        }
    }
    /// The next truck may drive up: nobody is there and the arm is down or falls.
    pub fn is_free(&self) -> bool {
        self.inside.is_none()
            && self.exit.is_none_or(|exit| exit.is_down())
            && (self.arm.is_down() || (self.arm.falls() && self.arm.angle < 0.5))
    }
    /// Lets a truck drive up from the waiting place.
    pub fn enter(&mut self, truck: u32, card: Arc<Card>, patience_s: f64) {
        self.inside = Some(Inside {
            truck,
            card,
            nose: WAIT_M,
            speed: 0.0,
            drive: Drive::Approaching,
            patience_s,
            visit: None,
        });
    }
    /// The number of the open visit.
    pub fn visit(&self) -> Option<u64> {
        self.inside.as_ref().and_then(|i| i.visit)
    }
    /// Lets `dt` seconds pass until world second `now`.
    pub fn step(&mut self, now: f64, dt: f64) -> Vec<Event> {
        let mut events = Vec::new();
        let (green, pulses) = {
            let mut panel = self.bay.panel();
            (panel.green, std::mem::take(&mut panel.pulses))
        };
        let mut acts = Vec::new();
        let under_before = self.covers(UNDER);
        for pulse in pulses {
            match pulse {
                Pulse::Raise => self.arm.raise(&mut acts),
                Pulse::Lower => self.arm.lower(under_before, &mut acts),
            }
        }
        let out = self.exit_pulses(&mut events);
        self.drive(now, dt, green && self.arm.is_up(), out, &mut events);
        let (approach, under) = (self.covers(APPROACH), self.covers(UNDER));
        self.arm.step(dt, under, &mut acts);
        events.extend(acts.into_iter().map(Event::Arm));
        self.exit_step(dt, &mut events);
        let level = |on: bool| if on { Level::On } else { Level::Off };
        let mut panel = self.bay.panel();
        panel.inputs.loop_approach = level(approach);
        panel.inputs.loop_under = level(under);
        panel.inputs.curtain = level(under);
        panel.inputs.limit_up = level(self.arm.is_up());
        panel.inputs.limit_down = level(self.arm.is_down());
        events
    }
    /// Lets the exit arm hear what it was told; true where it is up and its light is green.
    fn exit_pulses(&mut self, events: &mut Vec<Event>) -> bool {
        let occupied = self.covers(EXIT_UNDER);
        let (Some(exit), Some(bay)) = (&mut self.exit, &self.bay.exit) else { return false };
        let (green, pulses) = {
            let mut panel = bay.panel();
            (panel.green, std::mem::take(&mut panel.pulses))
        };
        let mut acts = Vec::new();
        for pulse in pulses {
            match pulse {
                Pulse::Raise => exit.raise(&mut acts),
                Pulse::Lower => exit.lower(occupied, &mut acts),
            }
        }
        events.extend(acts.into_iter().map(Event::ExitArm));
        green && exit.is_up()
    }
    /// Moves the exit arm, and tells once each time both arms are off their lower ends.
    fn exit_step(&mut self, dt: f64, events: &mut Vec<Event>) {
        let (between, under) = (self.covers(INSIDE), self.covers(EXIT_UNDER));
        let (Some(exit), Some(bay)) = (&mut self.exit, &self.bay.exit) else { return };
        let mut acts = Vec::new();
        exit.step(dt, under, &mut acts);
        events.extend(acts.into_iter().map(Event::ExitArm));
        let both_up = !self.arm.is_down() && !exit.is_down();
        if both_up && !self.both_up {
            events.push(Event::BothUp);
        }
        self.both_up = both_up;
        let level = |on: bool| if on { Level::On } else { Level::Off };
        let mut panel = bay.panel();
        panel.inputs.loop_approach = level(between);
        panel.inputs.loop_under = level(under);
        panel.inputs.curtain = level(under);
        panel.inputs.limit_up = level(exit.is_up());
        panel.inputs.limit_down = level(exit.is_down());
    }
    fn covers(&self, part: (f64, f64)) -> bool {
        self.inside.as_ref().is_some_and(|i| i.nose > part.0 && i.nose - TRUCK_M < part.1)
    }
    fn drive(&mut self, now: f64, dt: f64, open: bool, out: bool, events: &mut Vec<Event>) {
        let lock = self.exit.is_some();
        let behind = if lock { EXIT_UNDER } else { UNDER };
        let Some(t) = self.inside.as_mut() else { return };
        match t.drive {
            Drive::Approaching => {
                let room = (-t.nose).max(0.0);
                let limit = (2.0 * ACCEL * room).sqrt().min(TOP_SPEED * 0.7);
                t.speed = (t.speed + ACCEL * dt).min(limit).max(0.15);
                t.nose = (t.nose + t.speed * dt).min(0.0);
                if t.nose > -0.05 {
                    (t.nose, t.speed, t.drive) = (0.0, 0.0, Drive::Standing(now));
                    events.push(Event::Stands);
                }
            }
            Drive::Standing(since) => {
                if open {
                    t.drive = Drive::Going;
                } else if now - since > t.patience_s && self.arm.is_down() {
                    t.drive = Drive::Reversing;
                    t.speed = 0.0;
                }
            }
            Drive::Going if lock => {
                let room = (INSIDE_STOP_M - t.nose).max(0.0);
                let limit = (2.0 * ACCEL * room).sqrt().min(TOP_SPEED * 0.7);
                t.speed = (t.speed + ACCEL * dt).min(limit).max(0.15);
                t.nose = (t.nose + t.speed * dt).min(INSIDE_STOP_M);
                if t.nose > INSIDE_STOP_M - 0.05 {
                    (t.nose, t.speed, t.drive) = (INSIDE_STOP_M, 0.0, Drive::Enclosed(false));
                }
            }
            Drive::Enclosed(shut) => {
                t.drive = if out {
                    Drive::Leaving
                } else if open && shut {
                    Drive::BackingOut
                } else {
                    Drive::Enclosed(shut || self.arm.is_down())
                };
            }
            Drive::Going | Drive::Leaving => {
                t.speed = (t.speed + ACCEL * dt).min(TOP_SPEED);
                t.nose += t.speed * dt;
            }
            Drive::BackingOut => {
                t.speed = (t.speed + 2.0 * dt).min(4.0);
                t.nose -= t.speed * dt;
            }
            Drive::Reversing => {
                t.speed = (t.speed + 2.0 * dt).min(4.0);
                t.nose -= t.speed * dt;
                // The arm opens while the driver backs out: it drives on after all.
                if open && t.nose > -7.0 {
                    (t.drive, t.speed) = (Drive::Going, 0.0);
                }
            }
        }
        if t.visit.is_none() && t.nose > APPROACH.0 {
            self.visits += 1;
            t.visit = Some(self.visits);
            events.push(Event::Came(self.visits));
        }
        // The cameras of a lock see into it as well.
        let last = if lock { INSIDE.1 } else { APPROACH.1 };
        let seen = t.nose > APPROACH.0 && t.nose - TRUCK_M < last;
        let (truck, nose, standing) = (t.truck, t.nose, matches!(t.drive, Drive::Standing(_)));
        let shown = t.visit.filter(|_| seen).map(|number| (number, t.card.clone()));
        self.bay.vehicle.send_if_modified(|v| match (&shown, v.as_mut()) {
            (None, None) => false,
            (None, Some(_)) => {
                *v = None;
                true
            }
            (Some((number, _)), Some(old)) if old.number == *number && old.standing == standing => false,
            (Some((number, card)), _) => {
                *v = Some(Visit { number: *number, card: card.clone(), standing, since: Instant::now() });
                true
            }
        });
        if nose - TRUCK_M > behind.1 + 0.2 {
            self.inside = None;
            events.push(Event::Passed(truck));
        } else if nose < WAIT_M {
            self.inside = None;
            events.push(Event::TurnedBack(truck));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Look;
    use crate::world::ident::Home;
    use rand::SeedableRng as _;

    fn lane() -> (Lane, Arc<Card>) {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let look = Look::random(Home::random(&mut rng), true, &mut rng);
        let bay = Bay::new(LaneId::new("n1-in-1").unwrap(), 1);
        let card = Card { look, tag: None, gross_kg: 30_000.0, seed: 1 };
        (Lane::new(NodeId::new("1").unwrap(), Direction::In, true, bay), Arc::new(card))
    }

    fn run(lane: &mut Lane, now: &mut f64, seconds: f64) -> Vec<Event> {
        let mut all = Vec::new();
        let end = *now + seconds;
        while *now < end {
            *now += 0.025;
            all.extend(lane.step(*now, 0.025));
        }
        all
    }

    #[test]
    fn a_truck_waits_for_arm_and_light_then_passes_over_both_loops() {
        let (mut lane, card) = lane();
        let mut now = 0.0;
        lane.enter(7, card, 45.0);
        let events = run(&mut lane, &mut now, 8.0);
        assert!(events.contains(&Event::Came(1)) && events.contains(&Event::Stands));
        assert!(lane.bay.panel().inputs.loop_approach.is_on());
        lane.bay.panel().pulses.push(Pulse::Raise);
        run(&mut lane, &mut now, 2.0);
        assert!(lane.arm.is_up() && lane.inside.as_ref().is_some_and(|i| i.nose == 0.0), "red light");
        lane.bay.panel().green = true;
        let events = run(&mut lane, &mut now, 1.5);
        assert!(events.is_empty() && lane.bay.panel().inputs.loop_under.is_on());
        assert_eq!(run(&mut lane, &mut now, 4.0), vec![Event::Passed(7)]);
        assert!(!lane.is_free(), "the arm is still up");
    }

    #[test]
    fn a_truck_in_a_lock_waits_between_the_arms_and_leaves_by_either() {
        let (one, card) = lane();
        let bay = Bay::lock(one.id.clone(), 1);
        let mut lane = Lane::new(one.node.clone(), Direction::In, true, bay);
        let exit = lane.bay.exit.clone().unwrap();
        let mut now = 0.0;
        let drive_in = |lane: &mut Lane, now: &mut f64| {
            lane.enter(7, card.clone(), 45.0);
            run(lane, now, 8.0);
            lane.bay.panel().green = true;
            lane.bay.panel().pulses.push(Pulse::Raise);
            run(lane, now, 9.0);
            assert_eq!(lane.inside.as_ref().map(|i| i.drive), Some(Drive::Enclosed(false)));
            let (before, between) = (lane.bay.panel().inputs, exit.panel().inputs);
            assert!(!before.loop_approach.is_on() && !before.loop_under.is_on());
            assert!(between.loop_approach.is_on() && !between.loop_under.is_on());
            lane.bay.panel().green = false;
            lane.bay.panel().pulses.push(Pulse::Lower);
            run(lane, now, 2.0);
            assert!(lane.arm.is_down() && !lane.is_free());
        };
        drive_in(&mut lane, &mut now);
        exit.panel().green = true;
        exit.panel().pulses.push(Pulse::Raise);
        let events = run(&mut lane, &mut now, 8.0);
        assert!(events.contains(&Event::Passed(7)) && !events.contains(&Event::BothUp), "{events:?}");
        exit.panel().pulses.push(Pulse::Lower);
        run(&mut lane, &mut now, 2.0);
        assert!(lane.is_free());

        exit.panel().green = false;
        drive_in(&mut lane, &mut now);
        lane.bay.panel().green = true;
        lane.bay.panel().pulses.push(Pulse::Raise);
        let events = run(&mut lane, &mut now, 14.0);
        assert!(events.contains(&Event::TurnedBack(7)), "{events:?}");
        exit.panel().pulses.push(Pulse::Raise);
        let events = run(&mut lane, &mut now, 2.0);
        assert!(events.contains(&Event::BothUp), "whoever raises both is told of: {events:?}");
    }

    #[test]
    fn an_impatient_driver_backs_out_without_touching_the_second_loop() {
        let (mut lane, card) = lane();
        let mut now = 0.0;
        lane.enter(7, card, 2.0);
        let events = run(&mut lane, &mut now, 16.0);
        assert_eq!(events.last(), Some(&Event::TurnedBack(7)));
        assert!(lane.is_free() && !lane.bay.panel().inputs.loop_approach.is_on());
    }
}
